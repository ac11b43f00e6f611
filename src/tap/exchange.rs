//! What is seen: connections, the messages on them, and which response answers which request.

use crate::wire::framing::Decision;
use crate::wire::{Fields, Incomplete, ParseError, RequestHead, ResponseHead};
use std::fmt;
use std::io;
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
        use crate::wire::Framing;
        matches!(self.received.decision, Some(Decision { framing: Framing::Tunnel, .. }))
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

/// Something seen on a connection.
///
/// The bytes of every event are covered where they are secret (see [`secrets`](super::secrets)),
/// unless asked otherwise.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A client has connected, and the target has accepted.
    Opened,
    /// A client has connected and was turned away: the target could not be reached, or the request
    /// may not pass.
    Refused(&'a str),
    /// A request's head.
    Request(&'a Exchange),
    /// A response's head that is not the final one: 1xx, but 101.
    Interim(&'a Exchange, &'a ResponseHead),
    /// A final response's head.
    Response(&'a Exchange),
    /// Content, decoded, as it comes: never empty.
    Content(&'a Exchange, Side, &'a [u8]),
    /// Framing between content: chunk-size lines and the trailer section, perhaps in parts.
    Framing(&'a Exchange, Side, &'a [u8]),
    /// A message has ended as its framing says. With the trailer fields, which are often none.
    End(&'a Exchange, Side, Option<&'a Fields>),
    /// Bytes of an upgraded connection, or what a client sends while a response is ended by nothing
    /// but the close.
    Tunnel(&'a Exchange, Side, &'a [u8]),
    /// Both messages have ended, or neither goes on. No event of this exchange follows.
    Done(&'a Exchange),
    /// What one side sends is not HTTP, or not whole. It is passed on all the same, and not read
    /// any further.
    Fault(Option<&'a Exchange>, Side, Fault),
    /// Exactly what came in one read, as it came. It follows the events above that were read from
    /// it.
    Bytes(Side, &'a [u8]),
    /// One side sends no more, in order or because of an error.
    Ended(Side, Option<&'a io::Error>),
    /// Both directions are over. No event of this connection follows.
    Closed,
}

/// What was wrong with what one side sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It breaks a rule.
    Parse(ParseError),
    /// A body was cut short.
    Incomplete(Incomplete),
    /// A head was cut short after so many bytes.
    IncompleteHead(u64),
    /// A response that nobody had asked for.
    Unasked,
    /// A request that was not answered.
    Unanswered,
    /// More requests wait for an answer than are kept in mind.
    TooManyRequests,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Parse(error) => error.fmt(f),
            Fault::Incomplete(error) => error.fmt(f),
            Fault::IncompleteHead(received) => {
                write!(
                    f,
                    "the connection ended inside a head, after {received} bytes (RFC 9112 §8)"
                )
            }
            Fault::Unasked => f.write_str("a response that no request asked for (RFC 9112 §9.2)"),
            Fault::Unanswered => f.write_str("no answer to this request"),
            Fault::TooManyRequests => {
                f.write_str("too many requests without an answer: not read any further")
            }
        }
    }
}

/// What is told of what travels through a [`Relay`](super::Relay).
///
/// The events of one connection come one after the other, those of several connections at the same
/// time. They come about a millisecond after the bytes were passed on, on a thread that passes
/// nothing on; `at` is when the bytes came. What waits to be told is bounded: where observers fall
/// behind by 64 KiB, or what came is large, the thread that passed it on tells of it, and reads
/// again when they return. What has waited is told before the end of its side is, and nothing is
/// left out. So an observer that must never hold up the traffic leaves slow work (a terminal, say)
/// to another thread, with a bound on what waits for it; one that must lose nothing takes the time
/// it needs.
///
/// ```
/// use std::time::Duration;
/// use unix_http::tap::{Conversation, Event, Observer, Side};
///
/// /// Tells of each exchange that is over.
/// struct Log(std::sync::Mutex<Vec<String>>);
///
/// impl Observer for Log {
///     fn see(&self, connection: u64, _at: Duration, event: &Event<'_>) {
///         if let Event::Done(x) = event {
///             let status = x.response.as_ref().map_or(0, |head| head.status());
///             self.0.lock().unwrap().push(format!("{connection}.{} {} {status}", x.number, x.method()));
///         }
///     }
/// }
///
/// // A Relay would tell it; here a conversation does, from memory.
/// let (log, at, mut conversation) = (Log(Default::default()), Duration::ZERO, Conversation::new(true));
/// conversation.bytes(Side::Client, at, b"HEAD /_ping HTTP/1.1\r\nHost: x\r\n\r\n", &mut |e| log.see(1, at, e));
/// conversation.bytes(Side::Server, at, b"HTTP/1.1 200 OK\r\n\r\n", &mut |e| log.see(1, at, e));
/// assert_eq!(*log.0.lock().unwrap(), ["1.1 HEAD 200"]);
/// ```
pub trait Observer: Send + Sync {
    /// Something was seen on the connection of that number, `at` that time after the start of the
    /// relay.
    fn see(&self, connection: u64, at: Duration, event: &Event<'_>);

    /// The relay is over: what is held back is to be written now. The first thing that went wrong
    /// while recording, if anything did.
    fn finish(&self) -> Option<String> {
        None
    }
}

impl<T: Observer + ?Sized> Observer for Arc<T> {
    fn see(&self, connection: u64, at: Duration, event: &Event<'_>) {
        (**self).see(connection, at, event);
    }

    fn finish(&self) -> Option<String> {
        (**self).finish()
    }
}

/// All of them, in order.
impl<T: Observer> Observer for Vec<T> {
    fn see(&self, connection: u64, at: Duration, event: &Event<'_>) {
        for observer in self {
            observer.see(connection, at, event);
        }
    }

    fn finish(&self) -> Option<String> {
        self.iter().filter_map(Observer::finish).reduce(|a, b| format!("{a}; {b}"))
    }
}

impl<T: Observer + ?Sized> Observer for Box<T> {
    fn see(&self, connection: u64, at: Duration, event: &Event<'_>) {
        (**self).see(connection, at, event);
    }

    fn finish(&self) -> Option<String> {
        (**self).finish()
    }
}
