//! Connecting to a Unix socket: paths of any length, abstract names, and errors with the cause.
//!
//! `sockaddr_un` holds 108 bytes, the last a NUL (unix(7)). On Linux every open file also has a
//! short name, `/proc/self/fd/N`. It replaces a path that is too long: with a descriptor of the
//! socket (to connect) or of its directory (to bind).

use super::cause::{Cause, ConnectErrorKind as Kind};
use super::deadline::{Timeout, rounded, within};
#[cfg(feature = "server")]
use super::endpoint::Endpoint;
use super::permission;
use crate::base::text::visible_path;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
#[cfg(target_os = "android")]
use std::os::android::net::SocketAddrExt;
use std::os::fd::AsRawFd;
#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Whether the system has `/proc/self/fd`, abstract names and Linux error numbers.
pub(super) const IS_LINUX: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// The longest path that fits a Unix socket address, in bytes.
const SUN_PATH_MAX: usize = if IS_LINUX { 107 } else { 103 };

/// A path that fits a socket address in place of a longer one, valid while this value lives.
#[derive(Debug)]
pub(crate) struct ShortPath {
    path: PathBuf,
    _open: Option<File>,
}

impl ShortPath {
    /// Shortens the path of an existing socket. A path that already fits costs no system call.
    ///
    /// # Errors
    /// Fails as open(2) does, and with [`io::ErrorKind::InvalidFilename`] on systems other than
    /// Linux.
    pub fn to_socket(path: &Path) -> io::Result<Self> {
        Self::through(path, path, None)
    }

    /// Shortens the directory of a path that need not exist yet, for `bind`.
    ///
    /// # Errors
    /// Fails as open(2) of the directory does, and with [`io::ErrorKind::InvalidFilename`] on
    /// systems other than Linux and for a last component that is too long.
    #[cfg(feature = "server")]
    pub fn to_bind(path: &Path) -> io::Result<Self> {
        Self::through(path, path.parent().unwrap_or(path), path.file_name())
    }

    /// If `path` is too long, replaces it with a descriptor of `open`, followed by `name`.
    fn through(path: &Path, open: &Path, name: Option<&OsStr>) -> io::Result<Self> {
        if fits(path) {
            return Ok(Self { path: path.to_owned(), _open: None });
        }
        let open = open_only_as_a_place(open)?;
        let mut short = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd()));
        short.extend(name);
        match fits(&short) {
            true => Ok(Self { path: short, _open: Some(open) }),
            false => Err(ErrorKind::InvalidFilename.into()),
        }
    }

    /// Returns the path to pass to the system.
    pub fn as_path(&self) -> &Path {
        &self.path
    }
}

fn fits(path: &Path) -> bool {
    path.as_os_str().as_bytes().len() <= SUN_PATH_MAX
}

/// Opens a path with `O_PATH` (open(2)), which needs no permission on the file itself. A socket
/// cannot be opened in any other way.
pub(super) fn open_only_as_a_place(path: &Path) -> io::Result<File> {
    const O_PATH: i32 = if cfg!(target_arch = "sparc64") { 0x100_0000 } else { 0o1000_0000 };
    if !IS_LINUX {
        return Err(ErrorKind::InvalidFilename.into());
    }
    File::options().read(true).custom_flags(O_PATH).open(path)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn abstract_address(name: &[u8]) -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(name)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn abstract_address(_: &[u8]) -> io::Result<SocketAddr> {
    Err(ErrorKind::Unsupported.into())
}

/// Returns the endpoint of a socket's address.
#[cfg(feature = "server")]
pub(super) fn endpoint(address: &SocketAddr) -> io::Result<Endpoint> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(name) = address.as_abstract_name() {
        return Ok(Endpoint::Abstract(name.to_vec()));
    }
    let path = address.as_pathname().map(|path| Endpoint::Unix(path.to_owned()));
    path.ok_or_else(|| io::Error::other("the socket has no name"))
}

pub(super) fn connect_path(path: &Path, timeout: Option<Duration>) -> Result<UnixStream, Cause> {
    let dial = || {
        let short = ShortPath::to_socket(path)?;
        connect(SocketAddr::from_pathname(short.as_path())?, Some(short), timeout)
    };
    dial().map_err(|error| explain(error, |error| explain_path(path, error)))
}

pub(super) fn connect_abstract(
    name: &[u8],
    timeout: Option<Duration>,
) -> Result<UnixStream, Cause> {
    let dial = || connect(abstract_address(name)?, None, timeout);
    dial().map_err(|error| explain(error, explain_abstract))
}

