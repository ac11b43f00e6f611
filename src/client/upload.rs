//! The thread that sends content too long for the first write. Meanwhile the client reads: a daemon
//! may answer while it still receives (`POST /build`), or answer early and stop receiving.

use super::body::Content;
use super::observer::{ClientEvent, ClientObserver};
use crate::base::sync::Watched;
use crate::error::Error;
use crate::transport::{Clock, Stream, Wait};
use crate::wire::Framing;
use crate::wire::chunked::encode_chunk_size;
use std::io::{self, Cursor, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// How much is read from a source at once.
const PIECE: usize = 128 * 1024;
/// Room around a piece for chunk framing, so that one write sends a chunk.
const BEFORE: usize = 18;
const AFTER: usize = 2;

/// How many bytes a socket's queue may hold before the peer has read them.
const QUEUE: f64 = 256.0 * 1024.0;

/// How long to wait, after a shutdown of the connection, for the thread to report its error.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How often a wait for the end of an upload checks for a cancel.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Content on its way.
#[derive(Debug)]
pub(super) struct Upload {
    shared: Arc<Shared>,
    /// The end of the thread, once it is known.
    outcome: Option<Outcome>,
    clock: Clock,
}

/// Whether everything was sent; `None` if sending never began.
type Outcome = Option<Result<(), Error>>;

/// The messages between the client and the thread.
#[derive(Debug, Default)]
struct Shared {
    /// Whether the peer wants the content. Only the first message counts.
    wanted: Watched<Option<bool>>,
    outcome: Watched<Option<Outcome>>,
}

impl Upload {
    /// Starts to send. With `patience`, the thread first waits that long for the peer's agreement.
    pub fn start(
        mut sink: UploadSink,
        content: Content<'static>,
        framing: Framing,
        patience: Option<Duration>,
    ) -> Result<Upload, Error> {
        let clock = sink.clock.clone();
        let shared = Arc::<Shared>::default();
        let ours = Arc::clone(&shared);
        let work = move || {
            if patience.and_then(|patience| ours.wanted.take(patience)) == Some(false) {
                return ours.outcome.put(None);
            }
            // This thread is never joined, so a reader's panic becomes an error.
            let sent = catch_unwind(AssertUnwindSafe(|| sink.send(content, framing)))
                .unwrap_or_else(|_| Err(Error::Source(io::Error::other("what reads it panicked"))));
            ours.outcome.put(Some(sink.end(sent)));
        };
        thread::Builder::new().name("upload".into()).spawn(work).map_err(Error::Send)?;
        Ok(Upload { shared, outcome: None, clock })
    }

    /// Sends borrowed content on this thread.
    pub fn send_now(mut sink: UploadSink, content: Content<'_>, framing: Framing) -> Upload {
        let (clock, sent) = (sink.clock.clone(), sink.send(content, framing));
        Upload { shared: Arc::default(), outcome: Some(Some(sink.end(sent))), clock }
    }

    /// Reports that the peer agreed to the content, or that it sent a final response first, so that
    /// content that was not begun is not sent.
    pub fn decide(&self, wanted: bool) {
        self.shared.wanted.put(wanted);
    }

    /// Returns whether everything was sent; `None` during the upload, or if it never began.
    pub fn outcome(&mut self) -> Option<&Result<(), Error>> {
        if self.outcome.is_none() {
            self.outcome = self.shared.outcome.take(Duration::ZERO);
        }
        self.outcome.as_ref()?.as_ref()
    }

    /// Waits until everything was sent, or sending failed.
    ///
    /// # Errors
    /// Fails at a time limit and on a cancel, even while the source has nothing to send.
    pub fn finish(&mut self, is_cancelled: impl Fn() -> bool) -> Result<(), Error> {
        let wait = self.clock.begin_wait();
        while self.outcome.is_none() {
            if is_cancelled() {
                return Err(Error::Cancelled);
            }
            let limit = wait.as_ref().map_or(Ok(None), Wait::next).map_err(Error::Timeout)?;
            let limit = limit.map_or(LOOK_AGAIN, |limit| limit.min(LOOK_AGAIN));
            self.outcome = self.shared.outcome.take(limit);
        }
        Ok(())
    }

    /// Returns why sending failed, if it did. Call it after a shutdown of the connection.
    pub fn failure(mut self) -> Option<Error> {
        let outcome = self.outcome.take().or_else(|| self.shared.outcome.take(LAST_WORDS));
        outcome.flatten()?.err()
    }
}

/// Without an answer to wait for, content that was not begun is not sent.
impl Drop for Upload {
    fn drop(&mut self) {
        self.decide(false);
    }
}

/// The destination of the content.
pub(super) struct UploadSink {
    stream: Stream,
    clock: Clock,
    observer: Option<ClientObserver>,
    /// How many bytes were written, and how long that took.
    written: (f64, Duration),
}

impl UploadSink {
    pub fn new(stream: Stream, clock: Clock, observer: Option<ClientObserver>) -> Self {
        Self { stream, clock, observer, written: (0.0, Duration::ZERO) }
    }

    fn send(&mut self, content: Content<'_>, framing: Framing) -> Result<(), Error> {
        let mut reader: Box<dyn Read + '_> = match content {
            Content::None => return Ok(()),
            Content::Bytes(bytes) if framing != Framing::Chunked => return self.write(&bytes),
            Content::Bytes(bytes) => Box::new(Cursor::new(bytes)),
            Content::Reader(reader) => reader,
            Content::Borrowed(reader) => reader,
        };
        match framing {
            Framing::Length(length) => self.sized(&mut reader, length),
            _ => self.chunked(&mut reader),
        }
    }

    /// Ends the content for the peer and for the time limits.
    fn end(self, sent: Result<(), Error>) -> Result<(), Error> {
        if let Err(Error::Source(_) | Error::SourceLength { .. }) = sent {
            // Shows the peer that the content is cut short, and ends the wait for a response.
            let _ = self.stream.shutdown(Shutdown::Both);
        }
        // The peer will read what the kernel has taken for as long as the last such amount took to
        // write.
        let (bytes, time) = self.written;
        self.clock.drains_for(time.mul_f64(QUEUE.min(bytes) / bytes.max(1.0)));
        self.clock.request_sent();
        sent
    }

    fn read(&mut self, source: &mut dyn Read, piece: &mut [u8]) -> Result<usize, Error> {
        loop {
            match self.clock.read_source(|| source.read(piece)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return result.map_err(Error::Source),
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        // Reported before the write: the reading thread could otherwise report the response first.
        if let Some(observer) = &self.observer {
            (observer.0)(&ClientEvent::RequestBody(bytes));
        }
        let start = Instant::now();
        (&self.stream).write_all(bytes).map_err(Error::send)?;
        self.written = (self.written.0 + bytes.len() as f64, self.written.1 + start.elapsed());
        Ok(())
    }

    /// Sends exactly `length` bytes.
    fn sized(&mut self, source: &mut dyn Read, length: u64) -> Result<(), Error> {
        let room = |left: u64| usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let mut left = length;
        let mut piece = vec![0; room(left)];
        while left > 0 {
            let n = self.read(source, &mut piece[..room(left)])?;
            if n == 0 {
                return Err(Error::SourceLength { announced: length, found: length - left });
            }
            self.write(&piece[..n])?;
            left -= n as u64;
        }
        Ok(())
    }

    /// Sends each piece as a chunk when it arrives: `chunk-size CRLF chunk-data CRLF` in one write.
    fn chunked(&mut self, source: &mut dyn Read) -> Result<(), Error> {
        let mut piece = vec![0; BEFORE + PIECE + AFTER];
        let mut size = Vec::with_capacity(BEFORE);
        loop {
            let n = self.read(source, &mut piece[BEFORE..BEFORE + PIECE])?;
            if n == 0 {
                return self.write(b"0\r\n\r\n");
            }
            size.clear();
            encode_chunk_size(&mut size, n as u64);
            let (start, end) = (BEFORE - size.len(), BEFORE + n);
            piece[start..BEFORE].copy_from_slice(&size);
            piece[end..end + AFTER].copy_from_slice(b"\r\n");
            self.write(&piece[start..end + AFTER])?;
        }
    }
}
