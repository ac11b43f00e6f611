//! Connections between two requests, and the memory of those that were closed.

use crate::connection::Connection;
use crate::transport::Stream;
use crate::wire::ResponseDecoder;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A connection, with the memory that its exchanges use again and again.
#[derive(Debug)]
pub(super) struct Wire {
    pub connection: Connection<Stream>,
    pub memory: Memory,
    /// Its number in the client.
    pub number: u64,
    pub reused: bool,
    /// So long after the exchange before began it needs no look: it was not idle before that.
    pub fresh_until: Option<Instant>,
}

/// What an exchange fills and the next one fills again.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub decoder: ResponseDecoder,
    /// The request as it is sent.
    pub out: Vec<u8>,
    /// The connection's buffer, while there is no connection.
    pub buffer: Vec<u8>,
}

/// So long after it was last used a connection is looked at before the next request, which costs
/// some system calls: it may have been closed, or hold a response to no request (`RFC 9112 §9.2`),
/// such as a 408 from a peer tired of waiting.
const FRESH: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Pool {
    #[allow(
        clippy::vec_box,
        reason = "it moves from here into a response and back, as one pointer"
    )]
    idle: Mutex<Vec<Box<Wire>>>,
    spare: Mutex<Vec<Memory>>,
    max: usize,
    connected: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    pub fn new(max: usize) -> Pool {
        Pool { idle: Mutex::default(), spare: Mutex::default(), max, connected: AtomicU64::new(0) }
    }

    /// The connection used last: the one that the peer is least likely to have closed.
    pub fn take(&self) -> Option<Box<Wire>> {
        loop {
            let mut wire = lock(&self.idle).pop()?;
            wire.reused = true;
            // The clock is read once an exchange: 20 ns that the time of the last response's end
            // would cost again.
            let now = Instant::now();
            let fresh = wire.fresh_until.is_some_and(|until| now < until);
            wire.fresh_until = now.checked_add(FRESH);
            if fresh || wire.connection.stream().is_quiet() {
                return Some(wire);
            }
        }
    }

    /// Memory of a connection that was closed, or none yet.
    pub fn memory(&self) -> Memory {
        lock(&self.spare).pop().unwrap_or_default()
    }

    /// A new connection.
    pub fn add(&self, stream: Stream, mut memory: Memory) -> Box<Wire> {
        let connection = Connection::with_buffer(stream, std::mem::take(&mut memory.buffer));
        let number = self.connected.fetch_add(1, Ordering::Relaxed);
        Box::new(Wire { connection, memory, number, reused: false, fresh_until: None })
    }

    /// Keeps a connection for the next request; whether there was room. If not, it is closed.
    pub fn keep(&self, wire: Box<Wire>) -> bool {
        let mut idle = lock(&self.idle);
        if idle.len() < self.max {
            idle.push(wire);
            return true;
        }
        drop(idle);
        self.close(wire);
        false
    }

    /// Closes a connection and keeps its memory.
    pub fn close(&self, wire: Box<Wire>) {
        let Wire { connection, mut memory, .. } = *wire;
        memory.buffer = connection.into_buffer();
        let mut spare = lock(&self.spare);
        if spare.len() < self.max.max(1) {
            spare.push(memory);
        }
    }

    pub fn close_idle(&self) {
        lock(&self.idle).clear();
    }
}
