//! The errors of an exchange. A response with status 404 is not an error.

use crate::transport::{ConnectError, ConnectErrorKind, EndpointError, Timeout};
use crate::wire::{EncodeError, Incomplete, ParseError};
use std::fmt;
use std::io;

/// Why there is no response, or only a part of it. An [`io::Error`] from reading a response has it
/// inside: see [`io::Error::downcast`].
///
/// ```
/// use unix_http::{Client, Error};
///
/// match Client::unix("/nobody/here.sock").get("/version").send() {
///     Ok(response) => println!("{}", response.status()), // 404 too
///     Err(Error::Connect(error)) => eprintln!("{error}"), // the cause and the remedy
///     Err(Error::Timeout(limit)) => eprintln!("{limit}"),
///     Err(error) => eprintln!("{error}"),
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The text is not an endpoint.
    Endpoint(EndpointError),
    /// The client could not connect. The error names the cause and the remedy.
    Connect(ConnectError),
    /// A part of the request is invalid; nothing was sent.
    Encode(EncodeError),
    /// The request contradicts itself, as two Content-Lengths do; nothing was sent.
    Request(&'static str),
    /// The source of the request's content could not be read.
    Source(io::Error),
    /// The source of the content ended before the announced number of bytes.
    SourceLength {
        /// The value of Content-Length.
        announced: u64,
        /// The number of bytes that the source gave.
        found: u64,
    },
    /// The request could not be sent completely, and no response arrived.
    Send(io::Error),
    /// The connection failed before or in the response.
    Receive(io::Error),
    /// The connection ended before a response, or inside its head (`RFC 9112 §8`).
    IncompleteHead {
        /// The number of bytes of the head that arrived; 0 without a response.
        received: u64,
    },
    /// The connection ended inside a body (`RFC 9112 §8`). The content before was delivered.
    Incomplete(Incomplete),
    /// The bytes that arrived are not HTTP/1.1. The content before them was delivered.
    Parse(ParseError),
    /// A time limit was reached.
    Timeout(Timeout),
    /// Another thread cancelled the exchange: see [`Canceller`](crate::client::Canceller).
    Cancelled,
}

impl Error {
    /// Whether a time limit was reached, in any phase of the exchange.
    pub fn is_timeout(&self) -> bool {
        match self {
            Error::Timeout(_) => true,
            Error::Connect(error) => error.kind() == ConnectErrorKind::TimedOut,
            Error::Send(error) | Error::Receive(error) => error.kind() == io::ErrorKind::TimedOut,
            _ => false,
        }
    }

    /// Whether the client could not connect, so that the peer received nothing of the request.
    pub fn is_connect(&self) -> bool {
        matches!(self, Error::Connect(_))
    }

    /// Makes an error of a failed read from the peer.
    pub(crate) fn receive(error: io::Error) -> Error {
        match error.downcast::<ConnectError>() {
            // A program that carries the stream has failed.
            Ok(failure) => Error::Connect(failure),
            Err(error) => Timeout::of(&error).map_or(Error::Receive(error), Error::Timeout),
        }
    }

    /// Makes an error of a failed write to the peer.
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
                write!(f, "the content to be sent ended after {found} bytes, ")?;
                write!(f, "Content-Length announced {announced}")
            }
            Error::Send(e) => write!(f, "cannot send the request: {e}"),
            Error::Receive(e) => write!(f, "cannot receive the response: {e}"),
            Error::IncompleteHead { received: 0 } => {
                f.write_str("the peer closed the connection without a response")
            }
            Error::IncompleteHead { received } => {
                write!(f, "the connection ended inside the head, after {received} bytes")?;
                f.write_str(" (RFC 9112 §8)")
            }
            Error::Incomplete(e) => e.fmt(f),
            Error::Parse(e) => e.fmt(f),
            Error::Timeout(e) => e.fmt(f),
            Error::Cancelled => f.write_str("the exchange was cancelled"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Endpoint(e) => Some(e),
            Error::Connect(e) => Some(e),
            Error::Encode(e) => Some(e),
            Error::Source(e) | Error::Send(e) | Error::Receive(e) => Some(e),
            Error::Incomplete(e) => Some(e),
            Error::Parse(e) => Some(e),
            Error::Timeout(e) => Some(e),
            _ => None,
        }
    }
}

/// For `impl Read`: the kind that fits, with the [`Error`] inside.
impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        let kind = match &error {
            Error::Incomplete(_) | Error::IncompleteHead { .. } => io::ErrorKind::UnexpectedEof,
            Error::Parse(_) => io::ErrorKind::InvalidData,
            Error::Encode(_)
            | Error::Request(_)
            | Error::Endpoint(_)
            | Error::SourceLength { .. } => io::ErrorKind::InvalidInput,
            Error::Timeout(_) => io::ErrorKind::TimedOut,
            // Not Interrupted, after which a reader tries again.
            Error::Cancelled => io::ErrorKind::ConnectionAborted,
            Error::Source(e) | Error::Send(e) | Error::Receive(e) => e.kind(),
            Error::Connect(e) => e.io_kind(),
        };
        io::Error::new(kind, error)
    }
}

macro_rules! from {
    ($($source:ident => $kind:ident)*) => {$(
        impl From<$source> for Error {
            fn from(error: $source) -> Error {
                Error::$kind(error)
            }
        }
    )*};
}

from! {
    EncodeError => Encode
    ParseError => Parse
    ConnectError => Connect
    EndpointError => Endpoint
}
