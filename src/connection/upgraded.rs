//! A raw connection after HTTP: bytes in both directions. Each direction ends separately.

use crate::transport::{Stream, Timeouts};
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;

/// A raw connection after HTTP, as Docker's attach uses it.
///
/// ```no_run
/// use std::io::{Read, Write};
/// use unix_http::Client;
///
/// let response = Client::unix("/var/run/docker.sock")
///     .post("/containers/mypy/attach?stream=1&stdin=1&stdout=1&stderr=1")
///     .upgrade("tcp")
///     .send()?;
/// let mut attached = response.into_upgraded().expect("a 101 or a 200 without a length");
/// attached.write_all(b"hello\n")?;
/// attached.close_write()?; // ends the container's stdin; its output continues
/// attached.read_to_end(&mut Vec::new())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// If the peer closes a Unix socket before it has read all input, reading ends without an error. A
/// container does so if it ends before its stdin does.
#[derive(Debug)]
pub struct Upgraded {
    read: ReadHalf,
}

/// The direction from the peer. The connection closes when both halves are dropped.
pub struct ReadHalf {
    stream: Stream,
    /// Bytes that arrived together with the head.
    ahead: Vec<u8>,
    used: usize,
}

/// The direction to the peer.
#[derive(Debug)]
pub struct WriteHalf {
    stream: Stream,
}

impl Upgraded {
    pub(crate) fn new(stream: Stream, ahead: Vec<u8>) -> Upgraded {
        Upgraded { read: ReadHalf { stream, ahead, used: 0 } }
    }

    /// Replaces the time limits of the exchange, which otherwise stay in force; its `total` counts
    /// from its start. `Timeouts::default()` removes all limits.
    ///
    /// # Errors
    /// Fails as setsockopt(2) does.
    pub fn set_timeouts(&mut self, timeouts: Timeouts) -> io::Result<()> {
        self.read.stream.set_timeouts(timeouts)
    }

    /// Ends the direction to the peer. Reading still works.
    ///
    /// # Errors
    /// Fails as shutdown(2) does.
    pub fn close_write(&self) -> io::Result<()> {
        self.read.stream.shutdown(Shutdown::Write)
    }

    /// Splits the connection into two halves, for two threads.
    ///
    /// # Errors
    /// Fails as dup(2) does.
    pub fn split(self) -> io::Result<(ReadHalf, WriteHalf)> {
        let stream = self.read.stream.try_clone()?;
        Ok((self.read, WriteHalf { stream }))
    }
}

impl WriteHalf {
    /// Ends the direction to the peer.
    ///
    /// # Errors
    /// Fails as shutdown(2) does.
    pub fn close(self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }

    /// Returns the stream.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }
}

impl ReadHalf {
    /// Returns the unread bytes that arrived with the head.
    pub fn buffered(&self) -> &[u8] {
        &self.ahead[self.used..]
    }

    /// Returns the stream. Its bytes follow the [`buffered`](ReadHalf::buffered) ones.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }
}

impl fmt::Debug for ReadHalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReadHalf({:?}, {} bytes ahead)", self.stream, self.buffered().len())
    }
}

impl Read for ReadHalf {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if !self.buffered().is_empty() {
            let n = self.buffered().read(out)?;
            self.used += n;
            return Ok(n);
        }
        let result = (&self.stream).read(out);
        // Linux reports a reset if the peer left input unread, after all of the peer's bytes were
        // read. Over TCP a reset may lose some of them, so there it stays an error.
        let reset = |error: &io::Error| error.kind() == ErrorKind::ConnectionReset;
        if result.as_ref().is_err_and(reset) && !self.stream.is_tcp() {
            return Ok(0);
        }
        result
    }
}

impl Write for WriteHalf {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&self.stream).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Upgraded {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.read.read(out)
    }
}

impl Write for Upgraded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&self.read.stream).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
