//! What happens on the wire, told as it happens: for `-v`, `--trace` and `--explain`.

use crate::transport::Endpoint;
use crate::wire::{Decision, ParseError, ResponseHead};
use std::fmt;

/// One thing that happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientEvent<'a> {
    /// A connection is about to be made.
    Connecting(&'a Endpoint),
    /// A connection was made; they are numbered from 0.
    Connected {
        /// The connection's number in its client.
        connection: u64,
    },
    /// A kept connection is used again.
    Reused {
        /// The connection's number in its client.
        connection: u64,
    },
    /// The kept connection had been closed by the peer; the request goes out again on a new one.
    Stale {
        /// The connection's number in its client.
        connection: u64,
    },
    /// The request's head was sent.
    RequestHead(&'a [u8]),
    /// Bytes of the request's body are sent, chunk-size lines and all. Told from the thread that
    /// sends them.
    RequestBody(&'a [u8]),
    /// A 1xx head came.
    Interim(&'a ResponseHead),
    /// The final head came, and where its body ends cannot be said: the exchange ends with this
    /// error.
    Refused(&'a ResponseHead, ParseError),
    /// The final head came, and this decides where its body ends.
    ResponseHead(&'a ResponseHead, Decision),
    /// Bytes of the response's body came: as they were sent, chunk-size lines and all.
    ResponseBody(&'a [u8]),
    /// The exchange is over and its connection was kept.
    Kept {
        /// The connection's number in its client.
        connection: u64,
    },
    /// The exchange is over and its connection was closed.
    Closed {
        /// The connection's number in its client.
        connection: u64,
    },
}

/// Is told of [`ClientEvent`]s. It must not call the client that it observes.
///
/// ```
/// # #[cfg(feature = "server")] {
/// # use unix_http::{server::Server, transport::{Endpoint, PrivateDir}};
/// # let directory = PrivateDir::new_in(std::env::temp_dir())?;
/// # let socket = directory.path().join("s");
/// # let _server = Server::bind(&Endpoint::Unix(socket.clone()))?.spawn(|_, responder| responder.send("pong"))?;
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
    /// Something happened. Anything slow here slows the exchange.
    fn on(&self, event: &ClientEvent<'_>);

    /// Whether to be told of [`ClientEvent::ResponseBody`] too. One that does without leaves bodies
    /// their short ways, straight into the reader's memory or through the kernel.
    fn wants_bodies(&self) -> bool {
        true
    }
}

impl fmt::Debug for dyn ClientObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientObserver")
    }
}
