//! An allow-list between a program and its engine.

mod facts;
mod request;
mod requests;
mod rules;
mod watch;

pub(super) use requests::{GuardedRequests, Turn};
pub use rules::AllowList;
