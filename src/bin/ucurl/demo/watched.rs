//! A value behind a lock, for threads that wait until it changes.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;
use unix_http::base::sync::lock;

/// A limit that no wait reaches.
pub const ALWAYS: Duration = Duration::from_secs(1 << 30);

#[derive(Default)]
pub struct Watched<T> {
    value: Mutex<T>,
    changed: Condvar,
}

impl<T> Watched<T> {
    pub fn get(&self) -> MutexGuard<'_, T> {
        lock(&self.value)
    }

    pub fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let result = change(&mut self.get());
        self.changed.notify_all();
        result
    }

    /// Waits until `ready` returns something, for `limit` at most. `ready` may change the value.
    pub fn wait_for<R>(
        &self,
        limit: Duration,
        mut ready: impl FnMut(&mut T) -> Option<R>,
    ) -> Option<R> {
        let mut result = None;
        drop(self.changed.wait_timeout_while(self.get(), limit, |value| {
            result = ready(value);
            result.is_none()
        }));
        self.changed.notify_all();
        result
    }
}
