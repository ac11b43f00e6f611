//! From the threads that pass bytes on to the observers who are told what they mean.
//!
//! ```text
//!   client's thread ──▶ ┐                    ┌ the viewer, a millisecond later
//!                       ├ waiting ─────────▶ ┤                                  ─▶ conversation ─▶ observers
//!   server's thread ──▶ ┘ in order, bounded  └ or one of the two, if much waits
//! ```
//!
//! To read HTTP and to tell of it takes longer than to pass it on. So a thread that passes
//! something on lays a copy down and goes on; one thread of the relay, the *viewer*, comes round
//! for the copies of all connections. Large pieces are not copied, and more than [`WAITING_LIMIT`]
//! does not wait: then the thread that brought it comes to the conversation itself and takes with
//! it all that waits. So nothing is lost, and memory stays where it is, however slow observers are.
//!
//! A piece is laid down *before* it is written. So whatever it causes, an answer above all, is laid
//! down after it, by whichever thread; and since who takes what waits holds the conversation, the
//! observers are told in the same order.

use crate::base::sync::lock;
use crate::traffic::{Conversation, Event, Observer, Side};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What is larger than this is not copied: the thread that passed it on shows it from its own
/// buffer.
const COPY_LIMIT: usize = 16 * 1024;
/// How many bytes of a connection may wait to be shown.
const WAITING_LIMIT: usize = 64 * 1024;
/// How long the viewer lets pieces gather: nobody sees it, and it spares the traffic most of the
/// wake-ups.
const GATHER: Duration = Duration::from_millis(1);

/// The observers of a relay, and the viewer's errands.
pub(super) struct Audience {
    observers: Vec<Box<dyn Observer>>,
    epoch: Instant,
    errands: Mutex<Errands>,
    called: Condvar,
}

#[derive(Default)]
struct Errands {
    /// Whether there is a viewer to go to them.
    viewer: bool,
    watches: Vec<Arc<Watch>>,
    over: bool,
}

impl Audience {
    /// Nobody yet; times count from now on.
    pub(super) fn new() -> Audience {
        Audience {
            observers: Vec::new(),
            epoch: Instant::now(),
            errands: Mutex::default(),
            called: Condvar::new(),
        }
    }

    pub(super) fn add(&mut self, observer: Box<dyn Observer>) {
        self.observers.push(observer);
    }

    pub(super) fn tell(&self, number: u64, event: &Event<'_>) {
        self.see(number, self.epoch.elapsed(), event);
    }

    fn see(&self, number: u64, at: Duration, event: &Event<'_>) {
        for observer in &self.observers {
            observer.see(number, at, event);
        }
    }

    /// What the observers held back is written. What they could not record.
    pub(super) fn finish(&self) -> Vec<String> {
        self.observers.iter().filter_map(|observer| observer.finish()).collect()
    }

    /// Runs `relay` with a viewer beside it, if one is needed and can be had.
    pub(super) fn with_viewer(&self, stack: usize, relay: impl FnOnce()) {
        thread::scope(|scope| {
            if !self.observers.is_empty() {
                let viewer = thread::Builder::new().name("tap-viewer".into()).stack_size(stack);
                lock(&self.errands).viewer = viewer.spawn_scoped(scope, || self.view()).is_ok();
            }
            relay();
            lock(&self.errands).over = true;
            self.called.notify_one();
        });
    }

    fn view(&self) {
        loop {
            let idle = |errands: &mut Errands| errands.watches.is_empty() && !errands.over;
            let errands = self
                .called
                .wait_while(lock(&self.errands), idle)
                .unwrap_or_else(PoisonError::into_inner);
            if errands.watches.is_empty() {
                return;
            }
            drop(errands);
            thread::sleep(GATHER);
            let watches = std::mem::take(&mut lock(&self.errands).watches);
            watches.iter().for_each(|watch| watch.show(self));
        }
    }

    fn call(&self, watch: &Arc<Watch>) {
        let mut errands = lock(&self.errands);
        if !errands.viewer {
            drop(errands);
            return watch.show(self);
        }
        let sleeps = errands.watches.is_empty();
        errands.watches.push(Arc::clone(watch));
        drop(errands);
        if sleeps {
            self.called.notify_one();
        }
    }
}

/// What is to be told of one connection.
pub(super) struct Watch {
    number: u64,
    conversation: Mutex<Conversation>,
    waiting: Mutex<Waiting>,
    /// Whether the viewer knows that something waits.
    called: AtomicBool,
}

#[derive(Default)]
struct Waiting {
    pieces: Vec<Piece>,
    copies: Vec<u8>,
}

/// What came in one read.
struct Piece {
    side: Side,
    at: Duration,
    len: usize,
    /// The buffer that it is in, if it was not copied.
    shared: Option<Arc<Vec<u8>>>,
}

impl Watch {
    pub(super) fn new(number: u64, cover: bool) -> Arc<Watch> {
        Arc::new(Watch {
            number,
            conversation: Mutex::new(Conversation::new(cover)),
            waiting: Mutex::default(),
            called: AtomicBool::new(false),
        })
    }

