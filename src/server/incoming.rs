//! The bytes from the client, with a limit on how long they may take.

use super::Limits;
use super::connection_state::ConnectionState;
use crate::transport::{Deadline, Limit};
use std::io::{self, ErrorKind, IoSliceMut, Read};
use std::sync::Arc;
use std::time::Duration;

/// How long [`Incoming::is_gone`] waits: the shortest limit that a socket has.
const LOOK: Duration = Duration::from_millis(1);

/// What is being read, and so how long it may take.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    /// The first byte of a head.
    Idle,
    /// The rest of the head, due by then.
    Head(Deadline),
    Body,
}

/// The direction from the client.
#[derive(Debug)]
pub(super) struct Incoming {
    state: Arc<ConnectionState>,
    limits: Limits,
    phase: Phase,
    /// A byte that [`is_gone`](Incoming::is_gone) read.
    ahead: Option<u8>,
}

impl Incoming {
    pub fn new(state: Arc<ConnectionState>, limits: Limits) -> Incoming {
        Incoming { state, limits, phase: Phase::Idle, ahead: None }
    }

    /// Expects a head. `begun` says that some of it is already buffered.
    pub fn expect_head(&mut self, begun: bool) {
        self.phase = if begun { self.rest_of_head() } else { Phase::Idle };
    }

    /// Expects content.
    pub fn expect_body(&mut self) {
        self.phase = Phase::Body;
    }

    fn rest_of_head(&self) -> Phase {
        Phase::Head(Deadline::start(Limit::Head, self.limits.head))
    }

    /// Hands over the byte that was read ahead.
    pub fn take_ahead(&mut self) -> Option<u8> {
        self.ahead.take()
    }

    /// Whether the client has closed its side. A byte that is met is kept for the next read.
    pub fn is_gone(&mut self) -> bool {
        if self.ahead.is_some() || self.state.stream.set_read_timeout(Some(LOOK)).is_err() {
            return false;
        }
        let mut byte = [0];
        match (&self.state.stream).read(&mut byte) {
            Ok(0) => true,
            Ok(_) => {
                self.ahead = Some(byte[0]);
                false
            }
            Err(error) => error.kind() != ErrorKind::TimedOut,
        }
    }

    fn receive(
        &mut self,
        read: impl FnOnce(&ConnectionState) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let deadline = match self.phase {
            Phase::Idle => Deadline::start(Limit::Idle, self.limits.idle),
            Phase::Body => Deadline::start(Limit::Idle, self.limits.silence),
            Phase::Head(deadline) => deadline,
        };
        self.state.stream.set_read_timeout(deadline.left()?)?;
        let n = read(&self.state).map_err(|error| match deadline.timeout() {
            Some(timeout) if error.kind() == ErrorKind::TimedOut => timeout.into(),
            _ => error,
        })?;
        if let Phase::Idle = self.phase {
            self.phase = self.rest_of_head();
        }
        Ok(n)
    }
}

impl Read for Incoming {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match (self.ahead, out) {
            (Some(byte), [first, ..]) => {
                *first = byte;
                self.ahead = None;
                Ok(1)
            }
            (_, out) => self.receive(|state| (&state.stream).read(out)),
        }
    }

    fn read_vectored(&mut self, out: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        match (self.ahead, out.first_mut()) {
            (Some(_), Some(first)) => self.read(first),
            _ => self.receive(|state| (&state.stream).read_vectored(out)),
        }
    }
}
