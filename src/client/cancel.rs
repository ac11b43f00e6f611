//! Ends exchanges from another thread.

use crate::base::sync::lock;
use crate::error::Error;
use crate::transport::Stream;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Ends exchanges from another thread. Exchanges under way fail with [`Error::Cancelled`], and so
/// does every later exchange with this canceller. Clones cancel the same exchanges.
///
/// A cancelled [`send`](super::RequestBuilder::send) or read returns at once. Only a connect in
/// progress waits for its own time limit. An exchange that is over is not affected.
///
/// ```no_run
/// use unix_http::{Client, client::Canceller};
///
/// let (client, canceller) = (Client::unix("/var/run/docker.sock"), Canceller::default());
/// let stop = canceller.clone();
/// std::thread::spawn(move || {
///     std::thread::sleep(std::time::Duration::from_secs(10));
///     stop.cancel();
/// });
/// let mut events = client.get("/events").canceller(&canceller).send()?;
/// std::io::copy(&mut events, &mut std::io::stdout())?; // fails after ten seconds
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Canceller(Arc<State>);

#[derive(Debug, Default)]
struct State {
    cancelled: AtomicBool,
    streams: Mutex<Vec<Arc<Stream>>>,
}

impl Canceller {
    /// Ends the exchanges with this canceller.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::SeqCst);
        for stream in lock(&self.0.streams).drain(..) {
            // An error means that the connection has ended already.
            _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::SeqCst)
    }

    /// Makes an exchange on `stream` end when this is cancelled, until the result is dropped.
    pub(super) fn watch(&self, stream: &Stream) -> Result<Cancellable, Error> {
        let stream = Arc::new(stream.try_clone().map_err(Error::Send)?);
        lock(&self.0.streams).push(Arc::clone(&stream));
        let exchange = Cancellable { canceller: self.clone(), stream };
        if self.is_cancelled() { Err(Error::Cancelled) } else { Ok(exchange) }
    }
}

/// An exchange that can be cancelled.
#[derive(Debug)]
pub(super) struct Cancellable {
    pub canceller: Canceller,
    stream: Arc<Stream>,
}

impl Drop for Cancellable {
    fn drop(&mut self) {
        lock(&self.canceller.0.streams).retain(|stream| !Arc::ptr_eq(stream, &self.stream));
    }
}
