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
    /// When the wait for a head began (see [`Pressure::now`]), [`AT_WORK`] or [`LEAVING`].
    waiting: AtomicU64,
    /// Whether a request was read on it before.
    served: AtomicBool,
    /// How much content the handler has not read, or [`UNKNOWN`].
    pub unread: AtomicU64,
    /// Whether the client waits for `100 Continue` before it sends the content.
    pub expects: AtomicBool,
    /// Whether a byte of the response has been sent.
    pub answered: AtomicBool,
}

/// A request is being read or answered.
const AT_WORK: u64 = 0;
/// The connection was asked to leave.
const LEAVING: u64 = u64::MAX;
/// How many milliseconds a new client has for its head once the connection limit is reached.
const MOMENT: u64 = 100;
/// Unread content up to this is read and dropped; with more the connection is closed.
pub(super) const DRAIN: u64 = 256 * 1024;
/// The length of chunked content.
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

    /// Marks the connection as waiting for a head, so that it may be asked to leave. `begun` says
    /// that bytes of the head have arrived. Returns false if the connection has to close at once.
    pub fn wait(&self, begun: bool) -> bool {
        self.waiting.store(self.pressure.now(), Ordering::SeqCst);
        if self.pressure.stopping.load(Ordering::SeqCst) {
            self.leave_if_waiting();
        }
        begun || !self.served.load(Ordering::Relaxed) || !self.pressure.must_leave()
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

    /// When the connection became idle. A new client first gets a moment to send its request: it
    /// does not expect an early close, as a client of a kept connection does.
    pub fn idle_since(&self) -> Option<u64> {
        let since = self.waits_since()?;
        let idle = self.served.load(Ordering::Relaxed) || since + MOMENT < self.pressure.now();
        idle.then_some(since)
    }

    /// Ends the wait for a head, if there is one. A request that has arrived is still answered.
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
