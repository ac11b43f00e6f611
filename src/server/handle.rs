//! A running server: its connections, their limit, and its end.

use super::access::Access;
use super::connection_state::{ConnectionState, Pressure};
use super::exchange::{self, Setup};
use crate::transport::connections::{Connections, Service};
use crate::transport::{Endpoint, Listener, Stopper, Stream};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

/// How long to wait at the connection limit before the next search for an idle connection.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How long to wait for a thread to notice that its connection was shut down.
const CUT: Duration = Duration::from_millis(500);

struct Running {
    setup: Setup,
    pressure: Arc<Pressure>,
    connections: Connections<ConnectionState>,
}

impl Running {
    /// Closes the connection that has been idle longest.
    fn make_room(&self) {
        let mut idle = Vec::new();
        self.connections.for_each(|connection| {
            idle.extend(connection.idle_since().map(|since| (since, Arc::clone(connection))));
        });
        if let Some((_, oldest)) = idle.iter().min_by_key(|(since, _)| *since) {
            oldest.leave_if_waiting();
        }
    }
}

impl Service for Running {
    fn serve(&self, number: u64, stream: Stream) {
        let connection = Arc::new(ConnectionState::new(stream, Arc::clone(&self.pressure)));
        self.connections.insert(number, &connection);
        exchange::serve(&connection, &self.setup);
        self.connections.remove(number);
    }

    /// Descriptors or threads have run out: closes an idle connection.
    fn fails(&self, _number: u64, what: &str, error: &io::Error) {
        self.make_room();
        let error = io::Error::new(error.kind(), format!("{what}: {error}"));
        self.setup.tell(&Access { error: Some(&error), ..Access::default() });
    }

    fn has_room(&self) -> bool {
        let Pressure { stopping, full, .. } = &*self.pressure;
        // One of the threads accepts.
        while self.connections.running() > self.setup.limits.connections.max(1)
            && !stopping.load(Ordering::SeqCst)
        {
            full.store(true, Ordering::SeqCst);
            self.make_room();
            self.connections.wait_for_change(LOOK_AGAIN);
        }
        full.store(false, Ordering::SeqCst);
        !stopping.load(Ordering::SeqCst)
    }
}

/// A running server. It stops when the last clone of its handle is dropped.
///
/// One thread can [`wait`](Handle::wait) while another waits for a signal and then calls
/// [`stop`](Handle::stop) on a clone. A handler that stops the server must do so from another
/// thread, because `stop` waits for handlers.
#[derive(Clone)]
#[must_use = "a server is stopped when its last handle is dropped"]
pub struct Handle(Arc<Last>);

struct Last {
    running: Arc<Running>,
    stopper: Stopper,
    endpoint: Endpoint,
}

pub(super) fn start(listener: Listener, setup: Setup) -> io::Result<Handle> {
    let (stopper, endpoint) = (listener.stopper()?, listener.endpoint().clone());
    let (pressure, connections) = Default::default();
    let running = Arc::new(Running { setup, pressure, connections });
    running.connections.begin();
    let for_thread = Arc::clone(&running);
    let thread = thread::Builder::new().name("http-accept".into());
    thread.spawn(move || for_thread.connections.run(listener, &*for_thread))?;
    Ok(Handle(Arc::new(Last { running, stopper, endpoint })))
}

impl Handle {
    /// Returns the address of the server, with the port that the system chose for port 0.
    pub fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }

    /// Waits until the server has been stopped, and for its connections as [`stop`](Self::stop)
    /// does.
    pub fn wait(&self) {
        let connections = &self.0.running.connections;
        connections.wait_for_cut();
        connections.wait(CUT);
    }

    /// Removes the socket's file, closes idle connections, gives running exchanges `limit` to
    /// finish, and cuts the rest. Returns the number of handlers that still run because they wait
    /// for something else. Endless responses should check
    /// [`Request::is_stopping`](super::Request::is_stopping).
    pub fn stop(&self, limit: Duration) -> usize {
        self.0.end(limit)
    }
}

impl Last {
    fn end(&self, limit: Duration) -> usize {
        let Running { pressure, connections, .. } = &*self.running;
        pressure.stopping.store(true, Ordering::SeqCst);
        self.stopper.stop();
        connections.for_each(|connection| connection.leave_if_waiting());
        connections.end(limit);
        connections.wait(CUT);
        connections.running()
    }
}

impl Drop for Last {
    fn drop(&mut self) {
        if !self.running.pressure.stopping.load(Ordering::SeqCst) {
            self.end(Duration::ZERO);
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("endpoint", self.endpoint()).finish_non_exhaustive()
    }
}
