//! The annotated view: the exchange, line by line, with what each line is for and where that is
//! written.
//!
//! ```text
//! > GET /version HTTP/1.1\r\n        what was sent, CR LF made visible
//! < HTTP/1.1 200 OK\r\n              what came
//!     a remark · RFC 9112 §4
//! = a decision that both sides have to take alike
//! == connection 1, exchange 2        of others: another exchange than the last begins, or goes on
//! ```
//!
//! A remark is made once. Control characters and other bytes that could move a terminal's cursor are
//! shown as `\xNN`.
//!
//! Everything is written before [`see`](Observer::see) returns: nothing is left out, and a reader
//! who takes his time (a pager, say) makes the traffic wait.
//!
//! ```
//! use std::time::Duration;
//! use unix_http::traffic::{Conversation, Explain, Observer, Side};
//!
//! let (reader, writer) = std::io::pipe()?;
//! let explain = Explain::new(writer);
//! let (mut conversation, now) = (Conversation::new(true), Duration::ZERO);
//! conversation.bytes(Side::Client, now, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", &mut |e| explain.see(1, now, e));
//! drop(explain);
//! let shown = std::io::read_to_string(reader)?;
//! assert!(shown.starts_with("> GET / HTTP/1.1\\r\\n\n    the request-line: method"));
//! # Ok::<(), std::io::Error>(())
//! ```

mod body;
mod glossary;
mod page;
mod reasons;

use super::event::{Event, Fault, Observer};
use super::exchange::{Exchange, Side};
use super::secrets;
use crate::base::sync::lock;
use crate::docker::OutputKind;
use crate::wire::framing::Rule;
use crate::wire::{Decision, Fields, Framing, ResponseHead};
use body::BodyView;
use glossary::Remark;
use page::Page;
use reasons::{Outcome, early_answer, of_length, section_6_3};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Mutex;
use std::time::Duration;

const HEAD_OVER: Remark<'_> = ("an empty line: the head is over", "RFC 9112 §2.1");

/// Explains exchanges: one's own, or those that others have.
#[derive(Debug)]
pub struct Explain(Mutex<State>);

#[derive(Debug)]
struct State {
    page: Page,
    /// Requests go to a Unix socket.
    unix: bool,
    /// Where the traffic of others is passed on to; `None` where it is our own.
    overheard: Option<String>,
    /// The connection and its exchange that the last line told of; 0 for what belongs to none.
    now: (u64, u64),
    exchanges: BTreeMap<(u64, u64), Underway>,
    error: Option<io::Error>,
}

/// How far an exchange has come.
#[derive(Debug)]
struct Underway {
    request: BodyView,
    /// The request said `Connection: close`.
    close: bool,
    /// The request said `Expect`.
    expect: bool,
    answer: Option<Answer>,
}

/// A response on its way.
#[derive(Debug)]
struct Answer {
    body: BodyView,
    /// What is sent once the connection is not HTTP any more.
    tunnel: BodyView,
    head: std::sync::Arc<ResponseHead>,
    decision: Decision,
}

impl Explain {
    /// Explains one's own exchanges, as a client has them, to `out`.
    pub fn new(out: impl Write + Send + 'static) -> Explain {
        Explain(Mutex::new(State {
            page: Page::new(Box::new(out)),
            unix: false,
            overheard: None,
            now: (0, 0),
            exchanges: BTreeMap::new(),
            error: None,
        }))
    }

    /// Explains exchanges that others have and that are passed on to `target`. The beginning of
    /// content is quoted, since it is not on standard output.
    #[must_use]
    pub fn overheard(self, target: impl Into<String>) -> Explain {
        lock(&self.0).overheard = Some(target.into());
        self
    }

    /// Adds a hex view of everything.
    #[must_use]
    pub fn bytes(self, bytes: bool) -> Explain {
        lock(&self.0).page.bytes = bytes;
        self
    }

    /// Writes with a terminal's colours.
    #[must_use]
    pub fn colour(self, colour: bool) -> Explain {
        lock(&self.0).page.colour = colour;
        self
    }

    /// Tells whether requests go to a Unix socket from now on.
    pub fn toward_unix(&self, unix: bool) {
        lock(&self.0).unix = unix;
    }

    /// Writes a decision of one's own, such as which endpoint was chosen, and where its rule is
    /// written.
    pub fn note(&self, text: &str, section: &str) {
        let mut state = lock(&self.0);
        let written = state.page.decision((text, section));
        state.keep_error(written);
    }

