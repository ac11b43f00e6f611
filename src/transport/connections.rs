//! The one accept loop, and its connections.
//!
//! A server, a relay and a replay differ only in what they do with a connection.

use super::{Listener, Stream};
use crate::base::sync::Watched;
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::io;
use std::net::Shutdown;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// The pause before the next attempt when the process has run out of descriptors or threads.
const PAUSE: Duration = Duration::from_millis(20);

/// A connection that another thread can end.
pub(crate) trait Cut {
    /// Ends the connection and wakes every thread that waits for it.
    fn cut(&self);
}

impl Cut for Stream {
    fn cut(&self) {
        // An error means that it has already ended.
        _ = self.shutdown(Shutdown::Both);
    }
}

/// The work on each accepted connection.
pub(crate) trait Service: Sync {
    /// Serves connection `number` to its end, on its own thread.
    fn serve(&self, number: u64, stream: Stream);

    /// Reports that connection `number` cannot be served. 0 is a connection that was not accepted.
    fn fails(&self, _number: u64, _what: &str, _error: &io::Error) {}

    /// Waits for room for the connection just accepted. Returns false if the service stops instead.
    fn has_room(&self) -> bool {
        true
    }

    /// The stack size of each thread. Untouched pages take no memory.
    const STACK: usize = 2 * 1024 * 1024;
}

/// The connections of one listener, by number.
#[derive(Debug)]
pub(crate) struct Connections<T>(Watched<Table<T>>);

#[derive(Debug)]
struct Table<T> {
    /// Running threads: one for each connection, and the accepting one.
    running: usize,
    open: BTreeMap<u64, Arc<T>>,
    cut: bool,
}

impl<T> Default for Connections<T> {
    fn default() -> Self {
        let table = Table { running: 0, open: BTreeMap::new(), cut: false };
        Connections(Watched::new(table))
    }
}

impl<T: Cut + Send + Sync> Connections<T> {
    /// Accepts connections until `listener` is stopped, and serves each on its own thread. Then
    /// drops the listener and waits for the last thread. Call [`begin`](Self::begin) first, for the
    /// calling thread. Failed connections are reported to the service.
    pub(crate) fn run<S: Service>(&self, listener: impl Borrow<Listener>, service: &S) {
        thread::scope(|scope| {
            let mut number = 0;
            loop {
                let stream = match listener.borrow().accept() {
                    Ok(Some(stream)) if service.has_room() => stream,
                    Ok(_) => break,
                    Err(error) => {
                        service.fails(0, "cannot accept another connection", &error);
                        thread::sleep(PAUSE);
                        continue;
                    }
                };
                number += 1;
                self.begin();
                let serve = move || {
                    service.serve(number, stream);
                    self.done();
                };
                let thread = thread::Builder::new().stack_size(S::STACK);
                if let Err(error) = thread.spawn_scoped(scope, serve) {
                    self.done();
                    service.fails(number, "no thread for another connection", &error);
                    thread::sleep(PAUSE);
                }
            }
            drop(listener);
            self.done();
        });
    }

    pub(crate) fn begin(&self) {
        self.0.get().running += 1;
    }

    fn done(&self) {
        self.0.change(|table| table.running -= 1);
    }

    /// Registers a connection. Cuts it at once if the connections have already been cut.
    pub(crate) fn insert(&self, number: u64, connection: &Arc<T>) {
        let mut table = self.0.get();
        if table.cut {
            connection.cut();
        }
        table.open.insert(number, Arc::clone(connection));
    }

    pub(crate) fn remove(&self, number: u64) {
        self.0.change(|table| table.open.remove(&number));
    }

    pub(crate) fn running(&self) -> usize {
        self.0.get().running
    }

    pub(crate) fn for_each(&self, see: impl FnMut(&Arc<T>)) {
        self.0.get().open.values().for_each(see);
    }

    /// Waits at most `limit` until a connection ends.
    pub(crate) fn wait_for_change(&self, limit: Duration) {
        let mut is_unchanged = true;
        drop(self.0.wait_while(limit, |_| std::mem::take(&mut is_unchanged)));
    }

    /// Waits for `time`, or until the connections are cut.
    #[cfg(feature = "tap")]
    pub(crate) fn sleep(&self, time: Duration) {
        drop(self.0.wait_while(time, |table| !table.cut));
    }

    /// Waits at most `limit` until no thread is running.
    pub(crate) fn wait(&self, limit: Duration) {
        drop(self.0.wait_while(limit, |table| table.running > 0));
    }

    /// Waits until no thread is running, or all connections have been cut.
    pub(crate) fn wait_for_cut(&self) {
        drop(self.0.wait_while(Duration::MAX, |table| table.running > 0 && !table.cut));
    }

    /// Waits at most `grace` for the open connections, then cuts them and all later ones.
    pub(crate) fn end(&self, grace: Duration) {
        self.wait(grace);
        self.0.change(|table| {
            table.cut = true;
            table.open.values().for_each(|connection| connection.cut());
        });
    }
}
