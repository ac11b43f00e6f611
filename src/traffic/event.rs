//! Events on a connection, and the observers that see them.

use super::exchange::{Exchange, Side};
use crate::wire::{Fields, Incomplete, ParseError, ResponseHead};
use std::fmt;
use std::io;
use std::ops::Deref;
use std::time::Duration;

/// Something seen on a connection. By default, [secrets](super#secrets) in it are masked.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A client has connected, and the target has accepted.
    Opened,
    /// A client was rejected, for this reason.
    Refused(&'a str),
    /// The head of a request.
    Request(&'a Exchange),
    /// The head of an interim response: 1xx except 101.
    Interim(&'a Exchange, &'a ResponseHead),
    /// The head of a final response.
    Response(&'a Exchange),
    /// Decoded content, as it arrives; never empty.
    Content(&'a Exchange, Side, &'a [u8]),
    /// Framing between content: chunk-size lines and the trailer section, perhaps in parts.
    Framing(&'a Exchange, Side, &'a [u8]),
    /// The end of a complete message, with its trailer fields.
    End(&'a Exchange, Side, Option<&'a Fields>),
    /// Bytes of an upgraded connection, or from a client during a response that ends with the
    /// connection.
    Tunnel(&'a Exchange, Side, &'a [u8]),
    /// The last event of an exchange.
    Done(&'a Exchange),
    /// One side has sent something that is not HTTP, or is incomplete. It is not parsed any
    /// further.
    Fault(Option<&'a Exchange>, Side, Fault),
    /// The bytes of one read, after the events that were parsed from them.
    Bytes(Side, &'a [u8]),
    /// One side has ended, properly or with an error.
    Ended(Side, Option<&'a io::Error>),
    /// The last event of a connection.
    Closed,
}

impl<'a> Event<'a> {
    /// Returns the exchange that the event is part of.
    pub fn exchange(&self) -> Option<&'a Exchange> {
        match self {
            Event::Request(x) | Event::Interim(x, _) | Event::Response(x) | Event::Done(x) => {
                Some(x)
            }
            Event::Content(x, ..) | Event::Framing(x, ..) | Event::Tunnel(x, ..) => Some(x),
            Event::End(x, ..) => Some(x),
            Event::Fault(x, ..) => *x,
            _ => None,
        }
    }
}

/// A fault in what one side sent. It displays as its description, and the section of the rule that
/// it breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault(pub(crate) FaultKind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// The message breaks a rule.
    Parse(ParseError),
    /// A body was cut short.
    Incomplete(Incomplete),
    /// A head was cut short after this number of bytes.
    IncompleteHead(u64),
    /// A response without a request.
    Unasked,
    /// A request without a response.
    Unanswered,
    /// More unanswered requests than a conversation keeps.
    TooManyRequests,
}

impl Fault {
    /// Describes the fault without its section.
    pub(crate) fn text(&self) -> String {
        match self.0 {
            FaultKind::Parse(error) => {
                format!("{} at byte {}", error.violation.text(), error.offset)
            }
            FaultKind::Incomplete(error) => error.text(),
            FaultKind::IncompleteHead(received) => {
                format!("the connection ended inside a head, after {received} bytes")
            }
            FaultKind::Unasked => "a response without a request".into(),
            FaultKind::Unanswered => "no response to this request".into(),
            FaultKind::TooManyRequests => {
                "too many requests without a response: not parsed any further".into()
            }
        }
    }

    /// Returns the section of the broken rule, or an empty string.
    pub(crate) fn section(&self) -> &'static str {
        match self.0 {
            FaultKind::Parse(error) => error.violation.section(),
            FaultKind::Incomplete(_) | FaultKind::IncompleteHead(_) => "RFC 9112 §8",
            FaultKind::Unasked => "RFC 9112 §9.2",
            FaultKind::Unanswered | FaultKind::TooManyRequests => "",
        }
    }
}

impl From<ParseError> for Fault {
    fn from(error: ParseError) -> Fault {
        Fault(FaultKind::Parse(error))
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

/// Observes the traffic through a relay (`tap::Relay`).
///
/// Events arrive one at a time and in order of time, even from several connections. No event is
/// dropped. When observers are 256 KiB behind, [`see`](Observer::see) delays the traffic. An
/// observer that must never delay it buffers its output, up to a limit, until
/// [`flush`](Observer::flush).
///
/// ```
/// use std::time::Duration;
/// use unix_http::traffic::{Conversation, Event, Observer, Side};
///
/// /// Logs each exchange when it ends.
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
/// // Without a relay: a conversation from memory.
/// let (log, at) = (Log(Default::default()), Duration::ZERO);
/// let see = &mut |event: &Event<'_>| log.see(1, at, event);
/// let mut conversation = Conversation::new(true);
/// conversation.bytes(Side::Client, at, b"HEAD /_ping HTTP/1.1\r\nHost: x\r\n\r\n", see);
/// conversation.bytes(Side::Server, at, b"HTTP/1.1 200 OK\r\n\r\n", see);
/// assert_eq!(*log.0.lock().unwrap(), ["1.1 HEAD 200"]);
/// ```
pub trait Observer: Send + Sync {
    /// Receives an event of a connection. Its bytes arrived `at` after the start of the relay.
    fn see(&self, connection: u64, at: Duration, event: &Event<'_>);

    /// Writes buffered output, and returns the first error so far. It may block without delaying
    /// the traffic. A relay calls it soon after events.
    fn flush(&self) -> Option<String> {
        None
    }

    /// Writes all remaining output at the end, and returns the first error.
    fn finish(&self) -> Option<String> {
        self.flush()
    }
}

impl<P: Deref<Target: Observer> + Send + Sync> Observer for P {
    fn see(&self, connection: u64, at: Duration, event: &Event<'_>) {
        (**self).see(connection, at, event);
    }

    fn flush(&self) -> Option<String> {
        (**self).flush()
    }

    fn finish(&self) -> Option<String> {
        (**self).finish()
    }
}
