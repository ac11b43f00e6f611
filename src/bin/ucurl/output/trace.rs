//! The observer of all exchanges: it prints `-v`, `--trace`, `--trace-ascii` and `--explain`, and
//! collects the facts that `-i`, `-D` and `-w` show.
//!
//! `-v` begins each line with a letter: `*` for ucurl's own messages, `>` for a head that is sent,
//! `<` for one that is received, `}` and `{` for the size of data that is sent and received.

use crate::args::config::{Global, Trace};
use crate::console::unbuffered;
use crate::output::messages::Messages;
use crate::output::meter::Meter;
use crate::plan;
use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::mem;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};
use unix_http::base::sync::lock;
use unix_http::base::text::{harmless_lines, wants_colour};
use unix_http::base::time::rfc3339;
use unix_http::client::ClientEvent;
use unix_http::traffic::{Conversation, Event, Explain, Observer, Side};
use unix_http::transport::Endpoint;
use unix_http::wire::Framing;

/// Facts about one transfer. Times count from its start.
#[derive(Default, Clone, Debug)]
pub struct ExchangeFacts {
    /// The heads of 1xx responses of the current hop, in order.
    pub interim: Vec<Vec<u8>>,
    pub connects: u64,
    pub connected: Option<Duration>,
    pub answered: Option<Duration>,
    pub request_bytes: u64,
    pub upload_bytes: u64,
}

pub struct Tracer {
    pub explainer: Option<Explainer>,
    /// Moves with the content that is sent.
    pub meter: Option<Arc<Mutex<Meter>>>,
    style: Trace,
    out: Arc<File>,
    /// `--trace-time`
    time: bool,
    start: Instant,
    pub facts: ExchangeFacts,
    /// The host of the URL, and the endpoint of the connection.
    host: String,
    place: String,
    /// Whether the last line was about data. Further data then gets no separate line.
    after_data: bool,
    /// Whether the body goes to a terminal.
    body_is_shown: bool,
}

impl Tracer {
    /// Opens the file of `--trace`.
    pub fn new(global: &Global, messages: &Messages) -> io::Result<Tracer> {
        let out = match &global.trace {
            Trace::Hex(name) | Trace::Ascii(name) => match &name[..] {
                b"%" => messages.out.clone(),
                b"-" => Arc::new(unbuffered(io::stdout())?),
                name => Arc::new(File::create(plan::path(name))?),
            },
            Trace::None | Trace::Plain => messages.out.clone(),
        };
        let explainer = global.explain.as_ref().map(|how| {
            let explain = Explain::new(Arc::clone(&messages.out)).bytes(how == b"bytes");
            let explain = explain.colour(wants_colour(&*messages.out));
            Explainer { explain, count: 0, open: Vec::new() }
        });
        Ok(Tracer {
            explainer,
            meter: None,
            style: global.trace.clone(),
            out,
            time: global.trace_time,
            start: Instant::now(),
            facts: ExchangeFacts::default(),
            host: String::new(),
            place: String::new(),
            after_data: false,
            body_is_shown: false,
        })
    }

    /// Returns whether bodies of responses are shown.
    pub fn shows_bodies(&self) -> bool {
        self.explainer.is_some() || self.style != Trace::None
    }

    /// Begins a transfer, whose body goes to a terminal or not.
    pub fn begin(&mut self, start: Instant, body_is_shown: bool) {
        (self.start, self.body_is_shown) = (start, body_is_shown);
        self.facts = ExchangeFacts::default();
    }

    /// Begins a hop of the same transfer.
    pub fn begin_hop(&mut self, host: &[u8]) {
        self.facts.interim.clear();
        self.host = String::from_utf8_lossy(host).into_owned();
    }

    /// Explains a decision, with the section that has its rule.
    pub fn explain(&self, text: &str, section: &str) {
        if let Some(explainer) = &self.explainer {
            explainer.explain.note(text, section);
        }
    }

    /// Shows why a transfer failed, unless stderr already has the same line.
    pub fn failure(&mut self, text: &str, told: bool) {
        if !told {
            self.explain(text, "");
        }
        if !told || self.style != Trace::Plain {
            self.say(text);
        }
    }

