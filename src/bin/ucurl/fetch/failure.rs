//! Why a transfer failed, with curl's exit code for it.

use crate::args::exit::Exit;
use std::path::Path;
use unix_http::Error;
use unix_http::transport::ConnectErrorKind;
use unix_http::transport::Endpoint;
use unix_http::wire::ErrorKind;

/// An exit code and one line.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub text: String,
    /// The reader of stdout has gone; it needs no telling.
    pub quiet: bool,
    /// Nobody listened: `--retry-connrefused` is about this alone.
    pub refused: bool,
}

impl Failure {
    pub fn new(exit: Exit, text: impl Into<String>) -> Failure {
        Failure { exit, text: text.into(), quiet: false, refused: false }
    }

    /// Writing the body to stdout or a file failed.
    pub fn of_writing(error: &std::io::Error, to_stdout: bool) -> Failure {
        let quiet = to_stdout && error.kind() == std::io::ErrorKind::BrokenPipe;
        Failure { quiet, ..Failure::new(Exit::Write, format!("cannot write the output: {error}")) }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let refused = matches!(&error, Error::Connect(error) if error.kind() == ConnectErrorKind::NobodyListens);
        Failure {
            refused,
            ..Failure::new(exit_of(&error), [&error.to_string(), remedy(&error)].concat())
        }
    }
}

/// What else this program has to offer.
fn remedy(error: &Error) -> &'static str {
    match error {
        Error::Connect(error) => match (error.kind(), error.endpoint()) {
            (ConnectErrorKind::NotFound, Endpoint::Unix(path))
                if path == Path::new("/var/run/docker.sock") =>
            {
                "; without Docker, --demo answers as it would"
            }
            (ConnectErrorKind::UnknownHost, Endpoint::Tcp { host, .. }) if !host.contains('.') => {
                "; a path begins with /"
            }
            _ => "",
        },
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
        Error::Encode(error) if error.kind == ErrorKind::Target => Exit::Url,
        Error::Encode(_) | Error::Request(_) => Exit::Usage,
        Error::Source(_) | Error::SourceLength { .. } => Exit::Read,
        Error::Send(_) => Exit::Send,
        Error::Receive(_) | Error::IncompleteHead { .. } => Exit::Receive,
        Error::NoResponse => Exit::Nothing,
        Error::Incomplete(_) => Exit::Partial,
        Error::Parse(error) => of_bytes(error.kind),
        Error::Timeout(_) => Exit::Timeout,
        Error::Sink(_) => Exit::Write,
        _ => Exit::Receive,
    }
}

/// The exit code for bytes that break a rule.
fn of_bytes(kind: ErrorKind) -> Exit {
    match kind {
        ErrorKind::NotHttp | ErrorKind::Http2 | ErrorKind::Version | ErrorKind::StatusCode => {
            Exit::UnsupportedProtocol
        }
        ErrorKind::TransferEncoding => Exit::Encoding,
        ErrorKind::ChunkSize
        | ErrorKind::ChunkSizeOverflow
        | ErrorKind::ChunkExt
        | ErrorKind::ChunkLineEnd
        | ErrorKind::ChunkDataEnd
        | ErrorKind::TooLarge => Exit::Receive,
        _ => Exit::WeirdReply,
    }
}
