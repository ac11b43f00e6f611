//! A server that follows a script, for behaviour that no real server has.
//!
//! ```text
//! let server = Fake::start(|peer| {
//!     peer.read_until(b"\r\n\r\n")?;
//!     peer.send(b"HTTP/1.1 200 OK\r\nContent-Len")?;
//!     peer.pause(20);
//!     peer.send(b"gth: 2\r\n\r\nhi")
//! });
//! ... a client on server.path() ...
//! assert_eq!(server.received(), [b"GET / HTTP/1.1\r\n..."]);
//! ```

use super::temp::TempDir;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The longest wait of a script for its client.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on a private Unix socket. Runs the script for each connection in turn.
pub struct Fake {
    dir: TempDir,
    received: Arc<Mutex<Vec<Vec<u8>>>>,
    stop: Arc<Mutex<bool>>,
    thread: Option<JoinHandle<()>>,
}

/// The server's end of one connection.
pub struct Peer {
    stream: UnixStream,
    received: Vec<u8>,
    /// The number of the connection, from 0.
    pub connection: usize,
}

impl Fake {
    /// Runs the script for every connection, one at a time. An error of the script (a client that
    /// left) ends only that connection.
    pub fn start(script: impl Fn(&mut Peer) -> io::Result<()> + Send + 'static) -> Self {
        let dir = TempDir::new();
        let listener = UnixListener::bind(dir.join("s")).expect("a socket in a private directory");
        let (received, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(false)));
        let (log, stopped) = (Arc::clone(&received), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            let accepted = || listener.accept().ok().map(|(stream, _)| stream);
            let mut next = accepted();
            for connection in 0.. {
                let Some(stream) = next.take() else { return };
                if *stopped.lock().expect("the flag") {
                    // The last connection only wakes this thread. The earlier ones get the script.
                    listener.set_nonblocking(true).expect("a socket");
                    next = accepted();
                    if next.is_none() {
                        return;
                    }
                }
                let _ = stream
                    .set_read_timeout(Some(PATIENCE))
                    .and(stream.set_write_timeout(Some(PATIENCE)));
                let mut peer = Peer { stream, received: Vec::new(), connection };
                let _ = script(&mut peer);
                drop(peer.stream);
                log.lock().expect("the log").push(peer.received);
                next = next.or_else(accepted);
            }
        });
        Fake { dir, received, stop, thread: Some(thread) }
    }

    /// Reads one request head, sends these bytes, waits until the client closes.
    pub fn answer(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Fake::start(move |peer| {
            peer.read_until(b"\r\n\r\n")?;
            peer.send(&bytes)?;
            peer.read_to_end()
        })
    }

    /// Like [`Fake::answer`], but closes at once, so the response may be truncated.
    pub fn answer_and_close(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Fake::start(move |peer| {
            peer.read_until(b"\r\n\r\n")?;
            peer.send(&bytes)
        })
    }

    pub fn path(&self) -> PathBuf {
        self.dir.join("s")
    }

    /// Waits until this many connections are closed.
    #[track_caller]
    pub fn closed(&self, count: usize) {
        let end = Instant::now() + PATIENCE;
        while self.received.lock().expect("the log").len() < count {
            assert!(Instant::now() < end, "the script of connection {count} does not end");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits until the script has run for each connection, and returns the bytes that each one
    /// sent.
    pub fn received(mut self) -> Vec<Vec<u8>> {
        self.end();
        std::mem::take(&mut self.received.lock().expect("the log"))
    }

    fn end(&mut self) {
        // Held until the server thread has accepted this connection and seen the flag.
        if let Ok(mut stop) = self.stop.lock() {
            let _ = UnixStream::connect(self.path());
            *stop = true;
        }
        if let Some(thread) = self.thread.take() {
            let script = thread.join();
            assert!(script.is_ok() || thread::panicking(), "the fake server's script panicked");
        }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.end();
    }
}

impl Peer {
    /// Reads up to and including `end`, byte by byte, so that nothing after it is consumed.
    pub fn read_until(&mut self, end: &[u8]) -> io::Result<()> {
        let from = self.received.len();
        while !self.received[from..].ends_with(end) {
            self.read(1)?;
        }
        Ok(())
    }

    /// Reads exactly `count` bytes.
    pub fn read(&mut self, count: usize) -> io::Result<()> {
        let from = self.received.len();
        self.received.resize(from + count, 0);
        let read = self.stream.read_exact(&mut self.received[from..]);
        if read.is_err() {
            self.received.truncate(from);
        }
        read
    }

    /// Reads until the client closes or half-closes.
    pub fn read_to_end(&mut self) -> io::Result<()> {
        self.stream.read_to_end(&mut self.received).map(drop)
    }

    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends pieces of `size` bytes with separate writes and a short pause between them.
    pub fn send_in_pieces(&mut self, bytes: &[u8], size: usize) -> io::Result<()> {
        bytes.chunks(size).try_for_each(|piece| {
            thread::yield_now();
            self.send(piece)
        })
    }

    /// Sends the same bytes repeatedly until the client closes: an endless message.
    pub fn send_for_ever(&mut self, bytes: &[u8]) -> io::Result<()> {
        let block = bytes.repeat(65536_usize.div_ceil(bytes.len()));
        loop {
            self.send(&block)?;
        }
    }

    pub fn pause(&self, milliseconds: u64) {
        thread::sleep(Duration::from_millis(milliseconds));
    }

    /// Ends the direction to the client. Reading still works.
    pub fn shutdown_write(&self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }

    pub fn received(&self) -> &[u8] {
        &self.received
    }

    /// Adds to the received bytes, for a script that reads from the stream itself.
    pub fn note(&mut self, bytes: &[u8]) {
        self.received.extend_from_slice(bytes);
    }

    pub fn stream(&self) -> &UnixStream {
        &self.stream
    }
}

/// Returns `unix://` and a path.
pub fn url(path: &Path) -> String {
    format!("unix://{}", path.display())
}