    /// Shows one of ucurl's own messages.
    pub fn say(&mut self, text: &str) {
        let sign = match self.style {
            Trace::None => return,
            Trace::Plain => "* ",
            Trace::Hex(_) | Trace::Ascii(_) => "== Info: ",
        };
        self.after_data = false;
        self.print([&self.clock(), sign, text, "\n"].concat().as_bytes());
    }

    fn print(&self, text: &[u8]) {
        _ = (&*self.out).write_all(text);
    }

    /// `--trace-time`: the time of day in UTC.
    fn clock(&self) -> String {
        let now = if self.time { rfc3339(SystemTime::now(), 6) } else { String::new() };
        now.get(11..26).map_or(String::new(), |time| [time, " "].concat())
    }

    /// Shows a head. `--trace` shows a received one line by line, a sent one whole.
    pub fn head(&mut self, head: &[u8], received: bool) {
        self.after_data = false;
        let lines = head.split_inclusive(|&byte| byte == b'\n');
        match self.style {
            Trace::None => {}
            Trace::Plain => {
                let before = [self.clock().as_str(), if received { "< " } else { "> " }].concat();
                let head = if self.out.is_terminal() { harmless_lines(head) } else { head.into() };
                let lines = head.split_inclusive(|&byte| byte == b'\n');
                let lines: Vec<_> = lines.flat_map(|line| [before.as_bytes(), line]).collect();
                self.print(&lines.concat());
            }
            _ if received => lines.for_each(|line| self.dump("<= Recv header", line)),
            _ => self.dump("=> Send header", head),
        }
    }

    fn data(&mut self, data: &[u8], received: bool) {
        match self.style {
            Trace::None => {}
            Trace::Plain => {
                let follows = mem::replace(&mut self.after_data, true);
                let elsewhere = received && self.body_is_shown;
                if !follows && !elsewhere {
                    let (clock, sign) = (self.clock(), if received { '{' } else { '}' });
                    let line = format!("{clock}{sign} [{} bytes data]\n", data.len());
                    self.print(line.as_bytes());
                }
            }
            _ => self.dump(if received { "<= Recv data" } else { "=> Send data" }, data),
        }
    }

    /// Prints the table of `--trace`: 16 bytes a line in hex and text. With `--trace-ascii`: up to
    /// 64 bytes, or up to a line end, in text.
    fn dump(&self, title: &str, bytes: &[u8]) {
        let (clock, length) = (self.clock(), bytes.len());
        let mut out = format!("{clock}{title}, {length} bytes (0x{length:x})\n").into_bytes();
        let hex = matches!(self.style, Trace::Hex(_));
        let mut at = 0;
        while at < length {
            let rest = &bytes[at..];
            _ = write!(out, "{at:04x}: ");
            let limit = rest.len().min(if hex { 16 } else { 64 });
            let end = rest.windows(2).take(limit).position(|two| two == b"\r\n");
            let shown = end.filter(|_| !hex).unwrap_or(limit);
            let (line, after) = rest.split_at(shown);
            if hex {
                line.iter().for_each(|byte| _ = write!(out, "{byte:02x} "));
                out.extend("   ".repeat(16 - shown).bytes());
            }
            let printable = |&byte: &u8| if (0x20..0x7f).contains(&byte) { byte } else { b'.' };
            out.extend(line.iter().map(printable));
            out.push(b'\n');
            at += shown + if !hex && after.starts_with(b"\r\n") { 2 } else { 0 };
        }
        self.print(&out);
    }

    /// Shows an event, and collects its facts.
    pub fn on(&mut self, event: &ClientEvent<'_>) {
        if let Some(explainer) = &mut self.explainer {
            explainer.on(event);
        }
        let (facts, now) = (&mut self.facts, self.start.elapsed());
        let (host, place) = (&self.host, &mut self.place);
        let message = match event {
            ClientEvent::Connecting(endpoint) => {
                *place = place_of(endpoint);
                format!("  Trying {place}...")
            }
            ClientEvent::Connected(number) => {
                facts.connects += 1;
                facts.connected.get_or_insert(now);
                format!("Connected to {host} ({place}) (#{number})")
            }
            ClientEvent::Reused(number) => {
                facts.connected.get_or_insert(now);
                format!("Re-using existing connection #{number} with host {host}")
            }
            ClientEvent::Stale(number) => {
                format!("Connection #{number} died, trying again with a fresh one")
            }
            ClientEvent::Kept(number) => format!("Connection #{number} to host {host} left intact"),
            ClientEvent::Closed(number) => format!("Closing connection {number}"),
            ClientEvent::RequestHead(head) => {
                facts.request_bytes += head.len() as u64;
                return self.head(head, false);
            }
            ClientEvent::RequestBody(bytes) => {
                facts.upload_bytes += bytes.len() as u64;
                if let Some(meter) = &self.meter {
                    lock(meter).sent(bytes.len());
                }
                return self.data(bytes, false);
            }
            ClientEvent::ResponseHead(head, decision) => {
                facts.answered.get_or_insert(now);
                if let Ok(None) = decision {
                    facts.interim.push(head.as_bytes().to_vec());
                }
                return self.head(head.as_bytes(), true);
            }
            ClientEvent::ResponseBody(bytes) => return self.data(bytes, true),
            _ => return,
        };
        self.say(&message);
    }
}

