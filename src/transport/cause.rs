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

/// The kind of a [`ConnectError`](super::ConnectError), for a program's exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectErrorKind {
    /// The socket file does not exist.
    NotFound,
    /// The file exists, but is not a stream socket.
    NotASocket,
    /// This user may not connect.
    PermissionDenied,
    /// No process is listening.
    NobodyListens,
    /// The path or abstract name does not fit a socket address.
    PathTooLong,
    /// The time limit was reached.
    TimedOut,
    /// The host name could not be resolved.
    UnknownHost,
    /// There is no route to the address.
    Unreachable,
    /// This system does not support such endpoints.
    Unsupported,
    /// The program could not be run.
    NoProgram,
    /// The program ran and failed.
    Child,
    /// The server's certificate does not verify.
    PeerCertificate,
    /// The client certificate or its key is missing, cannot be used or was refused.
    ClientCertificate,
    /// The file of CA certificates cannot be used.
    CaFile,
    /// TLS could not be established for another reason.
    TlsHandshake,
    /// Anything else. The message quotes the system.
    Other,
}
