//! Dialling an [`Endpoint`].

use super::child::Child;
use super::endpoint::Endpoint;
use super::error::ConnectError;
use super::stream::Stream;
use super::{tcp, unix};
use std::time::Duration;

/// Connects, within `timeout` if there is one.
///
/// A Unix socket without a time limit costs two system calls, socket(2) and connect(2). Such a
/// connect blocks while the listener's backlog is full, and the standard library has no limit for
/// it. With a limit, a helper thread connects. When the limit is reached the thread is left behind,
/// blocked, until the listener accepts or closes, and its connection is closed at once. The same
/// holds for the look-up of a host name.
///
/// The addresses of a host are tried in the system's order (RFC 6724). Each gets its share of the
/// time that is left, and the last all of it. `TCP_NODELAY` is set: a request leaves in one write,
/// and waiting for more would only delay it.
///
/// A [program](Endpoint::Program) is started, and waited for only if it tells when it is ready. A
/// failure after that shows at the first read, as an error with a [`ConnectError`] inside
/// ([`ConnectError::of`]).
///
/// # Errors
/// [`ConnectError`], which says what stood in the way and what to do.
///
/// # Example
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
        Endpoint::Program(program) => Child::connect(program, timeout).map(Stream::from),
    }
    .map_err(|cause| ConnectError::new(endpoint, cause))
}
