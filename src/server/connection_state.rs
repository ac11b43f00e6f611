//! The state of one connection, shared by the threads of the server.

use crate::base::sync::lock;
use crate::transport::Stream;
use crate::transport::connections::Cut;
use std::net::{Shutdown, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long a new client has for its head once the connection limit is reached.
const MOMENT: Duration = Duration::from_millis(100);
/// Up to this much unread content is read and dropped; with more, the connection closes.
pub(super) const DRAIN: u64 = 256 * 1024;
/// The length of chunked content.
pub(super) const UNKNOWN: u64 = u64::MAX;

/// Reasons for connections to close early.
#[derive(Debug, Default)]
pub(super) struct Pressure {
    /// The server is about to end.
    pub stopping: AtomicBool,
    /// The connection limit is reached and a client waits: idle connections have to close.
    pub full: AtomicBool,
}

impl Pressure {
    pub fn must_leave(&self) -> bool {
        self.stopping.load(Ordering::SeqCst) || self.full.load(Ordering::SeqCst)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Activity {
    /// A request is read or answered.
    Working,
    /// No byte of a head has arrived since then.
    Waiting(Instant),
    /// The connection has to close.
    Leaving,
}

#[derive(Debug)]
pub(super) struct ConnectionState {
    pub stream: Stream,
    pub pressure: Arc<Pressure>,
    activity: Mutex<Activity>,
    /// Whether a request was read on it before.
    served: AtomicBool,
    /// How much content the handler has not read, or [`UNKNOWN`].
    pub unread: AtomicU64,
    /// Whether the client waits for `100 Continue` before it sends the content.
    pub expects: AtomicBool,
    /// Whether a byte of the response has been sent.
    pub answered: AtomicBool,
}

impl ConnectionState {
    pub fn new(stream: Stream, pressure: Arc<Pressure>) -> ConnectionState {
        let (activity, unread) = (Mutex::new(Activity::Working), AtomicU64::new(0));
        let (served, expects, answered) = Default::default();
        ConnectionState { stream, pressure, activity, served, unread, expects, answered }
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
        // Without 100 (Continue), a client may send its content or its next request.
        lost || self.expects.load(Ordering::Acquire) || self.pressure.must_leave()
    }

    /// The address of a TCP client.
    pub fn peer(&self) -> Option<SocketAddr> {
        Some(self.stream.addresses()?.1)
    }

    /// Marks the connection as waiting for a head, so that it may be closed. `begun` says that
    /// bytes of the head have arrived. Returns false if the connection has to close at once.
    pub fn wait(&self, begun: bool) -> bool {
        *lock(&self.activity) = Activity::Waiting(Instant::now());
        if self.pressure.stopping.load(Ordering::SeqCst) {
            self.leave_if_waiting();
        }
        begun || !self.served.load(Ordering::Relaxed) || !self.pressure.must_leave()
    }

    /// Marks the wait as over. Returns whether another request may follow this one.
    pub fn work(&self) -> bool {
        self.served.store(true, Ordering::Relaxed);
        std::mem::replace(&mut *lock(&self.activity), Activity::Working) != Activity::Leaving
    }

    /// When the connection became idle. A new client first gets a moment to send its request: it
    /// does not expect an early close, as a client of a kept connection does.
    pub fn idle_since(&self) -> Option<Instant> {
        let Activity::Waiting(since) = *lock(&self.activity) else { return None };
        (self.served.load(Ordering::Relaxed) || since.elapsed() > MOMENT).then_some(since)
    }

    /// Ends the wait for a head, if there is one. A request that has arrived is still answered.
    pub fn leave_if_waiting(&self) {
        let mut activity = lock(&self.activity);
        if let Activity::Waiting(_) = *activity {
            *activity = Activity::Leaving;
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
