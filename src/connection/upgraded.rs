//! A raw connection after HTTP: bytes in both directions. Each direction ends separately.

use crate::transport::{Stream, Timeouts};
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};

/// A raw connection after HTTP, as Docker's attach uses it.
///
/// ```no_run
/// use std::io::{Read, Write};
/// use std::net::Shutdown;
/// use unix_http::Client;
///
/// let response = Client::unix("/var/run/docker.sock")
///     .post("/containers/mypy/attach?stream=1&stdin=1&stdout=1&stderr=1")
///     .upgrade("tcp")
///     .send()?;
/// let attached = response.into_upgraded().expect("a 101 or a 200 without a length");
/// let (mut output, mut stdin) = attached.split()?; // for two threads
/// stdin.write_all(b"hello\n")?;
/// stdin.shutdown(Shutdown::Write)?; // ends the container's stdin; its output continues
/// output.read_to_end(&mut Vec::new())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// If the peer closes a Unix socket before it has read all input, reading ends without an error. A
/// container does so if it ends before its stdin does.
pub struct Upgraded {
    stream: Stream,
    /// Unread bytes that arrived together with the head.
    ahead: VecDeque<u8>,
}

impl Upgraded {
    pub(crate) fn new(stream: Stream, ahead: Vec<u8>) -> Upgraded {
        Upgraded { stream, ahead: ahead.into() }
    }

    /// Replaces the time limits of the exchange, which otherwise stay in force; its `total` counts
    /// from its start. `Timeouts::default()` removes all limits.
    ///
    /// # Errors
    /// Fails as setsockopt(2) does.
    pub fn set_timeouts(&mut self, timeouts: Timeouts) -> io::Result<()> {
        self.stream.set_timeouts(timeouts)
    }

    /// Adds a second handle to write to, for another thread. The connection closes when both are
    /// dropped. Set time limits before: later they apply to one of the handles.
    ///
    /// # Errors
    /// Fails as dup(2) does.
    pub fn split(self) -> io::Result<(Upgraded, Stream)> {
        let stream = self.stream.try_clone()?;
        Ok((self, stream))
    }

    /// Returns the unread bytes that arrived with the head. They precede those of the stream.
    pub fn buffered(&self) -> &[u8] {
        self.ahead.as_slices().0
    }

    /// Returns the stream, for example to end one direction. Reading from it skips the
    /// [`buffered`](Upgraded::buffered) bytes.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }
}

impl fmt::Debug for Upgraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upgraded({:?}, {} bytes ahead)", self.stream, self.ahead.len())
    }
}

impl Read for Upgraded {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if !self.ahead.is_empty() {
            return self.ahead.read(out);
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

impl Write for Upgraded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&self.stream).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
