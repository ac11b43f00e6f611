//! Long content is sent from a thread of its own: a daemon that answers while it still reads (`POST
//! /build`), or that answers early and reads no more, must be listened to all the while, or both
//! sides wait for ever.

use super::body::Content;
use super::observer::{Event, Observer};
use crate::error::Error;
use crate::transport::{Clock, Stream};
use crate::wire::chunked;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How content of a request is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Identity(u64),
    Chunked,
}

/// What is read from a source at once. Room before and after it takes the chunk's framing, so that
/// a chunk is one write.
const PIECE: usize = 128 * 1024;
const BEFORE: usize = 18;
const AFTER: usize = 2;

/// So long a thread that was cut off has to say why it ended.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Content on its way.
#[derive(Debug)]
pub(super) struct Upload {
    shared: Arc<Shared>,
    outcome: Option<Result<(), Error>>,
}

/// What the thread that sends and the one that listens tell each other.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
enum State {
    /// The content waits for the peer to agree.
    #[default]
    Waiting,
    /// The content may be sent, or is being sent.
    Going,
    /// A final answer came first: the content is not wanted.
    Held,
    /// All was sent, or sending failed.
    Done(Result<(), Error>),
    /// The outcome was taken.
    Told,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn go(&self) {
        self.decide(State::Going);
    }

    /// Goes on from `Waiting`; later states stay.
    fn decide(&self, state: State) {
        let mut now = self.lock();
        if matches!(*now, State::Waiting) {
            *now = state;
            self.changed.notify_all();
        }
    }

