//! A connected stream over any transport.

use std::fmt;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::child::Child;
use super::deadline::{Clock, Timeouts, Wait};
use super::error::ConnectError;
use crate::base::sync::lock;

/// A connected byte stream: a Unix socket, a TCP socket, or a child process behind a socket pair.
///
/// `&Stream` reads and writes too, so that one thread can send while another receives. Interrupted
/// calls resume. A limit that was reached is an error of kind [`TimedOut`](ErrorKind::TimedOut)
/// with a [`Timeout`](super::Timeout) inside.
///
/// If a program has failed, a read at its end is an error with a [`ConnectError`] inside
/// ([`io::Error::downcast`]). Its socket ([`AsFd`]) is our end of a socket pair.
pub struct Stream {
    /// A socket of any family: except for addresses, all calls are the same for TCP.
    socket: UnixStream,
    is_tcp: bool,
    child: Option<Arc<Child>>,
    /// The socket's timeouts, indexed by `Side`. Clones share the socket and these.
    set: Arc<[Mutex<Option<Duration>>; 2]>,
    clock: Clock,
}

#[derive(Clone, Copy)]
enum Side {
    Read,
    Write,
}

impl Stream {
    pub(super) fn new(socket: UnixStream, child: Option<Child>) -> Self {
        let (set, clock) = (Arc::default(), Clock::default());
        Self { socket, is_tcp: false, child: child.map(Arc::new), set, clock }
    }

