//! HTTP/1.1 over Unix domain sockets, by hand.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod client;
pub mod connection;
pub mod docker;
mod error;
pub mod json;
pub mod transport;
pub mod wire;

pub use client::{Body, Client, Request, Response, Upgraded};
pub use error::Error;
pub use transport::{Endpoint, Timeouts};
