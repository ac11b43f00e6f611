//! What all requests of a client share: its settings, and its connections between two requests.

use super::observer::{ClientEvent, ClientObserver};
use crate::base::sync::lock;
use crate::connection::Connection;
use crate::transport::{Endpoint, Stream, Timeouts};
use crate::wire::ResponseDecoder;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub(super) struct Pool {
    pub settings: Settings,
    idle: Mutex<Vec<Wire>>,
    connected: AtomicU64,
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub endpoint: Endpoint,
    pub host: String,
    pub prefix: String,
    pub timeouts: Timeouts,
    pub limit: usize,
    pub max_idle: usize,
    pub observer: Option<ClientObserver>,
    pub observes_bodies: bool,
}

/// A connection with the memory that its exchanges reuse.
pub(super) struct Wire {
    pub connection: Connection<Stream>,
    pub decoder: ResponseDecoder,
    /// The request as it is sent.
    pub out: Vec<u8>,
    pub number: u64,
    pub reused: bool,
    /// When its last exchange ended.
    kept: Option<Instant>,
}

/// A connection that was idle for longer is checked before the next request. The peer may have
/// closed it, or sent a response without a request, such as a 408, which must not answer the next
/// request (`RFC 9112 §9.2`). The check costs three system calls; a loop of requests avoids them.
const FRESH: Duration = Duration::from_millis(1);

impl Pool {
    pub fn new(settings: Settings) -> Pool {
        Pool { settings, idle: Mutex::default(), connected: AtomicU64::new(0) }
    }

    /// Makes a connection of a new stream.
    pub fn wrap(&self, stream: Stream) -> Wire {
        let number = self.connected.fetch_add(1, Ordering::Relaxed);
        let (connection, decoder) = (Connection::new(stream), ResponseDecoder::new());
        Wire { connection, decoder, out: Vec::new(), number, reused: false, kept: None }
    }

    /// Adds a connection that was made elsewhere.
    pub fn give(&self, stream: Stream) {
        lock(&self.idle).push(self.wrap(stream));
    }

    /// Takes the connection that was used last and can carry another request.
    pub fn take(&self) -> Option<Wire> {
        loop {
            let mut wire = lock(&self.idle).pop()?;
            wire.reused = wire.kept.is_some();
            let is_fresh = wire.kept.is_some_and(|kept| kept.elapsed() < FRESH);
            if is_fresh || wire.connection.stream().is_quiet() {
                self.settings.tell(match wire.reused {
                    true => ClientEvent::Reused(wire.number),
                    false => ClientEvent::Connected(wire.number),
                });
                return Some(wire);
            }
            self.close(wire);
        }
    }

    /// Keeps a connection for the next request if there is room, or closes it.
    pub fn keep(&self, mut wire: Wire) {
        let number = wire.number;
        wire.kept = Some(Instant::now());
        let mut idle = lock(&self.idle);
        if idle.len() >= self.settings.max_idle {
            drop(idle);
            return self.close(wire);
        }
        idle.push(wire);
        drop(idle);
        self.settings.tell(ClientEvent::Kept(number));
    }

    pub fn close(&self, wire: Wire) {
        let number = wire.number;
        drop(wire);
        self.settings.tell(ClientEvent::Closed(number));
    }
}

impl Settings {
    pub fn tell(&self, event: ClientEvent<'_>) {
        if let Some(observer) = &self.observer {
            (observer.0)(&event);
        }
    }
}

/// Counts the idle connections, whose memory may hold credentials.
impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (idle, max) = (lock(&self.idle).len(), self.settings.max_idle);
        write!(f, "{:?}, {idle} of {max} connections", self.settings)
    }
}
