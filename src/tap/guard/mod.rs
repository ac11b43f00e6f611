//! An allow-list between a program and its engine.
//!
//! With [`Relay::guard`](super::Relay::guard), a relay passes the requests that a rule of an
//! [`AllowList`] allows, and answers all others with 403 and the rule that would be needed. It
//! refuses ambiguous requests, and encodes each request again before it sends it to the engine.
//!
//! This is not a sandbox: a container that a rule allows can do everything that containers can, and
//! `*` as its name matches every container of the engine. `examples/guard/README.md` lists escapes.

mod facts;
mod request;
mod requests;
mod rules;
mod watch;

pub(super) use requests::{GuardedRequests, Turn};
pub use rules::AllowList;
