//! The requests of one guarded connection, alternating with the responses.
//!
//! A request is read and checked when the previous response has ended. After an upgrade, bytes pass
//! once the engine has agreed with 101; after any other response they are requests again.

use super::request::BODY_LIMIT;
use super::rules::AllowList;
use crate::base::sync::Watched;
use crate::connection::Connection;
use crate::error::Error;
use crate::tap::gate::{Denied, Gate};
use crate::traffic::{Conversation, Event, Side};
use crate::transport::Stream;
use crate::wire::{BodyDecoder, Fields, Framing, OVERHEAD_LIMIT, RequestDecoder, framing};
use crate::wire::{encode_chunk, encode_last_chunk};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::time::Duration;

/// Whose turn it is on a connection.
#[derive(Debug)]
pub(in crate::tap) struct Turn(Watched<(Phase, Conversation)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Request,
    Response,
    Tunnel,
    /// The engine has ended, or does not speak HTTP.
    Over,
}

impl Turn {
    pub fn new() -> Turn {
        Turn(Watched::new((Phase::Request, Conversation::new(false))))
    }

    /// Follows the forwarded bytes.
    pub fn follow(&self, side: Side, bytes: &[u8]) {
        self.0.change(|(phase, conversation)| {
            if *phase == Phase::Tunnel || bytes.is_empty() {
                return;
            }
            conversation.bytes(side, Duration::ZERO, bytes, &mut |event| match event {
                _ if *phase == Phase::Over => {}
                Event::Request(_) => *phase = Phase::Response,
                Event::Response(x) if x.is_tunnel() && x.asks_for_tunnel() => {
                    *phase = Phase::Tunnel;
                }
                Event::Done(x) if *phase != Phase::Tunnel && !x.is_tunnel() => {
                    *phase = Phase::Request;
                }
                Event::Fault(..) => *phase = Phase::Over,
                _ => {}
            });
        });
    }

    /// Reports that the engine has ended.
    pub fn end(&self) {
        self.0.change(|(phase, _)| *phase = Phase::Over);
    }

    /// Waits until no response is in progress.
    fn wait(&self) -> io::Result<Phase> {
        match self.0.wait_while(Duration::MAX, |(phase, _)| *phase == Phase::Response).0 {
            Phase::Over => Err(io::ErrorKind::BrokenPipe.into()),
            phase => Ok(phase),
        }
    }
}

/// Reads the allowed requests in their encoding for the engine. A refusal is an error with
/// [`Denied`] inside.
pub(in crate::tap) struct GuardedRequests<'a> {
    rules: &'a AllowList,
    gate: Option<Gate>,
    turn: &'a Turn,
    connection: Connection<&'a Stream>,
    /// Content that is not collected: an archive, or another protocol.
    body: Option<BodyDecoder>,
    /// Whether the client has requested another protocol.
    upgrade: bool,
    passed: VecDeque<u8>,
}

impl<'a> GuardedRequests<'a> {
    pub fn new(rules: &'a AllowList, gate: Option<Gate>, turn: &'a Turn, peer: &'a Stream) -> Self {
        let (connection, passed) = (Connection::new(peer), VecDeque::new());
        GuardedRequests { rules, gate, turn, connection, body: None, upgrade: false, passed }
    }

    /// Returns the next bytes for the engine, or none at the end.
    fn next(&mut self) -> io::Result<Vec<u8>> {
        if std::mem::take(&mut self.upgrade) && self.turn.wait()? == Phase::Tunnel {
            self.body = Some(BodyDecoder::new(Framing::UntilClose, 0, 0));
        }
        let Some(mut body) = self.body.take() else { return self.request() };
        let mut out = Vec::new();
        let content = self.connection.fill_body(&mut body)?;
        let n = content.len();
        match (content, body.is_chunked()) {
            ([], true) => encode_last_chunk(&mut out, &Fields::new()),
            ([], false) if body.is_done() => return self.request(),
            (content, true) => encode_chunk(&mut out, content),
            (content, false) => out.extend_from_slice(content),
        }
        self.connection.consume_body(n);
        self.body = Some(body).filter(|_| n > 0);
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
            self.body = Some(body);
            return Ok(passed);
        }
        let mut content = Vec::new();
        while content.len() <= BODY_LIMIT
            && let bytes @ [_, ..] = self.connection.fill_body(&mut body).map_err(readable)?
        {
            content.extend_from_slice(bytes);
            let n = bytes.len();
            self.connection.consume_body(n);
        }
        let passed = self.rules.admit(head, Some(&content))?;
        self.upgrade = head.fields().get("Upgrade").is_some();
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
