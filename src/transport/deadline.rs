//! Time limits: the caller's choice, and the clock of one exchange.
//!
//! There are four limits, because a single one would kill quiet streams: `GET /events` may send
//! nothing for an hour. By default there is no limit.
//!
//! A socket limits only the next `recv` or `send` (`SO_RCVTIMEO`, `SO_SNDTIMEO`, socket(7)). The
//! [`Clock`] computes that limit, and a wait that ends early is repeated.

use crate::base::sync::{Watched, lock};
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
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

    /// Returns how much is left of a limit, rounded up to whole milliseconds: a new wait has the
    /// whole limit, and the socket's limit need not be set again. `None` is no limit.
    pub(crate) fn left(
        limit: Limit,
        after: Option<Duration>,
        since: Instant,
    ) -> Result<Option<Duration>, Timeout> {
        let Some(after) = after else { return Ok(None) };
        match after.saturating_sub(since.elapsed()) {
            Duration::ZERO => Err(Timeout { limit, after }),
            left => Ok(Some(millis(left.as_nanos().div_ceil(1_000_000)))),
        }
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

/// The shortest wait.
const TICK: Duration = Duration::from_millis(1);

/// The clock of one exchange with [`Timeouts`]. Clones share it, so that one thread can send while
/// another reads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock(Option<Arc<Running>>);

#[derive(Debug)]
struct Running {
    limits: Timeouts,
    start: Instant,
    progress: Mutex<Progress>,
}

#[derive(Clone, Copy, Debug)]
struct Progress {
    phase: Phase,
    /// When a byte last moved. In the future while the peer is busy with earlier ones.
    moved: Instant,
    /// Whether the source of an upload is being read. Its delay is not the peer's fault.
    at_source: bool,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Request,
    /// The request was sent at this time.
    Head(Instant),
    Body,
}

impl Clock {
    /// Starts the clock of an exchange, before its connect.
    pub(crate) fn start(limits: &Timeouts) -> Self {
        if *limits == Timeouts::default() {
            return Self(None);
        }
        let start = Instant::now();
        let progress = Progress { phase: Phase::Request, moved: start, at_source: false };
        Self(Some(Arc::new(Running { limits: *limits, start, progress: Mutex::new(progress) })))
    }

    fn note(&self, change: impl FnOnce(&mut Progress)) {
        if let Some(running) = &self.0 {
            change(&mut lock(&running.progress));
        }
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
        self.note(|progress| progress.at_source = true);
        let result = read();
        self.note(|progress| {
            progress.at_source = false;
            progress.moved = progress.moved.max(Instant::now());
        });
        result
    }

    /// Notes that the peer will be busy for about `time` with bytes that are in the kernel's
    /// buffers. Until then a wait does not count as idle.
    pub(crate) fn drains_for(&self, time: Duration) {
        self.note(|progress| progress.moved = progress.moved.max(Instant::now() + time));
    }

    /// Returns the most bytes to pass to one write. A write counts as progress only when the kernel
    /// has taken all of it. With an `idle` limit, writes are small enough that a peer which reads
    /// 4 KB per second is never idle.
    pub(super) fn largest_write(&self) -> usize {
        let idle = self.0.as_ref().and_then(|running| running.limits.idle);
        let bytes = |idle: Duration| (2 * idle.as_millis()).clamp(1024, 128 * 1024) as usize;
        idle.map_or(usize::MAX, bytes)
    }

    /// Notes that the request has been sent, which starts the limit for the response head.
    pub(crate) fn request_sent(&self) {
        self.note(|progress| {
            // The head may have arrived before the request was complete.
            if let Phase::Request = progress.phase {
                progress.phase = Phase::Head(Instant::now());
            }
        });
    }

    /// Notes that the response head is complete.
    pub(crate) fn head_received(&self) {
        self.note(|progress| progress.phase = Phase::Body);
    }

    /// Begins a wait for the peer. Returns `None` if there is no limit.
    pub(crate) fn begin_wait(&self) -> Option<Wait<'_>> {
        self.0.as_deref().map(|running| Wait { running, since: Instant::now() })
    }
}

/// A wait until the peer takes or sends a byte.
pub(crate) struct Wait<'a> {
    running: &'a Running,
    since: Instant,
}

impl Wait<'_> {
    /// Returns how long to wait before the next call of this method; `None` is no limit.
    pub(crate) fn next(&self) -> Result<Option<Duration>, Timeout> {
        let Running { limits, start, progress } = self.running;
        let progress = *lock(progress);
        let total = Timeout::left(Limit::Total, limits.total, *start)?;
        let head = match progress.phase {
            // The other thread may finish the request during this wait.
            Phase::Request => limits.head,
            Phase::Head(sent) => Timeout::left(Limit::Head, limits.head, sent)?,
            Phase::Body => None,
        };
        let idle = match progress.at_source {
            true => limits.idle,
            false => Timeout::left(Limit::Idle, limits.idle, self.since.max(progress.moved))?,
        };
        Ok([total, head, idle].into_iter().flatten().min())
    }

    /// Returns how long a write may wait before the next attempt. Linux wakes a writer when a
    /// quarter or a third of the queue is left, but accepts bytes from an earlier attempt.
    pub(super) fn next_write(&self) -> Result<Option<Duration>, Timeout> {
        let idle = self.running.limits.idle.map(|idle| (idle / 8).max(TICK));
        Ok(self.next()?.into_iter().chain(idle).min())
    }

    pub(super) fn moved(&self) {
        let mut progress = lock(&self.running.progress);
        progress.moved = progress.moved.max(Instant::now());
    }
}

/// Rounds to whole milliseconds, for messages.
pub(super) fn rounded(duration: Duration) -> Duration {
    millis((duration.as_nanos() + 500_000) / 1_000_000)
}

fn millis(number: u128) -> Duration {
    Duration::from_millis(u64::try_from(number).unwrap_or(u64::MAX))
}

/// Runs blocking work on a helper thread for at most `limit`. Drops a late result.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let result = Arc::new(Watched::new(None));
    let done = Arc::clone(&result);
    thread::Builder::new().name("connect".into()).spawn(move || done.put(work()))?;
    let late = Timeout { limit: Limit::Connect, after: limit };
    result.take(limit).unwrap_or_else(|| Err(late.into()))
}
