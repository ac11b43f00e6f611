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
    pub fn new(what: &str, state: S) -> UntilError<S> {
        UntilError { what: what.to_owned(), state: Mutex::new((state, None)) }
    }

    /// Runs `write` unless an earlier call failed. Returns the first error.
    pub fn write(&self, write: impl FnOnce(&mut S) -> io::Result<()>) -> Option<String> {
        let (state, first) = &mut *lock(&self.state);
        if first.is_none() {
            *first = write(state).err().map(|error| format!("{} stopped: {error}", self.what));
        }
        first.clone()
    }

    /// Reads or changes the state, even after an error.
    pub fn with<R>(&self, f: impl FnOnce(&mut S) -> R) -> R {
        f(&mut lock(&self.state).0)
    }
}
