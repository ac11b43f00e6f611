//! Listening: a socket that nobody can reach before it has the mode it is to have, and that never
//! replaces a live one.
//!
//! `bind` makes a socket file with the mode that the umask leaves, and who may write to the file
//! may connect (unix(7)). Between `bind` and a `chmod` lies a moment in which others could get in,
//! and what gets in stays in. So where the umask would let in more than asked for, the socket is
//! bound inside a directory that is closed to others, given its mode there, and linked to its name:
//! link(2), unlike rename(2), fails where the name is taken.
//!
//! A name that is taken is looked at first. If somebody listens it is left alone, and so is
//! everything that is not a socket. A socket whose server has ended is moved aside, asked once
//! more, and only then removed: should another server have taken the name in between, its socket is
//! put back.
//!
//! ```
//! use std::io::{Read, Write};
//! use unix_http::transport::{Endpoint, Listener, PrivateDir, connect};
//!
//! let directory = PrivateDir::new_in(std::env::temp_dir())?;
//! let listener = Listener::bind(&Endpoint::Unix(directory.path().join("s")))?;
//! let mut client = connect(listener.endpoint(), None)?;
//! let stopper = listener.stopper()?;
//! listener.accept()?.ok_or("stopped")?.write_all(b"hello")?;
//! let mut said = String::new();
//! client.read_to_string(&mut said)?;
//! assert_eq!(said, "hello");
//!
//! assert!(Listener::bind(listener.endpoint()).is_err(), "it is in use");
//! stopper.stop();
//! while listener.accept()?.is_some() {}
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::endpoint::printable;
use super::long_path::ShortPath;
use super::{ConnectErrorKind, Endpoint, Stream, connect};

/// How long a socket that is in the way may take to show that somebody listens on it.
const ASK: Duration = Duration::from_secs(1);

/// Who may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// The mode of the socket file; who may write to it may connect. 0600 unless said otherwise.
    pub mode: u32,
    /// Whether a TCP address may be one that other machines reach. Not unless said otherwise.
    pub beyond_loopback: bool,
}

impl Default for Admission {
    fn default() -> Self {
        Self { mode: 0o600, beyond_loopback: false }
    }
}

/// A socket that connections are accepted on. Its file is removed when it is dropped, if the name
/// is still its own.
///
/// ```
/// use std::os::unix::fs::PermissionsExt;
/// use unix_http::transport::{Endpoint, Listener, PrivateDir, connect};
///
/// let directory = PrivateDir::new_in(std::env::temp_dir())?; // mode 0700
/// let path = directory.path().join("s");
/// let listener = Listener::bind(&Endpoint::Unix(path.clone()))?;
/// assert_eq!(std::fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
/// let _client = connect(listener.endpoint(), None)?;
/// assert!(listener.accept()?.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    endpoint: Endpoint,
    stopped: Arc<AtomicBool>,
    _file: Option<SocketFile>,
}

#[derive(Debug)]
enum Socket {
    Unix(UnixListener),
    Tcp(TcpListener),
}

/// Ends a [`Listener`]'s wait from another thread.
#[derive(Debug)]
pub struct Stopper {
    stopped: Arc<AtomicBool>,
    socket: Stream,
}

/// Why nobody can listen there, in one line with the remedy.
#[derive(Debug)]
pub struct ListenError {
    endpoint: Endpoint,
    why: String,
    source: Option<io::Error>,
}

impl Listener {
    /// Listens, for this user alone: a socket file has mode 0600, a TCP address must be a loopback
    /// one.
    ///
    /// # Errors
    /// [`ListenError`], which says what is in the way.
    pub fn bind(endpoint: &Endpoint) -> Result<Self, ListenError> {
        Self::bind_for(endpoint, Admission::default())
    }

    /// Listens, for those whom `admission` lets in.
    ///
    /// # Errors
    /// As [`bind`](Listener::bind).
    pub fn bind_for(endpoint: &Endpoint, admission: Admission) -> Result<Self, ListenError> {
        let error = |(why, source)| ListenError { endpoint: endpoint.clone(), why, source };
        let (socket, endpoint, file) = match endpoint {
            Endpoint::Unix(path) => {
                let (socket, file) = bind_unix(path, admission.mode).map_err(error)?;
                (Socket::Unix(socket), endpoint.clone(), Some(file))
            }
            Endpoint::Abstract(name) => {
                let socket =
                    bind_abstract(name).map_err(|e| error(explained("cannot listen", e)))?;
                (Socket::Unix(socket), endpoint.clone(), None)
            }
            Endpoint::Tcp { host, port } => {
                let (socket, port) =
                    bind_tcp(host, *port, admission.beyond_loopback).map_err(error)?;
                (Socket::Tcp(socket), Endpoint::Tcp { host: host.clone(), port }, None)
            }
            Endpoint::Tls(_) | Endpoint::Ssh(_) | Endpoint::Command(_) => {
                return Err(error(("a program cannot be listened on".into(), None)));
            }
        };
        Ok(Self { socket, endpoint, stopped: Arc::default(), _file: file })
    }

