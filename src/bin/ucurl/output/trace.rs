//! What happens on the wire, as `-v`, `--trace` and `--trace-ascii` show it, and what `-w` and `-i`
//! need to know of it.
//!
//! `-v` puts a letter before each line: `*` for what ucurl says, `>` for a head that is sent, `<`
//! for one that came, `}` and `{` for the size of data that is sent and came.

use crate::args::config::{self, Global, Trace};
use crate::explain::{Explain, Explainer};
use crate::output::messages::{Messages, stdout};
use crate::output::terminal;
use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use unix_http::base::sync::lock;
use unix_http::base::text;
use unix_http::client::{Event, Observer};
use unix_http::transport::Endpoint;

/// What an exchange told about itself. Times count from the transfer's start.
#[derive(Default, Clone, Debug)]
pub struct Told {
    /// 1xx heads, in order.
    pub interim: Vec<Vec<u8>>,
    pub connects: u64,
    pub connected: Option<Duration>,
    pub sent: Option<Duration>,
    pub answered: Option<Duration>,
    pub request_bytes: u64,
    pub upload_bytes: u64,
}

/// How bytes are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Hex,
    Ascii,
}

/// The observer of all exchanges.
pub struct Tracer {
    style: Option<Style>,
    time: bool,
    explainer: Option<Explainer>,
    state: Mutex<State>,
}

struct State {
    out: Arc<File>,
    start: Instant,
    told: Told,
    /// Who is connected to: for the lines of `-v`.
    host: String,
    /// And where that is.
    place: String,
    /// The last line told of data, so the next data is passed over.
    data: bool,
    /// The body goes to a terminal, which shows it itself.
    terminal: bool,
    /// What is told goes to a terminal, which does what control characters say.
    obeys: bool,
}

