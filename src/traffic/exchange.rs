//! What is seen: connections, the messages on them, and which response answers which request.

use crate::wire::{Decision, Fields, Framing, RequestHead, ResponseHead};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Which end of a relayed connection sent something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The end that connected and sends requests.
    Client,
    /// The end that was connected to and sends responses.
    Server,
}

impl Side {
    /// The one at the other end.
    #[must_use]
    pub fn other(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Client => "client",
            Side::Server => "server",
        })
    }
}

/// A request and what answered it.
///
/// Times count from the start of the relay.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// Its number on its connection, from 1.
    pub number: u64,
    /// The request; `None` where a response came that nobody had asked for.
    pub request: Option<Arc<RequestHead>>,
    /// The final response, once its head has come.
    pub response: Option<Arc<ResponseHead>>,
    /// What was counted of the request.
    pub sent: Message,
    /// What was counted of the response.
    pub received: Message,
}

impl Exchange {
    /// The request's method, or nothing.
    pub fn method(&self) -> &str {
        self.request.as_ref().map_or("", |head| head.method())
    }

    /// The request-target, or nothing.
    pub fn target(&self) -> &[u8] {
        self.request.as_ref().map_or(b"", |head| head.target())
    }

    /// One of its two messages.
    pub fn message(&self, side: Side) -> &Message {
        match side {
            Side::Client => &self.sent,
            Side::Server => &self.received,
        }
    }

    /// The fields of one of its two messages, if that has come.
    pub fn fields(&self, side: Side) -> Option<&Fields> {
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

    /// From the last byte of the request to the first of the response; zero where the response came
    /// first.
    pub fn wait(&self) -> Option<Duration> {
        let asked = self.sent.ended.or(self.sent.head_ended)?;
        Some(self.received.began?.saturating_sub(asked))
    }

    /// From the first byte of the request to the last of either message.
    pub fn total(&self) -> Option<Duration> {
        Some(
            self.received
                .last
                .max(self.sent.last)?
                .saturating_sub(self.sent.began.or(self.received.began)?),
        )
    }

    /// Whether the connection stopped being HTTP with this exchange, and what its two sides say is
    /// for each other alone: after a 101, a 2xx to CONNECT, and a response that only the
    /// connection's end ends.
    pub fn is_tunnel(&self) -> bool {
        matches!(self.received.decision, Some(Decision { framing: Framing::Tunnel, .. }))
    }

    /// Whether the request asks that the connection stops being HTTP.
    pub fn asks_for_tunnel(&self) -> bool {
        self.method() == "CONNECT"
            || self.fields(Side::Client).is_some_and(|fields| {
                fields.has_token("Connection", "upgrade") && fields.get("Upgrade").is_some()
            })
    }

    /// Whether the request asks to go on in HTTP/2, as BuildKit's session does.
    pub fn asks_for_http2(&self) -> bool {
        self.fields(Side::Client).is_some_and(|fields| fields.has_token("Upgrade", "h2c"))
    }
}

/// What was counted of one message.
#[derive(Clone, Copy, Debug, Default)]
pub struct Message {
    /// Where its body ends, and the rule that says so; `None` before the head has come or where it
    /// breaks the rules.
    pub decision: Option<Decision>,
    /// When its first byte came.
    pub began: Option<Duration>,
    /// When its head was complete.
    pub head_ended: Option<Duration>,
    /// When its last byte came, once it has.
    pub ended: Option<Duration>,
    /// When the latest of its bytes came.
    pub last: Option<Duration>,
    /// Bytes of the head, and of heads with 1xx before it.
    pub head: u64,
    /// Bytes of content: the body without its framing.
    pub content: u64,
    /// Bytes of the tunnel that the connection became.
    pub tunnel: u64,
    /// Bytes of the body's framing: chunk-size lines and trailer section.
    pub framing: u64,
    /// Whether it came whole.
    pub complete: bool,
}
