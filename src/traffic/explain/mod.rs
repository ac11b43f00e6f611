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
//! A remark is made once. Control characters and other bytes that could move a terminal's cursor
//! are shown as `\xNN`. Nothing is left out: a slow reader makes the traffic wait.
//!
//! ```
//! use std::time::Duration;
//! use unix_http::traffic::{Conversation, Explain, Observer, Side};
//!
//! let (reader, writer) = std::io::pipe()?;
//! let explain = Explain::new(writer);
//! let (mut conversation, now) = (Conversation::new(true), Duration::ZERO);
//! let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
//! conversation.bytes(Side::Client, now, request, &mut |event| explain.see(1, now, event));
//! drop(explain);
//! let shown = std::io::read_to_string(reader)?;
//! assert!(shown.starts_with("> GET / HTTP/1.1\\r\\n\n    the request-line: method"));
//! # Ok::<(), std::io::Error>(())
//! ```

mod body;
mod glossary;
mod head;
mod page;

use super::event::{Event, Fault, Observer};
use super::exchange::{Exchange, Side};
use crate::base::sync::lock;
use crate::docker::OutputKind;
use crate::wire::framing::Rule;
use crate::wire::{Decision, Framing, ResponseHead, Version};
use body::BodyView;
use page::Page;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Explains exchanges: one's own, or those that others have.
#[derive(Debug)]
pub struct Explain(Mutex<Explanation>);

#[derive(Debug)]
struct Explanation {
    page: Page,
    /// Requests go to a Unix socket.
    unix: bool,
    /// Where the traffic of others is passed on to; `None` where it is one's own.
    overheard: Option<String>,
    /// What the last line told of.
    now: Key,
    exchanges: BTreeMap<Key, Underway>,
    error: Option<io::Error>,
}

/// A connection and its exchange; 0 for what belongs to none.
type Key = (u64, u64);

/// How far an exchange has come.
#[derive(Debug)]
struct Underway {
    request: BodyView,
    /// The request said `Connection: close`, and `Expect`.
    close: bool,
    expect: bool,
    answer: Option<Answer>,
}

/// A response on its way.
#[derive(Debug)]
struct Answer {
    body: BodyView,
    /// What is sent once the connection is not HTTP any more.
    tunnel: BodyView,
    head: Arc<ResponseHead>,
    decision: Decision,
}

