//! One connection, as all of the server's threads see it, and its bytes as they come in.

use super::Limits;
use crate::transport::{Limit, Stream, Timeout};
use std::io::{self, ErrorKind, IoSliceMut, Read};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What concerns all connections.
#[derive(Debug)]
pub(super) struct Crowd {
    /// The server is about to end.
    pub stopping: AtomicBool,
    /// Somebody waits for room: who has nothing to do has to leave.
    pub full: AtomicBool,
    start: Instant,
}

impl Crowd {
    pub fn new() -> Crowd {
        Crowd {
            stopping: AtomicBool::new(false),
            full: AtomicBool::new(false),
            start: Instant::now(),
        }
    }

    /// Milliseconds since the server began, and one.
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX) + 1
    }

    pub fn must_leave(&self) -> bool {
        self.stopping.load(Ordering::SeqCst) || self.full.load(Ordering::SeqCst)
    }
}

/// A connection with a thread of its own.
#[derive(Debug)]
pub(super) struct Live {
    pub stream: Stream,
    pub crowd: Arc<Crowd>,
    /// When it began to wait for a head, or one of the states below.
    waiting: AtomicU64,
    /// Whether it has been answered before.
    served: AtomicBool,
    /// How much of the request's content the handler has not read, as far as that is known.
    pub unread: AtomicU64,
    /// Whether the client waits for `100 Continue` before it sends the content.
    pub expects: AtomicBool,
    /// Whether a byte of the response has been sent.
    pub answered: AtomicBool,
}

/// How many milliseconds a new client has for its head where there is no room.
const MOMENT: u64 = 100;
/// A request is being read or answered.
const AT_WORK: u64 = 0;
/// Told to leave.
const LEAVING: u64 = u64::MAX;
/// Content beyond this that nobody wants is not read past: the connection is closed.
pub(super) const DRAIN: u64 = 256 * 1024;
/// For [`Live::unread`]: only the last chunk will tell.
pub(super) const UNKNOWN: u64 = u64::MAX;

impl Live {
    pub fn new(stream: Stream, crowd: Arc<Crowd>) -> Live {
        let (waiting, unread) = (AtomicU64::new(AT_WORK), AtomicU64::new(0));
        let (served, expects, answered) = Default::default();
        Live { stream, crowd, waiting, served, unread, expects, answered }
    }

    /// Forgets the exchange before: so much content is to come.
    pub fn begin(&self, unread: u64, expects: bool) {
        self.unread.store(unread, Ordering::Release);
        self.expects.store(expects, Ordering::Release);
        self.answered.store(false, Ordering::Release);
    }

    /// Whether no other request can be found behind this one's content, or no other is wanted.
    pub fn must_close(&self, status: u16) -> bool {
        let unread = self.unread.load(Ordering::Acquire);
        // An early error ends an upload whose length is not known: to read on could take for ever.
        let lost = if unread == UNKNOWN { status >= 400 } else { unread > DRAIN };
        // Nobody knows whether a client that was not told to continue sends its content or its next
        // request.
        lost || self.expects.load(Ordering::Acquire) || self.crowd.must_leave()
    }

    /// A head is awaited. From now on the connection may be [told to leave](Live::tell_to_leave).
    pub fn wait(&self) {
        self.waiting.store(self.crowd.now(), Ordering::SeqCst);
    }

    /// A head has come; whether there may be another after it.
    pub fn work(&self) -> bool {
        self.served.store(true, Ordering::Relaxed);
        self.waiting.swap(AT_WORK, Ordering::SeqCst) != LEAVING
    }

    fn waits_since(&self) -> Option<u64> {
        Some(self.waiting.load(Ordering::SeqCst))
            .filter(|&since| since != AT_WORK && since != LEAVING)
    }

    /// For how long it has been waiting without need, if it has. A client that has just connected
    /// is given a moment: it has a request to send, and does not expect, as one that kept its
    /// connection has to, that it is closed before.
    pub fn idle_since(&self) -> Option<u64> {
        let since = self.waits_since()?;
        let idle = self.served.load(Ordering::Relaxed) || since + MOMENT < self.crowd.now();
        idle.then_some(since)
    }

