//! The server side: requests in, recorded responses out.

use super::Replay;
use super::answers::Digest;
use super::matching::{Asked, Others};
use crate::tap::gate::Gate;
use crate::tap::refusal::refusal;
use crate::traffic::{Conversation, Event, Side};
use crate::transport::connections::Service;
use crate::transport::{Endpoint, Listener, Stream};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// The pause before a part that waited for another connection: clients assume that a container
/// lives for a moment.
const BREATH: Duration = Duration::from_millis(10);

impl Replay {
    /// Answers until it is stopped and every connection is over. A failure ends only the connection
    /// that it concerns.
    pub fn run(&self, listener: &Listener) {
        let gated = matches!(listener.endpoint(), Endpoint::Tcp { .. });
        self.open.begin();
        self.open.run(listener, &Answering { replay: self, gated });
    }
}

struct Answering<'a> {
    replay: &'a Replay,
    gated: bool,
}

impl Service for Answering<'_> {
    fn serve(&self, number: u64, stream: Stream) {
        let stream = Arc::new(stream);
        let gate = self.gated.then(|| Gate::new(&[]));
        self.replay.open.insert(number, &stream);
        // An error concerns this client alone.
        let _ = Peer::new(self.replay, &stream, gate).serve();
        self.replay.open.remove(number);
    }
}

/// One client.
struct Peer<'a> {
    replay: &'a Replay,
    stream: &'a Stream,
    gate: Option<Gate>,
    conversation: Conversation,
    seen: Seen,
    buffer: Vec<u8>,
}

/// What the client has sent.
#[derive(Default)]
struct Seen {
    /// Requests whose head has arrived: whether they wait for 100 (Continue), and whether their
    /// body has arrived.
    requests: VecDeque<(Asked, bool, bool)>,
    /// How many bytes it has sent in a tunnel.
    heard: u64,
    fault: Option<String>,
    ended: bool,
}

impl Seen {
    fn see(&mut self, event: &Event<'_>) {
        match event {
            Event::Request(x) => {
                let (method, target) = (x.method().to_owned(), x.target().to_vec());
                let waits = x
                    .fields(Side::Client)
                    .is_some_and(|fields| fields.has_token("Expect", "100-continue"));
                self.requests.push_back((
                    Asked { method, target, body: Digest::default() },
                    waits,
                    false,
                ));
            }
            Event::Content(_, Side::Client, bytes) => {
                if let Some((asked, ..)) = self.requests.back_mut() {
                    asked.body.add(bytes);
                }
            }
            Event::End(_, Side::Client, _) => {
                if let Some((_, _, whole)) = self.requests.back_mut() {
                    *whole = true;
                }
            }
            Event::Tunnel(_, Side::Client, bytes) => self.heard += bytes.len() as u64,
            Event::Fault(_, Side::Client, fault) => self.fault = Some(fault.to_string()),
            _ => {}
        }
    }
}

impl<'a> Peer<'a> {
    fn new(replay: &'a Replay, stream: &'a Stream, gate: Option<Gate>) -> Peer<'a> {
        let conversation = Conversation::new(replay.covered);
        Peer {
            replay,
            stream,
            gate,
            conversation,
            seen: Seen::default(),
            buffer: vec![0; 64 * 1024],
        }
    }

    fn serve(&mut self) -> io::Result<()> {
        while let Some(asked) = self.request()? {
            match self.replay.choose(&asked) {
                Ok(n) => {
                    self.answer(n)?;
                    self.replay.gave(n);
                    if self.replay.answers[n].close {
                        return self.stream.shutdown(Shutdown::Write).and_then(|()| self.drain());
                    }
                }
                Err(why) => {
                    let refusal =
                        refusal(501, &format!("ucurl replay: {why}"), asked.method != "HEAD");
                    self.say(&refusal)?;
                }
            }
        }
        Ok(())
    }

    /// Returns the next request once it is complete; `None` when there will be none.
    fn request(&mut self) -> io::Result<Option<Asked>> {
        loop {
            if let Some((_, _, true)) = self.seen.requests.front() {
                return Ok(self.seen.requests.pop_front().map(|(asked, ..)| asked));
            }
            if self.seen.ended {
                return Ok(None);
            }
            if let Some(why) = &self.seen.fault {
                let refusal = refusal(400, &format!("ucurl replay: {why}"), true);
                self.say(&refusal)?;
                return self
                    .stream
                    .shutdown(Shutdown::Write)
                    .and_then(|()| self.drain())
                    .map(|()| None);
            }
            if let Some((asked, waits @ true, false)) = self.seen.requests.front_mut() {
                *waits = false;
                let interim = self.replay.answers.iter().any(|answer| {
                    answer.interim && answer.method == asked.method && answer.target == asked.target
                });
                if interim {
                    self.say(b"HTTP/1.1 100 Continue\r\n\r\n")?;
                }
            }
            self.read()?;
        }
    }

    fn answer(&mut self, n: usize) -> io::Result<()> {
        let said_before = self.seen.heard;
        let mut others = Others::None;
        for part in &self.replay.answers[n].parts {
            if others != Others::Elsewhere {
                others = self.replay.wait_for_others(n, part.at);
            }
            while self.seen.heard - said_before < part.heard && !self.seen.ended {
                self.read()?;
            }
            if self.replay.pace {
                thread::sleep(part.after);
            } else if others == Others::AsFar {
                thread::sleep(part.after.min(BREATH));
            }
            part.bytes.read(|bytes| self.say(bytes))?;
        }
        Ok(())
    }

    fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        (&mut { self.stream }).write_all(bytes)?;
        self.conversation
            .bytes(Side::Server, Duration::ZERO, bytes, &mut |event| self.seen.see(event));
        Ok(())
    }

    /// Reads once and lets the conversation parse it.
    fn read(&mut self) -> io::Result<()> {
        let n = (&mut { self.stream }).read(&mut self.buffer)?;
        let mut passed = Vec::new();
        let bytes = match &mut self.gate {
            Some(gate) if n > 0 => match gate.admit(&self.buffer[..n], &mut passed) {
                Ok(()) => &passed[..],
                Err(refusal) => {
                    self.seen.fault.get_or_insert(refusal.to_string());
                    return Ok(());
                }
            },
            _ => &self.buffer[..n],
        };
        if n == 0 {
            self.seen.ended = true;
            self.conversation
                .end(Side::Client, Duration::ZERO, None, &mut |event| self.seen.see(event));
        } else {
            self.conversation
                .bytes(Side::Client, Duration::ZERO, bytes, &mut |event| self.seen.see(event));
        }
        Ok(())
    }

    /// Waits for the client's end: closing earlier could destroy the response (`RFC 9112 §9.6`).
    fn drain(&mut self) -> io::Result<()> {
        while !self.seen.ended && (&mut { self.stream }).read(&mut self.buffer)? > 0 {}
        Ok(())
    }
}
