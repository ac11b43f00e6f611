//! Why a connection failed, without the endpoint.

use std::io;

/// The cause of a failed connect. [`ConnectError`](super::ConnectError) adds the endpoint.
#[derive(Debug)]
pub(crate) struct Cause {
    /// The kind of failure.
    pub kind: ConnectErrorKind,
    /// The cause and the remedy, in one line.
    pub why: String,
    /// The system's error, if there was one.
    pub source: Option<io::Error>,
}

impl Cause {
    /// Creates a cause without a system error.
    pub fn new(kind: ConnectErrorKind, why: impl Into<String>) -> Self {
        Self { kind, why: why.into(), source: None }
    }

    /// Adds the system's error.
    #[must_use]
    pub fn from(self, error: io::Error) -> Self {
        Self { source: Some(error), ..self }
    }
}

/// The kind of a [`ConnectError`](super::ConnectError).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectErrorKind {
    /// The socket file does not exist.
    NotFound,
    /// This user may not connect.
    PermissionDenied,
    /// No process is listening.
    NobodyListens,
    /// The time limit was reached.
    TimedOut,
    /// The host name could not be resolved.
    UnknownHost,
    /// The server's certificate does not verify.
    PeerCertificate,
    /// The client certificate or its key is missing, cannot be used or was refused.
    ClientCertificate,
    /// The file of CA certificates cannot be used.
    CaFile,
    /// TLS could not be established for another reason.
    TlsHandshake,
    /// Anything else. The message has the details.
    Other,
}
