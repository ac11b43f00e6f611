//! Many connections: a thread for each, and no more of them than allowed.
//!
//! Every thread does the same: it accepts a connection, serves it to its end, and accepts the next.
//! Who takes a connection when nobody else is left to accept starts one more thread. Where there
//! are as many connections as there may be, it sends away the one that has been idle longest and
//! waits until there is room; further clients wait in the listen queue.

use super::live::{Crowd, Live};
use super::{Handler, Limits, exchange};
use crate::base::sync::lock;
use crate::transport::{Endpoint, Listener, Stopper, Stream};
use std::fmt;
use std::io;
use std::net::Shutdown;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How many threads may wait for connections that do not come; the others end.
const SPARE: usize = 4;
/// How long to wait where there is no room, or the system has no descriptor left, before looking
/// again.
const PAUSE: Duration = Duration::from_millis(20);
/// How long a thread may take to notice that its connection was cut.
const CUT: Duration = Duration::from_millis(500);

struct Shared {
    handler: Box<Handler>,
    limits: Limits,
    crowd: Arc<Crowd>,
    threads: Mutex<Threads>,
    /// A connection or a thread has ended.
    ended: Condvar,
}

struct Threads {
    /// `None` once the server stops.
    listener: Option<Arc<Listener>>,
    /// How many threads there are, and how many of them wait for a connection.
    all: usize,
    accepting: usize,
    /// How many have accepted a connection for which there is no room yet.
    wanting: usize,
    live: Vec<Arc<Live>>,
}

/// A server that runs; stopped when dropped.
#[must_use = "a server is stopped when its handle is dropped"]
pub struct Handle {
    shared: Arc<Shared>,
    stopper: Stopper,
    endpoint: Endpoint,
}

pub(super) fn start(
    listener: Listener,
    limits: Limits,
    handler: Box<Handler>,
) -> io::Result<Handle> {
    let (stopper, endpoint) = (listener.stopper()?, listener.endpoint().clone());
    let listener = Some(Arc::new(listener));
    let threads =
        Mutex::new(Threads { listener, all: 0, accepting: 0, wanting: 0, live: Vec::new() });
    let shared = Arc::new(Shared {
        handler,
        limits,
        crowd: Arc::new(Crowd::new()),
        threads,
        ended: Condvar::new(),
    });
    Shared::add_thread(&shared, &mut shared.threads())?;
    Ok(Handle { shared, stopper, endpoint })
}

impl Shared {
    /// A handler's panic is caught before it could get here, so the numbers are right whatever
    /// happened.
    fn threads(&self) -> MutexGuard<'_, Threads> {
        lock(&self.threads)
    }

    fn add_thread(shared: &Arc<Shared>, threads: &mut Threads) -> io::Result<()> {
        let for_thread = Arc::clone(shared);
        thread::Builder::new().name("http".into()).spawn(move || work(&for_thread))?;
        threads.all += 1;
        threads.accepting += 1;
        Ok(())
    }

    /// The next connection; `None` once the server stops.
    fn accept(&self) -> Option<Stream> {
        let listener = self.threads().listener.clone()?;
        loop {
            match listener.accept() {
                Ok(stream) => return stream,
                Err(_) => {
                    // Out of descriptors: one that is idle gives up its own.
                    self.make_room(&self.threads());
                    thread::sleep(PAUSE);
                }
            }
        }
    }

    /// Sends away the connection that has been idle longest.
    fn make_room(&self, threads: &Threads) {
        let waiting = threads.live.iter().filter_map(|live| Some((live.idle_since()?, live)));
        if let Some((_, live)) = waiting.min_by_key(|(since, _)| *since) {
            live.tell_to_leave();
        }
    }

    /// Counts a connection in, as soon as there is room for it.
    fn enter(self: &Arc<Self>, stream: Stream) -> Option<Arc<Live>> {
        let live = Arc::new(Live::new(stream, Arc::clone(&self.crowd)));
        let mut threads = self.threads();
        threads.accepting -= 1;
        threads.wanting += 1;
        while threads.live.len() >= self.limits.connections.max(1) && threads.listener.is_some() {
            self.crowd.full.store(true, Ordering::SeqCst);
            self.make_room(&threads);
            threads =
                self.ended.wait_timeout(threads, PAUSE).unwrap_or_else(PoisonError::into_inner).0;
        }
        threads.wanting -= 1;
        self.crowd.full.store(threads.wanting > 0, Ordering::SeqCst);
        threads.listener.as_ref()?;
        threads.live.push(Arc::clone(&live));
        if threads.accepting == 0 && Shared::add_thread(self, &mut threads).is_err() {
            // The system has no thread left: until one of ours is free, clients wait in the listen
            // queue.
            self.make_room(&threads);
        }
        Some(live)
    }

    /// Counts it out; whether its thread is to accept another.
    fn leave(&self, live: &Arc<Live>) -> bool {
        let mut threads = self.threads();
        threads.live.retain(|other| !Arc::ptr_eq(other, live));
        self.ended.notify_all();
        if threads.listener.is_none() || threads.accepting >= SPARE {
            return false;
        }
        threads.accepting += 1;
        true
    }
}

/// A thread's life.
fn work(shared: &Arc<Shared>) {
    loop {
        let Some(stream) = shared.accept() else {
            shared.threads().accepting -= 1;
            break;
        };
        let Some(live) = shared.enter(stream) else { break };
        exchange::serve(&live, &shared.limits, &*shared.handler);
        if !shared.leave(&live) {
            break;
        }
    }
    shared.threads().all -= 1;
    shared.ended.notify_all();
}

impl Handle {
    /// Where the server listens.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Waits until the server has been stopped: for ever, where nobody does.
    pub fn wait(&self) {
        let threads = self.shared.threads();
        drop(self.shared.ended.wait_while(threads, |threads| threads.all > 0));
    }

    /// Takes no more connections, ends the idle ones, lets running exchanges finish for so long,
    /// and cuts the others. The socket's file is removed at once, if it is still this server's own.
    /// Gives how many handlers still run, because they wait for something else than their client.
    pub fn stop(self, limit: Duration) -> usize {
        self.end(limit)
    }

    fn end(&self, limit: Duration) -> usize {
        self.shared.crowd.stopping.store(true, Ordering::SeqCst);
        let mut threads = self.shared.threads();
        let listener = threads.listener.take();
        for live in &threads.live {
            live.tell_to_leave();
        }
        self.stopper.stop();
        self.shared.ended.notify_all();
        drop(listener);
        for (limit, cut) in [(limit, true), (CUT, false)] {
            let waited =
                self.shared.ended.wait_timeout_while(threads, limit, |threads| threads.all > 0);
            threads = waited.unwrap_or_else(PoisonError::into_inner).0;
            for live in threads.live.iter().filter(|_| cut) {
                // It fails where the client has gone.
                let _ = live.stream.shutdown(Shutdown::Both);
            }
        }
        threads.live.len()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let running = self.shared.threads().listener.is_some();
        if running {
            self.end(Duration::ZERO);
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
