//! The bytes from the client, with a limit on how long they may take.

use super::connection_state::ConnectionState;
use super::limits::Limits;
use crate::transport::{Limit, Timeout};
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The time limit of a [`Phase::Look`].
const LOOK: Duration = Duration::from_millis(1);

/// The bytes to be read next, which determine the time limit.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    /// The first byte of a head.
    Idle,
    /// The rest of the head, which began at this time.
    Head(Instant),
    Body,
    /// Anything that has arrived already.
    Look,
}

/// The direction from the client.
#[derive(Debug)]
pub(super) struct Incoming {
    state: Arc<ConnectionState>,
    limits: Limits,
    pub phase: Phase,
}

impl Incoming {
    pub fn new(state: Arc<ConnectionState>, limits: Limits) -> Incoming {
        Incoming { state, limits, phase: Phase::Idle }
    }

    /// Expects a head. `begun` says that some of it is already buffered.
    pub fn expect_head(&mut self, begun: bool) {
        self.phase = if begun { Phase::Head(Instant::now()) } else { Phase::Idle };
    }
}

impl Read for Incoming {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let now = Instant::now();
        let (limit, after, since) = match self.phase {
            Phase::Idle => (Limit::Idle, self.limits.idle, now),
            Phase::Body => (Limit::Idle, self.limits.silence, now),
            Phase::Look => (Limit::Idle, Some(LOOK), now),
            Phase::Head(begun) => (Limit::Head, self.limits.head, begun),
        };
        self.state.stream.set_read_timeout(Timeout::left(limit, after, since)?)?;
        let n = (&self.state.stream).read(out).map_err(|error| match after {
            Some(after) if error.kind() == ErrorKind::TimedOut => Timeout { limit, after }.into(),
            _ => error,
        })?;
        if let Phase::Idle = self.phase {
            self.phase = Phase::Head(Instant::now());
        }
        Ok(n)
    }
}
