//! One line of an access log, and why an exchange failed.

use crate::base::text::visible;
use crate::wire::RequestHead;
use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// The result of one exchange. Its `Display` is a line for a log: `GET /version 200 792 1.2ms`,
/// followed by a colon and the error of an exchange that failed.
///
/// ```
/// # use unix_http::{Client, server::Server, transport::{Endpoint, PrivateDir}};
/// # let directory = PrivateDir::new_in(std::env::temp_dir())?;
/// # let endpoint = Endpoint::Unix(directory.path().join("s"));
/// let log = std::sync::mpsc::channel();
/// let server = Server::bind(&endpoint)?.observe(move |access| _ = log.0.send(access.to_string()));
/// let _handle = server.spawn(|_, _| Err(std::io::Error::other("the database is gone")))?;
/// assert_eq!(Client::new(endpoint).get("/notes").send()?.status(), 500);
/// assert!(log.1.recv()?.ends_with(": the database is gone"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Access<'a> {
    /// The request; `None` if no complete head arrived.
    pub request: Option<&'a RequestHead>,
    /// The address of a TCP client.
    pub peer: Option<SocketAddr>,
    /// The status-code; `None` if nothing was sent.
    pub status: Option<u16>,
    /// How many bytes of content were sent.
    pub sent: u64,
    /// Time from the end of the request's head to the end of the exchange.
    pub took: Duration,
    /// Why the exchange failed: the handler's [`io::Error`](std::io::Error) or panic, a
    /// [`Refusal`](super::Refusal), the [`Error`](crate::Error) for bytes that are not HTTP, or the
    /// error of accepting a connection.
    pub error: Option<&'a (dyn Error + 'static)>,
}

impl fmt::Display for Access<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.request {
            Some(head) => write!(f, "{} {}", head.method(), visible(head.target()))?,
            None => f.write_str("no request")?,
        }
        if let Some(status) = self.status {
            write!(f, " {status} {} {:.1?}", self.sent, self.took)?;
        }
        self.error.map_or(Ok(()), |error| write!(f, ": {}", visible(error.to_string().as_bytes())))
    }
}
