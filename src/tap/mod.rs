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
//! * [`Conversation`] reads the copy as HTTP: which response answers which request, where each
//!   message ends and why.
//! * An [`Observer`] is told [`Event`]s. What an observer does cannot change what is passed on.
//! * [`secrets`] covers credentials before any observer sees them; [`gate`] keeps web pages out of
//!   a TCP port.
//!
//! The arrow never points back: nothing that is read here, or cannot be read, reaches the bytes.
pub mod conversation;
pub mod exchange;
pub mod gate;
pub mod har;
pub mod pcap;
pub mod record;
mod refusal;
pub mod relay;
pub mod replay;
pub mod script;
pub mod secrets;
mod table;
pub mod text;
mod watch;

pub use conversation::Conversation;
pub use exchange::{Event, Exchange, Fault, Message, Observer, Side};
pub use har::Har;
pub use pcap::Pcap;
pub use record::{Record, Recorded, Recording, What};
pub use relay::{Relay, RelayStopper};
pub use replay::{Replay, ReplayStopper};
pub use script::{Script, Tool};
pub use text::Text;
