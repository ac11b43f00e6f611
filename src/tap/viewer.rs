//! Shows the observers of a relay what its threads pass on.
//!
//! ```text
//!   client's thread ─▶ ┐                  ┌ the viewer, a millisecond later
//!                      ├ waiting ───────▶ ┤                       ─▶ conversation ─▶ observers
//!   server's thread ─▶ ┘ in order, bound  └ or one of the two, if much waits
//! ```
//!
//! Parsing takes longer than passing bytes on. So a relay thread queues a copy and continues, and
//! one thread of the relay, the *viewer*, drains the queues of all connections. A thread with a
//! large piece, or with more than [`WAITING_LIMIT`] bytes in the queue, drains the queue itself.
//! Nothing is lost, and memory stays bounded.
//!
//! Only the viewer calls [`Observer::flush`], so a slow terminal never blocks the traffic.
//!
//! A piece is queued *before* it is written, so a response is queued after its request. A thread
//! that drains a queue holds the conversation, so observers see the same order.

use crate::base::sync::lock;
use crate::traffic::{Conversation, Event, Observer, Side};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The largest piece that is copied; a larger one is shown from its buffer.
const COPY_LIMIT: usize = 16 * 1024;
/// How many bytes of a connection may wait to be shown.
const WAITING_LIMIT: usize = 64 * 1024;
/// How long the viewer lets pieces gather, which saves most of the wake-ups.
const GATHER: Duration = Duration::from_millis(1);

/// The observers of a relay, and the work of its viewer thread.
pub(super) struct Viewer {
    observers: Vec<Box<dyn Observer>>,
    epoch: Instant,
    calls: Mutex<Calls>,
    called: Condvar,
}

/// The work of the viewer thread.
#[derive(Default)]
struct Calls {
    /// Whether there is such a thread.
    running: bool,
    views: Vec<Arc<ConnectionView>>,
    /// Whether observers saw something since they were flushed.
    unflushed: bool,
    over: bool,
}

impl Viewer {
    /// Creates a viewer without observers; times count from now on.
    pub(super) fn new() -> Viewer {
        let (calls, called) = (Mutex::default(), Condvar::new());
        Viewer { observers: Vec::new(), epoch: Instant::now(), calls, called }
    }

    pub(super) fn add(&mut self, observer: Box<dyn Observer>) {
        self.observers.push(observer);
    }

    /// Shows an event that no bytes caused.
    pub(super) fn tell(&self, number: u64, event: &Event<'_>) {
        self.see(number, self.epoch.elapsed(), event);
        self.flush_soon();
    }

    fn see(&self, number: u64, at: Duration, event: &Event<'_>) {
        for observer in &self.observers {
            observer.see(number, at, event);
        }
    }

    fn flush(&self) {
        for observer in &self.observers {
            observer.flush();
        }
    }

    /// Makes the observers write everything. Returns their errors.
    pub(super) fn finish(&self) -> Vec<String> {
        self.observers.iter().filter_map(|observer| observer.finish()).collect()
    }

    /// Runs `relay` beside the viewer thread, if there are observers.
    pub(super) fn beside(&self, stack: usize, relay: impl FnOnce()) {
        thread::scope(|scope| {
            if !self.observers.is_empty() {
                let viewer = thread::Builder::new().name("tap-viewer".into()).stack_size(stack);
                lock(&self.calls).running = viewer.spawn_scoped(scope, || self.run()).is_ok();
            }
            relay();
            lock(&self.calls).over = true;
            self.called.notify_one();
        });
    }

    fn run(&self) {
        loop {
            let idle = |calls: &mut Calls| calls.is_idle() && !calls.over;
            let calls = self.called.wait_while(lock(&self.calls), idle);
            if calls.unwrap_or_else(PoisonError::into_inner).is_idle() {
                return;
            }
            thread::sleep(GATHER);
            let mut calls = lock(&self.calls);
            calls.unflushed = false;
            let views = std::mem::take(&mut calls.views);
            drop(calls);
            views.iter().for_each(|view| drop(view.drained(self)));
            self.flush();
        }
    }

    /// Makes the viewer thread show what waits on a connection.
    fn call(&self, view: &Arc<ConnectionView>) {
        if !self.wake(|calls| calls.views.push(Arc::clone(view))) {
            drop(view.drained(self));
            self.flush();
        }
    }

    /// Makes the viewer thread flush what another thread has shown.
    fn flush_soon(&self) {
        if !self.wake(|calls| calls.unflushed = true) {
            self.flush();
        }
    }

    /// Adds work for the viewer thread. Returns whether there is one.
    fn wake(&self, add: impl FnOnce(&mut Calls)) -> bool {
        let mut calls = lock(&self.calls);
        let (running, sleeps) = (calls.running, calls.is_idle());
        if running {
            add(&mut calls);
        }
        drop(calls);
        if running && sleeps {
            self.called.notify_one();
        }
        running
    }
}

impl Calls {
    fn is_idle(&self) -> bool {
        self.views.is_empty() && !self.unflushed
    }
}

/// One connection: its conversation, and the pieces that wait to be shown.
pub(super) struct ConnectionView {
    number: u64,
    conversation: Mutex<Conversation>,
    waiting: Mutex<Waiting>,
    /// Whether the viewer thread was called.
    called: AtomicBool,
}

#[derive(Default)]
struct Waiting {
    pieces: Vec<Piece>,
    copies: Vec<u8>,
}

/// The bytes of one read.
struct Piece {
    side: Side,
    at: Duration,
    len: usize,
    /// The buffer with the bytes, if they were not copied.
    shared: Option<Arc<Vec<u8>>>,
}