    /// Where this listens; for TCP with the port that port 0 became.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Waits for the next connection; `None` once it was [stopped](Stopper::stop) and all that had
    /// come were given out.
    ///
    /// # Errors
    /// That of accept(2). Descriptors that have run out come back: pause, then call again.
    pub fn accept(&self) -> io::Result<Option<Stream>> {
        loop {
            let accepted = match &self.socket {
                Socket::Unix(listener) => listener.accept().map(|(socket, _)| Stream::from(socket)),
                Socket::Tcp(listener) => listener.accept().and_then(|(socket, _)| {
                    // A message leaves in one write; to wait for more would only delay it.
                    socket.set_nodelay(true)?;
                    Ok(Stream::from(socket))
                }),
            };
            match accepted {
                Ok(stream) => return Ok(Some(stream)),
                Err(_) if self.stopped.load(Ordering::Acquire) => return Ok(None),
                // The client had gone before it was accepted.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// A handle that stops this listener.
    ///
    /// # Errors
    /// That of dup(2).
    pub fn stopper(&self) -> io::Result<Stopper> {
        // A listening socket is a socket: std keeps its types for the two apart, the system does
        // not.
        let socket = match &self.socket {
            Socket::Unix(listener) => {
                Stream::from(UnixStream::from(OwnedFd::from(listener.try_clone()?)))
            }
            Socket::Tcp(listener) => {
                Stream::from(TcpStream::from(OwnedFd::from(listener.try_clone()?)))
            }
        };
        Ok(Stopper { stopped: Arc::clone(&self.stopped), socket })
    }
}

impl Stopper {
    /// From now on connections are refused, and [`accept`](Listener::accept) does not wait any
    /// longer.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        // shutdown(2) of a listening socket wakes accept(2). It fails only where it was done
        // before.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

type Failure = (String, Option<io::Error>);

fn explained(what: &str, error: io::Error) -> Failure {
    (format!("{what}: {error}"), Some(error))
}

/// A socket's file, known by its inode: what another server puts in its place is not removed.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    inode: (u64, u64),
}

impl SocketFile {
    fn at(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), inode: inode(path)? })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if inode(&self.path).is_ok_and(|inode| inode == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn inode(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

fn bind_unix(path: &Path, mode: u32) -> Result<(UnixListener, SocketFile), Failure> {
    let bind = || {
        if umask_allows_no_more_than(mode) {
            bind_here(path, mode)
        } else {
            bind_in_private(path, mode)
        }
    };
    match bind() {
        Err(error) if matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::AlreadyExists) => {
            remove_stale(path)?;
            bind()
        }
        bound => bound,
    }
    .map_err(|error| {
        let directory = path.parent().filter(|p| !p.as_os_str().is_empty() && !p.exists());
        match (error.kind(), directory) {
            (ErrorKind::NotFound, Some(directory)) => {
                (format!("the directory {} does not exist", shown(directory)), Some(error))
            }
            (ErrorKind::AddrInUse | ErrorKind::AlreadyExists, _) => {
                ("another server took the name just now".into(), Some(error))
            }
            (ErrorKind::InvalidFilename | ErrorKind::InvalidInput, _) => (
                "the path is too long for a socket address; use a shorter or a relative one".into(),
                Some(error),
            ),
            _ => explained("cannot listen", error),
        }
    })
}

/// Whether a socket file made now lets in nobody whom `mode` shuts out. Linux tells the umask;
/// asking in any other way would change it for every thread.
fn umask_allows_no_more_than(mode: u32) -> bool {
    const WRITE: u32 = 0o222;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let umask = status
        .lines()
        .find_map(|line| u32::from_str_radix(line.strip_prefix("Umask:")?.trim(), 8).ok());
    umask.is_some_and(|umask| WRITE & !umask & !mode == 0)
}

fn bind_here(path: &Path, mode: u32) -> io::Result<(UnixListener, SocketFile)> {
    let listener = UnixListener::bind(ShortPath::to_bind(path)?.as_path())?;
    let file = SocketFile::at(path)?;
    fs::set_permissions(path, Permissions::from_mode(mode))?;
    Ok((listener, file))
}

fn bind_in_private(path: &Path, mode: u32) -> io::Result<(UnixListener, SocketFile)> {
    let directory = PrivateDir::new_in(directory_of(path))?;
    let (listener, inside) = bind_here(&directory.path().join("s"), mode)?;
    fs::hard_link(&inside.path, path)?;
    Ok((listener, SocketFile { path: path.to_owned(), inode: inside.inode }))
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Removes a socket that nobody listens on; anything else is the error.
fn remove_stale(path: &Path) -> Result<(), Failure> {
    let is_socket =
        fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    if !is_socket {
        return Err((
            "a file that is not a socket is in the way; remove it or choose another path".into(),
            None,
        ));
    }
    if !is_stale(path) {
        return Err((
            "another process listens on it; stop that one or choose another path".into(),
            None,
        ));
    }
    let remove = || {
        let directory = PrivateDir::new_in(directory_of(path))?;
        let aside = directory.path().join("s");
        fs::rename(path, &aside)?;
        let stale = is_stale(&aside);
        if !stale {
            fs::hard_link(&aside, path)?;
        }
        fs::remove_file(&aside)?;
        Ok(stale)
    };
    match remove() {
        Ok(true) => Ok(()),
        Ok(false) => Err(("another server took the name just now".into(), None)),
        Err(error) => Err(explained(
            "a socket that nobody listens on is in the way and cannot be removed",
            error,
        )),
    }
}

fn is_stale(path: &Path) -> bool {
    let asked = connect(&Endpoint::Unix(path.to_owned()), Some(ASK));
    asked.is_err_and(|error| error.kind() == ConnectErrorKind::NobodyListens)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn bind_abstract(name: &[u8]) -> io::Result<UnixListener> {
    #[cfg(target_os = "android")]
    use std::os::android::net::SocketAddrExt;
    #[cfg(target_os = "linux")]
    use std::os::linux::net::SocketAddrExt;
    UnixListener::bind_addr(&std::os::unix::net::SocketAddr::from_abstract_name(name)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn bind_abstract(_: &[u8]) -> io::Result<UnixListener> {
    Err(ErrorKind::Unsupported.into())
}

fn bind_tcp(host: &str, port: u16, beyond_loopback: bool) -> Result<(TcpListener, u16), Failure> {
    let addresses = (host, port)
        .to_socket_addrs()
        .map_err(|e| explained("the host name cannot be resolved", e))?;
    let addresses: Vec<SocketAddr> = addresses.collect();
    if let (Some(open), false) =
        (addresses.iter().find(|address| !address.ip().is_loopback()), beyond_loopback)
    {
        let why = format!(
            "{} is an address that other machines reach: that has to be asked for",
            open.ip()
        );
        return Err((why, None));
    }
    let listen = || {
        let listener = TcpListener::bind(&addresses[..])?;
        let port = listener.local_addr()?.port();
        Ok((listener, port))
    };
    listen().map_err(|error: io::Error| match error.kind() {
        ErrorKind::AddrInUse => {
            ("another process listens on this port; choose another".into(), Some(error))
        }
        _ => explained("cannot listen", error),
    })
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot listen on {}: {}", self.endpoint, self.why)
    }
}

impl std::error::Error for ListenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}

fn shown(path: &Path) -> String {
    printable(std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()))
}

/// A new directory with mode 0700, removed when dropped if it is empty then.
#[derive(Debug)]
pub struct PrivateDir(PathBuf);

impl PrivateDir {
    /// Makes one inside `parent`. mkdir(2) sets the mode as it makes the directory, and fails where
    /// the name is taken, be it by a symbolic link: there is no moment in which it could be
    /// somebody else's.
    ///
    /// # Errors
    /// That of mkdir(2).
    pub fn new_in(parent: impl AsRef<Path>) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        loop {
            let now =
                SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let unlikely = now
                ^ u64::from(std::process::id()).rotate_left(40)
                ^ u64::from(count).rotate_left(56);
            let path = parent.as_ref().join(format!(".ucurl-{unlikely:016x}"));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for PrivateDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}
