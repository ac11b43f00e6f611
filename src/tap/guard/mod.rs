//! An allow-list between a program and its engine.
//!
//! With [`Relay::guard`](super::Relay::guard), a relay passes the requests that a rule of an
//! [`AllowList`] allows and answers all others with 403 and the rule that would be needed. It reads
//! every request whole, refuses what two readers could read in two ways, and sends the engine its
//! own encoding of what it has read.
//!
//! * [`rules`](AllowList), `glob`: the grammar of a rule, and the check
//! * `request`, `facts`: a request with one meaning, and what in it needs a rule
//! * `filter`: requests and responses of a connection in turn
//! * [`RequestWatch`] reads requests as a guard does, and only looks on
//!
//! This is no sandbox: a container that a rule allows can do all that containers can, and `*` for
//! its name stands for every container of the engine. `examples/guard/README.md` lists ways out.

mod facts;
mod filter;
mod glob;
mod request;
mod rules;
mod watch;

pub(super) use filter::{RequestFilter, Turn};
pub(super) use glob::Glob;
pub use rules::{AllowList, RuleError};
pub use watch::RequestWatch;