impl Explain {
    /// Explains one's own exchanges, as a client has them, to `out`.
    pub fn new(out: impl Write + Send + 'static) -> Explain {
        Explain(Mutex::new(Explanation {
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
        self.write(|explanation| explanation.page.decision((text, section)));
    }

    /// An exchange of one's own is over; whether its connection was kept for the next.
    pub fn end(&self, connection: u64, kept: bool) {
        self.write(|explanation| explanation.end((connection, 1), kept));
    }

    /// After the first error nothing more is written.
    fn write(&self, write: impl FnOnce(&mut Explanation) -> io::Result<()>) {
        let mut explanation = lock(&self.0);
        if explanation.error.is_none() {
            explanation.error = write(&mut explanation).err();
        }
    }
}

impl Observer for Explain {
    fn see(&self, connection: u64, _: Duration, event: &Event<'_>) {
        self.write(|explanation| match event.exchange() {
            Some(x) => explanation.of_exchange((connection, x.number), x, event),
            None => explanation.of_connection((connection, 0), event),
        });
    }

    fn flush(&self) {
        self.write(|explanation| explanation.page.flush());
    }

    fn finish(&self) -> Option<String> {
        self.flush();
        let explanation = lock(&self.0);
        explanation.error.as_ref().map(|error| format!("the explanation stopped: {error}"))
    }
}

impl Explanation {
    fn of_connection(&mut self, key: Key, event: &Event<'_>) -> io::Result<()> {
        let text = match event {
            Event::Opened => {
                let target = self.overheard.as_deref().unwrap_or_default();
                format!("a client has connected; what it says is passed on to {target}")
            }
            Event::Refused(why) => format!("a client was turned away: {why}"),
            Event::Closed => glossary::decision("closed").0.into(),
            Event::Ended(side, Some(error)) => {
                format!("the {side}'s side of the connection broke: {error}")
            }
            Event::Fault(_, side, fault) => {
                self.turn_to(key)?;
                return self.fault(key, *side, fault);
            }
            _ => return Ok(()),
        };
        self.turn_to(key)?;
        self.page.decision((&text, ""))
    }

    fn of_exchange(&mut self, key: Key, x: &Exchange, event: &Event<'_>) -> io::Result<()> {
        if !matches!(event, Event::End(..)) {
            self.turn_to(key)?;
        }
        match event {
            Event::Request(_) => self.request(key, x),
            Event::Interim(_, head) => {
                self.response_head(head, None)?;
                self.page.decision(glossary::decision("interim"))
            }
            Event::Response(_) => self.response(key, x),
            Event::Framing(_, side, bytes) => match self.body(key, *side) {
                Some((body, page)) => body.framing(page, bytes),
                None => Ok(()),
            },
            Event::Tunnel(_, Side::Client, bytes) => match self.exchanges.get_mut(&key) {
                Some(Underway { answer: Some(answer), .. }) => {
                    answer.tunnel.content(&mut self.page, bytes)
                }
                _ => Ok(()),
            },
            Event::Content(_, side, bytes) | Event::Tunnel(_, side, bytes) => {
                match self.body(key, *side) {
                    Some((body, page)) => body.content(page, bytes),
                    None => Ok(()),
                }
            }
            Event::End(_, side, _) => {
                if let Some((body, _)) = self.body(key, *side) {
                    body.whole = true;
                }
                Ok(())
            }
            Event::Fault(_, side, fault) => self.fault(key, *side, fault),
            // One's own exchange is over when the client has decided about its connection.
            Event::Done(_) if self.overheard.is_some() => self.done(key, x),
            _ => Ok(()),
        }
    }

    /// The next lines tell of this exchange.
    fn turn_to(&mut self, next: Key) -> io::Result<()> {
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

    fn body(&mut self, key: Key, side: Side) -> Option<(&mut BodyView, &mut Page)> {
        let exchange = self.exchanges.get_mut(&key)?;
        let body = match side {
            Side::Client => &mut exchange.request,
            Side::Server => &mut exchange.answer.as_mut()?.body,
        };
        Some((body, &mut self.page))
    }

    fn request(&mut self, key: Key, x: &Exchange) -> io::Result<()> {
        let Some(head) = &x.request else { return Ok(()) };
        let framing = x.sent.decision.map(|decision| decision.framing);
        self.request_head(head, !matches!(framing, Some(Framing::NoBody | Framing::Length(0))))?;
        if let Some(Decision { framing, rule, .. }) = x.sent.decision {
            let text = match framing {
                Framing::Length(length) => of_length(length),
                Framing::NoBody => glossary::decision("request without body").0.into(),
                _ => rule.text().into(),
            };
            self.page.decision((&text, &section_6_3(rule)))?;
        }
        let framing = framing.unwrap_or(Framing::NoBody);
        let body = BodyView::new('>', framing, head.as_bytes().len());
        if self.overheard.is_none() {
            // Attempts that were never answered are over.
            self.exchanges.retain(|_, exchange| exchange.answer.is_some());
        }
        self.exchanges.insert(
            key,
            Underway {
                request: body.with_quotes(self.overheard.is_some()),
                close: head.fields().has_token("Connection", "close"),
                expect: head.fields().get("Expect").is_some(),
                answer: None,
            },
        );
        Ok(())
    }

    fn response(&mut self, key: Key, x: &Exchange) -> io::Result<()> {
        let Some(head) = &x.response else { return Ok(()) };
        let Some(decision) = x.received.decision else { return self.response_head(head, None) };
        if let Some(Underway { request, expect, .. }) = self.exchanges.get(&key) {
            match (request.whole, *expect && !request.has_begun()) {
                (true, _) => request.end(&mut self.page)?,
                (_, true) => self.page.decision(glossary::decision("content not sent"))?,
                (_, false) => self.page.decision(glossary::decision("early answer"))?,
            }
        }
        self.response_head(head, Some(decision.rule))?;
        let rule = section_6_3(decision.rule);
        match decision.framing {
            // §6.3 ends a 101 as it does any 1xx; that it ends HTTP as well is another rule.
            Framing::Tunnel if head.status() == 101 => {
                self.page.decision(glossary::decision("upgraded"))?
            }
            Framing::Length(length) => self.page.decision((&of_length(length), &rule))?,
            _ => self.page.decision((decision.rule.text(), &rule))?,
        }
        let kind = OutputKind::of_content_type(head.fields().get("Content-Type"));
        let quotes = self.overheard.is_some();
        let body = BodyView::new('<', decision.framing, head.as_bytes().len());
        let answer = Answer {
            body: body.with_frames(kind != OutputKind::Other).with_quotes(quotes),
            tunnel: BodyView::new('>', Framing::Tunnel, 0).with_quotes(quotes),
            head: Arc::clone(head),
            decision,
        };
        // A response that nobody asked for is an exchange as well.
        let request = BodyView::new('>', Framing::NoBody, 0);
        let unasked = Underway { request, close: false, expect: false, answer: None };
        self.exchanges.entry(key).or_insert(unasked).answer = Some(answer);
        Ok(())
    }

    fn fault(&mut self, key: Key, side: Side, fault: &Fault) -> io::Result<()> {
        let ours = self.overheard.is_none();
        let mut text = format!("the {side}: {}", fault.text());
        if let Fault::Parse(error) = fault {
            let refused = format!("refused: {}", error.kind.text());
            let remark = if ours { (&refused[..], error.kind.section()) } else { ("", "") };
            if let Some((body, page)) = self.body(key, side)
                && body.broken(page, remark)?
                && ours
            {
                return Ok(());
            }
            if ours {
                text = format!("{refused}, at byte {} of the head", error.offset);
            }
        }
        self.page.decision((&text, fault.section()))
    }

    /// An exchange of others is over.
    fn done(&mut self, key: Key, x: &Exchange) -> io::Result<()> {
        self.now.1 = 0;
        let kept = [&x.sent, &x.received].iter().all(|message| {
            message.complete && message.decision.is_some_and(|decision| decision.persistent)
        });
        match self.exchanges.get(&key) {
            Some(Underway { answer: Some(_), .. }) => self.end(key, kept && !x.is_tunnel()),
            // That it was not answered has been told as a fault.
            _ => {
                self.exchanges.remove(&key);
                Ok(())
            }
        }
    }

    /// Sums an exchange up, and says why its connection was kept or closed.
    fn end(&mut self, key: Key, kept: bool) -> io::Result<()> {
        let Some(exchange) = self.exchanges.remove(&key) else { return Ok(()) };
        let page = &mut self.page;
        if exchange.request.has_begun() && (!exchange.request.whole || exchange.answer.is_none()) {
            exchange.request.end(page)?;
        }
        if let Some(answer) = &exchange.answer {
            answer.tunnel.end(page)?;
            answer.body.end(page)?;
        }
        page.decision(glossary::decision(exchange.outcome(kept)))
    }
}

impl Underway {
    /// The glossary's name for what became of the connection, and why.
    fn outcome(&self, kept: bool) -> &'static str {
        let Some(Answer { body, head, decision, .. }) = &self.answer else { return "no answer" };
        let old = head.version() == Version::Http10;
        match decision.framing {
            _ if kept && old => return "kept by 1.0",
            _ if kept => return "kept",
            Framing::Tunnel => return "end of tunnel",
            Framing::UntilClose => return "end of body",
            _ if !body.whole => return "cut short",
            _ if decision.rule == Rule::TransferEncodingOverLength => return "two lengths",
            Framing::Chunked if old => return "chunks from 1.0",
            _ => {}
        }
        match (self.close, head.fields().has_token("Connection", "close")) {
            (true, true) => "both closed",
            (true, false) => "request closed",
            (false, true) => "server closed",
            _ if old => "not kept by 1.0",
            _ if !self.request.whole => "not all sent",
            _ if !decision.persistent => "contradiction",
            _ => "left over",
        }
    }
}

fn of_length(length: u64) -> String {
    match length {
        0 => "Content-Length: 0, so there is no content".into(),
        _ => format!("Content-Length: {length}, so the body ends after that many bytes"),
    }
}

fn section_6_3(rule: Rule) -> String {
    format!("RFC 9112 §6.3, item {}", rule.item())
}
