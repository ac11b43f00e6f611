//! Clients over a stream that the caller connected: an inherited descriptor, a socket pair, vsock.

use super::{Client, ClientBuilder};
use crate::transport::{Carrier, Cause, ConnectErrorKind, Endpoint, Program, Stream};
use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

impl Client {
    /// A client over one connected stream. After its end a request fails with
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
    /// Returns a client that uses this stream, and connects to its endpoint after the stream's end.
    pub fn over(self, stream: impl Into<Stream>) -> Client {
        let client = self.build();
        client.inner.pool.give(stream.into());
        client
    }
}

/// Stands for the endpoint that is not known.
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
