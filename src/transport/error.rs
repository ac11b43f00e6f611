//! A connection that could not be made: where, why, and what to do about it, in one line.

use super::cause::{Cause, ConnectErrorKind};
use super::endpoint::Endpoint;
use std::fmt;
use std::io;

/// A connection that could not be made. Prints as one line: where, the cause, the remedy.
#[derive(Debug)]
pub struct ConnectError {
    endpoint: Box<Endpoint>,
    cause: Cause,
}

impl ConnectError {
    pub(super) fn new(endpoint: &Endpoint, cause: Cause) -> Self {
        Self { endpoint: Box::new(endpoint.clone()), cause }
    }

    /// Returns what was dialled.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the kind of error.
    pub fn kind(&self) -> ConnectErrorKind {
        self.cause.kind
    }

    /// Returns the connect error inside an I/O error of a [`Stream`](super::Stream).
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
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
