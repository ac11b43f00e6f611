//! Time limits: the caller's choice, and the clock of one exchange.
//!
//! There are four limits, because a single one would kill quiet streams: `GET /events` may send
//! nothing for an hour. By default there is no limit.
//!
//! A socket limits only the next `recv` or `send` (`SO_RCVTIMEO`, `SO_SNDTIMEO`, socket(7)). The
//! [`Clock`] computes that limit, and a wait that ends early is repeated.

use crate::base::sync::Slot;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The time limits of an exchange. Each is `None` by default, which means no limit.
///
/// ```
/// use unix_http::Timeouts;
///
/// // For GET /events: the engine must answer soon, and may then be silent.
/// let seconds = std::time::Duration::from_secs;
/// let limits = Timeouts::default().connect(seconds(2)).head(seconds(5));
/// assert_eq!(limits.connect(None).head(None), Timeouts::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    pub(crate) connect: Option<Duration>,
    pub(crate) head: Option<Duration>,
    pub(crate) idle: Option<Duration>,
    pub(crate) total: Option<Duration>,
}

impl Timeouts {
    /// Limits the time to establish the connection, including the resolution of a host name.
    #[must_use]
    pub fn connect(self, limit: impl Into<Option<Duration>>) -> Timeouts {
        Timeouts { connect: limit.into(), ..self }
    }

    /// Limits the time from the end of the request to the end of the response head.
    #[must_use]
    pub fn head(self, limit: impl Into<Option<Duration>>) -> Timeouts {
        Timeouts { head: limit.into(), ..self }
    }

    /// Limits a wait for the peer without a byte in either direction. Time between two calls does
    /// not count, nor does time in which the source of an upload has nothing to send.
    #[must_use]
    pub fn idle(self, limit: impl Into<Option<Duration>>) -> Timeouts {
        Timeouts { idle: limit.into(), ..self }
    }

    /// Limits the whole exchange, from the start of the connect to the last byte of the response.
    #[must_use]
    pub fn total(self, limit: impl Into<Option<Duration>>) -> Timeouts {
        Timeouts { total: limit.into(), ..self }
    }
}

/// Which of the [`Timeouts`] was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Connect,
    Head,
    Idle,
    Total,
}

/// The limit that was reached; the inner error of an [`io::Error`] of kind
/// [`io::ErrorKind::TimedOut`]. Prints which limit it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeout {
    pub(crate) limit: Limit,
    pub(crate) after: Duration,
}

impl Timeout {
    /// Returns the timeout inside an I/O error.
    pub(crate) fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.limit {
            Limit::Connect => "no connection",
            Limit::Head => "no complete response head",
            Limit::Idle => "no byte in either direction",
            Limit::Total => "the exchange was not finished",
        };
        write!(f, "timed out: {what} within {:?}", rounded(self.after))
    }
}

impl std::error::Error for Timeout {}

impl From<Timeout> for io::Error {
    fn from(timeout: Timeout) -> Self {
        Self::new(io::ErrorKind::TimedOut, timeout)
    }
}

/// One limit that started at a known time.
#[cfg(feature = "server")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    timeout: Option<Timeout>,
    since: Instant,
}

#[cfg(feature = "server")]
impl Deadline {
    /// Starts now. `None` never ends.
    pub(crate) fn start(limit: Limit, after: Option<Duration>) -> Deadline {
        let timeout = after.map(|after| Timeout { limit, after });
        Deadline { timeout, since: Instant::now() }
    }

    /// Returns how long a socket may still wait, in whole milliseconds. Fails when less than one is
    /// left, because a socket would take zero as no limit.
    pub(crate) fn left(&self) -> Result<Option<Duration>, Timeout> {
        let Some(timeout) = self.timeout else { return Ok(None) };
        match nanos(timeout.after.saturating_sub(self.since.elapsed())) / 1_000_000 {
            0 => Err(timeout),
            left => Ok(Some(Duration::from_millis(left))),
        }
    }

    /// Returns the error for a wait that reached this limit.
    pub(crate) fn timeout(&self) -> Option<Timeout> {
        self.timeout
    }
}

/// The clock of one exchange with [`Timeouts`]. Clones share it, so that one thread can send while
/// another reads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock(Option<Arc<Running>>);

#[derive(Debug)]
struct Running {
    limits: Timeouts,
    start: Instant,
    /// When the request was sent, in nanoseconds after `start`, or one of the two constants below.
    sent: AtomicU64,
    /// When a byte last moved, in nanoseconds after `start`.
    moved: AtomicU64,
    /// Whether the source of an upload is being read. Its delay is not the peer's fault.
    at_source: AtomicBool,
}

const REQUEST_UNDER_WAY: u64 = u64::MAX;
const HEAD_RECEIVED: u64 = u64::MAX - 1;

impl Clock {
    /// Starts the clock of an exchange, before its connect.
    pub(crate) fn start(limits: &Timeouts) -> Self {
        if *limits == Timeouts::default() {
            return Self(None);
        }
        Self(Some(Arc::new(Running {
            limits: *limits,
            start: Instant::now(),
            sent: AtomicU64::new(REQUEST_UNDER_WAY),
            moved: AtomicU64::new(0),
            at_source: AtomicBool::new(false),
        })))
    }

    /// Returns how long a connect may take, at least 1 ms, and which limit applies: `connect` or
    /// the rest of `total`.
    pub(crate) fn connect_limit(&self) -> Option<(Duration, Timeout)> {
        let running = self.0.as_ref()?;
        let Timeouts { connect, total, .. } = running.limits;
        let connect = connect.map(|after| (after, Timeout { limit: Limit::Connect, after }));
        let total = total.map(|after| {
            let left = after.saturating_sub(running.start.elapsed());
            (left, Timeout { limit: Limit::Total, after })
        });
        let (left, timeout) = connect.into_iter().chain(total).min_by_key(|(left, _)| *left)?;
        Some((left.max(TICK), timeout))
    }

