//! The observer of all exchanges: it prints `-v`, `--trace` and `--trace-ascii`, and collects the
//! facts that `-i`, `-D` and `-w` show.
//!
//! `-v` begins each line with a letter: `*` for ucurl's own messages, `>` for a head that is sent,
//! `<` for one that is received, `}` and `{` for the size of data that is sent and received.

use crate::args::config;
use crate::explain::Explainer;
use crate::output::messages::Messages;
use crate::plan::{Channel, TracePlan, TraceStyle};
use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime};
use unix_http::base::sync::lock;
use unix_http::base::text::{harmless_lines, wants_colour};
use unix_http::base::time::rfc3339;
use unix_http::client::{ClientEvent, ClientObserver};
use unix_http::transport::Endpoint;

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
    /// Something needs to know what travels.
    pub wanted: bool,
    explainer: Option<Explainer>,
    printing: bool,
    state: Mutex<TraceState>,
}

struct TraceState {
    style: Option<TraceStyle>,
    out: Arc<File>,
    time: bool,
    start: Instant,
    facts: ExchangeFacts,
    /// The host of the URL, for the lines of `-v`.
    host: String,
    /// The endpoint of the connection.
    place: String,
    /// The last line was about data: more data gets no line.
    after_data: bool,
    /// The body goes to a terminal, which shows it itself.
    body_is_shown: bool,
    /// The trace goes to a terminal, which obeys control characters.
    to_terminal: bool,
}