    /// Passes the first `len` bytes on by `write`, and has them shown.
    pub(super) fn pass_on(
        self: &Arc<Self>,
        audience: &Audience,
        side: Side,
        bytes: &Arc<Vec<u8>>,
        len: usize,
        write: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        if audience.observers.is_empty() || len == 0 {
            return write();
        }
        let much = self.lay_down(side, audience.epoch.elapsed(), bytes, len);
        let written = write();
        if much {
            self.show(audience);
        } else if !self.called.swap(true, Ordering::SeqCst) {
            audience.call(self);
        }
        written
    }

    /// Whether that is more than may wait.
    fn lay_down(&self, side: Side, at: Duration, bytes: &Arc<Vec<u8>>, len: usize) -> bool {
        let mut waiting = lock(&self.waiting);
        let shared = (len > COPY_LIMIT).then(|| Arc::clone(bytes));
        if shared.is_none() {
            waiting.copies.extend_from_slice(&bytes[..len]);
        }
        let much = shared.is_some() || waiting.copies.len() > WAITING_LIMIT;
        waiting.pieces.push(Piece { side, at, len, shared });
        much
    }

    /// Shows what waits.
    fn show(&self, audience: &Audience) {
        drop(self.shown(audience));
    }

    /// The conversation, with all that waited read.
    fn shown(&self, audience: &Audience) -> MutexGuard<'_, Conversation> {
        let mut conversation = lock(&self.conversation);
        // What is laid down from here on calls again.
        self.called.store(false, Ordering::SeqCst);
        let Waiting { pieces, copies } = std::mem::take(&mut *lock(&self.waiting));
        let mut rest = &copies[..];
        for Piece { side, at, len, shared } in pieces {
            let bytes = match &shared {
                Some(buffer) => &buffer[..len],
                None => rest.split_off(..len).unwrap_or_default(),
            };
            conversation.bytes(side, at, bytes, &mut |event| audience.see(self.number, at, event));
        }
        conversation
    }

    pub(super) fn end(&self, audience: &Audience, side: Side, error: Option<&io::Error>) {
        if !audience.observers.is_empty() {
            let at = audience.epoch.elapsed();
            self.shown(audience)
                .end(side, at, error, &mut |event| audience.see(self.number, at, event));
        }
    }

    pub(super) fn tell(&self, audience: &Audience, event: &Event<'_>) {
        let _order = self.shown(audience);
        audience.tell(self.number, event);
    }

    pub(super) fn close(&self, audience: &Audience) {
        let at = audience.epoch.elapsed();
        self.shown(audience).close(&mut |event| audience.see(self.number, at, event));
    }
}

#[cfg(test)]
mod tests {
    use super::{Audience, COPY_LIMIT, WAITING_LIMIT, Watch, lock};
    use crate::traffic::{Event, Observer, Side};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    /// The lengths of what was seen, and the first byte of each.
    #[derive(Clone, Default)]
    struct Seen(Arc<Mutex<Vec<(Side, usize, u8)>>>);

    impl Observer for Seen {
        fn see(&self, _: u64, _: Duration, event: &Event<'_>) {
            if let Event::Bytes(side, bytes) = event {
                lock(&self.0).push((*side, bytes.len(), bytes[0]));
            }
        }
    }

    /// A connection whose viewer never comes.
    fn unseen() -> (Seen, Audience, Arc<Watch>) {
        let (seen, mut audience) = (Seen::default(), Audience::new());
        audience.add(Box::new(seen.clone()));
        lock(&audience.errands).viewer = true;
        (seen, audience, Watch::new(1, true))
    }

    fn pass(watch: &Arc<Watch>, audience: &Audience, side: Side, len: usize, byte: u8) {
        watch.pass_on(audience, side, &Arc::new(vec![byte; len]), len, || Ok(())).unwrap();
    }

    #[test]
    fn so_much_waits_and_no_more() {
        let (seen, audience, watch) = unseen();
        for n in 0..WAITING_LIMIT / 1024 {
            pass(&watch, &audience, Side::Client, 1024, n as u8);
        }
        assert_eq!(*lock(&seen.0), []);
        assert_eq!(lock(&audience.errands).watches.len(), 1, "called once");
        pass(&watch, &audience, Side::Server, 1, b'!');
        let want = (0..64).map(|n| (Side::Client, 1024, n)).chain([(Side::Server, 1, b'!')]);
        assert_eq!(*lock(&seen.0), want.collect::<Vec<_>>());
        assert_eq!(lock(&watch.waiting).copies.capacity(), 0, "nothing is kept");
    }

    #[test]
    fn what_is_large_is_shown_at_once_after_what_waited() {
        let (seen, audience, watch) = unseen();
        pass(&watch, &audience, Side::Client, 10, b'a');
        pass(&watch, &audience, Side::Server, COPY_LIMIT + 1, b'b');
        assert_eq!(
            *lock(&seen.0),
            [(Side::Client, 10, b'a'), (Side::Server, COPY_LIMIT + 1, b'b')]
        );
    }

    #[test]
    fn an_end_comes_after_what_waited() {
        let (seen, audience, watch) = unseen();
        pass(&watch, &audience, Side::Client, 10, b'a');
        watch.end(&audience, Side::Client, None);
        assert_eq!(lock(&seen.0).len(), 1);
    }
}
