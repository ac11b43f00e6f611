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
//! Every line stands for itself, with its numbers in front, and the lines of one event are never parted: the view of many
//! connections at once can be sorted out with `grep '^1\.'`.
//!
//! A body is shown as it comes, up to a limit; what is over it is counted. After a second of silence the count begins
//! anew, so that a quiet stream (events, a log that is followed) is shown for as long as it lasts.
//!
//! What the two sides say is shown as text, never obeyed: control characters, with them every terminal's escape
//! sequences, and characters that turn the direction of writing around are written as `\x1b` or `\u{202e}`.
//!
//! Lines are written by a thread of their own. When the reader is slower than the traffic, lines are left out, whole
//! events at a time, and their number is shown: the traffic never waits.
//!
//! ```
//! use std::time::Duration;
//! use unix_http::tap::{Conversation, Observer, Side, Text};
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

use super::conversation::reason;
use super::exchange::{Event, Exchange, Observer, Side};
use super::table::Table;
use crate::wire::Framing;
use crate::wire::grammar::reorders_text;
use body::Body;
use output::Output;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How much of a body is shown at once, unless told otherwise: 16 KiB.
pub const BODY_LIMIT: usize = 16 * 1024;

/// Shows what is seen as text.
pub struct Text {
    output: Output,
    colour: bool,
    body_limit: usize,
    bodies: Mutex<Table<(u64, u64, Side), Body>>,
}

impl Text {
    /// Writes to `out`, from a thread of its own.
    pub fn new(out: impl Write + Send + 'static) -> Text {
        Text { output: Output::new(out), colour: false, body_limit: BODY_LIMIT, bodies: Mutex::default() }
    }

    /// With a terminal's colours, or without, as it is unless asked for.
    #[must_use]
    pub fn colour(mut self, colour: bool) -> Text {
        self.colour = colour;
        self
    }

    /// How many bytes of a body are shown at once: [`BODY_LIMIT`] unless told otherwise, 0 for none.
    #[must_use]
    pub fn body_limit(mut self, limit: usize) -> Text {
        self.body_limit = limit;
        self
    }

    fn page(&self, connection: u64, exchange: Option<&Exchange>) -> Page {
        let mut number = connection.to_string();
        if let Some(exchange) = exchange {
            let _ = write!(number, ".{}", exchange.number);
        }
        // Room for a head, so that it need not grow line by line.
        Page { number, colour: self.colour, text: String::with_capacity(512) }
    }

    fn with_body(
        &self,
        connection: u64,
        exchange: &Exchange,
        side: Side,
        page: &mut Page,
        f: impl FnOnce(&mut Body, &mut Page),
    ) {
        let mut bodies = self.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        let body = bodies.or_insert((connection, exchange.number, side), || Body::new(exchange, side, self.body_limit));
        f(body, page);
    }

    fn end_body(&self, connection: u64, exchange: &Exchange, side: Side, page: &mut Page) {
        let body =
            self.bodies.lock().unwrap_or_else(PoisonError::into_inner).remove(&(connection, exchange.number, side));
        if let Some(mut body) = body {
            body.finish(page);
        }
    }
}

impl Observer for Text {
    fn see(&self, connection: u64, at: Duration, event: &Event<'_>) {
        let exchange = match event {
            Event::Request(x) | Event::Response(x) | Event::Interim(x, _) | Event::Content(x, ..) => Some(*x),
            Event::Tunnel(x, ..) | Event::End(x, ..) | Event::Done(x) => Some(*x),
            Event::Fault(x, ..) => *x,
            Event::Framing(..) | Event::Bytes(..) => return,
            _ => None,
        };
        let mut page = self.page(connection, exchange);
        match event {
            Event::Opened => page.note("connected"),
            Event::Refused(why) => page.wrong(&format!("turned away: {}", harmless(why.as_bytes()))),
            Event::Request(x) => {
                page.head(Side::Client, x.request.as_ref().map_or(b"", |head| head.as_bytes()));
                page.framing(x, Side::Client);
            }
            Event::Interim(_, head) => page.head(Side::Server, head.as_bytes()),
            Event::Response(x) => {
                page.head(Side::Server, x.response.as_ref().map_or(b"", |head| head.as_bytes()));
                page.framing(x, Side::Server);
            }
            Event::Content(x, side, bytes) => {
                self.with_body(connection, x, *side, &mut page, |body, page| body.show(at, bytes, false, page));
            }
            Event::Tunnel(x, side, bytes) => {
                self.with_body(connection, x, *side, &mut page, |body, page| body.show(at, bytes, true, page));
            }
            Event::End(x, side, trailers) => {
                self.end_body(connection, x, *side, &mut page);
                for field in trailers.iter().flat_map(|trailers| trailers.iter()) {
                    page.line(*side, &format!("{}: {}", field.name(), harmless(field.value())), Look::Plain);
                }
            }
            Event::Done(x) => {
                self.end_body(connection, x, Side::Client, &mut page);
                self.end_body(connection, x, Side::Server, &mut page);
                page.note(&summary(x));
            }
            Event::Fault(_, side, fault) => page.wrong(&format!("the {side}: {fault}")),
            Event::Ended(side, Some(error)) => page.wrong(&format!("what the {side} says ends here: {error}")),
            Event::Closed => page.note("closed"),
            _ => {}
        }
        self.output.write(page.text);
    }