impl Tracer {
    pub fn new(global: &Global, messages: &Messages) -> io::Result<Tracer> {
        let (style, name) = match &global.trace {
            Trace::None => (None, None),
            Trace::Plain => (Some(Style::Plain), None),
            Trace::Hex(name) => (Some(Style::Hex), Some(name)),
            Trace::Ascii(name) => (Some(Style::Ascii), Some(name)),
        };
        let out = match name.map(Vec::as_slice) {
            None | Some(b"%") => messages.out.clone(),
            Some(b"-") => Arc::new(stdout()?),
            Some(name) => Arc::new(File::create(crate::output::output::path(name))?),
        };
        let explainer = match global.explain {
            None => None,
            Some(how) => {
                let colour = text::wants_colour(&*messages.out);
                let out = messages.out.try_clone()?;
                Some(Explainer::new(Explain::new(out, how == config::Explain::Bytes, colour)))
            }
        };
        let told = Told::default();
        let (host, place) = (String::new(), String::new());
        let obeys = out.is_terminal();
        let state = State {
            out,
            start: Instant::now(),
            told,
            host,
            place,
            data: false,
            terminal: false,
            obeys,
        };
        Ok(Tracer { style, time: global.trace_time, explainer, state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// A new transfer: its clock starts. Whether its body goes to a terminal.
    pub fn begin(&self, start: Instant, terminal: bool) {
        let mut state = self.state();
        state.terminal = terminal;
        state.start = start;
        state.told = Told::default();
    }

    /// A new hop of the same transfer.
    pub fn hop(&self, host: &str) {
        let mut state = self.state();
        state.told.interim.clear();
        host.clone_into(&mut state.host);
    }

    /// What was told since [`begin`](Tracer::begin).
    pub fn told(&self) -> Told {
        self.state().told.clone()
    }

    /// A decision and where its rule is written, for `--explain`.
    pub fn explain(&self, text: &str, section: &str) {
        if let Some(explainer) = &self.explainer {
            explainer.note(text, section);
        }
    }

    /// A field of the trailer section.
    pub fn trailer(&self, line: &[u8]) {
        self.head(&mut self.state(), line, true);
    }

    /// Bytes of a connection that is not HTTP any more.
    pub fn raw(&self, bytes: &[u8], received: bool) {
        if let Some(explainer) = &self.explainer {
            explainer.raw(bytes, received);
        }
        let mut state = self.state();
        state.told.upload_bytes += if received { 0 } else { bytes.len() as u64 };
        self.data(&mut state, bytes, received);
    }

    /// Such a connection is over.
    pub fn raw_end(&self) {
        if let Some(explainer) = &self.explainer {
            explainer.raw_end();
        }
    }

    /// A line of ucurl's own.
    pub fn info(&self, text: &str) {
        if self.style.is_some() {
            let mut state = self.state();
            self.say(&mut state, text);
        }
    }

    fn say(&self, state: &mut State, text: &str) {
        let (before, sign) =
            (self.clock(), if self.style == Some(Style::Plain) { "* " } else { "== Info: " });
        state.data = false;
        _ = (&*state.out).write_all([&before, sign, text, "\n"].concat().as_bytes());
    }

    fn clock(&self) -> String {
        if !self.time {
            return String::new();
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let day = now.as_secs() % 86_400;
        format!(
            "{:02}:{:02}:{:02}.{:06} ",
            day / 3600,
            day / 60 % 60,
            day % 60,
            now.subsec_micros()
        )
    }

    /// A head: line by line where it came, whole where it was sent.
    fn head(&self, state: &mut State, head: &[u8], received: bool) {
        let Some(style) = self.style else { return };
        let mut out = Vec::with_capacity(head.len() * 2);
        state.data = false;
        match style {
            Style::Plain => {
                let before = [self.clock().as_str(), if received { "< " } else { "> " }].concat();
                let head = if state.obeys { terminal::harmless(head) } else { head.into() };
                for line in head.split_inclusive(|&byte| byte == b'\n') {
                    out.extend_from_slice(before.as_bytes());
                    out.extend_from_slice(line);
                }
            }
            _ if received => {
                for line in head.split_inclusive(|&byte| byte == b'\n') {
                    self.dump(&mut out, "<= Recv header", line);
                }
            }
            _ => self.dump(&mut out, "=> Send header", head),
        }
        _ = (&*state.out).write_all(&out);
    }

    fn data(&self, state: &mut State, data: &[u8], received: bool) {
        let mut out = Vec::new();
        match self.style {
            None => return,
            Some(Style::Plain) => {
                if std::mem::replace(&mut state.data, true) || (received && state.terminal) {
                    return;
                }
                let sign = if received { "{" } else { "}" };
                out = format!("{}{sign} [{} bytes data]\n", self.clock(), data.len()).into_bytes();
            }
            Some(_) => {
                self.dump(&mut out, if received { "<= Recv data" } else { "=> Send data" }, data)
            }
        }
        _ = (&*state.out).write_all(&out);
    }

    /// `--trace`'s table: 16 bytes a line in hex and text, or with `--trace-ascii` up to 64 or a
    /// line end in text.
    fn dump(&self, out: &mut Vec<u8>, title: &str, bytes: &[u8]) {
        let line =
            format!("{}{title}, {} bytes (0x{:x})\n", self.clock(), bytes.len(), bytes.len());
        out.extend_from_slice(line.as_bytes());
        let ascii = self.style == Some(Style::Ascii);
        let mut at = 0;
        while at < bytes.len() {
            out.extend_from_slice(format!("{at:04x}: ").as_bytes());
            let rest = &bytes[at..];
            let (line, step) = match ascii {
                true => {
                    let end = rest.windows(2).position(|two| two == b"\r\n").unwrap_or(usize::MAX);
                    let shown = rest.len().min(64).min(end);
                    (&rest[..shown], if shown == end { end + 2 } else { shown })
                }
                false => (&rest[..rest.len().min(16)], 16),
            };
            if !ascii {
                for place in 0..16 {
                    let hex = line.get(place).map_or("   ".into(), |byte| format!("{byte:02x} "));
                    out.extend_from_slice(hex.as_bytes());
                }
            }
            out.extend(
                line.iter().map(|&byte| if matches!(byte, 0x20..0x7f) { byte } else { b'.' }),
            );
            out.push(b'\n');
            at += step;
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

impl Observer for Tracer {
    fn on(&self, event: &Event<'_>) {
        if let Some(explainer) = &self.explainer {
            explainer.on(event);
        }
        let mut guard = self.state();
        let state = &mut *guard;
        let now = state.start.elapsed();
        match event {
            Event::Connecting(endpoint) if self.style.is_some() => {
                self.say(state, &["  Trying ", &place(endpoint), "..."].concat());
                state.place = place(endpoint);
            }
            Event::Connected { connection, .. } => {
                state.told.connects += 1;
                state.told.connected.get_or_insert(now);
                if self.style.is_some() {
                    let line =
                        format!("Connected to {} ({}) (#{connection})", state.host, state.place);
                    self.say(state, &line);
                }
            }
            Event::Reused { connection, .. } => {
                state.told.connected.get_or_insert(now);
                if self.style.is_some() {
                    let line = format!(
                        "Re-using existing connection #{connection} with host {}",
                        state.host
                    );
                    self.say(state, &line);
                }
            }
            Event::Stale { connection, .. } if self.style.is_some() => {
                self.say(
                    state,
                    &format!("Connection #{connection} died, trying again with a fresh one"),
                );
            }
            Event::RequestHead(head) => {
                state.told.sent.get_or_insert(now);
                state.told.request_bytes += head.len() as u64;
                self.head(state, head, false);
            }
            Event::RequestBody(bytes) => {
                state.told.upload_bytes += bytes.len() as u64;
                self.data(state, bytes, false);
            }
            Event::Interim(head) => {
                state.told.answered.get_or_insert(now);
                state.told.interim.push(head.as_bytes().to_vec());
                // curl leaves out the empty line of a 1xx head.
                let shown = head.as_bytes();
                let end =
                    shown.strip_suffix(b"\r\n").or(shown.strip_suffix(b"\n")).unwrap_or(shown);
                self.head(state, end, true);
            }
            Event::ResponseHead(head, _) | Event::Refused(head, _) => {
                state.told.answered.get_or_insert(now);
                self.head(state, head.as_bytes(), true);
            }
            Event::ResponseBody(bytes) => self.data(state, bytes, true),
            Event::Kept { connection, .. } if self.style.is_some() => {
                let line = format!("Connection #{connection} to host {} left intact", state.host);
                self.say(state, &line);
            }
            Event::Closed { connection, .. } if self.style.is_some() => {
                self.say(state, &format!("Closing connection {connection}"));
            }
            _ => {}
        }
    }

    fn wants_bodies(&self) -> bool {
        self.style.is_some() || self.explainer.is_some()
    }
}
