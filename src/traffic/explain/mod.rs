//! The annotated view: every line of an exchange with its purpose and its RFC section.
//!
//! ```text
//! > GET /version HTTP/1.1\r\n        a line that was sent, with its CR LF
//! < HTTP/1.1 200 OK\r\n              a line that was received
//!     a remark · RFC 9112 §4
//! = a decision that both sides must agree on
//! == connection 1, exchange 2        in a tap: the following lines belong to this exchange
//! ```
//!
//! Each remark is made once. Control characters are shown as `\xNN`. Nothing is left out: a slow
//! reader delays the traffic.
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
mod page;
mod remarks;

use super::event::{Event, Fault, FaultKind, Observer};
use super::exchange::{Exchange, Side};
use super::until_error::UntilError;
use crate::docker::is_framed;
use crate::transport::Endpoint;
use crate::wire::Framing;
use body::BodyView;
use page::ExplainPage;
#[cfg(feature = "page")]
pub(crate) use page::without_secret;
pub(crate) use remarks::{
    ExplainedLine, Remark, framing, is_kept, outcome, remark, request_lines, response_lines,
};
use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

/// Explains exchanges: those of a client, or those that pass a tap.
pub struct Explain(UntilError<Explanation>);

struct Explanation {
    out: Box<dyn Write + Send>,
    page: ExplainPage,
    /// Whether requests go to a Unix socket.
    unix: bool,
    /// The target of a tap; `None` for a client.
    overheard: Option<String>,
    /// The exchange of the last line.
    now: Key,
    exchanges: BTreeMap<Key, Underway>,
}

/// A connection and its exchange, or 0 for none.
type Key = (u64, u64);

/// An exchange that is not over.
#[derive(Default)]
struct Underway {
    x: Exchange,
    /// What the client sends and what the server sends after their heads.
    bodies: [BodyView; 2],
}

impl Underway {
    /// Whether a response with valid framing has arrived.
    fn is_answered(&self) -> bool {
        self.x.received.decision.is_some()
    }
}

impl Explain {
    /// Explains the exchanges of a client to `out`.
    pub fn new(out: impl Write + Send + 'static) -> Explain {
        let (out, page, exchanges) = (Box::new(out), ExplainPage::default(), BTreeMap::new());
        let (unix, overheard, now) = (false, None, (0, 0));
        let explanation = Explanation { out, page, unix, overheard, now, exchanges };
        Explain(UntilError::new("the explanation", explanation))
    }

    /// Lets `explain` fill the page, and writes it.
    fn write(&self, explain: impl FnOnce(&mut Explanation)) {
        self.0.write(|explanation| {
            explain(explanation);
            let text = std::mem::take(&mut explanation.page.text);
            if text.is_empty() { Ok(()) } else { explanation.out.write_all(text.as_bytes()) }
        });
    }

    /// Explains exchanges that a tap forwards to `target`, and quotes the beginning of received
    /// content too.
    #[must_use]
    pub fn overheard(self, target: &Endpoint) -> Explain {
        self.toward_unix(matches!(target, Endpoint::Unix(_) | Endpoint::Abstract(_)));
        self.0.with(|explanation| explanation.overheard = Some(target.to_string()));
        self
    }

    /// Adds a hex view of everything.
    #[must_use]
    pub fn bytes(self, bytes: bool) -> Explain {
        self.0.with(|explanation| explanation.page.bytes = bytes);
        self
    }

    /// Writes with a terminal's colours.
    #[must_use]
    pub fn colour(self, colour: bool) -> Explain {
        self.0.with(|explanation| explanation.page.colour = colour);
        self
    }

    /// Sets whether requests go to a Unix socket.
    pub fn toward_unix(&self, unix: bool) {
        self.0.with(|explanation| explanation.unix = unix);
    }

    /// Writes a decision of the client, such as its endpoint, and the section of its rule.
    pub fn note(&self, text: &str, section: &str) {
        self.write(|explanation| explanation.page.decision((text.into(), section)));
    }