    /// Waits for the peer's agreement; whether the content is to be sent.
    fn may_go(&self, patience: Duration) -> bool {
        let waiting = |state: &mut State| matches!(state, State::Waiting);
        let waited = self.changed.wait_timeout_while(self.lock(), patience, waiting);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, State::Waiting) {
            *state = State::Going;
        }
        matches!(*state, State::Going)
    }

    fn done(&self, result: Result<(), Error>) {
        *self.lock() = State::Done(result);
        self.changed.notify_all();
    }

    /// The outcome, where it is known within `patience`; `None` there means for ever.
    fn outcome(&self, patience: Option<Duration>) -> Option<Result<(), Error>> {
        let on_its_way = |state: &mut State| matches!(state, State::Waiting | State::Going);
        let mut state = match patience {
            None => self
                .changed
                .wait_while(self.lock(), on_its_way)
                .unwrap_or_else(PoisonError::into_inner),
            Some(patience) => {
                let waited = self.changed.wait_timeout_while(self.lock(), patience, on_its_way);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        match std::mem::replace(&mut *state, State::Told) {
            State::Done(result) => Some(result),
            other => {
                *state = other;
                None
            }
        }
    }
}

impl Upload {
    /// Starts to send; with `patience`, not before [`go`](Upload::go) or until so long has passed.
    pub fn start(
        stream: Stream,
        content: Content<'static>,
        coding: Coding,
        patience: Option<Duration>,
        clock: Clock,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Upload, Error> {
        let shared = Arc::new(Shared::default());
        if patience.is_none() {
            shared.go();
        }
        let mine = Arc::clone(&shared);
        let work = move || {
            if !mine.may_go(patience.unwrap_or(Duration::ZERO)) {
                return;
            }
            let sent = AssertUnwindSafe(|| send(&stream, content, coding, observer.as_deref()));
            // A reader of the caller's may panic. Nobody joins this thread, so that it is told as
            // what it means here.
            let panicked = |_| Err(Error::Source(io::Error::other("what reads it panicked")));
            let result = catch_unwind(sent).unwrap_or_else(panicked);
            if let Err(Error::Source(_) | Error::SourceLength { .. }) = result {
                // The peer must see that the content is not whole; the thread that listens must not
                // wait any longer.
                let _ = stream.shutdown(Shutdown::Both);
            }
            clock.request_sent();
            mine.done(result);
        };
        std::thread::Builder::new().name("upload".into()).spawn(work).map_err(Error::Send)?;
        Ok(Upload { shared, outcome: None })
    }

    /// The peer agreed to the content.
    pub fn go(&self) {
        self.shared.go();
    }

    /// A final answer came: content that has not been begun is not sent any more.
    pub fn hold(&self) {
        self.shared.decide(State::Held);
    }

    /// Whether all was sent; `None` while it is on its way.
    pub fn outcome(&mut self) -> Option<&Result<(), Error>> {
        if self.outcome.is_none() {
            self.outcome = self.shared.outcome(Some(Duration::ZERO));
        }
        self.outcome.as_ref()
    }

    /// Waits until all was sent, or sending failed.
    pub fn finish(&mut self) -> Option<&Result<(), Error>> {
        if self.outcome.is_none() {
            self.outcome = self.shared.outcome(None);
        }
        self.outcome.as_ref()
    }

    /// Why sending failed, where it did; the stream has been shut down.
    pub fn failure(&mut self) -> Option<Error> {
        match self.outcome.take().or_else(|| self.shared.outcome(Some(LAST_WORDS))) {
            Some(Err(error)) => Some(error),
            _ => None,
        }
    }
}

fn send(
    stream: &Stream,
    content: Content<'_>,
    coding: Coding,
    observer: Option<&dyn Observer>,
) -> Result<(), Error> {
    let sink = Sink { stream, observer };
    match (content, coding) {
        (Content::None, _) => Ok(()),
        (Content::Bytes(bytes), Coding::Identity(_)) => sink.write(&bytes),
        (Content::Bytes(bytes), Coding::Chunked) => sink.chunked(&mut &bytes[..]),
        (Content::Reader { mut reader, .. }, Coding::Identity(length)) => {
            sink.identity(&mut reader, length)
        }
        (Content::Reader { mut reader, .. }, Coding::Chunked) => sink.chunked(&mut reader),
    }
}

/// Where the content goes.
struct Sink<'a> {
    stream: &'a Stream,
    observer: Option<&'a dyn Observer>,
}

impl Sink<'_> {
    fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        // Before they are written: the answer to them, which another thread tells of, cannot be
        // told of earlier.
        if let Some(observer) = self.observer {
            observer.on(&Event::RequestBody(bytes));
        }
        let mut stream = self.stream;
        stream.write_all(bytes).map_err(Error::send)
    }

    /// Sends exactly `length` bytes.
    fn identity(&self, source: &mut dyn Read, length: u64) -> Result<(), Error> {
        let mut left = length;
        let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
        while left > 0 {
            let room = piece.len().min(usize::try_from(left).unwrap_or(PIECE));
            let n = read(source, &mut piece[..room])?;
            if n == 0 {
                return Err(Error::SourceLength { announced: length, found: length - left });
            }
            self.write(&piece[..n])?;
            left -= n as u64;
        }
        Ok(())
    }

    /// Sends each piece as a chunk when it comes: `chunk-size CRLF chunk-data CRLF` in one write.
    fn chunked(&self, source: &mut dyn Read) -> Result<(), Error> {
        let mut piece = vec![0; BEFORE + PIECE + AFTER];
        let mut size = Vec::with_capacity(BEFORE);
        loop {
            let n = read(source, &mut piece[BEFORE..BEFORE + PIECE])?;
            if n == 0 {
                return self.write(b"0\r\n\r\n");
            }
            size.clear();
            chunked::encode_chunk_size(&mut size, n as u64);
            let (start, end) = (BEFORE - size.len(), BEFORE + n);
            piece[start..BEFORE].copy_from_slice(&size);
            piece[end..end + AFTER].copy_from_slice(b"\r\n");
            self.write(&piece[start..end + AFTER])?;
        }
    }
}

fn read(source: &mut dyn Read, piece: &mut [u8]) -> Result<usize, Error> {
    loop {
        match source.read(piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result.map_err(Error::Source),
        }
    }
}