    /// An exchange of one's own is over; whether its connection was kept for the next.
    pub fn end(&self, connection: u64, kept: bool) {
        let mut state = lock(&self.0);
        let written = state.end((connection, 1), kept);
        state.keep_error(written);
    }
}

impl Observer for Explain {
    fn see(&self, connection: u64, _: Duration, event: &Event<'_>) {
        let mut state = lock(&self.0);
        if state.error.is_none() {
            let written = state.see(connection, event);
            state.keep_error(written);
        }
    }

    fn flush(&self) {
        let mut state = lock(&self.0);
        let written = state.page.flush();
        state.keep_error(written);
    }

    fn finish(&self) -> Option<String> {
        self.flush();
        let state = lock(&self.0);
        state.error.as_ref().map(|error| format!("the explanation stopped: {error}"))
    }
}

impl State {
    fn keep_error(&mut self, written: io::Result<()>) {
        if let Err(error) = written {
            self.error.get_or_insert(error);
        }
    }

    fn see(&mut self, connection: u64, event: &Event<'_>) -> io::Result<()> {
        let Some(x) = event.exchange() else { return self.of_connection(connection, event) };
        let key = (connection, x.number);
        if !matches!(event, Event::End(..)) {
            self.turn_to(key)?;
        }
        match event {
            Event::Request(x) => self.request(key, x),
            Event::Interim(_, head) => {
                self.response_head(head, None)?;
                let more = "a 1xx is not the answer yet: another head follows";
                self.page.decision((more, "RFC 9110 §15.2"))
            }
            Event::Response(x) => self.response(key, x),
            Event::Framing(_, side, bytes) => {
                self.with_body(key, *side, |body, page| body.framing(page, bytes))
            }
            Event::Content(_, side, bytes) => {
                self.with_body(key, *side, |body, page| body.content(page, bytes))
            }
            Event::Tunnel(_, Side::Client, bytes) => {
                let answer = self.exchanges.get_mut(&key).and_then(|x| x.answer.as_mut());
                answer.map_or(Ok(()), |answer| answer.tunnel.content(&mut self.page, bytes))
            }
            Event::Tunnel(_, side, bytes) => {
                self.with_body(key, *side, |body, page| body.content(page, bytes))
            }
            Event::End(_, side, _) => {
                let mut pending = false;
                self.with_body(key, *side, |body, _| {
                    pending = body.is_pending();
                    Ok(())
                })?;
                if pending {
                    self.turn_to(key)?;
                }
                self.with_body(key, *side, BodyView::complete)
            }
            Event::Fault(x, side, fault) => self.fault(key, *x, *side, fault),
            Event::Done(x) if self.overheard.is_some() => {
                let message = |side| x.message(side);
                let kept = [Side::Client, Side::Server].map(message).iter().all(|message| {
                    message.complete && message.decision.is_some_and(|decision| decision.persistent)
                });
                self.now.1 = 0;
                match self.exchanges.get(&key).is_some_and(|x| x.answer.is_some()) {
                    true => self.end(key, kept && !x.is_tunnel()),
                    false => {
                        self.exchanges.remove(&key);
                        Ok(())
                    }
                }
            }
            _ => Ok(()),
        }
    }

    /// What is no part of an exchange.
    fn of_connection(&mut self, connection: u64, event: &Event<'_>) -> io::Result<()> {
        let text = match event {
            Event::Opened => {
                let target = self.overheard.as_deref().unwrap_or_default();
                format!("a client has connected; what it says is passed on to {target}")
            }
            Event::Refused(why) => format!("a client was turned away: {why}"),
            Event::Closed => "the client and the server have both ended the connection".into(),
            Event::Ended(side, Some(error)) => {
                format!("the {side}'s side of the connection broke: {error}")
            }
            Event::Fault(_, side, fault) => {
                self.turn_to((connection, 0))?;
                return self.fault((connection, 0), None, *side, fault);
            }
            _ => return Ok(()),
        };
        self.turn_to((connection, 0))?;
        self.page.decision((&text, ""))
    }

    /// The next lines tell of this exchange.
    fn turn_to(&mut self, next: (u64, u64)) -> io::Result<()> {
        if std::mem::replace(&mut self.now, next) == next || self.overheard.is_none() {
            return Ok(());
        }
        match next {
            (connection, 0) => self.page.heading(&format!("connection {connection}")),
            (connection, exchange) => {
                self.page.heading(&format!("connection {connection}, exchange {exchange}"))
            }
        }
    }

