//! The text view: the traffic, line by line, for people.
//!
//! ```text
//! 1.2 > POST /v1.41/containers/create HTTP/1.1    connection 1, exchange 2; > the client
//! 1.2 > Content-Length: 26
//! 1.2 >
//! 1.2 * body: Content-Length, so the body ends after that many bytes · RFC 9112 §6.3 item 6
//! 1.2 > {                                         the body: decoded, JSON indented, frames
//! 1.2 < HTTP/1.1 201 Created                      < the server
//! 1.2 ! the connection ended after 3 of 88 bytes  ! a fault
//! 1.2 * 201 Created: waited 14 ms, 14.2 ms in all; sent 165 + 26 bytes, received 280 + 88
//! ```
//!
//! Every line begins with its numbers, and the lines of one event stay together, so that
//! `grep '^1\.'` selects a connection.
//!
//! A body is shown as it arrives, up to a limit; the rest is counted. After a second without bytes
//! the limit starts again, so that a quiet stream (events, a followed log) is shown completely.
//!
//! Control characters and characters that reorder text are escaped as `\x1b` or `\u{202e}`.
//!
//! Lines are buffered until they are flushed. If the reader is slower than the traffic, whole
//! events are left out and their lines counted: the traffic never waits.
//!
//! ```
//! use std::time::Duration;
//! use unix_http::traffic::{Conversation, Observer, Side, Text};
//!
//! let (reader, writer) = std::io::pipe()?;
//! let text = Text::new(writer);
//! let (mut conversation, now) = (Conversation::new(true), Duration::ZERO);
//! let request = b"GET /_ping HTTP/1.1\r\nHost: \x1b[2J\r\n\r\n";
//! conversation.bytes(Side::Client, now, request, &mut |event| text.see(7, now, event));
//! text.finish();
//! drop(text);
//! let shown = std::io::read_to_string(reader)?;
//! assert!(shown.starts_with("7 ! the client: a control character in a field value at byte 27"));
//! # Ok::<(), std::io::Error>(())
//! ```

mod body;
mod fold;
mod output;
mod page;

use super::event::{Event, Observer};
use super::exchange::{Exchange, Side};
use crate::base::sync::lock;
use crate::base::text::harmless;
use crate::wire::Framing;
use crate::wire::framing::Decision;
use body::ShownBody;
use output::Output;
use page::{Look, TextPage};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;
use std::time::Duration;

/// How much of a body is shown without a pause by default: 16 KiB.
const BODY_LIMIT: usize = 16 * 1024;

/// Shows events as text.
pub struct Text {
    output: Output,
    colour: bool,
    /// Whether to show one line for each exchange.
    brief: bool,
    time: bool,
    full: bool,
    body_limit: Option<usize>,
    bodies: Mutex<BTreeMap<(u64, u64, Side), ShownBody>>,
}

impl Text {
    /// Creates a view that writes to `out` when it is [flushed](Observer::flush), and at the end.
    pub fn new(out: impl Write + Send + 'static) -> Text {
        let (output, bodies) = (Output::new(out), Mutex::default());
        let (colour, brief, time, full) = (false, false, false, false);
        Text { output, colour, brief, time, full, body_limit: Some(BODY_LIMIT), bodies }
    }

    /// Sets whether to use colours (off by default).
    #[must_use]
    pub fn colour(mut self, colour: bool) -> Text {
        self.colour = colour;
        self
    }

    /// Sets whether each exchange is one line, written when it ends.
    #[must_use]
    pub fn brief(mut self, brief: bool) -> Text {
        self.brief = brief;
        self
    }

    /// Sets whether each line begins with its time in seconds.
    #[must_use]
    pub fn time(mut self, time: bool) -> Text {
        self.time = time;
        self
    }

    /// Sets whether to show JSON members that are null, false, 0 or empty. By default they are only
    /// counted.
    #[must_use]
    pub fn full(mut self, full: bool) -> Text {
        self.full = full;
        self
    }

    /// Sets how many bytes of a body are shown without a pause (16 KiB by default). `None` shows
    /// only the length.
    #[must_use]
    pub fn body_limit(mut self, limit: Option<usize>) -> Text {
        self.body_limit = limit;
        self
    }

    fn end_body(&self, connection: u64, x: &Exchange, side: Side, page: &mut TextPage) {
        if let Some(mut body) = lock(&self.bodies).remove(&(connection, x.number, side)) {
            body.finish(page);
        }
    }
}

impl Observer for Text {
    fn see(&self, connection: u64, at: Duration, event: &Event<'_>) {
        if !matches!(event, Event::Framing(..) | Event::Bytes(..)) {
            let (exchange, time) = (event.exchange().map(|x| x.number), self.time.then_some(at));
            let mut page = TextPage::new(connection, exchange, time, self.colour);
            self.lines(&mut page, connection, at, event);
            self.output.write(&page.text);
        }
    }

