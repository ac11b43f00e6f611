//! The server side: requests in, recorded responses out.

use super::Replay;
use super::answers::{Digest, Heard, RequestKey};
use crate::tap::gate::Gate;
use crate::tap::refusal::refusal;
use crate::traffic::{Conversation, Event, Side};
use crate::transport::connections::Service;
use crate::transport::{Listener, Stream};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The pause before a part that waited for another connection, because clients assume that a
/// container runs for a moment.
const BREATH: Duration = Duration::from_millis(10);
/// The pause after a head that ends HTTP: docker-py loses bytes that it reads with the head. The
/// pause consists of steps, so that a busy machine prolongs it as it delays the client.
const HEAD_ALONE: Duration = Duration::from_millis(50);
const STEP: Duration = Duration::from_millis(5);

impl Replay {
    /// Answers until it is stopped and every connection has ended. A failure ends only its own
    /// connection. Returns the problems.
    pub fn run(&self, listener: &Listener) -> Vec<String> {
        self.open.begin();
        self.open.run(listener, self);
        self.finish()
    }
}

impl Service for Replay {
    fn serve(&self, number: u64, stream: Stream) {
        let stream = Arc::new(stream);
        self.open.insert(number, &stream);
        let mut peer = Peer {
            replay: self,
            stream: &stream,
            gate: stream.is_tcp().then(|| Gate::new(&[])),
            conversation: Conversation::new(self.covered),
            seen: Seen::default(),
            buffer: vec![0; 64 * 1024],
        };
        // An error affects only this client.
        let _ = peer.serve();
        self.open.remove(number);
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

/// The client's requests and bytes so far.
#[derive(Default)]
struct Seen {
    /// Requests whose head has arrived.
    requests: VecDeque<Asked>,
    /// How much it has sent in a tunnel.
    heard: Heard,
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
                let key = RequestKey::new(x, Digest::default());
                let fields = x.fields(Side::Client);
                let waits = fields.is_some_and(|fields| fields.has_token("Expect", "100-continue"));
                self.requests.push_back(Asked { key, waits, whole: false });
            }
            (Event::Content(_, Side::Client, bytes), Some(asked)) => asked.key.body.add(bytes),
            (Event::End(_, Side::Client, _), Some(asked)) => asked.whole = true,
            (Event::Tunnel(_, Side::Client, bytes), _) => self.heard.add(bytes),
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
                    let said = self.answer(n);
                    self.replay.goes_on(n, None);
                    said?;
                    if self.replay.answers[n].close {
                        return self.wait_for_end(Duration::MAX);
                    }
                }
                Err(why) => self.refuse(501, &why, asked.method != "HEAD")?,
            }
        }
        Ok(())
    }

    /// Returns the next request once it is complete, or `None` at the end.
    fn request(&mut self) -> io::Result<Option<RequestKey>> {
        loop {
            let whole = self.seen.requests.front().is_some_and(|asked| asked.whole);
            if whole && let Some(asked) = self.seen.requests.pop_front() {
                return Ok(Some(asked.key));
            }
            if self.seen.ended {
                return Ok(None);
            }
            if let Some(why) = self.seen.fault.take() {
                self.refuse(400, &why, true)?;
                // An earlier end could destroy the response (`RFC 9112 §9.6`).
                self.stream.shutdown(Shutdown::Write)?;
                return self.wait_for_end(Duration::MAX).map(|()| None);
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
        let before = self.seen.heard.bytes;
        let mut end_awaited = false;
        for part in &self.replay.answers[n].parts {
            self.replay.goes_on(n, Some(part.at));
            while self.seen.heard.bytes - before < part.heard && !self.seen.ended {
                self.read()?;
            }
            if let (Some(patience), false) = (part.client_end, end_awaited) {
                self.wait_for_end(patience)?;
                end_awaited = true;
            }
            let ready = Instant::now();
            let followed = self.replay.wait_for_others(n, part.at);
            if part.after_head {
                let steps = part.after.min(HEAD_ALONE).as_millis() / STEP.as_millis();
                (0..steps.max(4)).for_each(|_| self.replay.open.sleep(STEP));
            }
            self.replay.open.sleep(match self.replay.pace {
                true => part.after.saturating_sub(ready.elapsed()),
                false if followed => part.after.min(BREATH),
                false => Duration::ZERO,
            });
            match &part.bytes {
                Some(bytes) => self.say(&bytes.read()?)?,
                None => self.stream.shutdown(Shutdown::Write)?,
            }
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

    /// Waits at most `limit` for the client's end.
    fn wait_for_end(&mut self, limit: Duration) -> io::Result<()> {
        let started = Instant::now();
        while let (false, Some(rest)) = (self.seen.ended, limit.checked_sub(started.elapsed())) {
            let limited = (limit != Duration::MAX).then_some(rest.max(Duration::from_millis(1)));
            self.stream.set_read_timeout(limited)?;
            match self.read() {
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
                read => read?,
            }
        }
        self.stream.set_read_timeout(None)
    }
}