    fn with_body(
        &mut self,
        key: (u64, u64),
        side: Side,
        show: impl FnOnce(&mut BodyView, &mut Page) -> io::Result<()>,
    ) -> io::Result<()> {
        match (side, self.exchanges.get_mut(&key)) {
            (Side::Client, Some(exchange)) => show(&mut exchange.request, &mut self.page),
            (Side::Server, Some(Underway { answer: Some(answer), .. })) => {
                show(&mut answer.body, &mut self.page)
            }
            _ => Ok(()),
        }
    }

    fn request(&mut self, key: (u64, u64), x: &Exchange) -> io::Result<()> {
        let Some(head) = &x.request else { return Ok(()) };
        let decision = x.sent.decision;
        let content = !matches!(
            decision.map(|decision| decision.framing),
            Some(Framing::NoBody | Framing::Length(0))
        );
        let method = match glossary::method(head.method()) {
            Some((text, section)) => (format!("{}: {text}", head.method()), section),
            None => ("a method of the server's own".into(), "RFC 9110 §9.1"),
        };
        let start_line = ("the request-line: method, request-target, version", "RFC 9112 §3");
        let start = [start_line, (&method.0, method.1)];
        let remark = |name: &str, value: &str| glossary::request_field(name, value, content);
        self.head('>', head.as_bytes(), head.fields(), start, &remark)?;
        let framing = decision.map_or(Framing::NoBody, |decision| decision.framing);
        if let Some(decision) = decision {
            let text = match decision.framing {
                Framing::Length(length) => of_length(length),
                Framing::NoBody => {
                    "neither Content-Length nor Transfer-Encoding: the request ends here".into()
                }
                _ => decision.rule.text().into(),
            };
            self.page.decision((&text, &section_6_3(decision.rule)))?;
        }
        let body = BodyView::new('>', framing, head.as_bytes().len());
        let underway = Underway {
            request: body.with_quotes(self.overheard.is_some()),
            close: head.fields().has_token("Connection", "close"),
            expect: head.fields().get("Expect").is_some(),
            answer: None,
        };
        if self.overheard.is_none() {
            // Attempts that were never answered are over.
            self.exchanges.retain(|_, exchange| exchange.answer.is_some());
        }
        self.exchanges.insert(key, underway);
        Ok(())
    }

    fn response(&mut self, key: (u64, u64), x: &Exchange) -> io::Result<()> {
        let Some(head) = &x.response else { return Ok(()) };
        let Some(decision) = x.received.decision else { return self.response_head(head, None) };
        if let Some(exchange) = self.exchanges.get(&key) {
            match exchange.request.is_whole() {
                true => exchange.request.end(&mut self.page)?,
                false => self
                    .page
                    .decision(early_answer(exchange.expect && !exchange.request.has_begun()))?,
            }
        }
        self.response_head(head, Some(decision.rule))?;
        let rule = section_6_3(decision.rule);
        match decision.framing {
            // §6.3 ends a 101 as it does any 1xx; that it ends HTTP as well is another rule.
            Framing::Tunnel if head.status() == 101 => self.page.decision((
                "HTTP is over on this connection: what follows is the other protocol",
                "RFC 9110 §7.8",
            ))?,
            Framing::Length(length) => self.page.decision((&of_length(length), &rule))?,
            _ => self.page.decision((decision.rule.text(), &rule))?,
        }
        let kind = OutputKind::of_content_type(head.fields().get("Content-Type"));
        let quotes = self.overheard.is_some();
        let body = BodyView::new('<', decision.framing, head.as_bytes().len());
        let answer = Answer {
            body: body.with_frames(kind != OutputKind::Other).with_quotes(quotes),
            tunnel: BodyView::new('>', Framing::Tunnel, 0).with_quotes(quotes),
            head: std::sync::Arc::clone(head),
            decision,
        };
        // A response that nobody asked for is an exchange as well.
        let exchange = self.exchanges.entry(key).or_insert_with(|| Underway {
            request: BodyView::new('>', Framing::NoBody, 0),
            close: false,
            expect: false,
            answer: None,
        });
        exchange.answer = Some(answer);
        Ok(())
    }

    fn response_head(&mut self, head: &ResponseHead, rule: Option<Rule>) -> io::Result<()> {
        let status = head.status();
        let (text, section) = glossary::status(status, head.class());
        let text = format!("{status}: {text}");
        let start_line = ("the status-line: version, status-code, reason-phrase", "RFC 9112 §4");
        let start = [start_line, (&text[..], section)];
        let remark = |name: &str, value: &str| glossary::response_field(name, value, status, rule);
        self.head('<', head.as_bytes(), head.fields(), start, &remark)
    }

