//! Connections between two requests, and the memory of those that were closed.

use crate::base::sync::lock;
use crate::connection::Connection;
use crate::transport::Stream;
use crate::wire::ResponseDecoder;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A connection with the memory that its exchanges reuse.
pub(super) struct Wire {
    pub connection: Connection<Stream>,
    pub memory: Memory,
    pub number: u64,
    pub reused: bool,
    /// When its last exchange ended.
    pub kept: Option<Instant>,
}

/// Memory that successive exchanges reuse.
#[derive(Default)]
pub(super) struct Memory {
    pub decoder: ResponseDecoder,
    /// The request as it is sent.
    pub out: Vec<u8>,
    /// The buffer of the connection, while there is no connection.
    pub buffer: Vec<u8>,
}

/// A connection that was idle for longer is checked before the next request. The peer may have
/// closed it, or sent a response without a request, such as a 408, which must not answer the next
/// request (`RFC 9112 §9.2`). The check costs three system calls; a loop of requests avoids them.
const FRESH: Duration = Duration::from_millis(1);

pub(super) struct Pool {
    #[allow(clippy::vec_box, reason = "it moves into a response and back as one pointer")]
    idle: Mutex<Vec<Box<Wire>>>,
    spare: Mutex<Vec<Memory>>,
    max: usize,
    connected: AtomicU64,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({} of {} connections)", lock(&self.idle).len(), self.max)
    }
}

impl Wire {
    /// Whether the connection can carry another request.
    pub fn is_usable(&self) -> bool {
        let fresh = self.kept.is_some_and(|kept| kept.elapsed() < FRESH);
        fresh || self.connection.stream().is_quiet()
    }
}

impl Pool {
    pub fn new(max: usize) -> Pool {
        Pool { idle: Mutex::default(), spare: Mutex::default(), max, connected: AtomicU64::new(0) }
    }

    /// Takes the connection that was used last.
    pub fn take(&self) -> Option<Box<Wire>> {
        let mut wire = lock(&self.idle).pop()?;
        wire.reused = wire.kept.is_some();
        Some(wire)
    }

    /// Adds a connection that was made elsewhere.
    pub fn give(&self, stream: Stream) {
        lock(&self.idle).push(self.add(stream, Memory::default()));
    }

    /// Returns the memory of a closed connection, or new memory.
    pub fn memory(&self) -> Memory {
        lock(&self.spare).pop().unwrap_or_default()
    }

    /// Wraps a new stream into a connection.
    pub fn add(&self, stream: Stream, mut memory: Memory) -> Box<Wire> {
        let connection = Connection::with_buffer(stream, std::mem::take(&mut memory.buffer));
        let number = self.connected.fetch_add(1, Ordering::Relaxed);
        Box::new(Wire { connection, memory, number, reused: false, kept: None })
    }

    /// Keeps a connection, or returns it if there is no room.
    pub fn keep(&self, mut wire: Box<Wire>) -> Result<(), Box<Wire>> {
        wire.kept = Some(Instant::now());
        let mut idle = lock(&self.idle);
        if idle.len() >= self.max {
            return Err(wire);
        }
        idle.push(wire);
        Ok(())
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
}