    /// Ends an exchange of the client; `kept` tells whether it keeps the connection.
    pub fn end(&self, connection: u64, kept: bool) {
        self.write(|explanation| explanation.end((connection, 1), kept));
    }
}

impl Observer for Explain {
    fn see(&self, connection: u64, _: Duration, event: &Event<'_>) {
        self.write(|explanation| match event.exchange() {
            Some(x) => explanation.of_exchange((connection, x.number), x, event),
            None => explanation.of_connection((connection, 0), event),
        });
    }

    fn flush(&self) -> Option<String> {
        self.0.write(|explanation| explanation.out.flush())
    }
}

impl std::fmt::Debug for Explain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Explain").finish_non_exhaustive()
    }
}

impl Explanation {
    fn of_connection(&mut self, key: Key, event: &Event<'_>) {
        let text = match event {
            Event::Opened => {
                let target = self.overheard.as_deref().unwrap_or_default();
                format!("a client has connected; its bytes are forwarded to {target}")
            }
            Event::Refused(why) => format!("a client was rejected: {why}"),
            Event::Closed => remark("closed").0.into(),
            Event::Ended(side, Some(error)) => {
                format!("the {side}'s side of the connection failed: {error}")
            }
            Event::Fault(_, side, fault) => {
                self.turn_to(key);
                return self.fault(key, *side, fault);
            }
            _ => return,
        };
        self.turn_to(key);
        self.page.decision((text.into(), ""))
    }

    fn of_exchange(&mut self, key: Key, x: &Exchange, event: &Event<'_>) {
        if !matches!(event, Event::End(..)) {
            self.turn_to(key);
        }
        match event {
            Event::Request(_) => self.request(key, x),
            Event::Interim(_, head) => {
                self.head('<', &response_lines(head, None));
                self.page.decision(remark("interim"))
            }
            Event::Response(_) => self.response(key, x),
            Event::Framing(_, side, bytes) => {
                self.in_body(key, *side, |body, page| body.framing(page, bytes));
            }
            Event::Content(_, side, bytes) => {
                self.in_body(key, *side, |body, page| body.content(page, bytes));
            }
            Event::Tunnel(_, side, bytes) if x.response.is_some() => {
                let quotes = self.overheard.is_some();
                self.in_body(key, *side, |body, page| {
                    // The request has ended.
                    if body.framing != Framing::Tunnel {
                        *body = BodyView::new('>', Framing::Tunnel, 0, quotes, false);
                    }
                    body.content(page, bytes);
                });
            }
            Event::End(_, side, _) => {
                self.in_body(key, *side, |body, _| body.unfinished = false);
            }
            Event::Fault(_, side, fault) => self.fault(key, *side, fault),
            // A client ends its exchanges itself, when it has kept or closed the connection.
            Event::Done(_) if self.overheard.is_some() => self.done(key, x),
            _ => {}
        }
        if let Some(exchange) = self.exchanges.get_mut(&key) {
            exchange.x = x.clone();
        }
    }

    /// Writes a heading if the next lines belong to another exchange.
    fn turn_to(&mut self, next: Key) {
        if std::mem::replace(&mut self.now, next) == next || self.overheard.is_none() {
            return;
        }
        let (connection, exchange) = next;
        let exchange = if exchange > 0 { format!(", exchange {exchange}") } else { String::new() };
        self.page.heading(&format!("connection {connection}{exchange}"))
    }

    fn in_body<R>(
        &mut self,
        key: Key,
        side: Side,
        show: impl FnOnce(&mut BodyView, &mut ExplainPage) -> R,
    ) -> Option<R> {
        let exchange = self.exchanges.get_mut(&key)?;
        Some(show(&mut exchange.bodies[side as usize], &mut self.page))
    }

