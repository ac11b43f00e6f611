//! Messages for the user: failures, warnings and notes, on stderr or in the file of `--stderr`.

use crate::args::config::Global;
use crate::args::exit::Exit;
use crate::console::unbuffered;
use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;
use unix_http::Error;
use unix_http::transport::{ConnectErrorKind, Endpoint};
use unix_http::wire::ParseErrorKind;

/// Prints the messages that `-s`, `-S` and `-v` ask for.
pub struct Messages {
    warnings: bool,
    errors: bool,
    pub out: Arc<File>,
}

impl Messages {
    /// Opens the file of `--stderr`. If it cannot be opened, a warning on stderr says so.
    pub fn new(global: &Global) -> io::Result<Messages> {
        let opened = match global.stderr.as_deref() {
            None => Ok(unbuffered(io::stderr())?),
            Some(b"-") => Ok(unbuffered(io::stdout())?),
            Some(name) => File::create(OsStr::from_bytes(name)),
        };
        let trouble = opened.as_ref().err().map(ToString::to_string);
        let out = opened.or_else(|_| unbuffered(io::stderr()))?;
        let messages = Messages {
            warnings: !global.silent,
            errors: !global.silent || global.show_error,
            out: Arc::new(out),
        };
        if let Some(error) = trouble {
            messages.warn(&format!("Cannot open the file of --stderr: {error}"));
        }
        Ok(messages)
    }

    pub fn put(&self, text: &[u8]) {
        _ = (&*self.out).write_all(text);
    }

    /// Prints a line unless `-s` is given.
    pub fn say(&self, text: &str) {
        if self.warnings {
            self.put([text, "\n"].concat().as_bytes());
        }
    }

    /// Prints a warning unless `-s` is given.
    pub fn warn(&self, text: &str) {
        self.say(&["Warning: ", text].concat());
    }

    /// Prints why a transfer failed, and returns whether it did. Without `-S`, `-s` hides all but
    /// errors in the command line.
    pub fn error(&self, failure: &Failure) -> bool {
        let told = (self.errors || failure.exit == Exit::Usage) && !failure.quiet;
        if told {
            self.put(format!("ucurl: ({}) {}\n", failure.exit as u8, failure.text).as_bytes());
        }
        told
    }
}

/// The failure of a transfer: one line, and curl's exit code.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    pub exit: Exit,
    pub text: Cow<'static, str>,
    /// Whether the reader of stdout has closed it, which needs no message.
    pub quiet: bool,
    /// Whether no process listens at the endpoint (`--retry-connrefused`).
    pub refused: bool,
}

impl Failure {
    pub fn new(exit: Exit, text: impl Into<Cow<'static, str>>) -> Failure {
        Failure { exit, text: text.into(), quiet: false, refused: false }
    }

    pub fn of_writing(error: &io::Error, to_stdout: bool) -> Failure {
        let quiet = to_stdout && error.kind() == io::ErrorKind::BrokenPipe;
        Failure { quiet, ..Failure::new(Exit::Write, format!("cannot write the output: {error}")) }
    }

    pub fn of_reading(name: &Path) -> impl FnOnce(io::Error) -> Failure {
        move |error| {
            let name = name.to_string_lossy();
            Failure::new(Exit::Read, format!("cannot read '{}': {error}", name.escape_debug()))
        }
    }

    pub fn of_body(error: io::Error) -> Failure {
        error.downcast().unwrap_or_else(Error::Receive).into()
    }

    /// The failure of a raw connection, or of the child process that carries it.
    pub fn of_raw(error: io::Error) -> Failure {
        let known = error.downcast().map(Error::Timeout);
        match known.or_else(|error| error.downcast().map(Error::Connect)) {
            Ok(error) => error.into(),
            Err(error) => Failure::new(Exit::Receive, format!("the raw connection: {error}")),
        }
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
        Error::IncompleteHead { received: 0 } => Exit::Nothing,
        Error::Incomplete(_) => Exit::Partial,
        Error::Parse(error) => match error.kind() {
            ParseErrorKind::NotHttp | ParseErrorKind::Http2 => Exit::UnsupportedProtocol,
            ParseErrorKind::TransferEncoding => Exit::Encoding,
            ParseErrorKind::Chunked | ParseErrorKind::TooLarge => Exit::Receive,
            _ => Exit::WeirdReply,
        },
        Error::Timeout(_) => Exit::Timeout,
        _ => Exit::Receive,
    }
}
