//! Transfers: where requests go, what they send, and how responses are handled.

pub mod attempt;
pub mod container_ref;
pub mod hijack;
pub mod hops;
pub mod request;
pub mod retry;
pub mod run;
pub mod session;
pub mod url;
