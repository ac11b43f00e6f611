//! `ucurl tap --explain`: the exchanges of others, explained as they pass.
//!
//! A line `== connection 1, exchange 2` stands where another than the last begins, or goes on.
//! Content is not on standard output here, so the beginning of each piece of it is shown;
//! credentials never are.
//!
//! What is explained waits to be written before its side of the connection is read again: nothing
//! is left out, and a reader who takes his time (a pager, say) makes the traffic wait.

use super::{Explain, Underway};
use std::fs::File;
use std::io;
use std::sync::Mutex;
use std::time::Duration;
use unix_http::Endpoint;
use unix_http::base::sync::lock;
use unix_http::traffic::{Event, Exchange, Observer, Side};
use unix_http::wire::Framing;

/// An [`Explain`] that listens to a relay.
#[derive(Debug)]
pub struct Overheard(Mutex<State>);

#[derive(Debug)]
struct State {
    explain: Explain,
    target: Endpoint,
    /// The connection and its exchange that the last line told of; 0 for what belongs to none.
    now: (u64, u64),
    /// The others that are under way.
    others: Vec<((u64, u64), Underway)>,
    error: Option<io::Error>,
}

impl Overheard {
    /// Explains to `out` what is passed on to `target`; with `bytes`, a hex view too; with
    /// `colour`, for a terminal.
    pub fn new(out: File, target: &Endpoint, bytes: bool, colour: bool) -> Overheard {
        let mut explain = Explain::new(out, bytes, colour);
        explain.page.content = true;
        explain.toward(target);
        Overheard(Mutex::new(State {
            explain,
            target: target.clone(),
            now: (0, 0),
            others: Vec::new(),
            error: None,
        }))
    }
}

impl Observer for Overheard {
    fn see(&self, connection: u64, _: Duration, event: &Event<'_>) {
        let mut state = lock(&self.0);
        if state.error.is_none() {
            state.error = state.see(connection, event).err();
        }
    }

    fn finish(&self) -> Option<String> {
        let state = lock(&self.0);
        state.error.as_ref().map(|error| format!("the explanation stopped: {error}"))
    }
}

impl State {
    fn see(&mut self, connection: u64, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Opened => {
                self.turn_to(connection, None)?;
                let text =
                    format!("a client has connected; what it says is passed on to {}", self.target);
                self.explain.note(&text, "")
            }
            Event::Refused(why) => {
                self.turn_to(connection, None)?;
                self.explain.note(&format!("a client was turned away: {why}"), "")
            }
            Event::Closed => {
                self.turn_to(connection, None)?;
                self.explain.note("the client and the server have both ended the connection", "")
            }
            Event::Request(x) => {
                self.turn_to(connection, Some(x))?;
                let head = x.request.as_ref().map_or(&b""[..], |head| head.as_bytes());
                self.explain.request_head(head, x.sent.decision.map(|decision| decision.framing))
            }
            Event::Interim(x, head) => {
                self.turn_to(connection, Some(x))?;
                self.explain.interim(head)
            }
            Event::Response(x) => {
                self.turn_to(connection, Some(x))?;
                match (&x.response, x.received.decision) {
                    (Some(head), Some(decision)) => self.explain.response_head(head, decision),
                    // What is wrong with it is told next.
                    (Some(head), None) => self.explain.head(head, None),
                    (None, _) => Ok(()),
                }
            }
            Event::Content(x, side, bytes) | Event::Framing(x, side, bytes) => {
                self.turn_to(connection, Some(x))?;
                match side {
                    Side::Client => self.explain.request_body(bytes),
                    Side::Server => self.explain.response_body(bytes),
                }
            }
            Event::Tunnel(x, side, bytes) => {
                self.turn_to(connection, Some(x))?;
                match side {
                    Side::Client => self.explain.tunnel(bytes),
                    Side::Server => self.explain.response_body(bytes),
                }
            }
            Event::Fault(x, side, fault) => {
                self.turn_to(connection, *x)?;
                // Its rule stands at its end, in brackets.
                let text = format!("the {side}: {fault}");
                let (text, section) =
                    text.trim_end_matches(')').split_once(" (").unwrap_or((&text, ""));
                self.explain.note(text, section)
            }
            Event::Done(x) => self.done(connection, x),
            Event::Ended(side, Some(error)) => {
                self.turn_to(connection, None)?;
                self.explain
                    .note(&format!("the {side}'s side of the connection broke: {error}"), "")
            }
            _ => Ok(()),
        }
    }

    fn done(&mut self, connection: u64, x: &Exchange) -> io::Result<()> {
        self.turn_to(connection, Some(x))?;
        let under_way = self.explain.now.response.is_some();
        let kept = [&x.sent, &x.received].iter().all(|message| {
            message.complete && message.decision.is_some_and(|decision| decision.persistent)
        });
        let tunnel =
            x.received.decision.is_some_and(|decision| decision.framing == Framing::Tunnel);
        match under_way {
            true => self.explain.end(kept && !tunnel)?,
            false => self.explain.now = Underway::default(),
        }
        self.now.1 = 0;
        Ok(())
    }

    /// The next lines tell of this exchange.
    fn turn_to(&mut self, connection: u64, x: Option<&Exchange>) -> io::Result<()> {
        let next = (connection, x.map_or(0, |x| x.number));
        if next == self.now {
            return Ok(());
        }
        let before = std::mem::take(&mut self.explain.now);
        if before.request.is_some() || before.response.is_some() {
            self.others.push((self.now, before));
        }
        if let Some(at) = self.others.iter().position(|(key, _)| *key == next) {
            self.explain.now = self.others.swap_remove(at).1;
        }
        self.now = next;
        let text = match next {
            (connection, 0) => format!("connection {connection}"),
            (connection, number) => format!("connection {connection}, exchange {number}"),
        };
        self.explain.page.print("== ", &text, "")
    }
}