/// Connects, and keeps `short` open until then.
fn connect(
    address: SocketAddr,
    short: Option<ShortPath>,
    timeout: Option<Duration>,
) -> io::Result<UnixStream> {
    let Some(limit) = timeout else { return UnixStream::connect_addr(&address) };
    within(limit, move || {
        let _short = short;
        UnixStream::connect_addr(&address)
    })
}

type Reason = (Kind, String);

fn explain(error: io::Error, other: impl FnOnce(&io::Error) -> Reason) -> Cause {
    let (kind, why) = match Timeout::of(&error) {
        Some(Timeout { after, .. }) => {
            let late = "the server is busy or stopped, and its backlog is full";
            (Kind::TimedOut, format!("not accepted within {:?}: {late}", rounded(after)))
        }
        None if is_wrong_socket_type(&error) => (
            Kind::Other,
            "it is a datagram or seqpacket socket, not a stream socket; HTTP needs a stream".into(),
        ),
        None => other(&error),
    };
    Cause::new(kind, why).from(error)
}

/// Returns whether this is EPROTOTYPE, for which the standard library has no name.
fn is_wrong_socket_type(error: &io::Error) -> bool {
    error.raw_os_error() == Some(if IS_LINUX { 91 } else { 41 })
}

/// Explains the errors of connect(2), unix(7) and path_resolution(7).
fn explain_path(path: &Path, error: &io::Error) -> Reason {
    match error.kind() {
        ErrorKind::NotFound => (Kind::NotFound, explain_missing(path)),
        ErrorKind::PermissionDenied => (Kind::PermissionDenied, permission::explain(path)),
        ErrorKind::ConnectionRefused => explain_refused(path),
        ErrorKind::NotADirectory => {
            (Kind::NotFound, "a part of the path is a file, not a directory; check the path".into())
        }
        ErrorKind::InvalidFilename | ErrorKind::InvalidInput if !fits(path) => (
            Kind::Other,
            format!(
                "the path has {} bytes, and a socket address holds only {SUN_PATH_MAX}; use a \
                 shorter or a relative path",
                path.as_os_str().len()
            ),
        ),
        _ => (Kind::Other, error.to_string()),
    }
}

fn explain_missing(path: &Path) -> String {
    if let Ok(target) = fs::read_link(path).map(|target| visible_path(&target)) {
        let link = format!("it is a symbolic link to {target}, which does not exist");
        return format!("{link}; is the server running?");
    }
    let gone = path.ancestors().skip(1).filter(|p| !p.as_os_str().is_empty() && !p.exists()).last();
    match gone {
        Some(directory) => {
            let directory = visible_path(directory);
            format!("no such socket, the directory {directory} does not exist; check the path")
        }
        None if path.exists() => {
            "the path has more than 107 bytes, which needs /proc, and that is not mounted".into()
        }
        None => "no such socket; check the path, or start the server that creates it".into(),
    }
}

/// Explains ECONNREFUSED, which a file that is not a socket causes too.
fn explain_refused(path: &Path) -> Reason {
    let what = match fs::metadata(path).map(|metadata| metadata.file_type()) {
        Ok(t) if t.is_dir() => "a directory",
        Ok(t) if t.is_file() => "a regular file",
        Ok(t) if t.is_fifo() => "a FIFO",
        Ok(t) if !t.is_socket() => "a device",
        _ => {
            let why = "no process is listening on this socket; start its server again";
            return (Kind::NobodyListens, why.into());
        }
    };
    (Kind::Other, format!("it is {what}, not a socket; check the path"))
}

fn explain_abstract(error: &io::Error) -> Reason {
    let (kind, why) = match error.kind() {
        ErrorKind::ConnectionRefused => (
            Kind::NobodyListens,
            "no process in this network namespace is listening on this abstract name; start the \
             server or check the name",
        ),
        ErrorKind::InvalidInput => {
            (Kind::Other, "an abstract name has at most 107 bytes; use a shorter one")
        }
        ErrorKind::Unsupported => {
            (Kind::Other, "abstract names exist on Linux only; use a socket file")
        }
        ErrorKind::PermissionDenied => {
            (Kind::PermissionDenied, "a security module (SELinux, AppArmor) refuses the connection")
        }
        _ => (Kind::Other, &*error.to_string()),
    };
    (kind, why.into())
}