    fn flush(&self) -> Option<String> {
        let error = self.output.flush()?;
        Some(format!("the text view stopped: {error}"))
    }
}

impl Text {
    fn lines(&self, page: &mut TextPage, connection: u64, at: Duration, event: &Event<'_>) {
        match event {
            Event::Refused(why) => page.wrong(&["turned away: ", why].concat()),
            Event::Fault(_, side, fault) => page.wrong(&format!("the {side}: {fault}")),
            Event::Ended(side, Some(why)) => {
                page.wrong(&format!("what the {side} says ends here: {why}"))
            }
            Event::Done(x) if self.brief => page.line(Look::PLAIN, &brief(x), b""),
            _ if self.brief => {}
            Event::Opened => page.note("connected"),
            Event::Request(x) => {
                page.head(Side::Client, x.request.as_ref().map_or(b"", |head| head.as_bytes()));
                framing(page, x, Side::Client);
            }
            Event::Interim(_, head) => page.head(Side::Server, head.as_bytes()),
            Event::Response(x) => {
                page.head(Side::Server, x.response.as_ref().map_or(b"", |head| head.as_bytes()));
                framing(page, x, Side::Server);
            }
            Event::Content(x, side, bytes) | Event::Tunnel(x, side, bytes) => {
                let mut bodies = lock(&self.bodies);
                let body = bodies.entry((connection, x.number, *side));
                let body =
                    body.or_insert_with(|| ShownBody::new(x, *side, self.full, self.body_limit));
                body.show(at, bytes, matches!(event, Event::Tunnel(..)), page);
            }
            Event::End(x, side, trailers) => {
                self.end_body(connection, x, *side, page);
                for field in trailers.iter().flat_map(|trailers| trailers.iter()) {
                    page.line(Look::of(*side), &[field.name(), ": "].concat(), field.value());
                }
            }
            Event::Done(x) => {
                self.end_body(connection, x, Side::Client, page);
                self.end_body(connection, x, Side::Server, page);
                page.note(&summary(x));
            }
            Event::Closed => page.note("closed"),
            _ => {}
        }
    }
}

/// Shows where the body ends, and why.
fn framing(page: &mut TextPage, x: &Exchange, side: Side) {
    if let Some(Decision { framing, rule, .. }) = x.message(side).decision {
        let what = match framing {
            Framing::NoBody | Framing::Length(0) => "no body",
            Framing::Tunnel => "no longer HTTP",
            _ => "body",
        };
        let (text, item) = (rule.text(), rule.item());
        page.note(&format!("{what}: {text} · RFC 9112 §6.3 item {item}"));
    }
}

fn outcome(x: &Exchange) -> String {
    let outcome = x.response.as_ref().map(|head| (head.status(), harmless(head.reason())));
    outcome.map_or("no response".into(), |(status, reason)| format!("{status} {reason}"))
}

fn summary(x: &Exchange) -> String {
    let outcome = outcome(x);
    let waited = x.wait().map_or(String::new(), |wait| format!(" waited {},", duration(wait)));
    let [sent, received] = [&x.sent, &x.received]
        .map(|message| format!("{} + {}", message.head, message.content + message.tunnel));
    let left = if x.left.is_some() { "; the client left before its end" } else { "" };
    format!(
        "{}:{waited} {} in all; sent {sent} bytes, received {received}{left}",
        outcome.trim_end(),
        duration(x.total().unwrap_or_default())
    )
}

/// `POST /containers/create → 201 Created  34 ms  1476 B → 88 B json`
fn brief(x: &Exchange) -> String {
    let outcome = outcome(x);
    let [sent, received] = [&x.sent, &x.received].map(|message| message.content + message.tunnel);
    let media_type = x.fields(Side::Server).and_then(|fields| fields.get("Content-Type"));
    let media_type = media_type.and_then(|value| value.split(|&b| b == b';').next());
    let kind = media_type.and_then(|value| value.rsplit(|b| matches!(b, b'/' | b'.')).next());
    let (method, target) = (harmless(x.method().as_bytes()), harmless(x.target()));
    let time = duration(x.total().unwrap_or_default());
    let kind = harmless(kind.unwrap_or_default());
    let line = format!("{method} {target} → {outcome}  {time}  {sent} B → {received} B {kind}");
    line.trim_end().to_owned()
}

fn duration(time: Duration) -> String {
    let micros = time.as_micros();
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..10_000 => format!("{}.{} ms", micros / 1000, micros / 100 % 10),
        10_000..1_000_000 => format!("{} ms", micros / 1000),
        _ => format!("{}.{:02} s", micros / 1_000_000, micros / 10_000 % 100),
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Text").finish_non_exhaustive()
    }
}
