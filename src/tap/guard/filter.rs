//! One guarded connection: a request, its response, then the next.
//!
//! A request is passed when the response before it is over. After an upgrade, bytes pass once the
//! engine has agreed with 101; after any other response they are requests again, and are checked.

use super::request::BODY_LIMIT;
use super::rules::AllowList;
use crate::base::sync::lock;
use crate::tap::gate::{Denied, Filter, Gate};
use crate::traffic::{Conversation, Event, Side};
use crate::transport::Stream;
use crate::wire::{
    BodyDecoder, Fields, OVERHEAD_LIMIT, Progress, RequestDecoder, encode_chunk, encode_last_chunk,
    framing,
};
use std::io::Write;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Whose turn it is on a connection.
#[derive(Debug)]
pub(in crate::tap) struct Turn {
    state: Mutex<(Phase, Conversation)>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Request,
    Response,
    Tunnel,
    /// The engine has ended, or speaks no HTTP.
    Over,
}

impl Turn {
    pub fn new() -> Turn {
        let state = Mutex::new((Phase::Request, Conversation::new(false)));
        Turn { state, changed: Condvar::new() }
    }

    /// Follows bytes that are passed on.
    pub fn follow(&self, side: Side, bytes: &[u8]) {
        let (phase, conversation) = &mut *lock(&self.state);
        if *phase == Phase::Tunnel || bytes.is_empty() {
            return;
        }
        conversation.bytes(side, Duration::ZERO, bytes, &mut |event| match event {
            _ if *phase == Phase::Over => {}
            Event::Request(_) => *phase = Phase::Response,
            Event::Response(x) if x.is_tunnel() && x.asks_for_tunnel() => *phase = Phase::Tunnel,
            Event::Fault(..) => *phase = Phase::Over,
            Event::Done(x) if *phase == Phase::Response => {
                *phase = if x.is_tunnel() { Phase::Over } else { Phase::Request };
            }
            _ => {}
        });
        self.changed.notify_all();
    }

    /// Reports that the engine has ended.
    pub fn end(&self) {
        lock(&self.state).0 = Phase::Over;
        self.changed.notify_all();
    }

    /// Waits until no response is under way.
    fn wait(&self) -> Result<Phase, Denied> {
        let wait = |(phase, _): &mut (Phase, _)| *phase == Phase::Response;
        let state = self.changed.wait_while(lock(&self.state), wait);
        match state.unwrap_or_else(PoisonError::into_inner).0 {
            Phase::Over => Err(Denied::new(502, "the engine has ended the connection".into())),
            phase => Ok(phase),
        }
    }
}

/// Passes the requests that the rules allow.
pub(in crate::tap) struct RequestFilter<'a> {
    rules: &'a AllowList,
    gate: Option<Gate>,
    turn: &'a Turn,
    client: &'a Stream,
    state: State,
    held: Vec<u8>,
    decoder: RequestDecoder,
}

enum State {
    Head,
    /// A body that is collected.
    Body(BodyDecoder, Vec<u8>),
    /// A body that passes.
    Archive(BodyDecoder),
    Upgrade,
    Tunnel,
}

impl<'a> RequestFilter<'a> {
    pub fn new(
        rules: &'a AllowList,
        gate: Option<Gate>,
        turn: &'a Turn,
        client: &'a Stream,
    ) -> RequestFilter<'a> {
        let (held, decoder) = Default::default();
        RequestFilter { rules, gate, turn, client, state: State::Head, held, decoder }
    }

    /// Looks at a head.
    fn head(&mut self, len: usize) -> Result<State, Denied> {
        self.turn.wait()?;
        let head = self.decoder.head();
        head.host()?;
        self.gate.as_ref().map_or(Ok(()), |gate| gate.check(head))?;
        let framing = framing::request(head)?.framing;
        let body = BodyDecoder::of_request(framing, len as u64, OVERHEAD_LIMIT);
        if head.fields().get("Expect").is_some() && !body.is_done() {
            // A client that is gone is noticed by the next read.
            _ = { self.client }.write_all(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        Ok(State::Body(body, Vec::new()))
    }

    /// Takes the body of a request that is held back. Returns whether the request was passed.
    fn body(
        &mut self,
        mut body: BodyDecoder,
        mut content: Vec<u8>,
        passed: &mut Vec<u8>,
    ) -> Result<bool, Denied> {
        let head = self.decoder.head();
        let archive = content.is_empty() && !body.is_done() && self.rules.takes_archive(head)?;
        while !archive && !body.is_done() {
            let step = body.step(&self.held)?;
            content.extend_from_slice(&self.held[step.framing..step.framing + step.data]);
            body.consume(step.data);
            self.held.drain(..step.framing + step.data);
            if step.framing + step.data == 0 && !body.is_done() && content.len() <= BODY_LIMIT {
                self.state = State::Body(body, content);
                return Ok(false);
            }
        }
        passed.extend(self.rules.admit(head, (!archive).then_some(&content))?);
        self.state = match archive {
            true => State::Archive(body),
            false if head.fields().get("Upgrade").is_some() => State::Upgrade,
            false => State::Head,
        };
        self.decoder.reset(OVERHEAD_LIMIT);
        Ok(true)
    }

    /// Passes what has come of an archive. Returns whether anything had.
    fn archive(&mut self, body: &mut BodyDecoder, passed: &mut Vec<u8>) -> Result<bool, Denied> {
        let step = body.step(&self.held)?;
        let content = &self.held[step.framing..step.framing + step.data];
        match body.is_chunked() {
            true if !content.is_empty() => encode_chunk(passed, content),
            true if body.is_done() => encode_last_chunk(passed, &Fields::new()),
            _ => passed.extend_from_slice(content),
        }
        body.consume(step.data);
        self.held.drain(..step.framing + step.data);
        Ok(step.framing + step.data > 0)
    }
}

impl Filter for RequestFilter<'_> {
    fn filter(&mut self, bytes: &[u8], passed: &mut Vec<u8>) -> Result<bool, Denied> {
        self.held.extend_from_slice(bytes);
        let mut more = true;
        while more && passed.is_empty() {
            match std::mem::replace(&mut self.state, State::Head) {
                State::Head if self.held.is_empty() => more = false,
                State::Head => match self.decoder.decode(&self.held)? {
                    Progress::Partial => more = false,
                    Progress::Complete { len } => {
                        self.state = self.head(len)?;
                        self.held.drain(..len);
                    }
                },
                State::Body(body, content) => more = self.body(body, content, passed)?,
                State::Archive(mut body) => {
                    more = self.archive(&mut body, passed)? || body.is_done();
                    self.state = if body.is_done() { State::Head } else { State::Archive(body) };
                }
                State::Upgrade if self.held.is_empty() => {
                    self.state = State::Upgrade;
                    more = false;
                }
                State::Upgrade if self.turn.wait()? == Phase::Tunnel => self.state = State::Tunnel,
                State::Upgrade => {}
                State::Tunnel => {
                    passed.append(&mut self.held);
                    self.state = State::Tunnel;
                    more = false;
                }
            }
        }
        self.turn.follow(Side::Client, passed);
        Ok(more)
    }

    fn answer(&self) -> Option<bool> {
        Some(self.decoder.head().method() != "HEAD")
    }
}
