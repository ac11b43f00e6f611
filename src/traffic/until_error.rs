//! The state of an observer that writes until its first error.

use crate::base::sync::lock;
use std::io;
use std::sync::Mutex;

#[derive(Debug)]
pub(crate) struct UntilError<S> {
    /// The beginning of an error message.
    what: String,
    state: Mutex<(S, Option<String>)>,
}

impl<S> UntilError<S> {
    pub fn new(what: String, state: S) -> UntilError<S> {
        UntilError { what, state: Mutex::new((state, None)) }
    }

    /// Runs `write` unless an earlier call failed. Returns the first error.
    pub fn write(&self, write: impl FnOnce(&mut S) -> io::Result<()>) -> Option<String> {
        let (state, first) = &mut *lock(&self.state);
        if first.is_none()
            && let Err(error) = write(state)
        {
            *first = Some(format!("{} stopped: {error}", self.what));
        }
        first.clone()
    }

    /// Returns the first error.
    pub fn error(&self) -> Option<String> {
        lock(&self.state).1.clone()
    }

    /// Reads or changes the state, even after an error.
    pub fn with<R>(&self, f: impl FnOnce(&mut S) -> R) -> R {
        f(&mut lock(&self.state).0)
    }

    #[cfg(feature = "tap")]
    pub fn into_inner(self) -> S {
        self.state.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).0
    }
}