    /// Returns another handle on the same connection, with the same time limits. Fails as dup(2)
    /// does.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            socket: self.socket.try_clone()?,
            is_tcp: self.is_tcp,
            child: self.child.clone(),
            set: Arc::clone(&self.set),
            clock: self.clock.clone(),
        })
    }

    /// Ends one direction or both. The peer reads an end of file when the write direction ends.
    ///
    /// # Errors
    /// Fails as shutdown(2) does, and with [`Unsupported`](ErrorKind::Unsupported) if the
    /// [program](super::Carrier) cannot half-close.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        if how == Shutdown::Write
            && let Some(child) = &self.child
            && let Some(why) = child.program().no_half_close()
        {
            return Err(io::Error::new(ErrorKind::Unsupported, why));
        }
        self.socket.shutdown(how)
    }

    /// Closes in two steps: ends the write direction, then discards input for at most `limit`. A
    /// socket that is closed with unread input sends a reset, which may destroy the last response
    /// before the peer has read it (RFC 9112 §9.6).
    #[cfg(feature = "server")]
    pub(crate) fn linger(&self, limit: Duration) {
        let start = std::time::Instant::now();
        let mut ended = self.shutdown(Shutdown::Write).is_err();
        while !ended {
            // Zero, when nothing is left, is an error.
            let left = limit.saturating_sub(start.elapsed());
            ended = self.set_read_timeout(Some(left)).is_err()
                || !matches!({ self }.read(&mut [0; 4096]), Ok(1..));
        }
    }

    /// Sets the time limits of this handle and its later clones: `idle`, and `total` from now on.
    /// `Timeouts::default()` removes all limits. Fails as setsockopt(2) does.
    pub fn set_timeouts(&mut self, timeouts: Timeouts) -> io::Result<()> {
        let clock = Clock::start(&timeouts);
        clock.head_received();
        self.set_clock(clock)
    }

    /// Applies the limits of an exchange. `Clock::default()` removes them.
    pub(crate) fn set_clock(&mut self, clock: Clock) -> io::Result<()> {
        self.clock = clock;
        if self.clock.begin_wait().is_none() {
            self.set_read_timeout(None)?;
            self.set_write_timeout(None)?;
        }
        Ok(())
    }

    /// Sets the timeout of each read while no [`Clock`] applies; `None` is no limit. An unchanged
    /// timeout costs no system call. Fails as setsockopt(2) does, and for a `timeout` of zero.
    pub(crate) fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.set_timeout(Side::Read, timeout)
    }

    /// Sets the timeout of each write.
    pub(crate) fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.set_timeout(Side::Write, timeout)
    }

    fn set_timeout(&self, side: Side, timeout: Option<Duration>) -> io::Result<()> {
        let mut set = lock(&self.set[side as usize]);
        if *set != timeout {
            match side {
                Side::Read => self.socket.set_read_timeout(timeout)?,
                Side::Write => self.socket.set_write_timeout(timeout)?,
            }
            *set = timeout;
        }
        Ok(())
    }

    pub(crate) fn is_tcp(&self) -> bool {
        self.is_tcp
    }

    /// Returns the local and the remote address of a TCP connection.
    pub(crate) fn addresses(&self) -> Option<(SocketAddr, SocketAddr)> {
        let socket = self.socket.try_clone().ok().filter(|_| self.is_tcp)?;
        let socket = TcpStream::from(OwnedFd::from(socket));
        Some((socket.local_addr().ok()?, socket.peer_addr().ok()?))
    }

    /// Returns whether an idle connection can carry another request: the peer has neither closed it
    /// nor sent a byte. Never blocks. After `false`, drop the stream: a byte may be lost.
    pub(crate) fn is_quiet(&self) -> bool {
        let looked = self.socket.set_nonblocking(true).and_then(|()| (&self.socket).read(&mut [0]));
        let blocking = self.socket.set_nonblocking(false);
        matches!(looked, Err(e) if e.kind() == ErrorKind::WouldBlock) && blocking.is_ok()
    }

    /// Returns why the program behind the stream failed, or `None` for a running or successful
    /// program and for a socket. Call it after a failed write; reads include it in their errors.
    pub fn failure(&self) -> Option<ConnectError> {
        self.child.as_ref()?.failure()
    }

    fn attempt(
        &self,
        side: Side,
        mut call: impl FnMut() -> io::Result<usize>,
    ) -> io::Result<usize> {
        let wait = self.clock.begin_wait();
        loop {
            if let Some(wait) = &wait {
                let limit = match side {
                    Side::Read => wait.next()?,
                    Side::Write => wait.next_write()?,
                };
                self.set_timeout(side, limit)?;
            }
            match call() {
                Ok(moved) => {
                    wait.iter().for_each(Wait::moved);
                    return Ok(moved);
                }
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => {}
                    // A timeout of the socket has passed (socket(7)); the clock decides whether to
                    // wait again.
                    ErrorKind::WouldBlock if wait.is_some() => {}
                    ErrorKind::WouldBlock => return Err(ErrorKind::TimedOut.into()),
                    _ => return Err(error),
                },
            }
        }
    }

    /// Replaces the end of file of a failed program with its error. A reset is an end of file with
    /// unread input.
    fn end(&self, wanted: usize, result: io::Result<usize>) -> io::Result<usize> {
        let Some(child) = &self.child else { return result };
        let ended = match &result {
            Ok(n) => *n == 0 && wanted > 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        };
        match ended.then(|| child.failure()).flatten() {
            Some(failure) => Err(io::Error::new(ErrorKind::ConnectionAborted, failure)),
            None => result,
        }
    }
}

impl Read for &Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len();
        let result = self.attempt(Side::Read, || (&self.socket).read(buffer));
        self.end(wanted, result)
    }
}

impl Write for &Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = &bytes[..bytes.len().min(self.clock.largest_write())];
        self.attempt(Side::Write, || (&self.socket).write(bytes))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.clock.largest_write() < usize::MAX {
            let first = slices.iter().find(|slice| !slice.is_empty());
            return self.write(first.map_or(&[], |slice| slice));
        }
        self.attempt(Side::Write, || (&self.socket).write_vectored(slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self).write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// For calls that are not here, such as `peer_addr`. Set no timeouts on it.
impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl From<UnixStream> for Stream {
    fn from(socket: UnixStream) -> Self {
        Self::new(socket, None)
    }
}

/// Wraps a connected socket of any other family, such as vsock, or an inherited one.
impl From<OwnedFd> for Stream {
    fn from(socket: OwnedFd) -> Self {
        Self::new(socket.into(), None)
    }
}

impl From<TcpStream> for Stream {
    fn from(socket: TcpStream) -> Self {
        Self { is_tcp: true, ..Self::new(OwnedFd::from(socket).into(), None) }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stream").field(&self.socket).finish()
    }
}