/// Returns an endpoint as curl's trace shows it: a path, or host and port.
pub fn place_of(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Unix(path) => path.to_string_lossy().into_owned(),
        Endpoint::Abstract(name) => ["@", &String::from_utf8_lossy(name)].concat(),
        other => other.to_string(),
    }
}

/// `--explain`: explains the client's own exchanges on standard error.
pub struct Explainer {
    explain: Explain,
    count: u64,
    /// More than one while a raw connection is open: requests about its container use another one.
    open: Vec<Exchange>,
}

struct Exchange {
    number: u64,
    conversation: Conversation,
    answered: bool,
}

impl Explainer {
    fn connecting(&self, endpoint: &Endpoint) {
        self.explain.toward_unix(matches!(endpoint, Endpoint::Unix(_) | Endpoint::Abstract(_)));
        let how = match endpoint {
            Endpoint::Unix(_) => "the address is a file, and its mode determines who may connect",
            Endpoint::Abstract(_) => {
                "the address is an abstract name, which has no mode: any local program may connect"
            }
            Endpoint::Tcp { .. } => {
                "the address is a host and a port, and nothing restricts who may connect"
            }
            _ => "a program of this system carries the bytes over its stdin and stdout",
        };
        self.explain.note(&format!("connects to {endpoint}: {how}"), "");
    }

    fn bytes(&mut self, side: Side, bytes: &[u8]) {
        if let Some(Exchange { number, conversation, .. }) = self.open.last_mut() {
            let see = &mut |event: &Event<'_>| self.explain.see(*number, Duration::ZERO, event);
            conversation.bytes(side, Duration::ZERO, bytes, see);
        }
    }

    /// Ends an exchange, or an upgraded connection.
    pub fn end(&mut self, kept: bool) {
        if let Some(exchange) = self.open.pop() {
            self.explain.end(exchange.number, kept);
        }
    }

    fn on(&mut self, event: &ClientEvent<'_>) {
        match event {
            ClientEvent::Connecting(endpoint) => self.connecting(endpoint),
            ClientEvent::Reused(connection) => {
                let text = format!("reuses connection {connection}, without a new connect");
                self.explain.note(&text, "RFC 9112 §9.3");
            }
            ClientEvent::Stale(_) => self.explain.note(
                "the server had closed that connection, so the request is sent again on a new one",
                "RFC 9112 §9.3.1",
            ),
            ClientEvent::RequestHead(head) => {
                self.open.retain(|exchange| exchange.answered);
                self.count += 1;
                let (number, conversation) = (self.count, Conversation::new(true));
                self.open.push(Exchange { number, conversation, answered: false });
                self.bytes(Side::Client, head);
            }
            ClientEvent::RequestBody(bytes) => self.bytes(Side::Client, bytes),
            ClientEvent::ResponseHead(head, decision) => {
                if let (Ok(Some(decision)), Some(exchange)) = (decision, self.open.last_mut()) {
                    exchange.answered = true;
                    let has_length = head.fields().get("Content-Length").is_some();
                    if has_length && decision.framing == Framing::UntilClose {
                        exchange.conversation.ignore_length();
                    }
                }
                self.bytes(Side::Server, head.as_bytes());
            }
            ClientEvent::ResponseBody(bytes) => self.bytes(Side::Server, bytes),
            ClientEvent::Kept(_) => self.end(true),
            // Without a response, the error says why.
            ClientEvent::Closed(_) if self.open.last().is_some_and(|open| open.answered) => {
                self.end(false);
            }
            _ => {}
        }
    }
}
