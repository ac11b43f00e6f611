//! Responses from a lossless recording.

use super::answers::{
    Digest, Heard, OTHER_KEY, PATIENCE, Part, RecordedAnswer, RequestKey, Source, WEBSOCKET_ACCEPT,
};
use crate::tap::news::{Conversations, News, What};
use crate::tap::record::raw::Recording;
use crate::traffic::{Event, Exchange, Side};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The responses of a recording.
#[derive(Default)]
pub(super) struct Answers {
    /// All responses, in the order of their requests.
    pub answers: Vec<RecordedAnswer>,
    /// Whether their secrets are masked.
    pub covered: bool,
    /// The unusable parts of the recording, and the reasons.
    pub remarks: Vec<String>,
}

/// Reads all responses.
pub(super) fn read(dir: &Path) -> io::Result<Answers> {
    let recording = Recording::open(dir)?;
    let mut readers: BTreeMap<u64, Reader> = BTreeMap::new();
    let mut conversations = Conversations::new(false);
    recording.for_each(|news, bytes| {
        let number = news.connection;
        let path = || Arc::new(recording.file(number, Side::Server));
        let new = || Reader { number, path: path(), ..Reader::default() };
        readers.entry(number).or_insert_with(new).read(news, bytes, &mut conversations);
    })?;
    let (answers, remarks) = (Vec::new(), recording.remarks);
    let mut all = Answers { answers, covered: recording.covered, remarks };
    for mut reader in readers.into_values() {
        reader.closes(&mut conversations);
        all.answers.append(&mut reader.answers);
        all.remarks.append(&mut reader.remarks);
    }
    all.answers.sort_by_key(|answer| answer.began);
    Ok(all)
}

/// A read from the server, or its end, and the actions of the client before it.
struct Moment {
    at: Duration,
    start: u64,
    end: u64,
    client: ClientSoFar,
}

/// The actions of the client so far.
#[derive(Clone, Copy, Default)]
struct ClientSoFar {
    /// How much it has sent in the tunnel.
    heard: Heard,
    /// When it was last active.
    at: Duration,
    /// How many bytes the server had sent when it ended.
    ended: Option<u64>,
}

/// A connection that is being read.
#[derive(Default)]
struct Reader {
    number: u64,
    path: Arc<PathBuf>,
    moments: Vec<Moment>,
    /// The end of the server's side.
    end: Option<Moment>,
    now: Duration,
    /// Whether a file has fewer bytes than the index says.
    cut: bool,
    client: ClientSoFar,
    /// How many of the server's bytes belong to earlier responses.
    cursor: u64,
    /// The bodies of requests, by exchange.
    bodies: BTreeMap<u64, Digest>,
    /// The exchange of the last 100 (Continue), and the length of its head.
    interim: Option<(u64, u64)>,
    answers: Vec<RecordedAnswer>,
    remarks: Vec<String>,
}

impl Reader {
    fn read(&mut self, news: &News, bytes: &[u8], conversations: &mut Conversations) {
        if self.cut {
            return;
        }
        self.now = news.at;
        match news.what {
            What::Bytes(Side::Server, _) => self.moments.push(self.moment(bytes.len())),
            What::Ended(Side::Client, _) => {
                self.client.ended = Some(self.length());
                self.client.at = self.now;
            }
            What::Ended(Side::Server, _) => self.end = Some(self.moment(0)),
            _ => {}
        }
        conversations.read(news, bytes, &mut |event| self.see(event));
        if let What::Bytes(side, length) = news.what
            && bytes.len() < length
        {
            let why = "is shorter than the index says: its connection is cut short there";
            self.remarks.push(format!("{}.{side} {why}", self.number));
            self.cut = true;
        }
    }

    /// Reads the end of the recording as the end of the connection.
    fn closes(&mut self, conversations: &mut Conversations) {
        let closed = News { connection: self.number, at: self.now, what: What::Closed };
        conversations.read(&closed, &[], &mut |event| self.see(event));
    }

    /// Returns how many bytes the server has sent.
    fn length(&self) -> u64 {
        self.moments.last().map_or(0, |moment| moment.end)
    }

