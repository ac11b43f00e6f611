//! One error type for requests to an engine, and the check of a status.
//! `examples/swarm_service.rs` uses both.

use super::environment::ResolveError;
use super::frames::FrameError;
use super::message::{MESSAGE_LIMIT, StreamError, error_message};
use crate::client::Response;
use crate::error::Error;
use crate::json::{JsonError, Value};
use crate::wire::reason_phrase;
use std::fmt;
use std::io::{self, Read};

/// Why a request to an engine failed. `?` converts the errors of the layers below.
#[derive(Debug)]
#[non_exhaustive]
pub enum DockerError {
    /// The daemon, or the version of its API, could not be determined.
    Resolve(ResolveError),
    /// There is no response, or only a part of it.
    Exchange(Error),
    /// The response is an error, with this status-code and [`error_message`].
    Refused(u16, Option<String>),
    /// A stream that began with status 200 contains an error.
    Stream(StreamError),
    /// The bytes are not a stream of frames, or no longer.
    Frame(FrameError),
    /// The content is not JSON.
    Json(JsonError),
    /// A read or write outside of the exchange failed: the output's writer, for example.
    Io(io::Error),
}

/// Returns a response below status 400: a 304 says that a container runs already. `drop` the
/// response of a request whose content does not matter.
///
/// # Errors
/// [`DockerError::Refused`] from status 400 on; reading its body may fail too.
pub fn ok(response: Response) -> Result<Response, DockerError> {
    let status = response.status();
    if status < 400 {
        return Ok(response);
    }
    let kind = response.field("Content-Type").map(<[u8]>::to_vec);
    let mut body = Vec::new();
    response.take(MESSAGE_LIMIT as u64).read_to_end(&mut body)?;
    Err(DockerError::Refused(status, error_message(kind.as_deref(), &body)))
}

impl Response {
    /// Reads all of the content as one JSON text.
    ///
    /// # Errors
    /// [`DockerError::Exchange`], and [`DockerError::Json`] for anything but one JSON text.
    pub fn json(self) -> Result<Value, DockerError> {
        Ok(Value::parse(&self.bytes()?)?)
    }
}

impl DockerError {
    /// Returns the status-code of an error response.
    pub fn status(&self) -> Option<u16> {
        if let Self::Refused(status, _) = self { Some(*status) } else { None }
    }
}

macro_rules! causes {
    ($($kind:ident($error:ty))*) => {
        impl std::error::Error for DockerError {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                match self {
                    $(Self::$kind(error) => Some(error),)*
                    Self::Io(error) => Some(error),
                    Self::Refused(..) => None,
                }
            }
        }

        $(impl From<$error> for DockerError {
            fn from(error: $error) -> Self {
                Self::$kind(error)
            }
        })*
    };
}

causes! {
    Resolve(ResolveError)
    Exchange(Error)
    Stream(StreamError)
    Frame(FrameError)
    Json(JsonError)
}

/// An error that a body's reader wrapped becomes [`DockerError::Exchange`] again.
impl From<io::Error> for DockerError {
    fn from(error: io::Error) -> Self {
        error.downcast().map_or_else(Self::Io, Self::Exchange)
    }
}

impl fmt::Display for DockerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, std::error::Error::source(self)) {
            (Self::Refused(_, Some(message)), _) => f.write_str(message),
            (Self::Refused(status, None), _) => write!(f, "{status} {}", reason_phrase(*status)),
            (_, Some(error)) => write!(f, "{error}"),
            (_, None) => Ok(()),
        }
    }
}