    fn finish(&self) -> Option<String> {
        self.output.finish().map(|error| format!("the text view stopped: {error}"))
    }
}

/// How an exchange went.
fn summary(x: &Exchange) -> String {
    let mut line = match &x.response {
        Some(head) => format!("{} {}", head.status(), harmless(head.reason())).trim_end().to_owned(),
        None => "no response".to_owned(),
    };
    let _ = write!(line, ":");
    if let Some(wait) = x.wait() {
        let _ = write!(line, " waited {},", duration(wait));
    }
    let _ = write!(
        line,
        " {} in all; sent {} + {} bytes, received {} + {}",
        duration(x.total().unwrap_or_default()),
        x.sent.head,
        x.sent.content + x.sent.tunnel,
        x.received.head,
        x.received.content + x.received.tunnel
    );
    line
}

fn duration(time: Duration) -> String {
    let micros = time.as_micros() as u64;
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..10_000 => format!("{}.{} ms", micros / 1000, micros / 100 % 10),
        10_000..1_000_000 => format!("{} ms", micros / 1000),
        _ => format!("{}.{:02} s", time.as_secs(), time.subsec_millis() / 10),
    }
}

/// The lines of one event.
struct Page {
    number: String,
    colour: bool,
    text: String,
}

/// How a line looks on a terminal.
#[derive(Clone, Copy)]
enum Look {
    Plain,
    Bold,
    Stderr,
}

impl Page {
    fn put(&mut self, sign: char, colour: &str, line: &str, look: &str) {
        if !self.colour {
            self.text.push_str(&self.number);
            self.text.push(' ');
            self.text.push(sign);
            if !line.is_empty() {
                self.text.push(' ');
                self.text.push_str(line);
            }
            return self.text.push('\n');
        }
        let _ = match look {
            "" => writeln!(self.text, "\x1b[2m{}\x1b[0m {colour}{sign}\x1b[0m {line}", self.number),
            _ => writeln!(self.text, "\x1b[2m{}\x1b[0m {colour}{sign}\x1b[0m {look}{line}\x1b[0m", self.number),
        };
    }

    /// A line of what one side says; harmless already.
    fn line(&mut self, side: Side, line: &str, look: Look) {
        let look = match look {
            Look::Plain => "",
            Look::Bold => "\x1b[1m",
            Look::Stderr => "\x1b[31m",
        };
        match side {
            Side::Client => self.put('>', "\x1b[36m", line, look),
            Side::Server => self.put('<', "\x1b[32m", line, look),
        }
    }

    fn note(&mut self, line: &str) {
        self.put('*', "\x1b[2m", line, "\x1b[2m");
    }

    fn wrong(&mut self, line: &str) {
        self.put('!', "\x1b[31m", line, "\x1b[31m");
    }

    fn head(&mut self, side: Side, head: &[u8]) {
        let text = head.strip_suffix(b"\n").unwrap_or(head);
        for (n, line) in text.split(|&b| b == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            self.line(side, &harmless(line), if n == 0 { Look::Bold } else { Look::Plain });
        }
    }

    fn framing(&mut self, x: &Exchange, side: Side) {
        if let Some(decision) = x.message(side).decision {
            let what = match decision.framing {
                Framing::NoBody | Framing::Length(0) => "no body",
                Framing::Tunnel => "no longer HTTP",
                _ => "body",
            };
            self.note(&format!("{what}: {}", reason(decision.rule)));
        }
    }
}

/// Bytes as text that does nothing to a terminal: control characters, C1 with them, and those that turn the direction
/// of writing (Unicode's bidirectional controls) or break lines are escaped, and so are bytes that are not UTF-8.
pub fn harmless(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    // Nearly every line is plain.
    if let (true, Ok(plain)) = (bytes.iter().all(|b| matches!(b, b' '..=b'~' | b'\t')), std::str::from_utf8(bytes)) {
        text.push_str(plain);
        return text;
    }
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\t' => text.push(c),
                '\0'..='\x1f' | '\x7f' => {
                    let _ = write!(text, "\\x{:02x}", c as u32);
                }
                c if c.is_control() || reorders_text(c) => text.extend(c.escape_unicode()),
                _ => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Text").field("colour", &self.colour).field("body_limit", &self.body_limit).finish()
    }
}

/// Whether text that goes there may have colours: it is a terminal, and the user has not asked for none
/// (<https://no-color.org>).
pub fn wants_colour(out: &impl io::IsTerminal) -> bool {
    out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
