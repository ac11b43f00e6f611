//! Shows the forwarded bytes to the observers of a relay, in order of time.
//!
//! ```text
//!   client's thread ─▶ ┐          ┌ the viewer, a millisecond later
//!                      ├ queue ─▶ ┤                       ─▶ conversations ─▶ observers
//!   server's thread ─▶ ┘          └ or one of the two, if the queue is long
//! ```
//!
//! Parsing takes longer than forwarding. Therefore a relay thread queues a copy and continues, and
//! one thread of the relay, the *viewer*, drains the queue. A relay thread with a large piece, or
//! with more than [`WAITING_LIMIT`] bytes in the queue, drains it itself. Nothing is lost, and
//! memory stays bounded.
//!
//! Only the viewer calls [`Observer::flush`], so a slow terminal never blocks the traffic.
//!
//! All connections share the queue. A piece gets its time and its place together, *before* it is
//! written. So the queue is in order of time, and an effect never precedes its cause. A thread that
//! drains the queue holds the lock on the conversations, so observers see the same order.

use super::news::{Conversations, News, What};
use crate::base::sync::{Watched, lock};
use crate::traffic::{Event, Observer, Side};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// The largest piece that is copied. A larger one is shown from its buffer, which saves a fifth of
/// the time of a download.
const COPY_LIMIT: usize = 16 * 1024;
/// The limit of queued bytes.
const WAITING_LIMIT: usize = 256 * 1024;
/// The approximate size of a piece without its bytes.
const OVERHEAD: usize = size_of::<(News, Option<Arc<Vec<u8>>>, Vec<u8>)>();
/// How long the viewer lets pieces accumulate, which saves most wake-ups.
const GATHER: Duration = Duration::from_millis(1);

/// The callback for a problem.
pub(super) type TellProblem = Box<dyn Fn(&str) + Send + Sync>;

/// The observers of a relay, and the queue of events for them.
pub(super) struct Viewer {
    pub observers: Vec<Box<dyn Observer>>,
    /// The callback for the first error of each observer.
    pub on_problem: Option<TellProblem>,
    /// The errors so far, by observer.
    problems: Mutex<BTreeMap<usize, String>>,
    epoch: Instant,
    queue: Watched<Queue>,
    pub conversations: Mutex<Conversations>,
}

#[derive(Default)]
struct Queue {
    /// The news, and the buffers of bytes.
    news: Vec<(News, Option<Arc<Vec<u8>>>)>,
    /// The number of queued bytes, including the overhead of each piece.
    waiting: usize,
    /// Whether there is a viewer thread.
    running: bool,
    /// Whether observers have seen events since the last flush.
    unflushed: bool,
    over: bool,
}

impl Queue {
    fn is_idle(&self) -> bool {
        self.news.is_empty() && !self.unflushed
    }
}

impl Viewer {
    /// Creates a viewer without observers. Times count from now.
    pub(super) fn new() -> Viewer {
        Viewer {
            observers: Vec::new(),
            on_problem: None,
            problems: Mutex::default(),
            epoch: Instant::now(),
            queue: Watched::default(),
            conversations: Mutex::new(Conversations::new(true)),
        }
    }

    /// Lets the observers write everything. Returns their errors.
    pub(super) fn finish(&self) -> Vec<String> {
        self.note_errors(|observer| observer.finish());
        std::mem::take(&mut *lock(&self.problems)).into_values().collect()
    }

    /// Reports the first error of each observer.
    fn note_errors(&self, error: impl Fn(&dyn Observer) -> Option<String>) {
        let mut problems = lock(&self.problems);
        for (n, observer) in self.observers.iter().enumerate() {
            let error = error(&**observer);
            if let (Some(error), false) = (error, problems.contains_key(&n)) {
                self.on_problem.iter().for_each(|tell| tell(&error));
                problems.insert(n, error);
            }
        }
    }

    /// Runs `relay`, and the viewer thread if there are observers.
    pub(super) fn beside(&self, stack: usize, relay: impl FnOnce()) {
        thread::scope(|scope| {
            if !self.observers.is_empty() {
                let viewer = thread::Builder::new().name("tap-viewer".into()).stack_size(stack);
                self.queue.get().running = viewer.spawn_scoped(scope, || self.run()).is_ok();
            }
            relay();
            self.queue.change(|queue| queue.over = true);
        });
    }

    fn run(&self) {
        loop {
            let idle = |queue: &mut Queue| queue.is_idle() && !queue.over;
            if self.queue.wait_while(Duration::MAX, idle).is_idle() {
                return;
            }
            thread::sleep(GATHER);
            self.queue.get().unflushed = false;
            self.drain();
            self.flush();
        }
    }

    /// Queues what happened on a connection.
    pub(super) fn tell(&self, number: u64, what: What) {
        if !self.observers.is_empty() {
            self.enqueue(number, what, None);
        }
    }