impl Tracer {
    pub fn new(plan: TracePlan, messages: &Messages) -> io::Result<Tracer> {
        let out = match plan.to {
            Channel::Stderr => messages.out.clone(),
            Channel::Stdout => Arc::new(io::stdout().as_fd().try_clone_to_owned()?.into()),
            Channel::File(name) => Arc::new(File::create(name)?),
        };
        let mut explainer = None;
        if let Some(how) = plan.explain {
            let bytes = how == config::Explain::Bytes;
            let colour = wants_colour(&*messages.out);
            explainer = Some(Explainer::new(messages.out.try_clone()?, bytes, colour));
        }
        let state = TraceState {
            style: plan.style,
            to_terminal: out.is_terminal(),
            out,
            time: plan.time,
            start: Instant::now(),
            facts: ExchangeFacts::default(),
            host: String::new(),
            place: String::new(),
            after_data: false,
            body_is_shown: false,
        };
        let printing = plan.style.is_some();
        let wanted = printing || explainer.is_some() || plan.observed;
        Ok(Tracer { wanted, explainer, printing, state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, TraceState> {
        lock(&self.state)
    }

    /// Begins a transfer, whose body goes to a terminal or not.
    pub fn begin(&self, start: Instant, body_is_shown: bool) {
        let mut state = self.state();
        state.body_is_shown = body_is_shown;
        state.start = start;
        state.facts = ExchangeFacts::default();
    }

    /// Begins a hop of the same transfer.
    pub fn begin_hop(&self, host: &[u8]) {
        let mut state = self.state();
        state.facts.interim.clear();
        state.host = String::from_utf8_lossy(host).into_owned();
    }

    /// The facts since [`begin`](Tracer::begin).
    pub fn facts(&self) -> ExchangeFacts {
        self.state().facts.clone()
    }

    /// Explains a decision, with the section that has its rule.
    pub fn explain(&self, text: &str, section: &str) {
        if let Some(explainer) = &self.explainer {
            explainer.note(text, section);
        }
    }

    /// A field of the trailer section.
    pub fn trailer(&self, line: &[u8]) {
        self.state().head(line, true);
    }

    /// Bytes of a connection after its upgrade.
    pub fn raw(&self, bytes: &[u8], received: bool) {
        if let Some(explainer) = &self.explainer {
            explainer.raw(bytes, received);
        }
        let mut state = self.state();
        state.facts.upload_bytes += if received { 0 } else { bytes.len() as u64 };
        state.data(bytes, received);
    }

    /// The end of such a connection.
    pub fn raw_end(&self) {
        if let Some(explainer) = &self.explainer {
            explainer.raw_end();
        }
    }

    /// A line of ucurl's own.
    pub fn info(&self, text: &str) {
        self.state().say(text);
    }
}

impl TraceState {
    fn say(&mut self, text: &str) {
        let sign = match self.style {
            None => return,
            Some(TraceStyle::Plain) => "* ",
            Some(_) => "== Info: ",
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

    /// A head: `--trace` shows a received one line by line, a sent one whole.
    fn head(&mut self, head: &[u8], received: bool) {
        self.after_data = false;
        let lines = head.split_inclusive(|&byte| byte == b'\n');
        match self.style {
            None => {}
            Some(TraceStyle::Plain) => {
                let before = [self.clock().as_str(), if received { "< " } else { "> " }].concat();
                let head = if self.to_terminal { harmless_lines(head) } else { head.into() };
                let lines = head.split_inclusive(|&byte| byte == b'\n');
                let lines: Vec<_> = lines.flat_map(|line| [before.as_bytes(), line]).collect();
                self.print(&lines.concat());
            }
            Some(_) if received => lines.for_each(|line| self.dump("<= Recv header", line)),
            Some(_) => self.dump("=> Send header", head),
        }
    }

    fn data(&mut self, data: &[u8], received: bool) {
        match self.style {
            None => {}
            Some(TraceStyle::Plain) => {
                let follows = std::mem::replace(&mut self.after_data, true);
                let hidden = follows || (received && self.body_is_shown);
                if !hidden {
                    let (clock, sign) = (self.clock(), if received { '{' } else { '}' });
                    let line = format!("{clock}{sign} [{} bytes data]\n", data.len());
                    self.print(line.as_bytes());
                }
            }
            Some(_) => self.dump(if received { "<= Recv data" } else { "=> Send data" }, data),
        }
    }

    /// The table of `--trace`: 16 bytes a line in hex and text. With `--trace-ascii`: up to 64
    /// bytes, or up to a line end, in text.
    fn dump(&self, title: &str, bytes: &[u8]) {
        let (clock, length) = (self.clock(), bytes.len());
        let mut out = format!("{clock}{title}, {length} bytes (0x{length:x})\n").into_bytes();
        let hex = self.style == Some(TraceStyle::Hex);
        let mut at = 0;
        while at < length {
            let rest = &bytes[at..];
            out.extend_from_slice(format!("{at:04x}: ").as_bytes());
            let limit = rest.len().min(if hex { 16 } else { 64 });
            let end = rest.windows(2).take(limit).position(|two| two == b"\r\n");
            let shown = end.filter(|_| !hex).unwrap_or(limit);
            let (line, after) = rest.split_at(shown);
            if hex {
                line.iter().for_each(|byte| out.extend(format!("{byte:02x} ").bytes()));
                out.extend("   ".repeat(16 - shown).bytes());
            }
            let printable = |&byte: &u8| if (0x20..0x7f).contains(&byte) { byte } else { b'.' };
            out.extend(line.iter().map(printable));
            out.push(b'\n');
            at += shown + if !hex && after.starts_with(b"\r\n") { 2 } else { 0 };
        }
        self.print(&out);
    }

    fn on(&mut self, event: &ClientEvent<'_>) {
        let now = self.start.elapsed();
        match event {
            ClientEvent::Connecting(endpoint) => {
                self.place = place(endpoint);
                self.say(&format!("  Trying {}...", self.place));
            }
            ClientEvent::Connected { connection, .. } => {
                self.facts.connects += 1;
                self.facts.connected.get_or_insert(now);
                let TraceState { host, place, .. } = self;
                let line = format!("Connected to {host} ({place}) (#{connection})");
                self.say(&line);
            }
            ClientEvent::Reused { connection, .. } => {
                self.facts.connected.get_or_insert(now);
                let host = &self.host;
                let line = format!("Re-using existing connection #{connection} with host {host}");
                self.say(&line);
            }
            ClientEvent::Stale { connection, .. } => {
                self.say(&format!("Connection #{connection} died, trying again with a fresh one"));
            }
            ClientEvent::RequestHead(head) => {
                self.facts.request_bytes += head.len() as u64;
                self.head(head, false);
            }
            ClientEvent::RequestBody(bytes) => {
                self.facts.upload_bytes += bytes.len() as u64;
                self.data(bytes, false);
            }
            ClientEvent::Interim(head) => {
                self.facts.answered.get_or_insert(now);
                let head = head.as_bytes();
                self.facts.interim.push(head.to_vec());
                // curl leaves out the empty line of a 1xx head.
                let end = head.strip_suffix(b"\r\n").or(head.strip_suffix(b"\n"));
                self.head(end.unwrap_or(head), true);
            }
            ClientEvent::ResponseHead(head, _) | ClientEvent::Refused(head, _) => {
                self.facts.answered.get_or_insert(now);
                self.head(head.as_bytes(), true);
            }
            ClientEvent::ResponseBody(bytes) => self.data(bytes, true),
            ClientEvent::Kept { connection, .. } => {
                let host = &self.host;
                self.say(&format!("Connection #{connection} to host {host} left intact"));
            }
            ClientEvent::Closed { connection, .. } => {
                self.say(&format!("Closing connection {connection}"));
            }
            _ => {}
        }
    }
}

/// An endpoint as curl's lines have it: a path, or host and port.
pub fn place(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Unix(path) => path.to_string_lossy().into_owned(),
        Endpoint::Abstract(name) => ["@", &String::from_utf8_lossy(name)].concat(),
        other => other.to_string(),
    }
}

impl ClientObserver for Tracer {
    fn on(&self, event: &ClientEvent<'_>) {
        if let Some(explainer) = &self.explainer {
            explainer.on(event);
        }
        self.state().on(event);
    }

    fn wants_bodies(&self) -> bool {
        self.printing || self.explainer.is_some()
    }
}