    /// Reads from the source of an upload. Meanwhile a wait for the peer does not count as idle.
    pub(crate) fn read_source<T>(&self, read: impl FnOnce() -> T) -> T {
        let Some(running) = &self.0 else { return read() };
        running.at_source.store(true, Ordering::Release);
        let result = read();
        running.moved.fetch_max(running.now(), Ordering::AcqRel);
        running.at_source.store(false, Ordering::Release);
        result
    }

    /// Notes that the peer will be busy for about `time` with bytes that are in the kernel's
    /// buffers. Until then a wait does not count as idle.
    pub(crate) fn drains_for(&self, time: Duration) {
        if let Some(running) = &self.0 {
            let then = running.now().saturating_add(nanos(time));
            running.moved.fetch_max(then, Ordering::AcqRel);
        }
    }

    /// Returns the most bytes to pass to one write. A write counts as progress only when the kernel
    /// has taken all of it. With an `idle` limit, writes are small enough that a peer which reads
    /// 4 KB per second is never idle.
    pub(super) fn largest_write(&self) -> usize {
        let idle = self.0.as_ref().and_then(|running| running.limits.idle);
        let bytes = |idle: Duration| usize::try_from(idle.as_millis()).unwrap_or(usize::MAX) * 2;
        idle.map_or(usize::MAX, |idle| bytes(idle).clamp(1024, 128 * 1024))
    }

    /// Notes that the request has been sent, which starts the limit for the response head.
    pub(crate) fn request_sent(&self) {
        if let Some(running) = &self.0 {
            // The head may have arrived before the request was complete.
            let (from, now) = (REQUEST_UNDER_WAY, running.now());
            _ = running.sent.compare_exchange(from, now, Ordering::AcqRel, Ordering::Acquire);
        }
    }

    /// Notes that the response head is complete.
    pub(crate) fn head_received(&self) {
        if let Some(running) = &self.0 {
            running.sent.store(HEAD_RECEIVED, Ordering::Release);
        }
    }

    /// Begins a wait for the peer. Returns `None` if there is no limit.
    pub(crate) fn begin_wait(&self) -> Option<Wait<'_>> {
        self.0.as_deref().map(|running| Wait { running, since: running.now() })
    }
}

/// A wait until the peer takes or sends a byte.
pub(crate) struct Wait<'a> {
    running: &'a Running,
    since: u64,
}

impl Wait<'_> {
    /// Returns how long to wait before the next call of this method; `None` is no limit.
    pub(crate) fn next(&self) -> Result<Option<Duration>, Timeout> {
        let running = self.running;
        let (now, limits) = (running.now(), &running.limits);
        let left = |limit: Limit, after: Option<Duration>, from: u64| match after {
            None => Ok(None),
            Some(after) => match nanos(after).saturating_add(from).saturating_sub(now) {
                0 => Err(Timeout { limit, after }),
                left => Ok(Some(left)),
            },
        };
        let total = left(Limit::Total, limits.total, 0)?;
        let head = match running.sent.load(Ordering::Acquire) {
            HEAD_RECEIVED => None,
            // The other thread may finish the request during this wait.
            REQUEST_UNDER_WAY => limits.head.map(nanos),
            sent => left(Limit::Head, limits.head, sent)?,
        };
        let since = self.since.max(running.moved.load(Ordering::Acquire));
        let idle = match running.at_source.load(Ordering::Acquire) {
            true => limits.idle.map(nanos),
            false => left(Limit::Idle, limits.idle, since)?,
        };
        Ok(sooner(sooner(total, head).map(coarse), idle.map(whole_millis)))
    }

    /// Returns how long a write may wait before the next attempt. Linux wakes a writer when a
    /// quarter or a third of the queue is left, but accepts bytes from an earlier attempt.
    pub(super) fn next_write(&self) -> Result<Option<Duration>, Timeout> {
        let idle = self.running.limits.idle.map(|idle| whole_millis(nanos(idle / 8)));
        Ok(sooner(self.next()?, idle))
    }

    pub(super) fn moved(&self) {
        if self.running.limits.idle.is_some() {
            self.running.moved.fetch_max(self.running.now(), Ordering::AcqRel);
        }
    }
}

impl Running {
    fn now(&self) -> u64 {
        nanos(self.start.elapsed())
    }
}

const TICK: Duration = Duration::from_millis(1);

/// Rounds down to a power of two milliseconds. The socket's limit then changes only a few times as
/// a deadline approaches, and most reads need no second system call.
fn coarse(nanos: u64) -> Duration {
    match (nanos / 1_000_000).checked_ilog2() {
        Some(log) => Duration::from_millis(1 << log),
        None => TICK,
    }
}

/// Rounds to whole milliseconds, for messages.
pub(super) fn rounded(duration: Duration) -> Duration {
    Duration::from_millis(nanos(duration).saturating_add(500_000) / 1_000_000)
}

/// Rounds up, so that a new wait has its whole limit.
fn whole_millis(nanos: u64) -> Duration {
    Duration::from_millis(nanos.div_ceil(1_000_000))
}

/// Saturates after 584 years.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(HEAD_RECEIVED - 1)
}

fn sooner<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Runs blocking work on a helper thread for at most `limit`. Drops a late result.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let result = Arc::<Slot<_>>::default();
    let done = Arc::clone(&result);
    thread::Builder::new().name("connect".into()).spawn(move || done.put(work()))?;
    let late = Timeout { limit: Limit::Connect, after: limit };
    result.take(limit).unwrap_or_else(|| Err(late.into()))
}
