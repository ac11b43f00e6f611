//! Locking a mutex after a panic, and handing one value to another thread.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Locks `mutex`, even if a thread panicked while it held the lock.
///
/// A poisoned lock would turn one panic (in a caller's handler, for example) into a panic of every
/// thread. Use this only for data that is consistent after every statement.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place for one value from another thread. A channel of std can do more, and adds much code to a
/// small program.
#[derive(Debug)]
pub struct Slot<T>(Mutex<Option<T>>, Condvar);

impl<T> Default for Slot<T> {
    fn default() -> Slot<T> {
        Slot(Mutex::new(None), Condvar::new())
    }
}

impl<T> Slot<T> {
    /// Puts a value in, unless there is one.
    pub fn put(&self, value: T) {
        lock(&self.0).get_or_insert(value);
        self.1.notify_all();
    }

    /// Takes the value out, and waits for it at most this long.
    pub fn take(&self, limit: Duration) -> Option<T> {
        let waited = self.1.wait_timeout_while(lock(&self.0), limit, |value| value.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.take()
    }
}
