//! The connections there are, so that they can be waited for and ended.

use super::table::Table as Numbered;
use crate::base::sync::lock;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// What can be ended from another thread.
pub(super) trait Cut {
    /// Ends it, and wakes whoever waits for it.
    fn cut(&self);
}

#[derive(Debug)]
pub(super) struct Open<T> {
    table: Mutex<Table<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct Table<T> {
    running: usize,
    connections: Numbered<u64, Arc<T>>,
    cut: bool,
}

impl<T> Default for Open<T> {
    fn default() -> Self {
        let table = Table { running: 0, connections: Numbered::default(), cut: false };
        Open { table: Mutex::new(table), changed: Condvar::new() }
    }
}

/// One more connection, until it is dropped.
pub(super) struct Running<T>(Arc<Open<T>>);

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        lock(&self.0.table).running -= 1;
        self.0.changed.notify_all();
    }
}

impl<T: Cut> Open<T> {
    /// Counts a connection from now on.
    pub(super) fn begin(self: &Arc<Self>) -> Running<T> {
        lock(&self.table).running += 1;
        Running(Arc::clone(self))
    }

    /// This is what can be cut of it.
    pub(super) fn insert(&self, number: u64, connection: &Arc<T>) {
        let mut table = lock(&self.table);
        if table.cut {
            connection.cut();
        }
        table.connections.insert(number, Arc::clone(connection));
    }

    /// It is over by itself.
    pub(super) fn remove(&self, number: u64) {
        lock(&self.table).connections.remove(&number);
    }

    /// Waits for those there are, `grace` at most, then cuts them and those to come.
    pub(super) fn end(&self, grace: Duration) {
        let waited =
            self.changed.wait_timeout_while(lock(&self.table), grace, |table| table.running > 0);
        let (mut table, _) = waited.unwrap_or_else(PoisonError::into_inner);
        table.cut = true;
        table.connections.iter().for_each(|(_, connection)| connection.cut());
    }
}