    /// Forwards the first bytes of a buffer with `write`, and queues a copy of them.
    pub(super) fn pass_on(
        &self,
        number: u64,
        side: Side,
        (buffer, len): (&Arc<Vec<u8>>, usize),
        write: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        if self.observers.is_empty() || len == 0 {
            return write();
        }
        let is_large = len > COPY_LIMIT;
        let copy = || Arc::new(buffer[..len].to_vec());
        let piece = if is_large { Arc::clone(buffer) } else { copy() };
        let waiting = self.enqueue(number, What::Bytes(side, len), Some(piece));
        let written = write();
        if is_large || waiting > WAITING_LIMIT {
            self.drain();
            self.change(|queue| queue.unflushed = true);
        }
        written
    }

    /// Adds to the queue, and returns the number of bytes that it holds.
    fn enqueue(&self, connection: u64, what: What, piece: Option<Arc<Vec<u8>>>) -> usize {
        self.change(|queue| {
            let length = piece.as_ref().map_or(0, |piece| piece.len());
            queue.waiting += length + OVERHEAD;
            queue.news.push((News { connection, at: self.epoch.elapsed(), what }, piece));
            queue.waiting
        })
    }

    /// Changes the queue and wakes the viewer thread. Without one, drains the queue.
    fn change<R>(&self, change: impl FnOnce(&mut Queue) -> R) -> R {
        let mut queue = self.queue.get();
        let (running, sleeps) = (queue.running, queue.is_idle());
        let changed = change(&mut queue);
        drop(queue);
        if !running {
            self.drain();
            self.flush();
        } else if sleeps {
            self.queue.change(|_| {});
        }
        changed
    }

    /// Drains the queue.
    fn drain(&self) {
        let mut conversations = lock(&self.conversations);
        let mut queue = self.queue.get();
        let all = std::mem::take(&mut queue.news);
        queue.waiting = 0;
        drop(queue);
        for (news, piece) in all {
            let bytes = match (&news.what, &piece) {
                (What::Bytes(_, len), Some(piece)) => &piece[..*len],
                _ => &[],
            };
            conversations.read(&news, bytes, &mut |event: &Event<'_>| {
                for observer in &self.observers {
                    observer.see(news.connection, news.at, event);
                }
            });
        }
    }

    fn flush(&self) {
        self.note_errors(|observer| observer.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::{COPY_LIMIT, Viewer, WAITING_LIMIT, What, lock};
    use crate::traffic::{Event, Observer, Side};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    /// The connection, side, length and first byte of each piece.
    type Shown = (u64, Side, usize, u8);

    #[derive(Clone, Default)]
    struct Seen(Arc<Mutex<Vec<Shown>>>);

    impl Observer for Seen {
        fn see(&self, number: u64, _: Duration, event: &Event<'_>) {
            if let Event::Bytes(side, bytes) = event {
                lock(&self.0).push((number, *side, bytes.len(), bytes[0]));
            }
        }
    }

    /// Two connections whose viewer thread never runs.
    fn unseen() -> (Seen, Viewer) {
        let (seen, mut viewer) = (Seen::default(), Viewer::new());
        viewer.observers.push(Box::new(seen.clone()));
        viewer.queue.get().running = true;
        viewer.tell(1, What::Opened);
        viewer.tell(2, What::Opened);
        (seen, viewer)
    }

    fn pass(viewer: &Viewer, number: u64, side: Side, len: usize, byte: u8) {
        viewer.pass_on(number, side, (&Arc::new(vec![byte; len]), len), || Ok(())).unwrap();
    }

    #[test]
    fn pieces_are_queued_up_to_the_limit() {
        let (seen, viewer) = unseen();
        let most = WAITING_LIMIT / (1024 + 128);
        for n in 0..most {
            pass(&viewer, 1, Side::Client, 1024, n as u8);
        }
        assert_eq!(*lock(&seen.0), []);
        for _ in 0..most / 4 {
            pass(&viewer, 1, Side::Server, 1024, b'!');
        }
        assert!(lock(&seen.0).len() > most, "{}", lock(&seen.0).len());
        assert!(viewer.queue.get().waiting <= WAITING_LIMIT, "little is kept");
    }

    #[test]
    fn a_large_piece_is_shown_at_once_after_the_queued_ones() {
        let (seen, viewer) = unseen();
        pass(&viewer, 2, Side::Client, 10, b'a');
        pass(&viewer, 1, Side::Client, 11, b'b');
        pass(&viewer, 2, Side::Server, COPY_LIMIT + 1, b'c');
        let want = [
            (2, Side::Client, 10, b'a'),
            (1, Side::Client, 11, b'b'),
            (2, Side::Server, COPY_LIMIT + 1, b'c'),
        ];
        assert_eq!(*lock(&seen.0), want);
    }
}
