//! One connection as every thread of the server sees it.

use crate::transport::Stream;
use crate::transport::connections::Cut;
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// Reasons for connections to close early.
#[derive(Debug)]
pub(super) struct Pressure {
    /// The server is about to end.
    pub stopping: AtomicBool,
    /// The connection limit is reached and a client waits: idle connections have to close.
    pub full: AtomicBool,
    start: Instant,
}

impl Pressure {
    pub fn new() -> Pressure {
        let [stopping, full] = [AtomicBool::new(false), AtomicBool::new(false)];
        Pressure { stopping, full, start: Instant::now() }
    }

    /// Milliseconds since the server began, plus one.
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX) + 1
    }

    pub fn must_leave(&self) -> bool {
        self.stopping.load(Ordering::SeqCst) || self.full.load(Ordering::SeqCst)
    }
}

/// The state of one connection.
#[derive(Debug)]
pub(super) struct ConnectionState {
    pub stream: Stream,
    pub pressure: Arc<Pressure>,
    /// When it began to wait for a head (see [`Pressure::now`]), or one of the states below.
    waiting: AtomicU64,
    /// Whether a request was read on it before.
    served: AtomicBool,
    /// How much of the request's content the handler has not read, as far as that is known.
    pub unread: AtomicU64,
    /// Whether the client waits for `100 Continue` before it sends the content.
    pub expects: AtomicBool,
    /// Whether a byte of the response has been sent.
    pub answered: AtomicBool,
}

/// [`ConnectionState::waiting`]: a request is being read or answered.
const AT_WORK: u64 = 0;
/// [`ConnectionState::waiting`]: asked to leave.
const LEAVING: u64 = u64::MAX;
/// How many milliseconds a new client has for its head once the connection limit is reached.
const MOMENT: u64 = 100;
/// Unread content up to this is read and dropped; with more the connection is closed.
pub(super) const DRAIN: u64 = 256 * 1024;
/// [`ConnectionState::unread`] of chunked content, whose length only the last chunk tells.
pub(super) const UNKNOWN: u64 = u64::MAX;

impl ConnectionState {
    pub fn new(stream: Stream, pressure: Arc<Pressure>) -> ConnectionState {
        let (waiting, unread) = (AtomicU64::new(AT_WORK), AtomicU64::new(0));
        let (served, expects, answered) = Default::default();
        ConnectionState { stream, pressure, waiting, served, unread, expects, answered }
    }

    /// Begins an exchange whose request has this much content.
    pub fn begin(&self, unread: u64, expects: bool) {
        self.unread.store(unread, Ordering::Release);
        self.expects.store(expects, Ordering::Release);
        self.answered.store(false, Ordering::Release);
    }

    /// Whether the connection cannot be kept after a response with this status.
    pub fn must_close(&self, status: u16) -> bool {
        let unread = self.unread.load(Ordering::Acquire);
        // An early error ends an upload of unknown length: reading on could take forever.
        let lost = if unread == UNKNOWN { status >= 400 } else { unread > DRAIN };
        // A client that was not told to continue may send its content or its next request.
        lost || self.expects.load(Ordering::Acquire) || self.pressure.must_leave()
    }

    /// Marks the connection as waiting for a head. It may now be asked to leave.
    pub fn wait(&self) {
        self.waiting.store(self.pressure.now(), Ordering::SeqCst);
    }

    /// Marks the wait as over. Returns whether another request may follow this one.
    pub fn work(&self) -> bool {
        self.served.store(true, Ordering::Relaxed);
        self.waiting.swap(AT_WORK, Ordering::SeqCst) != LEAVING
    }

    fn waits_since(&self) -> Option<u64> {
        let since = self.waiting.load(Ordering::SeqCst);
        (since != AT_WORK && since != LEAVING).then_some(since)
    }

    /// When the connection became idle. A client that has just connected gets a moment to send its
    /// request: unlike one that kept its connection, it does not expect to be closed before.
    pub fn idle_since(&self) -> Option<u64> {
        let since = self.waits_since()?;
        let idle = self.served.load(Ordering::Relaxed) || since + MOMENT < self.pressure.now();
        idle.then_some(since)
    }

    /// Ends the wait for a head, if there is one. A request that has already arrived is still read
    /// and answered.
    pub fn leave_if_waiting(&self) {
        let Some(since) = self.waits_since() else { return };
        let state = &self.waiting;
        if state.compare_exchange(since, LEAVING, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            // An error means that the client has gone.
            let _ = self.stream.shutdown(Shutdown::Read);
        }
    }
}

impl Cut for ConnectionState {
    fn cut(&self) {
        self.stream.cut();
    }
}
