//! The error of a failed connect: where, why, and what to do about it, in one line.

use super::cause::{Cause, ConnectErrorKind};
use super::deadline::Timeout;
use super::endpoint::Endpoint;
use std::fmt;
use std::io;

/// The error of a failed connect. Prints as one line: the endpoint, the cause, the remedy.
#[derive(Debug)]
pub struct ConnectError {
    endpoint: Box<Endpoint>,
    cause: Cause,
}

impl ConnectError {
    pub(super) fn new(endpoint: &Endpoint, cause: Cause) -> Self {
        Self { endpoint: Box::new(endpoint.clone()), cause }
    }

    /// Returns the endpoint.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the kind of error.
    pub fn kind(&self) -> ConnectErrorKind {
        self.cause.kind
    }

    /// Replaces the timeout of the connect with the caller's limit that it was derived from.
    pub(crate) fn limited_by(mut self, limit: Option<Timeout>) -> Self {
        let is_ours = self.cause.source.as_ref().and_then(Timeout::of).is_some();
        if let Some(limit) = limit.filter(|_| is_ours) {
            self.cause.source = Some(limit.into());
        }
        self
    }

    /// Returns the kind of the system's error, for an [`io::Error`].
    pub(crate) fn io_kind(&self) -> io::ErrorKind {
        match (&self.cause.source, self.cause.kind) {
            (_, ConnectErrorKind::TimedOut) => io::ErrorKind::TimedOut,
            (Some(error), _) => error.kind(),
            (None, _) => io::ErrorKind::NotConnected,
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot connect to {}: {}", self.endpoint, self.cause.why)
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.source.as_ref().map(|error| error as _)
    }
}
