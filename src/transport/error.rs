//! Why a connection could not be made, and what to do about it, in one line.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use super::endpoint::printable;
use super::long_path::SUN_PATH_MAX;
use super::timeouts::{Timeout, rounded};
use super::{Endpoint, who};

/// A connection could not be made. Prints as one line: where, the cause, the remedy.
///
/// `source()` is the system's own error, where there was one.
#[derive(Debug)]
pub struct ConnectError {
    endpoint: Box<Endpoint>,
    kind: ConnectErrorKind,
    why: String,
    source: Option<io::Error>,
}

/// The sort of a [`ConnectError`], for a program's exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectErrorKind {
    /// There is no such file.
    NotFound,
    /// The file is there, but is not a stream socket.
    NotASocket,
    /// This user may not connect.
    PermissionDenied,
    /// Nobody listens there.
    NobodyListens,
    /// The path or abstract name does not fit a socket address.
    PathTooLong,
    /// The time limit was reached.
    TimedOut,
    /// The host name could not be resolved.
    UnknownHost,
    /// No route to the address.
    Unreachable,
    /// This system has no such endpoints.
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
    /// Anything else; the system's words are in the message.
    Other,
}

impl ConnectError {
    pub(super) fn new(
        endpoint: Endpoint,
        kind: ConnectErrorKind,
        why: String,
        source: Option<io::Error>,
    ) -> Self {
        Self { endpoint: Box::new(endpoint), kind, why, source }
    }

    /// What was dialled.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The sort of error.
    #[must_use]
    pub fn kind(&self) -> ConnectErrorKind {
        self.kind
    }

    /// The connect error inside an I/O error: a [`Stream`](super::Stream) over a program gives it
    /// when the program fails.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// An error of connecting to a socket other than TCP, or a time limit.
    pub(super) fn explain(endpoint: &Endpoint, error: io::Error) -> Self {
        let (kind, why) = match (Timeout::of(&error), endpoint) {
            (Some(timeout), Endpoint::Tls(_)) => (
                ConnectErrorKind::TimedOut,
                format!(
                    "no TLS connection within {:?}: the host is down, or the server does not speak TLS",
                    timeout.after
                ),
            ),
            (Some(timeout), _) => (
                ConnectErrorKind::TimedOut,
                format!(
                    "not accepted within {:?}: the listener is busy or stopped, its backlog is full",
                    timeout.after
                ),
            ),
            (None, Endpoint::Unix(path)) => explain_path(path, &error),
            (None, _) => explain_abstract(&error),
        };
        Self::new(endpoint.clone(), kind, why, Some(error))
    }

    /// A program that could not be run.
    pub(super) fn of_program(endpoint: &Endpoint, words: &[OsString], error: io::Error) -> Self {
        let program = printable(words.first().map_or(b"", |word| word.as_bytes()));
        let (kind, why) = match error.kind() {
            ErrorKind::NotFound => (
                ConnectErrorKind::NoProgram,
                format!("the program `{program}` was not found; install it or give its path"),
            ),
            ErrorKind::PermissionDenied => (
                ConnectErrorKind::NoProgram,
                format!("`{program}` may not be run: it is not an executable file for this user"),
            ),
            _ => (ConnectErrorKind::Other, format!("`{program}` could not be started: {error}")),
        };
        Self::new(endpoint.clone(), kind, why, Some(error))
    }

    /// A program that failed, with what it said on its standard error.
    pub(super) fn of_child(endpoint: &Endpoint, status: ExitStatus, said: &str) -> Self {
        let explained = match endpoint {
            Endpoint::Tls(tls) => tls.explain(said),
            Endpoint::Ssh(ssh) => ssh.explain(status.code(), said),
            _ => None,
        };
        let (kind, why) =
            explained.unwrap_or_else(|| (ConnectErrorKind::Child, in_its_words(status, said)));
        Self::new(endpoint.clone(), kind, why, None)
    }

    pub(super) fn of_look_up(endpoint: &Endpoint, error: io::Error) -> Self {
        let (kind, why) = match Timeout::of(&error) {
            Some(timeout) => (
                ConnectErrorKind::TimedOut,
                format!("the host name was not resolved within {:?}", rounded(timeout.after)),
            ),
            None => (
                ConnectErrorKind::UnknownHost,
                format!("the host name cannot be resolved: {error}; check its spelling"),
            ),
        };
        Self::new(endpoint.clone(), kind, why, Some(error))
    }

