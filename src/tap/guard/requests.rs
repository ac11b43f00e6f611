//! The requests of one guarded connection, in turn with the responses.
//!
//! A request is read and checked when the response before it is over. After an upgrade, bytes pass
//! once the engine has agreed with 101; after any other response they are requests again.

use super::request::BODY_LIMIT;
use super::rules::AllowList;
use crate::base::sync::lock;
use crate::connection::Connection;
use crate::error::Error;
use crate::tap::gate::{Denied, Gate};
use crate::traffic::{Conversation, Event, Side};
use crate::transport::Stream;
use crate::wire::{
    BodyDecoder, Fields, Framing, OVERHEAD_LIMIT, RequestDecoder, encode_chunk, encode_last_chunk,
    framing,
};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
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
            Event::Done(x) if *phase == Phase::Response && !x.is_tunnel() => {
                *phase = Phase::Request;
            }
            Event::Fault(..) => *phase = Phase::Over,
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
    fn wait(&self) -> io::Result<Phase> {
        let responds = |(phase, _): &mut (Phase, _)| *phase == Phase::Response;
        let state = self.changed.wait_while(lock(&self.state), responds);
        match state.unwrap_or_else(PoisonError::into_inner).0 {
            Phase::Over => Err(io::ErrorKind::BrokenPipe.into()),
            phase => Ok(phase),
        }
    }
}

/// Reads what a client sends, as the engine may have it. A request that is refused is an error with
/// [`Denied`] inside.
pub(in crate::tap) struct GuardedRequests<'a> {
    rules: &'a AllowList,
    gate: Option<Gate>,
    turn: &'a Turn,
    connection: Connection<&'a Stream>,
    state: State,
    passed: VecDeque<u8>,
}

enum State {
    Head,
    /// Content that is not collected: an archive, or another protocol.
    Content(BodyDecoder),
    /// The engine was asked for another protocol.
    Upgrade,
}

impl<'a> GuardedRequests<'a> {
    pub fn new(
        rules: &'a AllowList,
        gate: Option<Gate>,
        turn: &'a Turn,
        client: &'a Stream,
    ) -> GuardedRequests<'a> {
        let (connection, passed) = (Connection::new(client), VecDeque::new());
        GuardedRequests { rules, gate, turn, connection, state: State::Head, passed }
    }

    /// Returns the next bytes for the engine; none at the end.
    fn next(&mut self) -> io::Result<Vec<u8>> {
        let mut body = match std::mem::replace(&mut self.state, State::Head) {
            State::Content(body) => body,
            State::Upgrade if self.turn.wait()? == Phase::Tunnel => {
                BodyDecoder::new(Framing::UntilClose, 0, 0)
            }
            _ => return self.request(),
        };
        let mut out = Vec::new();
        let content = self.connection.fill_body(&mut body)?;
        match (content, body.is_chunked()) {
            (content @ [_, ..], true) => encode_chunk(&mut out, content),
            (content @ [_, ..], false) => out.extend_from_slice(content),
            ([], true) => encode_last_chunk(&mut out, &Fields::new()),
            ([], false) if body.is_done() => return self.request(),
            ([], false) => return Ok(out),
        }
        let n = content.len();
        self.connection.consume_body(n);
        if n > 0 {
            self.state = State::Content(body);
        }
        Ok(out)
    }

    /// Reads a request and checks it.
    fn request(&mut self) -> io::Result<Vec<u8>> {
        let mut decoder = RequestDecoder::new();
        let readable = |error| match error {
            Error::Parse(error) => Denied::from(error).into(),
            error => io::Error::from(error),
        };
        let read = self.connection.read_head(&mut decoder).map_err(readable)?;
        let (Some(len), head) = (read, decoder.head()) else { return Ok(Vec::new()) };
        self.turn.wait()?;
        head.host().map_err(Denied::from)?;
        self.gate.as_ref().map_or(Ok(()), |gate| gate.check(head))?;
        let framing = framing::request(head).map_err(Denied::from)?.framing;
        let mut body = BodyDecoder::of_request(framing, len as u64, OVERHEAD_LIMIT);
        if head.fields().get("Expect").is_some() && !body.is_done() {
            self.connection.stream_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        if !body.is_done()
            && let Ok(passed) = self.rules.admit(head, None)
        {
            self.state = State::Content(body);
            return Ok(passed);
        }
        let mut content = Vec::new();
        while content.len() <= BODY_LIMIT {
            let bytes = self.connection.fill_body(&mut body).map_err(readable)?;
            if bytes.is_empty() {
                break;
            }
            content.extend_from_slice(bytes);
            let n = bytes.len();
            self.connection.consume_body(n);
        }
        let passed = self.rules.admit(head, Some(&content))?;
        if head.fields().get("Upgrade").is_some() {
            self.state = State::Upgrade;
        }
        Ok(passed)
    }
}

impl Read for GuardedRequests<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.passed.is_empty() {
            self.passed = self.next()?.into();
            self.turn.follow(Side::Client, self.passed.make_contiguous());
        }
        self.passed.read(out)
    }
}
