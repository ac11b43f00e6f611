//! Stops a relay or a replay.

use crate::transport::connections::{Connections, Cut};
use crate::transport::{Listener, Stopper};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Stops a relay or a replay from another thread.
pub struct TapStopper {
    listener: Stopper,
    end: Box<dyn Fn(Duration) + Send + Sync>,
}

impl TapStopper {
    pub(super) fn new<T: Cut + Send + Sync + 'static>(
        listener: &Listener,
        open: &Arc<Connections<T>>,
    ) -> io::Result<TapStopper> {
        let open = Arc::clone(open);
        let end = Box::new(move |grace| open.end(grace));
        Ok(TapStopper { listener: listener.stopper()?, end })
    }

    /// Accepts no more connections, waits up to `grace` for the open ones, then cuts them. `run`
    /// returns when the last connection has ended.
    pub fn stop(&self, grace: Duration) {
        self.listener.stop();
        (self.end)(grace);
    }
}

impl fmt::Debug for TapStopper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TapStopper").finish_non_exhaustive()
    }
}
