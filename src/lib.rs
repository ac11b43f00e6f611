//! HTTP/1.1 over Unix domain sockets, by hand.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod transport;
pub mod wire;
