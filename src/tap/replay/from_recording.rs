//! Responses from a lossless recording.

use super::answers::{Digest, Part, RecordedAnswer, RequestKey, Source};
use crate::tap::record::raw::{Recorded, Recording, What};
use crate::traffic::{Conversation, Event, Exchange, Side};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Reads all responses, in the order of their requests, and whether secrets are masked in them.
pub(super) fn read(dir: &Path) -> io::Result<(Vec<RecordedAnswer>, bool)> {
    let recording = Recording::open(dir)?;
    let mut connections: BTreeMap<u64, Vec<&Recorded>> = BTreeMap::new();
    for event in &recording.events {
        connections.entry(event.connection).or_default().push(event);
    }
    let mut answers = Vec::new();
    for (number, events) in &connections {
        answers.extend(connection(&recording, *number, events)?);
    }
    answers.sort_by_key(|answer: &RecordedAnswer| answer.began);
    Ok((answers, recording.covered))
}

/// One read from the server, and how many bytes the client had sent in the tunnel by then.
struct Moment {
    at: Duration,
    start: u64,
    end: u64,
    heard: u64,
}

/// One connection while it is read.
#[derive(Default)]
struct Reader {
    number: u64,
    path: Arc<PathBuf>,
    moments: Vec<Moment>,
    heard: u64,
    /// How many of the server's bytes belong to earlier responses.
    cursor: u64,
    /// The bodies of requests, and the lengths of the 100 (Continue) heads, by exchange.
    bodies: BTreeMap<u64, Digest>,
    interims: BTreeMap<u64, u64>,
    answers: Vec<RecordedAnswer>,
}

fn connection(
    recording: &Recording,
    number: u64,
    events: &[&Recorded],
) -> io::Result<Vec<RecordedAnswer>> {
    let path = Arc::new(recording.file(number, Side::Server));
    let mut files =
        [Side::Client, Side::Server].map(|side| File::open(recording.file(number, side)));
    let mut reader = Reader { number, path, ..Reader::default() };
    let mut conversation = Conversation::new(false);
    let mut buffer = Vec::new();
    for event in events {
        match &event.what {
            What::Bytes(side, length) => {
                let file = files[*side as usize]
                    .as_mut()
                    .map_err(|e| io::Error::new(e.kind(), format!("{number}.{side}: {e}")))?;
                buffer.clear();
                file.take(*length).read_to_end(&mut buffer)?;
                if (buffer.len() as u64) < *length {
                    let why = format!("{number}.{side} is shorter than the index says");
                    return Err(io::Error::new(io::ErrorKind::InvalidData, why));
                }
                if *side == Side::Server {
                    let start = reader.length();
                    let (at, end, heard) = (event.at, start + length, reader.heard);
                    reader.moments.push(Moment { at, start, end, heard });
                }
                conversation.bytes(*side, event.at, &buffer, &mut |event| reader.see(event));
            }
            What::End(side, _) => {
                conversation.end(*side, event.at, None, &mut |event| reader.see(event))
            }
            What::Open | What::Closed | What::Refused(_) => {}
        }
    }
    conversation.close(&mut |event| reader.see(event));
    Ok(reader.answers)
}

impl Reader {
    /// How many bytes the server has sent.
    fn length(&self) -> u64 {
        self.moments.last().map_or(0, |moment| moment.end)
    }

    fn see(&mut self, event: &Event<'_>) {
        match event {
            Event::Content(x, Side::Client, bytes) => {
                self.bodies.entry(x.number).or_default().add(bytes)
            }
            Event::Tunnel(_, Side::Client, bytes) => self.heard += bytes.len() as u64,
            // The bytes so far are that head; it is repeated only to a client that waits for it.
            Event::Interim(x, _) => {
                self.interims.insert(x.number, x.received.head);
            }
            Event::Done(x) => self.done(x),
            _ => {}
        }
    }

    fn done(&mut self, x: &Exchange) {
        let interim = self.interims.remove(&x.number);
        let body = self.bodies.remove(&x.number).unwrap_or_default();
        if x.response.is_none() {
            return;
        }
        let received = &x.received;
        let start = self.cursor + interim.unwrap_or(0);
        let sum = received.head + received.framing + received.content + received.tunnel;
        // A broken response is replayed to its last byte.
        self.cursor = if received.complete { self.cursor + sum } else { self.length() };
        let end = self.cursor;
        if x.request.is_none() {
            return;
        }
        let began = x.sent.began.unwrap_or_default();
        let mut before = x.sent.ended.or(x.sent.head_ended).unwrap_or(began);
        let mut parts = Vec::new();
        for moment in self.moments.iter().filter(|moment| moment.end > start && moment.start < end)
        {
            let offset = moment.start.max(start);
            let length = moment.end.min(end) - offset;
            let bytes = Source::File { path: Arc::clone(&self.path), offset, length };
            let (at, heard) = (moment.at, moment.heard);
            parts.push(Part { at, after: at.saturating_sub(before), heard, bytes });
            before = before.max(at);
        }
        let persistent = received.decision.is_some_and(|decision| decision.persistent);
        self.answers.push(RecordedAnswer {
            connection: Some(self.number),
            request: RequestKey {
                method: x.method().to_owned(),
                target: x.target().to_vec(),
                body,
            },
            began,
            ended: before,
            parts,
            interim: interim.is_some(),
            close: !persistent || !received.complete,
            unfit: None,
        });
    }
}
