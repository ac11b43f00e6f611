//! Listening: by default for this user alone, and never in place of a live server.

use super::endpoint::Endpoint;
use super::socket_file::{self, SocketFile, prefixed, taken_just_now};
use super::stream::Stream;
use super::unix;
use crate::base::text::visible_path;
use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Who may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    mode: u32,
    beyond_loopback: bool,
}

impl Admission {
    /// Sets the mode of the socket file: 0600 unless set. Permission to write is permission to
    /// connect.
    #[must_use]
    pub fn mode(self, mode: u32) -> Admission {
        Admission { mode, ..self }
    }

    /// Sets whether a TCP address may be reachable from other machines. By default it may not.
    #[must_use]
    pub fn beyond_loopback(self, beyond_loopback: bool) -> Admission {
        Admission { beyond_loopback, ..self }
    }
}

impl Default for Admission {
    fn default() -> Self {
        Self { mode: 0o600, beyond_loopback: false }
    }
}

/// A listening socket. Dropping it removes its file, unless another server has replaced the file.
///
/// ```
/// use std::io::{Read, Write};
/// use unix_http::transport::{Endpoint, Listener, PrivateDir, connect};
///
/// let directory = PrivateDir::new_in(std::env::temp_dir())?; // mode 0700
/// let listener = Listener::bind(&Endpoint::Unix(directory.path().join("s")))?; // mode 0600
/// let mut client = connect(listener.endpoint(), None)?;
/// let stopper = listener.stopper()?;
/// listener.accept()?.ok_or("stopped")?.write_all(b"hello")?;
/// let mut said = String::new();
/// client.read_to_string(&mut said)?;
/// assert_eq!(said, "hello");
///
/// assert!(Listener::bind(listener.endpoint()).is_err(), "it is in use");
/// stopper.stop();
/// while listener.accept()?.is_some() {}
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

/// Stops a [`Listener`] from another thread.
#[derive(Debug)]
pub struct Stopper {
    stopped: Arc<AtomicBool>,
    socket: Stream,
}

impl Listener {
    /// Listens for this user alone: a socket file gets mode 0600, a TCP address must be a loopback
    /// address.
    ///
    /// # Errors
    /// The text names the endpoint, the cause and the remedy. The kind is
    /// [`AddrInUse`](ErrorKind::AddrInUse) if another process is listening, else that of the
    /// system.
    pub fn bind(endpoint: &Endpoint) -> io::Result<Self> {
        Self::bind_for(endpoint, Admission::default())
    }

    /// Listens for the users and machines that `admission` allows.
    ///
    /// # Errors
    /// As [`bind`](Self::bind); of kind [`InvalidInput`](ErrorKind::InvalidInput) for a TCP address
    /// that is not allowed.
    pub fn bind_for(endpoint: &Endpoint, admission: Admission) -> io::Result<Self> {
        Self::open(endpoint, admission)
            .map_err(|error| prefixed(&format!("cannot listen on {endpoint}"), error))
    }

    /// Uses a socket that is already listening, such as one inherited from systemd. Does not remove
    /// its file.
    ///
    /// # Errors
    /// Fails if the descriptor is not a socket, or is a connection.
    pub fn inherit(socket: impl Into<OwnedFd>) -> io::Result<Self> {
        Self::adopt(socket.into()).map_err(|error| prefixed("no listening socket", error))
    }

    fn adopt(socket: OwnedFd) -> io::Result<Self> {
        let unix = UnixListener::from(socket);
        unix.set_nonblocking(false)?;
        let again = OwnedFd::from(unix.try_clone()?);
        let (socket, endpoint, is_connected) = match unix.local_addr() {
            Ok(address) => {
                let is_connected = UnixStream::from(again).peer_addr().is_ok();
                (Socket::Unix(unix), unix::endpoint(&address)?, is_connected)
            }
            Err(_) => {
                let tcp = TcpListener::from(OwnedFd::from(unix));
                let address = tcp.local_addr()?;
                let (host, port) = (address.ip().to_string(), address.port());
                let is_connected = TcpStream::from(again).peer_addr().is_ok();
                (Socket::Tcp(tcp), Endpoint::Tcp { host, port }, is_connected)
            }
        };
        if is_connected {
            return Err(io::Error::other("it is a connection (systemd: Accept=no)"));
        }
        Ok(Self { socket, endpoint, stopped: Arc::default(), _file: None })
    }

