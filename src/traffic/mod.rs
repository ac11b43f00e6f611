//! The traffic between a client and a server, as events.
//!
//! ```text
//!   bytes of both sides ──▶ Conversation ──▶ Event ─┬─▶ Text      line by line, for people
//!                          pairs messages,          ├─▶ Explain   each line with its rule
//!                          masks secrets            └─▶ your own Observer
//! ```
//!
//! * [`Conversation`] reads the bytes of one connection as HTTP. It does no I/O.
//! * An [`Observer`] receives [`Event`]s.
//! * [`secrets`] masks credentials before any observer sees them.

mod conversation;
mod cover;
pub(crate) mod event;
pub(crate) mod exchange;
pub(crate) mod explain;
mod lane;
pub mod secrets;
mod text;
pub(crate) mod until_error;

pub use conversation::Conversation;
pub use event::{Event, Fault, Observer};
pub use exchange::{Exchange, Message, Side};
pub use explain::Explain;
pub use text::Text;
