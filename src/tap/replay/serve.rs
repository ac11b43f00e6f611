//! The server side: requests in, recorded responses out.

use super::Replay;
use super::answers::{Digest, RequestKey};
use super::matching::Others;
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
        self.replay.open.insert(number, &stream);
        let mut peer = Peer {
            replay: self.replay,
            stream: &stream,
            gate: self.gated.then(|| Gate::new(&[])),
            conversation: Conversation::new(self.replay.covered),
            seen: Seen::default(),
            buffer: vec![0; 64 * 1024],
        };
        // An error concerns this client alone.
        let _ = peer.serve();
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
    /// Requests whose head has arrived.
    requests: VecDeque<Asked>,
    /// How many bytes it has sent in a tunnel.
    heard: u64,
    fault: Option<String>,
    ended: bool,
}

struct Asked {
    key: RequestKey,
    /// Whether it waits for 100 (Continue).
    waits: bool,
    /// Whether its body has arrived.
    whole: bool,
}

impl Seen {
    fn see(&mut self, event: &Event<'_>) {
        match (event, self.requests.back_mut()) {
            (Event::Request(x), _) => {
                let (method, target) = (x.method().to_owned(), x.target().to_vec());
                let key = RequestKey { method, target, body: Digest::default() };
                let fields = x.fields(Side::Client);
                let waits = fields.is_some_and(|fields| fields.has_token("Expect", "100-continue"));
                self.requests.push_back(Asked { key, waits, whole: false });
            }
            (Event::Content(_, Side::Client, bytes), Some(asked)) => asked.key.body.add(bytes),
            (Event::End(_, Side::Client, _), Some(asked)) => asked.whole = true,
            (Event::Tunnel(_, Side::Client, bytes), _) => self.heard += bytes.len() as u64,
            (Event::Fault(_, Side::Client, fault), _) => self.fault = Some(fault.to_string()),
            _ => {}
        }
    }
}

impl Peer<'_> {
    fn serve(&mut self) -> io::Result<()> {
        while let Some(asked) = self.request()? {
            match self.replay.choose(&asked) {
                Ok(n) => {
                    self.answer(n)?;
                    self.replay.gave(n);
                    if self.replay.answers[n].close {
                        return self.close();
                    }
                }
                Err(why) => self.refuse(501, &why, asked.method != "HEAD")?,
            }
        }
        Ok(())
    }

    /// Returns the next request once it is complete; `None` when there will be none.
    fn request(&mut self) -> io::Result<Option<RequestKey>> {
        loop {
            if let Some(asked) = self.seen.requests.pop_front_if(|asked| asked.whole) {
                return Ok(Some(asked.key));
            }
            if self.seen.ended {
                return Ok(None);
            }
            if let Some(why) = self.seen.fault.take() {
                self.refuse(400, &why, true)?;
                return self.close().map(|()| None);
            }
            if let Some(Asked { key, waits: waits @ true, .. }) = self.seen.requests.front_mut() {
                *waits = false;
                let interim = self.replay.answers.iter().any(|answer| {
                    let request = &answer.request;
                    answer.interim && request.method == key.method && request.target == key.target
                });
                if interim {
                    self.say(b"HTTP/1.1 100 Continue\r\n\r\n")?;
                }
            }
            self.read()?;
        }
    }

    fn answer(&mut self, n: usize) -> io::Result<()> {
        let heard_before = self.seen.heard;
        let mut others = Others::None;
        for part in &self.replay.answers[n].parts {
            if others != Others::Elsewhere {
                others = self.replay.wait_for_others(n, part.at);
            }
            while self.seen.heard - heard_before < part.heard && !self.seen.ended {
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

    fn refuse(&mut self, status: u16, why: &str, content: bool) -> io::Result<()> {
        self.say(&refusal(status, &format!("ucurl replay: {why}"), content))
    }

    fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        { self.stream }.write_all(bytes)?;
        let see = &mut |event: &Event<'_>| self.seen.see(event);
        self.conversation.bytes(Side::Server, Duration::ZERO, bytes, see);
        Ok(())
    }

    /// Reads once and lets the conversation parse it.
    fn read(&mut self) -> io::Result<()> {
        let n = { self.stream }.read(&mut self.buffer)?;
        let see = &mut |event: &Event<'_>| self.seen.see(event);
        if n == 0 {
            self.conversation.end(Side::Client, Duration::ZERO, None, see);
            self.seen.ended = true;
            return Ok(());
        }
        let mut bytes = &self.buffer[..n];
        let mut passed = Vec::new();
        if let Some(gate) = &mut self.gate {
            if let Err(denied) = gate.admit(bytes, &mut passed) {
                self.seen.fault.get_or_insert(denied.to_string());
                return Ok(());
            }
            bytes = &passed;
        }
        self.conversation.bytes(Side::Client, Duration::ZERO, bytes, see);
        Ok(())
    }

    /// Waits for the client's end: closing earlier could destroy the response (`RFC 9112 §9.6`).
    fn close(&mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)?;
        while !self.seen.ended && { self.stream }.read(&mut self.buffer)? > 0 {}
        Ok(())
    }
}
