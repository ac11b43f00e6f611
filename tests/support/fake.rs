//! A server that follows a script: for peers no real server would be.
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

/// No script waits longer than this for its client.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on a Unix socket of its own; each connection gets the script, in turn.
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
    /// Counts the connections from 0.
    pub connection: usize,
}

impl Fake {
    /// Serves every connection with the script, one at a time. An error of the script (a client
    /// that went away) ends that connection only.
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
                    // The last connection is the one that wakes this thread up; those that came
                    // before it get the script.
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

    /// Reads one request head, answers these bytes, waits for the client to close.
    pub fn answer(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Fake::start(move |peer| {
            peer.read_until(b"\r\n\r\n")?;
            peer.send(&bytes)?;
            peer.read_to_end()
        })
    }

    /// Like [`Fake::answer`], but closes at once, so the answer may be cut short.
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

    /// Waits until so many connections are closed.
    #[track_caller]
    pub fn closed(&self, count: usize) {
        let end = Instant::now() + PATIENCE;
        while self.received.lock().expect("the log").len() < count {
            assert!(Instant::now() < end, "the script of connection {count} does not end");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// What each connection sent: waits until the script has run for each that was made.
    pub fn received(mut self) -> Vec<Vec<u8>> {
        self.end();
        std::mem::take(&mut self.received.lock().expect("the log"))
    }

    fn end(&mut self) {
        // Held meanwhile: whoever accepts this connection sees the flag.
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
    /// Reads up to and with `end`, byte by byte, so that nothing after it is taken.
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

    /// Reads until the client closes or shuts down its side.
    pub fn read_to_end(&mut self) -> io::Result<()> {
        self.stream.read_to_end(&mut self.received).map(drop)
    }

    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends in pieces of `size` bytes, each a write of its own, with a breath between them.
    pub fn send_in_pieces(&mut self, bytes: &[u8], size: usize) -> io::Result<()> {
        bytes.chunks(size).try_for_each(|piece| {
            thread::yield_now();
            self.send(piece)
        })
    }

    /// Sends the same bytes again and again until the client has had enough: an endless anything.
    pub fn send_for_ever(&mut self, bytes: &[u8]) -> io::Result<()> {
        let block = bytes.repeat(65536_usize.div_ceil(bytes.len()));
        loop {
            self.send(&block)?;
        }
    }

    pub fn pause(&self, milliseconds: u64) {
        thread::sleep(Duration::from_millis(milliseconds));
    }

    /// Ends what is sent, and can still read.
    pub fn shutdown_write(&self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }

    pub fn received(&self) -> &[u8] {
        &self.received
    }

    /// Adds to what was received: for a script that reads from the stream itself.
    pub fn note(&mut self, bytes: &[u8]) {
        self.received.extend_from_slice(bytes);
    }

    pub fn stream(&self) -> &UnixStream {
        &self.stream
    }
}

/// `unix://` and a path.
pub fn url(path: &Path) -> String {
    format!("unix://{}", path.display())
}
