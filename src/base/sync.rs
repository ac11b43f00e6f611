//! Locking a mutex after a panic, and waiting until a value changes.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Locks `mutex`, even if a thread panicked while it held the lock.
///
/// A poisoned lock would turn one panic (in a caller's handler, for example) into a panic of every
/// thread. Use this only for data that is consistent after every statement.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A value behind a lock, for threads that wait until it changes.
#[derive(Debug, Default)]
pub struct Watched<T>(Mutex<T>, Condvar);

impl<T> Watched<T> {
    pub fn new(value: T) -> Watched<T> {
        Watched(Mutex::new(value), Condvar::new())
    }

    pub fn get(&self) -> MutexGuard<'_, T> {
        lock(&self.0)
    }

    /// Changes the value and wakes the threads that wait.
    pub fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let result = change(&mut self.get());
        self.1.notify_all();
        result
    }

    /// Waits until `ready` returns something, but not longer than `limit`.
    pub fn wait<R>(
        &self,
        limit: Duration,
        mut ready: impl FnMut(&mut T) -> Option<R>,
    ) -> Option<R> {
        let mut result = None;
        drop(self.wait_while(limit, |value| {
            result = ready(value);
            result.is_none()
        }));
        result
    }

    /// Waits as long as `must_wait` says so, but not longer than `limit`.
    pub fn wait_while(
        &self,
        limit: Duration,
        must_wait: impl FnMut(&mut T) -> bool,
    ) -> MutexGuard<'_, T> {
        let waited = self.1.wait_timeout_while(self.get(), limit, must_wait);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Hands one value to another thread. A channel of std can do more, and adds much code to a small
/// program.
impl<T> Watched<Option<T>> {
    /// Puts a value in, unless there is one.
    pub fn put(&self, value: T) {
        self.change(|place| _ = place.get_or_insert(value));
    }

    /// Takes the value out, and waits for it at most this long.
    pub fn take(&self, limit: Duration) -> Option<T> {
        self.wait(limit, Option::take)
    }
}