impl ConnectionView {
    pub(super) fn new(number: u64, cover: bool) -> Arc<ConnectionView> {
        Arc::new(ConnectionView {
            number,
            conversation: Mutex::new(Conversation::new(cover)),
            waiting: Mutex::default(),
            called: AtomicBool::new(false),
        })
    }

    /// Passes the first bytes of a buffer on with `write`, and shows them.
    pub(super) fn pass_on(
        self: &Arc<Self>,
        viewer: &Viewer,
        side: Side,
        (buffer, len): (&Arc<Vec<u8>>, usize),
        write: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        if viewer.observers.is_empty() || len == 0 {
            return write();
        }
        let much = self.queue(side, viewer.epoch.elapsed(), buffer, len);
        let written = write();
        if much {
            drop(self.drained(viewer));
            viewer.flush_soon();
        } else if !self.called.swap(true, Ordering::SeqCst) {
            viewer.call(self);
        }
        written
    }

    /// Queues a piece. Returns whether the queue must be drained now.
    fn queue(&self, side: Side, at: Duration, buffer: &Arc<Vec<u8>>, len: usize) -> bool {
        let mut waiting = lock(&self.waiting);
        let shared = (len > COPY_LIMIT).then(|| Arc::clone(buffer));
        if shared.is_none() {
            waiting.copies.extend_from_slice(&buffer[..len]);
        }
        let much = shared.is_some() || waiting.copies.len() > WAITING_LIMIT;
        waiting.pieces.push(Piece { side, at, len, shared });
        much
    }

    /// Shows what waits, and returns the conversation.
    fn drained(&self, viewer: &Viewer) -> MutexGuard<'_, Conversation> {
        let mut conversation = lock(&self.conversation);
        // A piece that is queued from here on calls again.
        self.called.store(false, Ordering::SeqCst);
        let Waiting { pieces, copies } = std::mem::take(&mut *lock(&self.waiting));
        let mut rest = &copies[..];
        for Piece { side, at, len, shared } in pieces {
            let bytes = match &shared {
                Some(buffer) => &buffer[..len],
                None => rest.split_off(..len).unwrap_or_default(),
            };
            conversation.bytes(side, at, bytes, &mut |event| viewer.see(self.number, at, event));
        }
        conversation
    }

    /// Ends one side, in order or with an error.
    pub(super) fn end(&self, viewer: &Viewer, side: Side, error: Option<&io::Error>) {
        if !viewer.observers.is_empty() {
            let at = viewer.epoch.elapsed();
            let see = &mut |event: &Event<'_>| viewer.see(self.number, at, event);
            self.drained(viewer).end(side, at, error, see);
            viewer.flush_soon();
        }
    }

    /// Shows an event after everything that waits.
    pub(super) fn tell(&self, viewer: &Viewer, event: &Event<'_>) {
        let _order = self.drained(viewer);
        viewer.tell(self.number, event);
    }

    /// Ends the connection.
    pub(super) fn close(&self, viewer: &Viewer) {
        let at = viewer.epoch.elapsed();
        self.drained(viewer).close(&mut |event| viewer.see(self.number, at, event));
        viewer.flush_soon();
    }
}

#[cfg(test)]
mod tests {
    use super::{COPY_LIMIT, ConnectionView, Viewer, WAITING_LIMIT, lock};
    use crate::traffic::{Event, Observer, Side};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    /// The side, length and first byte of each piece.
    #[derive(Clone, Default)]
    struct Seen(Arc<Mutex<Vec<(Side, usize, u8)>>>);

    impl Observer for Seen {
        fn see(&self, _: u64, _: Duration, event: &Event<'_>) {
            if let Event::Bytes(side, bytes) = event {
                lock(&self.0).push((*side, bytes.len(), bytes[0]));
            }
        }
    }

    /// A connection whose viewer thread never runs.
    fn unseen() -> (Seen, Viewer, Arc<ConnectionView>) {
        let (seen, mut viewer) = (Seen::default(), Viewer::new());
        viewer.add(Box::new(seen.clone()));
        lock(&viewer.calls).running = true;
        (seen, viewer, ConnectionView::new(1, true))
    }

    fn pass(view: &Arc<ConnectionView>, viewer: &Viewer, side: Side, len: usize, byte: u8) {
        view.pass_on(viewer, side, (&Arc::new(vec![byte; len]), len), || Ok(())).unwrap();
    }

    #[test]
    fn pieces_wait_up_to_the_limit() {
        let (seen, viewer, view) = unseen();
        for n in 0..WAITING_LIMIT / 1024 {
            pass(&view, &viewer, Side::Client, 1024, n as u8);
        }
        assert_eq!(*lock(&seen.0), []);
        assert_eq!(lock(&viewer.calls).views.len(), 1, "called once");
        pass(&view, &viewer, Side::Server, 1, b'!');
        let want = (0..64).map(|n| (Side::Client, 1024, n)).chain([(Side::Server, 1, b'!')]);
        assert_eq!(*lock(&seen.0), want.collect::<Vec<_>>());
        assert_eq!(lock(&view.waiting).copies.capacity(), 0, "nothing is kept");
    }

    #[test]
    fn a_large_piece_is_shown_at_once_after_what_waited() {
        let (seen, viewer, view) = unseen();
        pass(&view, &viewer, Side::Client, 10, b'a');
        pass(&view, &viewer, Side::Server, COPY_LIMIT + 1, b'b');
        let want = [(Side::Client, 10, b'a'), (Side::Server, COPY_LIMIT + 1, b'b')];
        assert_eq!(*lock(&seen.0), want);
    }

    #[test]
    fn an_end_comes_after_what_waited() {
        let (seen, viewer, view) = unseen();
        pass(&view, &viewer, Side::Client, 10, b'a');
        view.end(&viewer, Side::Client, None);
        assert_eq!(lock(&seen.0).len(), 1);
    }
}
