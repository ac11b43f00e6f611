//! The failure of a transfer: one line, and curl's exit code.

use crate::args::exit::Exit;
use std::io;
use std::path::Path;
use unix_http::Error;
use unix_http::transport::{ConnectErrorKind, Endpoint};
use unix_http::wire::ErrorKind;

/// An exit code and one line.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub text: String,
    /// Whether the reader of stdout has closed it, which needs no message.
    pub quiet: bool,
    /// Whether no process listens at the endpoint (`--retry-connrefused`).
    pub refused: bool,
}

impl Failure {
    pub fn new(exit: Exit, text: impl Into<String>) -> Failure {
        Failure { exit, text: text.into(), quiet: false, refused: false }
    }

    pub fn of_writing(error: &io::Error, to_stdout: bool) -> Failure {
        let quiet = to_stdout && error.kind() == io::ErrorKind::BrokenPipe;
        Failure { quiet, ..Failure::new(Exit::Write, format!("cannot write the output: {error}")) }
    }

    pub fn of_reading(name: &Path, error: &io::Error) -> Failure {
        let name = name.to_string_lossy();
        Failure::new(Exit::Read, format!("cannot read '{}': {error}", name.escape_debug()))
    }

    pub fn of_body(error: io::Error) -> Failure {
        Error::from_io(error).unwrap_or_else(Error::Receive).into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let text = [&error.to_string(), advice(&error)].concat();
        let nobody = ConnectErrorKind::NobodyListens;
        let refused = matches!(&error, Error::Connect(error) if error.kind() == nobody);
        Failure { refused, ..Failure::new(exit_of(&error), text) }
    }
}

/// Advice that only this program can give.
fn advice(error: &Error) -> &'static str {
    let Error::Connect(error) = error else { return "" };
    match (error.kind(), error.endpoint()) {
        (ConnectErrorKind::NotFound, Endpoint::Unix(path))
            if path == Path::new("/var/run/docker.sock") =>
        {
            "; without Docker, try ucurl --demo"
        }
        (ConnectErrorKind::UnknownHost, Endpoint::Tcp { host, .. }) if !host.contains('.') => {
            ", or begin it with / if it is a path"
        }
        _ => "",
    }
}

fn exit_of(error: &Error) -> Exit {
    match error {
        Error::Endpoint(_) => Exit::Url,
        Error::Connect(error) => match error.kind() {
            ConnectErrorKind::TimedOut => Exit::Timeout,
            ConnectErrorKind::UnknownHost => Exit::Resolve,
            ConnectErrorKind::TlsHandshake => Exit::TlsConnect,
            ConnectErrorKind::ClientCertificate => Exit::ClientCertificate,
            ConnectErrorKind::PeerCertificate => Exit::PeerVerification,
            ConnectErrorKind::CaFile => Exit::CaFile,
            _ => Exit::Connect,
        },
        Error::Encode(_) | Error::Request(_) => Exit::Usage,
        Error::Source(_) | Error::SourceLength { .. } => Exit::Read,
        Error::Send(_) => Exit::Send,
        Error::NoResponse => Exit::Nothing,
        Error::Incomplete(_) => Exit::Partial,
        Error::Parse(error) => of_bytes(error.kind),
        Error::Timeout(_) => Exit::Timeout,
        Error::Sink(_) => Exit::Write,
        _ => Exit::Receive,
    }
}

/// Returns the exit code for bytes that break a rule.
fn of_bytes(kind: ErrorKind) -> Exit {
    use ErrorKind::*;
    match kind {
        NotHttp | Http2 | Version | StatusCode => Exit::UnsupportedProtocol,
        TransferEncoding => Exit::Encoding,
        ChunkSize | ChunkSizeOverflow | ChunkExt | ChunkLineEnd | ChunkDataEnd | TooLarge => {
            Exit::Receive
        }
        _ => Exit::WeirdReply,
    }
}