    fn request(&mut self, key: Key, x: &Exchange) {
        let Some(head) = &x.request else { return };
        self.head('>', &request_lines(head, x.sent.decision, self.unix));
        if let Some(decision) = &x.sent.decision {
            self.page.decision(framing(decision, None));
        }
        if self.overheard.is_none() {
            // Attempts without a response are over.
            self.exchanges.retain(|_, exchange| exchange.is_answered());
        }
        let framing = x.sent.decision.map_or(Framing::NoBody, |decision| decision.framing);
        let len = head.as_bytes().len();
        self.begin(key, x, Side::Client, BodyView::new('>', framing, len, true, false));
    }

    fn response(&mut self, key: Key, x: &Exchange) {
        let Some(head) = &x.response else { return };
        let Some(decision) = x.received.decision else {
            return self.head('<', &response_lines(head, None));
        };
        if let Some(Underway { bodies: [request, _], .. }) = self.exchanges.get(&key) {
            let expects = x.fields(Side::Client).is_some_and(|it| it.get("Expect").is_some());
            match (request.unfinished, expects && !request.has_begun()) {
                (false, _) => request.end(&mut self.page),
                (_, true) => self.page.decision(remark("content not sent")),
                (_, false) => self.page.decision(remark("early answer")),
            }
        }
        self.head('<', &response_lines(head, Some(decision.rule)));
        self.page.decision(framing(&decision, Some(head.status())));
        let (len, quotes) = (head.as_bytes().len(), self.overheard.is_some());
        let frames = is_framed(head.fields().get("Content-Type")) != Some(false);
        let body = BodyView::new('<', decision.framing, len, quotes, frames);
        self.begin(key, x, Side::Server, body);
    }

    /// Begins the body of one side. A response without a request is an exchange too.
    fn begin(&mut self, key: Key, x: &Exchange, side: Side, body: BodyView) {
        let exchange = self.exchanges.entry(key).or_default();
        exchange.x = x.clone();
        exchange.bodies[side as usize] = body;
    }

    fn head(&mut self, side: char, lines: &[ExplainedLine<'_>]) {
        let mut at = 0;
        for ExplainedLine { line, remarks } in lines {
            self.page.hex(side, line, at);
            self.page.line(side, line, Remark::default());
            remarks.iter().for_each(|remark| self.page.remark(remark));
            at += line.len();
        }
    }

    fn fault(&mut self, key: Key, side: Side, fault: &Fault) {
        let ours = self.overheard.is_none();
        let mut text = format!("the {side}: {}", fault.text());
        if let FaultKind::Parse(error) = fault.0 {
            let rejected = format!("rejected: {}", error.violation.text());
            let remark = match ours {
                true => (rejected.as_str().into(), error.violation.section()),
                false => Remark::default(),
            };
            let shown = self.in_body(key, side, |body, page| body.broken(page, remark));
            if ours && shown == Some(true) {
                return;
            }
            if ours {
                text = format!("{rejected}, at byte {} of the head", error.offset);
            }
        }
        self.page.decision((text.into(), fault.section()))
    }

    /// Ends an exchange of a tap.
    fn done(&mut self, key: Key, x: &Exchange) {
        self.now.1 = 0;
        // A missing response was reported as a fault.
        if self.exchanges.get(&key).is_some_and(|exchange| !exchange.is_answered()) {
            self.exchanges.remove(&key);
        }
        self.end(key, is_kept(x))
    }

    /// Writes the sums of an exchange, and explains why its connection was kept or closed.
    fn end(&mut self, key: Key, kept: bool) {
        let Some(exchange) = self.exchanges.remove(&key) else { return };
        let [request, response] = &exchange.bodies;
        // The sum of a whole request was written before its response.
        let written =
            !request.unfinished && exchange.is_answered() && request.framing != Framing::Tunnel;
        if request.has_begun() && !written {
            request.end(&mut self.page);
        }
        response.end(&mut self.page);
        self.page.decision(remark(outcome(&exchange.x, kept)))
    }
}
