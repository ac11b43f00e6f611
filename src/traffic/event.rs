//! What is seen on a connection, as events, and who looks at them.

use super::exchange::{Exchange, Side};
use crate::wire::{Fields, Incomplete, ParseError, ResponseHead};
use std::fmt;
use std::io;
use std::ops::Deref;
use std::time::Duration;

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

impl<'a> Event<'a> {
    /// The exchange that it is part of, if it is part of one.
    pub fn exchange(&self) -> Option<&'a Exchange> {
        match self {
            Event::Request(x) | Event::Interim(x, _) | Event::Response(x) | Event::Done(x) => {
                Some(x)
            }
            Event::Content(x, ..) | Event::Framing(x, ..) | Event::Tunnel(x, ..) => Some(x),
            Event::End(x, ..) => Some(x),
            Event::Fault(x, ..) => *x,
            Event::Opened | Event::Refused(_) | Event::Closed => None,
            Event::Bytes(..) | Event::Ended(..) => None,
        }
    }
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

impl Fault {
    /// What is wrong, without the place of the rule.
    pub fn text(&self) -> String {
        match self {
            Fault::Parse(error) => format!("{} at byte {}", error.kind.text(), error.offset),
            Fault::Incomplete(error) => error.text(),
            Fault::IncompleteHead(received) => {
                format!("the connection ended inside a head, after {received} bytes")
            }
            Fault::Unasked => "a response that no request asked for".into(),
            Fault::Unanswered => "no answer to this request".into(),
            Fault::TooManyRequests => {
                "too many requests without an answer: not read any further".into()
            }
        }
    }

    /// Where the rule is written that it breaks, if one is.
    pub fn section(&self) -> &'static str {
        match self {
            Fault::Parse(error) => error.kind.section(),
            Fault::Incomplete(_) | Fault::IncompleteHead(_) => "RFC 9112 §8",
            Fault::Unasked => "RFC 9112 §9.2",
            Fault::Unanswered | Fault::TooManyRequests => "",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.section() {
            "" => f.write_str(&self.text()),
            section => write!(f, "{} ({section})", self.text()),
        }
    }
}

/// Sees what travels through a relay (`tap::Relay`).
///
/// Events of one connection come one after the other; those of several connections may come at the
/// same time. They come about a millisecond after the bytes were passed on, on a thread that passes
/// nothing on; `at` is when the bytes came. Where observers fall behind by 64 KiB, or a piece is
/// large, the thread that passed it on shows it itself, and reads again when they return. All that
/// has waited is shown before the end of its side; nothing is left out.
///
/// So an observer that must lose nothing may take its time in [`see`](Observer::see), and one that
/// must never hold up the traffic keeps what it has to write, within a limit, for
/// [`flush`](Observer::flush).
///
/// ```
/// use std::time::Duration;
/// use unix_http::traffic::{Conversation, Event, Observer, Side};
///
/// /// Tells of each exchange that is over.
/// struct Log(std::sync::Mutex<Vec<String>>);
///
/// impl Observer for Log {
///     fn see(&self, connection: u64, _at: Duration, event: &Event<'_>) {
///         if let Event::Done(x) = event {
///             let status = x.response.as_ref().map_or(0, |head| head.status());
///             let line = format!("{connection}.{} {} {status}", x.number, x.method());
///             self.0.lock().unwrap().push(line);
///         }
///     }
/// }
///
/// // A Relay would tell it; here a conversation does, from memory.
/// let (log, at) = (Log(Default::default()), Duration::ZERO);
/// let see = &mut |event: &Event<'_>| log.see(1, at, event);
/// let mut conversation = Conversation::new(true);
/// conversation.bytes(Side::Client, at, b"HEAD /_ping HTTP/1.1\r\nHost: x\r\n\r\n", see);
/// conversation.bytes(Side::Server, at, b"HTTP/1.1 200 OK\r\n\r\n", see);
/// assert_eq!(*log.0.lock().unwrap(), ["1.1 HEAD 200"]);
/// ```
pub trait Observer: Send + Sync {
    /// Something was seen on the connection of that number, `at` that time after the start of the
    /// relay.
    fn see(&self, connection: u64, at: Duration, event: &Event<'_>);

    /// Writes what waits to be written, and may wait for a slow reader. A relay calls it from its
    /// viewer's thread soon after events; [`see`](Observer::see) must not wait.
    fn flush(&self) {}

    /// The relay is over: what is held back is to be written now. The first thing that went wrong
    /// while recording, if anything did.
    fn finish(&self) -> Option<String> {
        None
    }
}

/// A pointer to an observer is one.
impl<P> Observer for P
where
    P: Deref<Target: Observer> + Send + Sync,
{
    fn see(&self, connection: u64, at: Duration, event: &Event<'_>) {
        (**self).see(connection, at, event);
    }

    fn flush(&self) {
        (**self).flush();
    }

    fn finish(&self) -> Option<String> {
        (**self).finish()
    }
}
