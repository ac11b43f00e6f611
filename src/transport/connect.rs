//! Dialling an [`Endpoint`].

use crate::base::sync::lock;
use std::io;
use std::net::{self, IpAddr, TcpStream, ToSocketAddrs};
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::child::Child;
use super::error::ConnectError;
use super::long_path::{SUN_PATH_MAX, ShortPath};
use super::timeouts::{Limit, Timeout};
use super::{Endpoint, Stream, tls};

/// Connects, within `timeout` if there is one.
///
/// A Unix socket without a time limit costs two system calls, socket(2) and connect(2). Such a
/// connect blocks while the listener's backlog is full, and the standard library knows no limit for
/// it: with one, a helper thread connects, and when the limit is reached it is left behind,
/// blocked, until the listener accepts or goes away; what it then gets is closed at once. The same
/// holds for the look-up of a host name.
///
/// A host with several addresses is tried in the system's order (RFC 6724); each has its share of
/// the time that is left, and the last all of it. `TCP_NODELAY` is set: a request leaves in one
/// write, to wait for more would only delay it.
///
/// ssh and other commands are started and not waited for: that one failed shows at the first read,
/// as an error with a [`ConnectError`] inside ([`ConnectError::of`]). ssh has the time limit for
/// itself, 30 s without one.
///
/// # Errors
/// [`ConnectError`], which says what stood in the way and what to do.
///
/// # Example
/// ```
/// use unix_http::transport::{ConnectErrorKind, Endpoint, connect};
///
/// let error = connect(&Endpoint::parse("/nobody/here.sock")?, None).unwrap_err();
/// assert_eq!(error.kind(), ConnectErrorKind::NotFound);
/// assert!(error.to_string().ends_with("the directory /nobody does not exist; check the path"));
/// # Ok::<(), unix_http::transport::EndpointError>(())
/// ```
pub fn connect(endpoint: &Endpoint, timeout: Option<Duration>) -> Result<Stream, ConnectError> {
    let words = match endpoint {
        Endpoint::Unix(path) => return connected(endpoint, connect_unix(path, timeout)),
        Endpoint::Abstract(name) => return connected(endpoint, connect_abstract(name, timeout)),
        Endpoint::Tcp { host, port } => return connect_tcp(endpoint, host, *port, timeout),
        Endpoint::Tls(tls) => {
            tls.check_files()?;
            &tls.words()
        }
        Endpoint::Ssh(ssh) => &ssh.words(timeout),
        Endpoint::Command(words) => words,
    };
    let child = Child::spawn(endpoint, words)?;
    if let Endpoint::Tls(_) = endpoint {
        child.until_it_says(tls::ESTABLISHED, timeout)?;
    }
    Ok(child.into())
}

fn connected(endpoint: &Endpoint, socket: io::Result<UnixStream>) -> Result<Stream, ConnectError> {
    match socket {
        Ok(socket) => Ok(socket.into()),
        Err(error) => Err(ConnectError::explain(endpoint, error)),
    }
}

fn connect_unix(path: &Path, timeout: Option<Duration>) -> io::Result<UnixStream> {
    if path.as_os_str().len() <= SUN_PATH_MAX {
        return connect_socket(SocketAddr::from_pathname(path)?, None, timeout);
    }
    let short = ShortPath::to_socket(path)?;
    connect_socket(SocketAddr::from_pathname(short.as_path())?, Some(short), timeout)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn connect_abstract(name: &[u8], timeout: Option<Duration>) -> io::Result<UnixStream> {
    #[cfg(target_os = "android")]
    use std::os::android::net::SocketAddrExt;
    #[cfg(target_os = "linux")]
    use std::os::linux::net::SocketAddrExt;

    connect_socket(SocketAddr::from_abstract_name(name)?, None, timeout)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn connect_abstract(_: &[u8], _: Option<Duration>) -> io::Result<UnixStream> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A short path leads to the socket for as long as it lives.
fn connect_socket(
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

fn connect_tcp(
    endpoint: &Endpoint,
    host: &str,
    port: u16,
    timeout: Option<Duration>,
) -> Result<Stream, ConnectError> {
    let start = Instant::now();
    let addresses =
        look_up(host, port, timeout).map_err(|error| ConnectError::of_look_up(endpoint, error))?;
    let mut failures = Vec::new();
    for (n, address) in addresses.iter().enumerate() {
        let share = match timeout.map(|limit| limit.saturating_sub(start.elapsed())) {
            Some(Duration::ZERO) => break,
            left => left.map(|left| share(left, addresses.len() - n)),
        };
        let connected = match share {
            Some(share) => TcpStream::connect_timeout(address, share),
            None => TcpStream::connect(address),
        };
        match connected.and_then(|socket| socket.set_nodelay(true).map(|()| socket)) {
            Ok(socket) => return Ok(Stream::from(socket)),
            Err(error) => failures.push((*address, error)),
        }
    }
    Err(ConnectError::of_addresses(
        endpoint,
        failures,
        timeout.filter(|limit| start.elapsed() >= *limit),
    ))
}

/// An equal share of the time left, but never less than 1 s of it: a share too small to connect in
/// helps nobody.
fn share(left: Duration, addresses: usize) -> Duration {
    let equal = left / u32::try_from(addresses).unwrap_or(u32::MAX);
    equal.max(Duration::from_secs(1)).min(left)
}

fn look_up(host: &str, port: u16, timeout: Option<Duration>) -> io::Result<Vec<net::SocketAddr>> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![net::SocketAddr::new(ip, port)]);
    }
    let Some(limit) = timeout else { return addresses(host, port) };
    let host = host.to_owned();
    within(limit, move || addresses(&host, port))
}

fn addresses(host: &str, port: u16) -> io::Result<Vec<net::SocketAddr>> {
    (host, port).to_socket_addrs().map(Iterator::collect)
}

/// Does blocking work on a helper thread and waits for it no longer than `limit`.
fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let result = Arc::new(Mutex::new(None));
    let theirs = Arc::clone(&result);
    done_within(limit, Box::new(move || *lock(&theirs) = Some(work())))?;
    let result = lock(&result).take();
    result.unwrap_or_else(|| Err(Timeout { limit: Limit::Connect, after: limit }.into()))
}

/// Starts the work and waits until it is done or the limit is reached.
fn done_within(limit: Duration, work: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    let done = Arc::new((Mutex::new(false), Condvar::new()));
    let theirs = Arc::clone(&done);
    thread::Builder::new().name("connect".into()).spawn(move || {
        work();
        *lock(&theirs.0) = true;
        theirs.1.notify_one();
    })?;
    let waited = done.1.wait_timeout_while(lock(&done.0), limit, |done| !*done);
    drop(waited);
    Ok(())
}
