//! Turns a writer of events into an observer that stops at its first error.

use crate::traffic::until_error::UntilError;
use crate::traffic::{Event, Observer};
use std::io;
use std::time::Duration;

/// A writer of events. It receives none after its first error.
pub(super) trait Recorder: Send {
    /// Writes an event.
    fn see(&mut self, connection: u64, at: Duration, event: &Event<'_>) -> io::Result<()>;

    /// Writes the rest at the end. `failed` is true if writing an event failed.
    fn finish(&mut self, _failed: bool) -> io::Result<()> {
        Ok(())
    }
}

impl<S: Recorder> Observer for UntilError<S> {
    fn see(&self, connection: u64, at: Duration, event: &Event<'_>) {
        self.write(|state| state.see(connection, at, event));
    }

    fn flush(&self) -> Option<String> {
        self.write(|_| Ok(()))
    }

    fn finish(&self) -> Option<String> {
        let failed = self.flush().is_some();
        let finished = self.with(|state| state.finish(failed));
        self.write(|_| finished)
    }
}
