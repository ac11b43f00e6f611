//! The text view: what is said, line by line, for people.
//!
//! ```text
//! 1.2 > POST /v1.41/containers/create HTTP/1.1        connection 1, exchange 2; > what the client says
//! 1.2 > Content-Length: 26
//! 1.2 >
//! 1.2 * body: Content-Length, so the body ends after that many bytes · RFC 9112 §6.3 item 6
//! 1.2 > {                                             the body: decoded, JSON laid out, Docker's frames taken apart
//! 1.2 < HTTP/1.1 201 Created                          < what the server says
//! 1.2 ! the connection ended after 3 of 88 bytes      ! what was wrong
//! 1.2 * 201 Created: waited 14 ms, 14.2 ms in all; sent 165 + 26 bytes, received 280 + 88
//! ```
//!
//! Every line stands for itself, with its numbers in front, and the lines of one event are never
//! parted: the view of many connections at once can be sorted out with `grep '^1\.'`.
//!
//! A body is shown as it comes, up to a limit; what is over it is counted. After a second of
//! silence the count begins anew, so that a quiet stream (events, a log that is followed) is shown
//! for as long as it lasts.
//!
//! What the two sides say is shown as text, never obeyed: control characters, with them every
//! terminal's escape sequences, and characters that turn the direction of writing around are
//! written as `\x1b` or `\u{202e}`.
//!
//! Lines are kept until they are flushed, which a relay does on a thread that passes nothing on. When
//! the reader is slower than the traffic, lines are left out, whole events at a time, and their
//! number is shown: the traffic never waits.
//!
//! ```
//! use std::time::Duration;
//! use unix_http::traffic::{Conversation, Observer, Side, Text};
//!
//! let (reader, writer) = std::io::pipe()?;
//! let text = Text::new(writer);
//! let (mut conversation, now) = (Conversation::new(true), Duration::ZERO);
//! conversation.bytes(Side::Client, now, b"GET /_ping HTTP/1.1\r\nHost: \x1b[2J\r\n\r\n", &mut |e| text.see(7, now, e));
//! conversation.bytes(Side::Client, now, b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n", &mut |e| text.see(8, now, e));
//! text.finish();
//! drop(text);
//! let shown = std::io::read_to_string(reader)?;
//! assert!(shown.contains("7 ! the client: a control character in a field value at byte 27 (RFC 9110 §5.5)\n"));
//! # Ok::<(), std::io::Error>(())
//! ```

mod body;
mod output;
mod page;

use super::event::{Event, Observer};
use super::exchange::{Exchange, Side};
use crate::base::sync::lock;
use crate::base::text::push_harmless;
use crate::wire::Framing;
use crate::wire::framing::Decision;
use body::Body;
use output::Output;
use page::{Look, Page, push_number};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;
use std::time::Duration;

/// How much of a body is shown at once, unless told otherwise: 16 KiB.
pub const BODY_LIMIT: usize = 16 * 1024;

/// Shows what is seen as text.
pub struct Text {
    output: Output,
    colour: bool,
    body_limit: usize,
    bodies: Mutex<BTreeMap<(u64, u64, Side), Body>>,
}

impl Text {
    /// Writes to `out` when it is [flushed](Observer::flush), and at the end.
    pub fn new(out: impl Write + Send + 'static) -> Text {
        Text {
            output: Output::new(out),
            colour: false,
            body_limit: BODY_LIMIT,
            bodies: Mutex::default(),
        }
    }

    /// With a terminal's colours, or without, as it is unless asked for.
    #[must_use]
    pub fn colour(mut self, colour: bool) -> Text {
        self.colour = colour;
        self
    }

    /// How many bytes of a body are shown at once: [`BODY_LIMIT`] unless told otherwise, 0 for
    /// none.
    #[must_use]
    pub fn body_limit(mut self, limit: usize) -> Text {
        self.body_limit = limit;
        self
    }

