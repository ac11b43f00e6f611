//! Clients over a stream that the caller has connected, such as an inherited descriptor.

use super::{Client, ClientBuilder};
use crate::transport::{Carrier, Cause, ConnectErrorKind, Endpoint, Program, Stream};
use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

impl Client {
    /// Creates a client over one connected stream. When the stream has ended, a request fails with
    /// [`Error::Connect`](crate::Error::Connect).
    ///
    /// ```no_run
    /// use std::os::fd::AsFd;
    /// use unix_http::Client;
    ///
    /// // The parent process passed one end of a socket pair as standard input.
    /// let parent = std::io::stdin().as_fd().try_clone_to_owned()?;
    /// let version = Client::over(parent).get("/version").send()?.text()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn over(stream: impl Into<Stream>) -> Client {
        Client::builder(Endpoint::Program(Carrier(Arc::new(OwnStream)))).over(stream)
    }
}

impl ClientBuilder {
    /// Returns a client that uses this stream first, and connects to the endpoint after its end.
    pub fn over(self, stream: impl Into<Stream>) -> Client {
        let client = self.build();
        client.inner.pool.give(stream.into());
        client
    }
}

/// Takes the place of an unknown endpoint.
#[derive(Debug)]
struct OwnStream;

impl Program for OwnStream {
    fn words(&self, _: Option<Duration>) -> Vec<OsString> {
        Vec::new()
    }

    fn check(&self) -> Result<(), Cause> {
        let why = "its one connection is used up; connect again and make another client";
        Err(Cause::new(ConnectErrorKind::Other, why))
    }
}

impl fmt::Display for OwnStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stream of the caller's")
    }
}
