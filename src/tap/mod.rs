//! Seeing what travels through a socket.
pub mod conversation;
pub mod exchange;
pub mod gate;
pub mod relay;
pub mod secrets;
pub use conversation::Conversation;
pub use exchange::{Event, Exchange, Fault, Message, Observer, Side};
pub use relay::{Relay, RelayStopper};
