//! Events of an exchange, for `-v`, `--trace` and `--explain`.

use crate::transport::Endpoint;
use crate::wire::{Decision, ParseError, ResponseHead};
use std::fmt;
use std::sync::Arc;

/// One event of an exchange: see [`ClientBuilder::observe`](super::ClientBuilder::observe).
///
/// Each client numbers its connections from 0. A [`Connected`](ClientEvent::Connected) connection
/// ends with `Closed` or `Upgraded`, except one that is kept when the client is dropped.
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
    /// A head arrived. The decision tells where its body ends; an interim (1xx) head has none. The
    /// error tells why the client refuses the head.
    ResponseHead(&'a ResponseHead, Result<Option<Decision>, ParseError>),
    /// Bytes of the response's body arrived, including chunk framing.
    ResponseBody(&'a [u8]),
    /// The exchange is over and its connection was kept.
    Kept(u64),
    /// HTTP has ended on the connection, which belongs to the caller now.
    Upgraded(u64),
    /// The connection was closed: after an exchange, after an error, or while it was idle.
    Closed(u64),
}

/// A callback for events.
#[derive(Clone)]
pub(super) struct ClientObserver(pub Arc<dyn Fn(&ClientEvent<'_>) + Send + Sync>);

impl fmt::Debug for ClientObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientObserver")
    }
}
