//! Connecting to an [`Endpoint`].

use super::child::Child;
use super::endpoint::Endpoint;
use super::error::ConnectError;
use super::stream::Stream;
use super::{tcp, unix};
use std::time::Duration;

/// Connects to `endpoint`, within `timeout` if there is one.
///
/// * Unix: without a timeout, the call blocks while the listener's backlog is full. With a timeout,
///   a helper thread connects, and a late result is dropped. Host names are resolved the same way.
/// * TCP: the addresses of a host are tried in the system's order (RFC 6724), each for an equal
///   share of the remaining time. `TCP_NODELAY` is set, because a request is a single write.
/// * A [program](Endpoint::Program): the call waits only for a program that reports when it is
///   ready. A later failure is an error of the first read, with a [`ConnectError`] inside.
///
/// # Errors
/// [`ConnectError`], which names the cause and the remedy.
///
/// ```
/// use unix_http::transport::{ConnectErrorKind, Endpoint, connect};
///
/// let error = connect(&Endpoint::parse("/nobody/here.sock")?, None).unwrap_err();
/// assert_eq!(error.kind(), ConnectErrorKind::NotFound);
/// assert!(error.to_string().ends_with("the directory /nobody does not exist; check the path"));
/// # Ok::<(), unix_http::transport::EndpointError>(())
/// ```
pub fn connect(endpoint: &Endpoint, timeout: Option<Duration>) -> Result<Stream, ConnectError> {
    match endpoint {
        Endpoint::Unix(path) => unix::connect_path(path, timeout).map(Stream::from),
        Endpoint::Abstract(name) => unix::connect_abstract(name, timeout).map(Stream::from),
        Endpoint::Tcp { host, port } => tcp::connect(host, *port, timeout).map(Stream::from),
        Endpoint::Program(program) => Child::connect(&program.0, timeout)
            .map(|(socket, child)| Stream::new(socket, Some(child))),
    }
    .map_err(|cause| ConnectError::new(endpoint, cause))
}
