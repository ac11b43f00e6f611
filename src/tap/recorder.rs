//! Observers that write to a file.

use crate::traffic::until_error::UntilError;
use crate::traffic::{Event, Observer};
use std::io;
use std::time::Duration;

/// The state of a recorder. It sees no event after its first error.
pub(super) trait Recorder: Send {
    /// Writes an event.
    fn see(&mut self, connection: u64, at: Duration, event: &Event<'_>) -> io::Result<()>;

    /// Writes the rest at the end, even after an error.
    fn finish(&mut self) -> io::Result<()> {
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
        let finished = self.with(S::finish);
        self.write(|_| finished)
    }
}
