//! Events of an exchange, for `-v`, `--trace` and `--explain`.

use crate::transport::Endpoint;
use crate::wire::{Decision, ParseError, ResponseHead};
use std::fmt;

/// One event of an exchange. Connections are numbered from 0 in each client. Each one that was
/// [`Connected`](ClientEvent::Connected) is `Closed` or `Upgraded` in the end; those that are kept
/// when the client is dropped close without an event.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientEvent<'a> {
    /// A connection is about to be made.
    Connecting(&'a Endpoint),
    /// A connection was made.
    Connected(u64),
    /// A kept connection is used again.
    Reused(u64),
    /// The peer had closed the kept connection. The request is sent again on a new one.
    Stale(u64),
    /// The head of the request was sent.
    RequestHead(&'a [u8]),
    /// Bytes of the request's body, including chunk framing, are sent by the thread that calls.
    RequestBody(&'a [u8]),
    /// A 1xx head arrived.
    Interim(&'a ResponseHead),
    /// The final head arrived, but where its body ends is not clear.
    Refused(&'a ResponseHead, ParseError),
    /// The final head arrived, and this decides where its body ends.
    ResponseHead(&'a ResponseHead, Decision),
    /// Bytes of the response's body arrived, including chunk framing.
    ResponseBody(&'a [u8]),
    /// The exchange is over and its connection was kept.
    Kept(u64),
    /// HTTP is over on the connection, which belongs to the caller now.
    Upgraded(u64),
    /// The connection was closed: after an exchange, after an error, or while it was idle.
    Closed(u64),
}

/// Receives [`ClientEvent`]s. It must not call the client that it observes.
///
/// ```
/// # #[cfg(feature = "server")] {
/// # use unix_http::{server::Server, transport::{Endpoint, PrivateDir}};
/// # let directory = PrivateDir::new_in(std::env::temp_dir())?;
/// # let socket = directory.path().join("s");
/// # let server = Server::bind(&Endpoint::Unix(socket.clone()))?;
/// # let _server = server.spawn(|_, responder| responder.send("pong"))?;
/// use std::sync::{Arc, Mutex};
/// use unix_http::{Client, client::{ClientEvent, ClientObserver}};
///
/// #[derive(Default)]
/// struct Heads(Mutex<Vec<u8>>);
///
/// impl ClientObserver for Heads {
///     fn on(&self, event: &ClientEvent<'_>) {
///         if let ClientEvent::RequestHead(head) = event {
///             self.0.lock().unwrap().extend_from_slice(head);
///         }
///     }
/// }
///
/// let heads = Arc::new(Heads::default());
/// Client::builder(Endpoint::Unix(socket)).observer(heads.clone()).build().get("/ping").send()?;
/// assert!(heads.0.lock().unwrap().starts_with(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n"));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ClientObserver: Send + Sync {
    /// Receives one event. Slow code here slows the exchange.
    fn on(&self, event: &ClientEvent<'_>);

    /// Whether to send [`ClientEvent::ResponseBody`]. Without it, bodies are read straight into the
    /// memory of the reader.
    fn wants_bodies(&self) -> bool {
        true
    }
}

impl fmt::Debug for dyn ClientObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientObserver")
    }
}