    fn with_body(
        &self,
        connection: u64,
        exchange: &Exchange,
        side: Side,
        page: &mut Page<'_>,
        f: impl FnOnce(&mut Body, &mut Page<'_>),
    ) {
        let mut bodies = lock(&self.bodies);
        let body = bodies
            .entry((connection, exchange.number, side))
            .or_insert_with(|| Body::new(exchange, side, self.body_limit));
        f(body, page);
    }

    fn end_body(&self, connection: u64, exchange: &Exchange, side: Side, page: &mut Page<'_>) {
        let body = lock(&self.bodies).remove(&(connection, exchange.number, side));
        if let Some(mut body) = body {
            body.finish(page);
        }
    }
}

impl Observer for Text {
    fn see(&self, connection: u64, at: Duration, event: &Event<'_>) {
        let exchange = match event {
            Event::Request(x)
            | Event::Response(x)
            | Event::Interim(x, _)
            | Event::Content(x, ..) => Some(*x),
            Event::Tunnel(x, ..) | Event::End(x, ..) | Event::Done(x) => Some(*x),
            Event::Fault(x, ..) => *x,
            Event::Framing(..) | Event::Bytes(..) => return,
            _ => None,
        };
        let (exchange, colour) = (exchange.map(|x| x.number), self.colour);
        self.output.write(&mut |text| {
            self.lines(&mut Page::new(text, connection, exchange, colour), connection, at, event)
        });
    }

    fn flush(&self) {
        self.output.flush();
    }

    fn finish(&self) -> Option<String> {
        self.output.flush().map(|error| format!("the text view stopped: {error}"))
    }
}

impl Text {
    fn lines(&self, page: &mut Page<'_>, connection: u64, at: Duration, event: &Event<'_>) {
        match event {
            Event::Opened => page.note("connected"),
            Event::Refused(why) => page.wrong(&["turned away: ", why].concat()),
            Event::Request(x) => {
                page.head(Look::CLIENT, x.request.as_ref().map_or(b"", |head| head.as_bytes()));
                framing(page, x, Side::Client);
            }
            Event::Interim(_, head) => page.head(Look::SERVER, head.as_bytes()),
            Event::Response(x) => {
                page.head(Look::SERVER, x.response.as_ref().map_or(b"", |head| head.as_bytes()));
                framing(page, x, Side::Server);
            }
            Event::Content(x, side, bytes) => {
                self.with_body(connection, x, *side, page, |body, page| {
                    body.show(at, bytes, false, page)
                });
            }
            Event::Tunnel(x, side, bytes) => {
                self.with_body(connection, x, *side, page, |body, page| {
                    body.show(at, bytes, true, page)
                });
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
                page.put(Look::NOTE, &|line| summary(line, x));
            }
            Event::Fault(_, side, fault) => page.wrong(&format!("the {side}: {fault}")),
            Event::Ended(side, Some(error)) => {
                page.wrong(&format!("what the {side} says ends here: {error}"))
            }
            Event::Closed => page.note("closed"),
            _ => {}
        }
    }
}

/// Where the body ends, and why.
fn framing(page: &mut Page<'_>, x: &Exchange, side: Side) {
    if let Some(Decision { framing, rule, .. }) = x.message(side).decision {
        let what = match framing {
            Framing::NoBody | Framing::Length(0) => "no body",
            Framing::Tunnel => "no longer HTTP",
            _ => "body",
        };
        page.put(Look::NOTE, &|line| {
            [what, ": ", rule.text(), " · RFC 9112 §6.3 item "]
                .iter()
                .for_each(|part| line.push_str(part));
            push_number(line, rule.item().into());
        });
    }
}

/// How an exchange went.
fn summary(line: &mut String, x: &Exchange) {
    match &x.response {
        Some(head) => {
            push_number(line, head.status().into());
            let reason = head.reason().trim_ascii_end();
            if !reason.is_empty() {
                line.push(' ');
                push_harmless(line, reason);
            }
        }
        None => line.push_str("no response"),
    }
    line.push(':');
    if let Some(wait) = x.wait() {
        line.push_str(" waited ");
        duration(line, wait);
        line.push(',');
    }
    line.push(' ');
    duration(line, x.total().unwrap_or_default());
    for (what, message) in [(" in all; sent ", &x.sent), (" bytes, received ", &x.received)] {
        line.push_str(what);
        push_number(line, message.head);
        line.push_str(" + ");
        push_number(line, message.content + message.tunnel);
    }
}

fn duration(line: &mut String, time: Duration) {
    let micros = time.as_micros() as u64;
    let (whole, fraction, unit) = match micros {
        0..1_000 => (micros, None, " µs"),
        1_000..10_000 => (micros / 1000, Some(micros / 100 % 10), " ms"),
        10_000..1_000_000 => (micros / 1000, None, " ms"),
        _ => (time.as_secs(), Some(micros / 10_000 % 100), " s"),
    };
    push_number(line, whole);
    if let Some(fraction) = fraction {
        line.push_str(if unit == " s" && fraction < 10 { ".0" } else { "." });
        push_number(line, fraction);
    }
    line.push_str(unit);
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Text")
            .field("colour", &self.colour)
            .field("body_limit", &self.body_limit)
            .finish()
    }
}