    fn moment(&self, bytes: usize) -> Moment {
        let start = self.length();
        Moment { at: self.now, start, end: start + bytes as u64, client: self.client }
    }

    fn see(&mut self, event: &Event<'_>) {
        match event {
            Event::Content(x, Side::Client, bytes) => {
                self.bodies.entry(x.number).or_default().add(bytes)
            }
            Event::Tunnel(_, Side::Client, bytes) => {
                self.client.heard.add(bytes);
                self.client.at = self.now;
            }
            // The bytes so far are the head of the 100. Only a client that waits for it gets it
            // again.
            Event::Interim(x, _) => self.interim = Some((x.number, x.received.head)),
            Event::Done(x) => self.done(x),
            _ => {}
        }
    }

    fn done(&mut self, x: &Exchange) {
        let interim = self.interim.take_if(|(number, _)| *number == x.number).map(|(_, len)| len);
        let body = self.bodies.remove(&x.number).unwrap_or_default();
        let received = &x.received;
        let (start, head) = (self.cursor + interim.unwrap_or(0), self.cursor + received.head);
        let sum = received.head + received.framing + received.content + received.tunnel;
        // A broken response is replayed to its last byte, even if that is in its head.
        self.cursor = if received.complete { self.cursor + sum } else { self.length() };
        if x.request.is_none() {
            return;
        }
        if x.fields(Side::Server).is_some_and(|fields| fields.get(WEBSOCKET_ACCEPT).is_some()) {
            self.remarks.push(format!("{} {}: {OTHER_KEY}", x.method(), x.target().escape_ascii()));
        }
        let persistent = received.decision.is_some_and(|decision| decision.persistent);
        let close = !persistent || !received.complete;
        self.answers.push(RecordedAnswer {
            connection: Some(self.number),
            request: RequestKey::new(x, body),
            began: x.sent.began.unwrap_or_default(),
            parts: self.parts(x, (start, head, self.cursor), close),
            interim: interim.is_some(),
            close,
            unfit: None,
        });
    }

    /// Returns the parts of a response from `start` to `end`, split at the end of its `head`.
    fn parts(&self, x: &Exchange, (start, head, end): (u64, u64, u64), close: bool) -> Vec<Part> {
        let mut before = x.sent.ended.or(x.sent.head_ended).unwrap_or_default();
        let mut part = |moment: &Moment, bytes, after_head| {
            let Moment { at, client, .. } = *moment;
            let after = at.saturating_sub(before.max(client.at));
            before = before.max(at);
            let (heard, client_end) = (client.heard.bytes, patience(x, head, client));
            Part { at, after, heard, client_end, after_head, bytes }
        };
        let mut parts = Vec::new();
        let is_part = |moment: &&Moment| moment.end > start && moment.start < end;
        for moment in self.moments.iter().filter(is_part) {
            let (from, to) = (moment.start.max(start), moment.end.min(end));
            let middle = head.clamp(from, to);
            for (offset, to) in [(from, middle), (middle, to)] {
                if to > offset {
                    let (path, length) = (Arc::clone(&self.path), (to - offset) as usize);
                    let after_head = close && offset == head;
                    let bytes = Source::File { path, offset, length };
                    parts.push(part(moment, Some(bytes), after_head));
                }
            }
        }
        parts.extend(self.end.as_ref().filter(|_| close).map(|end| part(end, None, false)));
        parts
    }
}

/// Returns how long a part waits for the client's end, if that preceded it in the recording.
///
/// A server that ends in the middle of a response does so because its client left. In a tunnel that
/// is likely too, but a client without input may end its side at once, without effect.
fn patience(x: &Exchange, head: u64, client: ClientSoFar) -> Option<Duration> {
    let sent = client.ended?;
    let left = x.left.is_some() || x.response.is_none();
    let caused = left || client.heard.bytes > 0 || sent > head;
    let patience = if caused { Duration::MAX } else { PATIENCE };
    (left || x.may_half_close()).then_some(patience)
}
