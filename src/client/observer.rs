//! Events of an exchange, for `-v`, `--trace` and `--explain`.

use crate::transport::Endpoint;
use crate::wire::{Decision, ParseError, ResponseHead};
use std::fmt;

/// One event of an exchange. Each client numbers its connections from 0. A
/// [`Connected`](ClientEvent::Connected) connection ends with `Closed` or `Upgraded`, except one
/// that is kept when the client is dropped.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientEvent<'a> {
    /// The client is about to connect.
    Connecting(&'a Endpoint),
    /// The client has connected.
    Connected(u64),
    /// A kept connection is used again.
    Reused(u64),
    /// The peer had closed the kept connection. The client sends the request again on a new one.
    Stale(u64),
    /// The head of the request was sent.
    RequestHead(&'a [u8]),
    /// Bytes of the request's body were sent, including chunk framing. The sending thread calls.
    RequestBody(&'a [u8]),
    /// A 1xx head arrived.
    Interim(&'a ResponseHead),
    /// A head arrived that the client refuses: its framing is invalid, or no upgrade was requested.
    Refused(&'a ResponseHead, ParseError),
    /// The final head arrived. The decision tells where its body ends.
    ResponseHead(&'a ResponseHead, Decision),
    /// Bytes of the response's body arrived, including chunk framing.
    ResponseBody(&'a [u8]),
    /// The exchange is over and its connection was kept.
    Kept(u64),
    /// HTTP has ended on the connection, which belongs to the caller now.
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