    /// The errors of every address of a host. `over` is the time limit, if it was reached.
    pub(super) fn of_addresses(
        endpoint: &Endpoint,
        mut failures: Vec<(SocketAddr, io::Error)>,
        over: Option<Duration>,
    ) -> Self {
        let causes: Vec<_> =
            failures.iter().map(|(address, error)| (explain_tcp(error), address)).collect();
        let kind = match over {
            Some(_) => ConnectErrorKind::TimedOut,
            None => causes.last().map_or(ConnectErrorKind::UnknownHost, |((kind, _), _)| *kind),
        };
        let mut why: Vec<_> = match causes.as_slice() {
            [] => vec!["no address was tried".to_owned()],
            [((_, why), _)] => vec![why.clone()],
            several => {
                several.iter().map(|((_, why), address)| format!("{address}: {why}")).collect()
            }
        };
        if let Some(limit) = over {
            why.push(format!("the limit of {:?} was reached", rounded(limit)));
        }
        Self::new(endpoint.clone(), kind, why.join("; "), failures.pop().map(|(_, error)| error))
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot connect to {}: {}", self.endpoint, self.why)
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}

type Cause = (ConnectErrorKind, String);

/// How a program ended, and the last four lines of what it said.
fn in_its_words(status: ExitStatus, said: &str) -> String {
    let how = match (status.code(), status.signal()) {
        (Some(127), _) => "ended with exit status 127, a command not found".to_owned(),
        (Some(code), _) => format!("ended with exit status {code}"),
        (_, Some(signal)) => format!("was killed by signal {signal}"),
        _ => "ended in an unknown way".to_owned(),
    };
    let lines: Vec<_> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match &lines[lines.len().saturating_sub(4)..] {
        [] => format!("the program {how} and said nothing"),
        last => format!("the program {how} and said: {}", printable(last.join(" / ").as_bytes())),
    }
}

/// connect(2), unix(7) and path_resolution(7), told in their cases.
fn explain_path(path: &Path, error: &io::Error) -> Cause {
    let too_long = path.as_os_str().as_bytes().len() > SUN_PATH_MAX;
    match error.kind() {
        ErrorKind::NotFound => missing(path),
        ErrorKind::PermissionDenied => (ConnectErrorKind::PermissionDenied, who::may_connect(path)),
        ErrorKind::ConnectionRefused => refused(path),
        ErrorKind::NotADirectory => (
            ConnectErrorKind::NotFound,
            "a part of the path is a file, not a directory; check the path".into(),
        ),
        ErrorKind::InvalidFilename | ErrorKind::InvalidInput if too_long => {
            (ConnectErrorKind::PathTooLong, overlong(path))
        }
        _ if wrong_socket_type(error) => (
            ConnectErrorKind::NotASocket,
            "it is a datagram or seqpacket socket, not a stream socket; HTTP needs a stream".into(),
        ),
        _ => (ConnectErrorKind::Other, error.to_string()),
    }
}

fn missing(path: &Path) -> Cause {
    let kind = ConnectErrorKind::NotFound;
    if let Ok(target) = fs::read_link(path) {
        let target = printable(target.as_os_str().as_bytes());
        return (
            kind,
            format!(
                "it is a symbolic link to {target}, which does not exist; is the server running?"
            ),
        );
    }
    let gone = path.ancestors().skip(1).filter(|p| !p.as_os_str().is_empty() && !p.exists()).last();
    match gone {
        Some(directory) => {
            let directory = printable(directory.as_os_str().as_bytes());
            (
                kind,
                format!("no such socket, the directory {directory} does not exist; check the path"),
            )
        }
        None if path.exists() => {
            (kind, "it has more than 107 bytes and /proc, the way around, is not mounted".into())
        }
        None => (kind, "no such socket; check the path, or start the server that makes it".into()),
    }
}

/// A file that is no socket refuses connections too.
fn refused(path: &Path) -> Cause {
    let what = match fs::metadata(path).map(|metadata| metadata.file_type()) {
        Ok(t) if t.is_dir() => "a directory",
        Ok(t) if t.is_file() => "a regular file",
        Ok(t) if t.is_fifo() => "a FIFO",
        Ok(t) if !t.is_socket() => "a device",
        _ => {
            return (
                ConnectErrorKind::NobodyListens,
                "nobody listens on this socket, its server has ended; start it again".into(),
            );
        }
    };
    (ConnectErrorKind::NotASocket, format!("it is {what}, not a socket; check the path"))
}

fn overlong(path: &Path) -> String {
    let length = path.as_os_str().as_bytes().len();
    format!(
        "the path has {length} bytes, a socket address holds {SUN_PATH_MAX}; use a shorter or a relative path"
    )
}

fn explain_abstract(error: &io::Error) -> Cause {
    match error.kind() {
        ErrorKind::ConnectionRefused => (
            ConnectErrorKind::NobodyListens,
            "nobody listens on this abstract name in this network namespace; start the server or check the name".into(),
        ),
        ErrorKind::InvalidInput => {
            (ConnectErrorKind::PathTooLong, "an abstract name has at most 107 bytes; use a shorter one".into())
        }
        ErrorKind::Unsupported => {
            (ConnectErrorKind::Unsupported, "abstract names exist on Linux only; use a socket file".into())
        }
        ErrorKind::PermissionDenied => {
            (ConnectErrorKind::PermissionDenied, "a security module (SELinux, AppArmor) refuses the connection".into())
        }
        _ if wrong_socket_type(error) => (
            ConnectErrorKind::NotASocket,
            "it is a datagram or seqpacket socket, not a stream socket; HTTP needs a stream".into(),
        ),
        _ => (ConnectErrorKind::Other, error.to_string()),
    }
}

fn explain_tcp(error: &io::Error) -> Cause {
    match error.kind() {
        ErrorKind::ConnectionRefused => (
            ConnectErrorKind::NobodyListens,
            "nobody listens on this port; start the server or check the port".into(),
        ),
        ErrorKind::TimedOut => (
            ConnectErrorKind::TimedOut,
            "no answer; a firewall may drop the packets, or the host is down".into(),
        ),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => (
            ConnectErrorKind::Unreachable,
            format!("{error}; check the address and this machine's network"),
        ),
        ErrorKind::PermissionDenied => (
            ConnectErrorKind::PermissionDenied,
            "a local firewall or security module refuses the connection".into(),
        ),
        _ => (ConnectErrorKind::Other, error.to_string()),
    }
}

/// EPROTOTYPE, which the standard library has no name for.
fn wrong_socket_type(error: &io::Error) -> bool {
    let number = if cfg!(any(target_os = "linux", target_os = "android")) { 91 } else { 41 };
    error.raw_os_error() == Some(number)
}