    /// Ends its wait, if it waits. What the client has sent already is still read and answered.
    pub fn tell_to_leave(&self) -> bool {
        let Some(since) = self.waits_since() else { return false };
        let told = self
            .waiting
            .compare_exchange(since, LEAVING, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok();
        told && self.stream.shutdown(Shutdown::Read).is_ok()
    }
}

/// What is read now, and so how long it may take.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    /// The first byte of a head.
    Idle,
    /// The rest of it: due by then, or from the next read on.
    Head(Option<Instant>),
    Body,
}

/// The direction from the client, with the limits of time.
#[derive(Debug)]
pub(super) struct Incoming {
    live: Arc<Live>,
    limits: Limits,
    pub phase: Phase,
    /// A byte that [`is_gone`](Incoming::is_gone) met.
    ahead: Option<u8>,
}

impl Incoming {
    pub fn new(live: Arc<Live>, limits: Limits) -> Incoming {
        Incoming { live, limits, phase: Phase::Idle, ahead: None }
    }

    /// The byte read ahead, and no longer kept here.
    pub fn take_ahead(&mut self) -> Option<u8> {
        self.ahead.take()
    }

    /// Whether the client has closed its side. Looks without waiting, and keeps the byte that it
    /// may meet.
    pub fn is_gone(&mut self) -> bool {
        if self.ahead.is_some() {
            return false;
        }
        let (mut byte, stream) = ([0], &self.live.stream);
        let looked = if let Some(unix) = stream.as_unix() {
            let looked = unix.set_nonblocking(true).and_then(|()| (&mut &*unix).read(&mut byte));
            unix.set_nonblocking(false).and(looked)
        } else if let Some(tcp) = stream.as_tcp() {
            let looked = tcp.set_nonblocking(true).and_then(|()| (&mut &*tcp).read(&mut byte));
            tcp.set_nonblocking(false).and(looked)
        } else {
            return false;
        };
        match looked {
            Ok(1) => self.ahead = Some(byte[0]),
            Ok(_) => return true,
            Err(error) => {
                return !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted);
            }
        }
        false
    }

    /// Makes the socket wait no longer than it may now; which limit that is, and how long in all.
    fn limit(&mut self) -> io::Result<Option<(Limit, Duration)>> {
        let (limit, all, left) = match self.phase {
            Phase::Idle => (Limit::Idle, self.limits.idle, self.limits.idle),
            Phase::Body => (Limit::Idle, self.limits.silence, self.limits.silence),
            Phase::Head(since) => {
                let since = since.unwrap_or_else(Instant::now);
                self.phase = Phase::Head(Some(since));
                let left = self.limits.head.map(|all| all.saturating_sub(since.elapsed()));
                (Limit::Head, self.limits.head, left)
            }
        };
        let timeout = |after| Timeout { limit, after };
        // A socket counts in milliseconds, and takes zero for no limit at all.
        let millis = left
            .map(|left| Duration::from_millis(u64::try_from(left.as_millis()).unwrap_or(u64::MAX)));
        if let (Some(Duration::ZERO), Some(all)) = (millis, all) {
            return Err(timeout(all).into());
        }
        self.live.stream.set_read_timeout(millis)?;
        Ok(all.map(|all| (limit, all)))
    }

    fn receive(
        &mut self,
        read: impl FnOnce(&mut &Stream) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let limit = self.limit()?;
        let n = read(&mut &self.live.stream).map_err(|error| match limit {
            Some((limit, after)) if error.kind() == ErrorKind::TimedOut => {
                Timeout { limit, after }.into()
            }
            _ => error,
        })?;
        if let Phase::Idle = self.phase {
            self.phase = Phase::Head(None);
        }
        Ok(n)
    }
}

impl Read for Incoming {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match (self.ahead, out) {
            (Some(byte), [first, ..]) => {
                *first = byte;
                self.ahead = None;
                Ok(1)
            }
            (_, out) => self.receive(|stream| stream.read(out)),
        }
    }

    fn read_vectored(&mut self, out: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        match (self.ahead, out.first_mut()) {
            (Some(_), Some(first)) => self.read(first),
            _ => self.receive(|stream| stream.read_vectored(out)),
        }
    }
}
