//! A tap on a socket: a relay that shows what a client and a server send.
//!
//! ```text
//!   client ──▶ Listener ─┐                                  ┌─▶ Text      for people
//!                        ├─ Relay ──▶ Conversation ──▶ Event ┤
//!   server ◀── Endpoint ─┘    bytes,     messages           └─▶ your own Observer
//!                             unchanged
//! ```
//!
//! * [`Relay`] forwards bytes, unchanged and at once, and shows a copy.
//! * [`traffic`](crate::traffic) reads the copy as HTTP, masks secrets, and passes events to
//!   observers. Observers cannot change the bytes.
//! * [`record`] writes files, [`replay`] answers from them.
//! * [`guard`] passes only what its rules allow.
//! * [`gate`] keeps web pages out of a TCP port.

pub mod gate;
mod glob;
pub mod guard;
#[cfg(feature = "page")]
pub mod page;
pub mod record;
mod refusal;
mod relay;
pub mod replay;
mod selection;
mod stopper;
mod viewer;

pub use gate::{Denied, Gate};
pub use guard::{AllowList, RequestWatch, needed_rules};
pub use record::har::Har;
pub use record::pcap::Pcap;
pub use record::raw::{Record, Recording};
pub use record::script::{Script, Tool};
pub use relay::Relay;
pub use replay::Replay;
pub use selection::{Selected, Selection};
pub use stopper::TapStopper;
