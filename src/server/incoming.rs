//! The bytes from the client, with a limit on how long they may take.

use super::connection_state::ConnectionState;
use super::limits::Limits;
use crate::transport::{Deadline, Limit};
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::time::Duration;

/// The time limit of a [`Phase::Look`]. Sockets count in whole milliseconds.
const LOOK: Duration = Duration::from_millis(2);

/// The bytes to be read next, which determine the time limit.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    /// The first byte of a head.
    Idle,
    /// The rest of the head.
    Head(Deadline),
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
        self.phase = if begun { self.rest_of_head() } else { Phase::Idle };
    }

    fn rest_of_head(&self) -> Phase {
        Phase::Head(Deadline::start(Limit::Head, self.limits.head))
    }
}

impl Read for Incoming {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let deadline = match self.phase {
            Phase::Idle => Deadline::start(Limit::Idle, self.limits.idle),
            Phase::Body => Deadline::start(Limit::Idle, self.limits.silence),
            Phase::Look => Deadline::start(Limit::Idle, Some(LOOK)),
            Phase::Head(deadline) => deadline,
        };
        self.state.stream.set_read_timeout(deadline.left()?)?;
        let n = (&self.state.stream).read(out).map_err(|error| match deadline.timeout() {
            Some(timeout) if error.kind() == ErrorKind::TimedOut => timeout.into(),
            _ => error,
        })?;
        if let Phase::Idle = self.phase {
            self.phase = self.rest_of_head();
        }
        Ok(n)
    }
}
