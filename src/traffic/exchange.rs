//! Requests and the responses that answer them.

use crate::wire::framing::ResponseTo;
use crate::wire::{Decision, Fields, Framing, RequestHead, ResponseHead};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One end of a relayed connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The end that connected and sends requests.
    Client,
    /// The end that accepted the connection and sends responses.
    Server,
}

impl Side {
    /// Returns the opposite side.
    #[cfg(feature = "tap")]
    pub(crate) fn other(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Side::Client { "client" } else { "server" })
    }
}

/// A request and its response. Times count from the start of the relay.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// Its number on its connection, from 1.
    pub number: u64,
    /// The request; `None` for a response without a request.
    pub request: Option<Arc<RequestHead>>,
    /// The final response, once its head has arrived.
    pub response: Option<Arc<ResponseHead>>,
    /// Sizes and times of the request.
    pub sent: Message,
    /// Sizes and times of the response.
    pub received: Message,
    /// When the client ended its side in the middle of the response. How much of the rest it read
    /// is unknown. A client that ends its side before the response or in a tunnel may continue to
    /// read.
    pub(crate) left: Option<Duration>,
}

impl Exchange {
    /// Returns the request's method, or an empty string.
    pub fn method(&self) -> &str {
        self.request.as_ref().map_or("", |head| head.method())
    }

    /// Returns the request-target, or an empty slice.
    pub fn target(&self) -> &[u8] {
        self.request.as_ref().map_or(b"", |head| head.target())
    }

    /// Returns the message of one side.
    pub(crate) fn message(&self, side: Side) -> &Message {
        match side {
            Side::Client => &self.sent,
            Side::Server => &self.received,
        }
    }

    /// Returns the fields of one side's message, once its head has arrived.
    pub(crate) fn fields(&self, side: Side) -> Option<&Fields> {
        match side {
            Side::Client => self.request.as_ref().map(|head| head.fields()),
            Side::Server => self.response.as_ref().map(|head| head.fields()),
        }
    }

    pub(super) fn message_mut(&mut self, side: Side) -> &mut Message {
        match side {
            Side::Client => &mut self.sent,
            Side::Server => &mut self.received,
        }
    }

    /// Returns the time from the last byte of the request to the first of the response.
    pub(crate) fn wait(&self) -> Option<Duration> {
        let asked = self.sent.ended.or(self.sent.head_ended)?;
        Some(self.received.began?.saturating_sub(asked))
    }

    /// Returns the time from the first byte of the request to the last of either message.
    pub(crate) fn total(&self) -> Option<Duration> {
        let began = self.sent.began.or(self.received.began)?;
        Some(self.received.last.max(self.sent.last)?.saturating_sub(began))
    }

    /// Returns whether the client may read after it ended its side, as it may in a tunnel.
    pub(crate) fn may_half_close(&self) -> bool {
        self.is_tunnel() || self.asks_for_tunnel() || self.sent.tunnel > 0
    }

    pub(super) fn client_ends(&mut self, now: Duration) {
        if self.response.is_some() && !self.received.complete && !self.may_half_close() {
            self.left.get_or_insert(now);
        }
    }

    /// Returns whether the connection became a tunnel: after a 101, or a 2xx to CONNECT.
    pub(crate) fn is_tunnel(&self) -> bool {
        matches!(self.received.decision, Some(Decision { framing: Framing::Tunnel, .. }))
    }

    /// Returns whether the request asks for a tunnel.
    pub(crate) fn asks_for_tunnel(&self) -> bool {
        self.method() == "CONNECT"
            || self.fields(Side::Client).is_some_and(|fields| {
                fields.has_token("Connection", "upgrade") && fields.get("Upgrade").is_some()
            })
    }

    pub(super) fn response_to(&self, ignore_length: bool) -> ResponseTo<'_> {
        let fields = self.fields(Side::Client).unwrap_or(const { &Fields::new() });
        ResponseTo { method: self.method(), fields, upgrade: None, ignore_length }
    }

    /// Returns whether the connection may become something other than Docker's raw stream or
    /// WebSocket: HTTP/2, as for BuildKit's session, or an unknown protocol.
    pub(crate) fn is_opaque(&self) -> bool {
        let known = [&b""[..], b"tcp", b"websocket"];
        let unknown = |protocol: &[u8]| {
            !known.iter().any(|known| known.eq_ignore_ascii_case(protocol.trim_ascii()))
        };
        [Side::Client, Side::Server].into_iter().filter_map(|side| self.fields(side)).any(
            |fields| {
                let protocols = fields.get("Upgrade").unwrap_or_default();
                protocols.split(|&b| b == b',').any(unknown)
            },
        )
    }
}

/// Sizes and times of one message.
#[derive(Clone, Copy, Debug, Default)]
pub struct Message {
    /// The framing of its body; `None` before the head, or if the framing is invalid.
    pub decision: Option<Decision>,
    /// When its first byte arrived.
    pub(crate) began: Option<Duration>,
    /// When its head was complete.
    pub(crate) head_ended: Option<Duration>,
    /// When its last byte arrived.
    pub(crate) ended: Option<Duration>,
    /// When its most recent byte arrived.
    pub(crate) last: Option<Duration>,
    /// Bytes of the head, and of interim heads before it.
    pub head: u64,
    /// Bytes of content: the body without its framing.
    pub content: u64,
    /// Bytes of the tunnel that the connection became.
    pub tunnel: u64,
    /// Bytes of the body's framing: chunk-size lines and trailer section.
    pub framing: u64,
    /// Whether it is complete.
    pub complete: bool,
}
