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

mod gate;
mod glob;
mod guard;
#[cfg(feature = "page")]
mod page;
mod record;
mod recorder;
mod refusal;
mod relay;
mod replay;
mod selection;
mod stopper;
mod viewer;

pub use gate::{Denied, Gate};
pub use guard::AllowList;
#[cfg(feature = "page")]
pub use page::{Origin, Page};
pub use record::har::har;
pub use record::pcap::pcap;
pub use record::raw::{Recording, record};
pub use record::script::{curl_script, script};
pub use relay::Relay;
pub use replay::Replay;
pub use selection::Selection;
pub use stopper::TapStopper;