    /// A head, line by line.
    fn head(
        &mut self,
        side: char,
        bytes: &[u8],
        fields: &Fields,
        start: [Remark<'_>; 2],
        remark: &dyn Fn(&str, &str) -> Option<Remark<'static>>,
    ) -> io::Result<()> {
        let (mut at, mut fields) = (0, fields.iter());
        for line in bytes.split_inclusive(|&b| b == b'\n') {
            self.page.hex(side, line, at)?;
            match line {
                _ if at == 0 => {
                    self.page.line(side, line, start[0])?;
                    self.page.remark(start[1])?;
                }
                b"\r\n" | b"\n" => self.page.line(side, line, HEAD_OVER)?,
                [b' ' | b'\t', ..] => {
                    let fold = "the line before goes on, folded: read as if by a space";
                    self.page.line(side, line, (fold, "RFC 9112 §5.2"))?;
                }
                _ => {
                    let field = fields.next();
                    let name = field.map_or("", |field| field.name());
                    let value = String::from_utf8_lossy(field.map_or(b"", |field| field.value()));
                    let remark = remark(name, &value).unwrap_or_default();
                    self.page.line(side, &without_secret(line), remark)?;
                    if self.unix && side == '>' && name.eq_ignore_ascii_case("host") {
                        self.page.remark((reasons::ANY_HOST, ""))?;
                    }
                }
            }
            if !line.ends_with(b"\r\n") {
                let bare = "the line ends with LF alone: read, though it should be CR LF";
                self.page.remark((bare, "RFC 9112 §2.2"))?;
            }
            at += line.len();
        }
        Ok(())
    }

    fn fault(
        &mut self,
        key: (u64, u64),
        x: Option<&Exchange>,
        side: Side,
        fault: &Fault,
    ) -> io::Result<()> {
        let ours = self.overheard.is_none();
        let Fault::Parse(error) = fault else {
            return self.page.decision((&format!("the {side}: {}", fault.text()), fault.section()));
        };
        let (text, section) = (format!("refused: {}", error.kind.text()), error.kind.section());
        let mut shown = false;
        self.with_body(key, side, |body, page| {
            let remark = if ours { (&text[..], section) } else { ("", "") };
            shown = !body.is_whole() && body.broken(page, remark)?;
            Ok(())
        })?;
        let text = match ours {
            true if shown => return Ok(()),
            true if x.is_some() => format!("{text}, at byte {} of the head", error.offset),
            _ => format!("the {side}: {}", fault.text()),
        };
        self.page.decision((&text, section))
    }

    /// Sums an exchange up, and says why its connection was kept or closed.
    fn end(&mut self, key: (u64, u64), kept: bool) -> io::Result<()> {
        let Some(Underway { request, close, answer, .. }) = self.exchanges.remove(&key) else {
            return Ok(());
        };
        let Some(answer) = answer else {
            if request.has_begun() {
                request.end(&mut self.page)?;
            }
            return self.page.decision(("the connection is closed: there was no answer", ""));
        };
        if !request.is_whole() && request.has_begun() {
            request.end(&mut self.page)?;
        }
        answer.tunnel.end(&mut self.page)?;
        answer.body.end(&mut self.page)?;
        let outcome = Outcome {
            kept,
            decision: answer.decision,
            version: answer.head.version(),
            whole: answer.body.is_whole(),
            closers: (close, answer.head.fields().has_token("Connection", "close")),
            unsent: !request.is_whole(),
        };
        self.page.decision(outcome.reason())
    }
}

/// The field line, with `***` for a value that was covered, however long it is.
fn without_secret(line: &[u8]) -> Cow<'_, [u8]> {
    let Some(colon) = line.iter().position(|&b| b == b':') else { return line.into() };
    let (name, value) = (String::from_utf8_lossy(&line[..colon]), line[colon + 1..].trim_ascii());
    if !secrets::is_secret_field(name.trim_end()) || !secrets::is_covered(value) {
        return line.into();
    }
    let scheme = value.split(|&b| b == b' ').next().unwrap_or_default();
    let scheme = if scheme.contains(&b'*') { &b""[..] } else { scheme };
    let space = if scheme.is_empty() { &b""[..] } else { b" " };
    [name.as_bytes(), b": ", scheme, space, b"***\r\n"].concat().into()
}
