//! An allow-list between a program and its engine.
//!
//! With [`Relay::guard`](super::Relay::guard), a relay passes the requests that a rule of an
//! [`AllowList`] allows and answers all others with 403 and the rule that would be needed. It
//! refuses what could be read in two ways, and sends the engine its own encoding of what it read.
//!
//! This is no sandbox: a container that a rule allows can do all that containers can, and `*` for
//! its name stands for every container of the engine. `examples/guard/README.md` lists escapes.

mod facts;
mod request;
mod requests;
mod rules;
mod watch;

pub(super) use requests::{GuardedRequests, Turn};
pub use rules::AllowList;
pub use watch::{RequestWatch, needed_rules};
