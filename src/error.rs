//! Everything that can go wrong in an exchange, as a caller sees it.
//!
//! A response with status 404 is no error: it is a response. An [`Error`] says that there is none,
//! or not all of it.
//!
//! ```
//! use unix_http::{Client, Error};
//!
//! match Client::unix("/nobody/here.sock").get("/version").send() {
//!     Err(Error::Connect(error)) => assert!(error.to_string().contains("/nobody/here.sock")),
//!     _ => unreachable!("there is no such socket"),
//! }
//! ```

use crate::transport::{ConnectError, EndpointError, Timeout};
use crate::wire::{EncodeError, Incomplete, ParseError};
use std::fmt;
use std::io;

/// Why there is no response, or not all of it.
///
/// ```
/// use unix_http::{Client, Error};
///
/// match Client::unix("/nobody/here.sock").get("/version").send() {
///     Ok(response) => println!("{}", response.status()), // 404 too
///     Err(Error::Connect(error)) => eprintln!("{error}"), // what stood in the way, and what to do
///     Err(Error::Timeout(limit)) => eprintln!("{limit}"),
///     Err(error) => eprintln!("{error}"),
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The endpoint's notation was not understood.
    Endpoint(EndpointError),
    /// There is no connection; the error says why and what to do.
    Connect(ConnectError),
    /// The request was refused before a byte of it was sent.
    Encode(EncodeError),
    /// The request contradicts itself, as two different Content-Lengths do; nothing was sent.
    Request(&'static str),
    /// The request's content could not be read from where it comes from.
    Source(io::Error),
    /// The content's source ended before the number of bytes that was announced.
    SourceLength {
        /// What Content-Length said.
        announced: u64,
        /// What the source gave.
        found: u64,
    },
    /// The request could not be sent whole, and no response came.
    Send(io::Error),
    /// The connection failed while the response was awaited or read.
    Receive(io::Error),
    /// The connection ended before the first byte of a response.
    NoResponse,
    /// The connection ended inside a head, after so many bytes of it (`RFC 9112 §8`).
    IncompleteHead {
        /// How many bytes of the head came.
        received: u64,
    },
    /// The connection ended inside a body (`RFC 9112 §8`). What came before was delivered.
    Incomplete(Incomplete),
    /// What came is not HTTP/1.1. What came before was delivered.
    Parse(ParseError),
    /// A time limit was reached.
    Timeout(Timeout),
    /// What was to receive the content did not take it.
    Sink(io::Error),
}

impl Error {
    /// The error inside an [`io::Error`] that reading a body gave, if it is one of ours.
    pub fn from_io(error: io::Error) -> Result<Error, io::Error> {
        error.downcast()
    }

    /// An error of a read from the peer.
    pub(crate) fn receive(error: io::Error) -> Error {
        let error = match error.downcast::<ConnectError>() {
            // A program that carries the stream has failed.
            Ok(failure) => return Error::Connect(failure),
            Err(error) => error,
        };
        Timeout::of(&error).map_or(Error::Receive(error), Error::Timeout)
    }

    /// An error of a write to the peer.
    pub(crate) fn send(error: io::Error) -> Error {
        Timeout::of(&error).map_or(Error::Send(error), Error::Timeout)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Endpoint(e) => e.fmt(f),
            Error::Connect(e) => e.fmt(f),
            Error::Encode(e) => e.fmt(f),
            Error::Request(why) => f.write_str(why),
            Error::Source(e) => write!(f, "cannot read the content to be sent: {e}"),
            Error::SourceLength { announced, found } => {
                write!(
                    f,
                    "the content to be sent ended after {found} bytes, Content-Length announced {announced}"
                )
            }
            Error::Send(e) => write!(f, "cannot send the request: {e}"),
            Error::Receive(e) => write!(f, "cannot receive the response: {e}"),
            Error::NoResponse => f.write_str("the peer closed the connection without a response"),
            Error::IncompleteHead { received } => {
                write!(
                    f,
                    "the connection ended inside the head, after {received} bytes (RFC 9112 §8)"
                )
            }
            Error::Incomplete(e) => e.fmt(f),
            Error::Parse(e) => e.fmt(f),
            Error::Timeout(e) => e.fmt(f),
            Error::Sink(e) => write!(f, "cannot write the content: {e}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Endpoint(e) => Some(e),
            Error::Connect(e) => Some(e),
            Error::Encode(e) => Some(e),
            Error::Source(e) | Error::Send(e) | Error::Receive(e) | Error::Sink(e) => Some(e),
            Error::Incomplete(e) => Some(e),
            Error::Parse(e) => Some(e),
            Error::Timeout(e) => Some(e),
            Error::Request(_)
            | Error::SourceLength { .. }
            | Error::NoResponse
            | Error::IncompleteHead { .. } => None,
        }
    }
}

/// For `impl Read`: the kind that fits, with the [`Error`] inside.
impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        let kind = match &error {
            Error::Incomplete(_) | Error::IncompleteHead { .. } | Error::NoResponse => {
                io::ErrorKind::UnexpectedEof
            }
            Error::Parse(_) => io::ErrorKind::InvalidData,
            Error::Encode(_)
            | Error::Request(_)
            | Error::Endpoint(_)
            | Error::SourceLength { .. } => io::ErrorKind::InvalidInput,
            Error::Timeout(_) => io::ErrorKind::TimedOut,
            Error::Source(e) | Error::Send(e) | Error::Receive(e) | Error::Sink(e) => e.kind(),
            Error::Connect(_) => io::ErrorKind::NotConnected,
        };
        io::Error::new(kind, error)
    }
}

impl From<EncodeError> for Error {
    fn from(error: EncodeError) -> Error {
        Error::Encode(error)
    }
}

impl From<ParseError> for Error {
    fn from(error: ParseError) -> Error {
        Error::Parse(error)
    }
}

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Error {
        Error::Connect(error)
    }
}

impl From<EndpointError> for Error {
    fn from(error: EndpointError) -> Error {
        Error::Endpoint(error)
    }
}