    fn open(endpoint: &Endpoint, admission: Admission) -> io::Result<Self> {
        let (socket, endpoint, file) = match endpoint {
            Endpoint::Unix(path) => {
                let (socket, file) = bind_unix(path, admission.mode)?;
                (Socket::Unix(socket), endpoint.clone(), Some(file))
            }
            Endpoint::Abstract(name) => {
                let bound =
                    unix::abstract_address(name).and_then(|at| UnixListener::bind_addr(&at));
                let socket = bound.map_err(|error| prefixed("cannot listen", error))?;
                (Socket::Unix(socket), endpoint.clone(), None)
            }
            Endpoint::Tcp { host, port } => {
                let (socket, port) = bind_tcp(host, *port, admission.beyond_loopback)?;
                (Socket::Tcp(socket), Endpoint::Tcp { host: host.clone(), port }, None)
            }
            Endpoint::Program(_) => {
                let why = "a program cannot be listened on";
                return Err(io::Error::new(ErrorKind::Unsupported, why));
            }
        };
        Ok(Self { socket, endpoint, stopped: Arc::default(), _file: file })
    }

    /// Returns the endpoint. For TCP port 0 this is the port that the system chose.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Waits for the next connection. Returns `None` once the listener was
    /// [stopped](Stopper::stop) and all earlier connections were returned.
    ///
    /// # Errors
    /// Fails as accept(2) does. If the process has run out of descriptors, pause, then call again.
    pub fn accept(&self) -> io::Result<Option<Stream>> {
        loop {
            let accepted = match &self.socket {
                Socket::Unix(listener) => listener.accept().map(|(socket, _)| Stream::from(socket)),
                Socket::Tcp(listener) => listener.accept().and_then(|(socket, _)| {
                    socket.set_nodelay(true)?;
                    Ok(Stream::from(socket))
                }),
            };
            match accepted {
                Ok(stream) => return Ok(Some(stream)),
                Err(_) if self.stopped.load(Ordering::Acquire) => return Ok(None),
                // The client closed the connection before it was accepted.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns a handle that stops this listener. Fails as dup(2) does.
    pub fn stopper(&self) -> io::Result<Stopper> {
        // shutdown(2) works on any socket; std offers it only for connected ones.
        let socket = match &self.socket {
            Socket::Unix(listener) => UnixStream::from(OwnedFd::from(listener.try_clone()?)).into(),
            Socket::Tcp(listener) => TcpStream::from(OwnedFd::from(listener.try_clone()?)).into(),
        };
        Ok(Stopper { stopped: Arc::clone(&self.stopped), socket })
    }
}

impl Stopper {
    /// Makes the listener refuse connections, and ends the wait of [`accept`](Listener::accept).
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        // shutdown(2) of a listening socket wakes accept(2). A second call fails.
        _ = self.socket.shutdown(Shutdown::Both);
    }
}

fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::AlreadyExists)
}

fn bind_unix(path: &Path, mode: u32) -> io::Result<(UnixListener, SocketFile)> {
    let bound = match socket_file::bind(path, mode) {
        Err(error) if is_taken(&error) => {
            socket_file::make_way(path)?;
            socket_file::bind(path, mode)
        }
        bound => bound,
    };
    bound.map_err(|error| {
        let directory = path.parent().filter(|p| !p.as_os_str().is_empty() && !p.exists());
        let why = match (error.kind(), directory) {
            (ErrorKind::NotFound, Some(directory)) => {
                format!("the directory {} does not exist", visible_path(directory))
            }
            (ErrorKind::InvalidFilename | ErrorKind::InvalidInput, _) => {
                "the path is too long for a socket address; use a shorter or a relative one".into()
            }
            _ if is_taken(&error) => return taken_just_now(),
            _ => return prefixed("cannot listen", error),
        };
        io::Error::new(error.kind(), why)
    })
}

fn bind_tcp(host: &str, port: u16, beyond_loopback: bool) -> io::Result<(TcpListener, u16)> {
    let addresses = (host, port).to_socket_addrs();
    let addresses: Vec<SocketAddr> =
        addresses.map_err(|error| prefixed("the host name cannot be resolved", error))?.collect();
    let open = addresses.iter().find(|address| !address.ip().is_loopback());
    if let Some(open) = open.filter(|_| !beyond_loopback) {
        let ip = open.ip();
        let why = format!("other machines can reach {ip}, which needs explicit permission");
        return Err(io::Error::new(ErrorKind::InvalidInput, why));
    }
    let bound = TcpListener::bind(&addresses[..])
        .and_then(|listener| listener.local_addr().map(|address| (listener, address.port())));
    bound.map_err(|error| match is_taken(&error) {
        true => {
            let why = "another process listens on this port; choose another";
            io::Error::new(ErrorKind::AddrInUse, why)
        }
        false => prefixed("cannot listen", error),
    })
}
