//! A tap on a socket: what a client and a server say to each other, seen from between them.
//!
//! ```text
//!   client ──▶ Listener ─┐                                  ┌─▶ Text      for people
//!                        ├─ Relay ──▶ Conversation ──▶ Event ┤
//!   server ◀── Endpoint ─┘    bytes,     messages           └─▶ your own Observer
//!                             as they are
//! ```
//!
//! * [`Relay`] passes bytes on, unchanged and at once, and shows a copy: [`relay`] says what it
//!   promises.
//! * [`traffic`](crate::traffic) reads the copy as HTTP and covers secrets; its observers are told
//!   what it finds. What an observer does cannot change what is passed on.
//! * [`record`] writes what is seen to files, [`replay`] answers from them.
//! * [`gate`] keeps web pages out of a TCP port.
//!
//! The arrow never points back: nothing that is read here, or cannot be read, reaches the bytes.
pub mod gate;
pub mod record;
mod refusal;
pub mod relay;
pub mod replay;
mod viewer;

pub use record::har::Har;
pub use record::pcap::Pcap;
pub use record::raw::{Record, Recorded, Recording, What};
pub use record::script::{Script, Tool};
pub use relay::{Relay, RelayStopper};
pub use replay::{Replay, ReplayStopper};
