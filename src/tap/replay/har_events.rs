//! Reads a HAR as a recording that can be shown: its messages as bytes, and their times.
//!
//! A HAR does not contain the original bytes. Heads are encoded as HTTP/1.1, bodies arrive in one
//! piece, and in a tunnel all bytes of the client precede those of the server. There are no interim
//! responses and no trailer fields.

use super::from_har::{self, Encoded, HarEntry, entries, text};
use crate::tap::news::{News, What};
use crate::tap::record::raw::Recording;
use crate::traffic::Side;
use crate::wire::{Fields, Version, encode_chunk, encode_last_chunk, encode_request};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::{Duration, UNIX_EPOCH};

/// The longest time from the first entry that is shown: 136 years.
const LONGEST: Duration = Duration::from_secs(u32::MAX as u64);

/// An entry without the text of the HAR.
struct Played {
    connection: Option<u64>,
    /// Whether it was HTTP/2 or later.
    newer: bool,
    head: Vec<u8>,
    body: Vec<u8>,
    tunnel: Vec<u8>,
    response: Option<Encoded>,
    /// When the request began and ended, and the response: since 1970.
    times: [Duration; 4],
}

impl Recording {
    /// Reads a HAR of any program.
    ///
    /// # Errors
    /// Fails with `InvalidData` if no entry can be used.
    pub fn from_har(text: &[u8]) -> io::Result<Recording> {
        let mut all = Vec::new();
        let mut remarks = entries(text, |entry, remarks| {
            all.push(played(entry, remarks)?);
            Ok(())
        })?;
        let newer = all.iter().filter(|entry| entry.newer).count();
        if newer > 0 {
            remarks.push(format!("entries that are not HTTP/1 are shown as HTTP/1.1: {newer}"));
        }
        all.sort_by_key(|entry| entry.times[0]);
        let dated = all.iter().map(|entry| entry.times[0]).find(|began| !began.is_zero());
        let since = dated.unwrap_or_default();
        let mut writer = Writer {
            named: all.iter().filter_map(|entry| entry.connection).collect(),
            ..Writer::default()
        };
        for entry in all {
            let times = entry.times.map(|at| at.saturating_sub(since).min(LONGEST));
            writer.entry(entry, times);
        }
        for (number, (_, ended)) in std::mem::take(&mut writer.open) {
            writer.event(number, ended, What::Closed);
        }
        let Writer { mut events, memory, .. } = writer;
        events.sort_by_key(|event| event.at);
        let (dir, started, memory) = (Default::default(), UNIX_EPOCH + since, Some(memory));
        Ok(Recording { dir, started, covered: false, events, remarks, memory })
    }
}

/// Encodes the request. Adds the oddities of the entry to the remarks.
fn played(entry: HarEntry<'_>, remarks: &mut Vec<String>) -> Result<Played, String> {
    let (request, content) = (entry.request, &entry.body);
    let mut fields = from_har::fields(request, true, remarks);
    let version = text(request, "httpVersion").unwrap_or_default().to_ascii_lowercase();
    let newer = !version.is_empty() && !version.starts_with("http/1.");
    if newer && fields.get("Host").is_none() {
        // HTTP/2 has the host in a field whose name begins with a colon.
        let url = text(request, "url").unwrap_or_default();
        let host = url.split_once("://").map_or(url, |(_, rest)| rest);
        let host = host.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.rsplit('@').next().unwrap_or_default();
        fields.push("Host", host).map_err(|error| format!("its URL: {error}"))?;
    }
    let mut body = Vec::new();
    let size = request.get("bodySize").and_then(|size| size.as_i64()).unwrap_or_default();
    if fields.get("Transfer-Encoding").is_some() {
        content.chunks(32 * 1024).for_each(|part| encode_chunk(&mut body, part));
        encode_last_chunk(&mut body, &Fields::new());
    } else {
        if fields.get("Content-Length").is_some() || !content.is_empty() {
            from_har::set_length(&mut fields, content.len() as u64);
        }
        if size > content.len() as i64 {
            let had = content.len();
            remarks.push(format!("the HAR has {had} of the {size} bytes of its request's body"));
        }
        body.extend_from_slice(content);
    }
    let version = if version == "http/1.0" { Version::Http10 } else { Version::Http11 };
    let mut head = Vec::new();
    encode_request(&mut head, &entry.method, &entry.target, version, &fields)
        .map_err(|error| format!("its request: {error}"))?;
    if entry.times[0].is_zero() {
        remarks.push("its startedDateTime is not a time; it is shown first".into());
    }
    if let Ok(Encoded { cut: Some(why), .. }) | Err(why) = &entry.response {
        remarks.push(why.clone());
    }
    remarks.extend(entry.comment.map(|comment| format!("its comment: {comment}")));
    let HarEntry { connection, tunnel, response, times, .. } = entry;
    Ok(Played { connection, newer, head, body, tunnel, response: response.ok(), times })
}

/// Writes entries as events.
#[derive(Default)]
struct Writer {
    events: Vec<News>,
    memory: BTreeMap<(u64, Side), Vec<u8>>,
    /// When the last request and its response ended, for each open connection.
    open: BTreeMap<u64, (Duration, Duration)>,
    /// The numbers in the HAR.
    named: BTreeSet<u64>,
    /// The numbers up to here are in use.
    last: u64,
}

impl Writer {
    fn entry(&mut self, entry: Played, [began, sent, answered, ended]: [Duration; 4]) {
        let number = self.connection(entry.connection, began, answered);
        self.bytes(number, Side::Client, began, &entry.head);
        self.bytes(number, Side::Client, sent, &entry.body);
        let close = entry.response.as_ref().is_none_or(|response| response.close);
        if let Some(Encoded { head, content, .. }) = &entry.response {
            self.bytes(number, Side::Server, answered, head);
            self.bytes(number, Side::Client, answered, &entry.tunnel);
            self.bytes(number, Side::Server, ended, content);
        }
        self.open.insert(number, (sent, ended));
        if close {
            self.open.remove(&number);
            self.event(number, ended, What::Ended(Side::Server, None));
            self.event(number, ended, What::Closed);
        }
    }

    /// Returns the connection of an entry. An entry gets a new connection if another entry has
    /// ended, or still uses, the one that the HAR names.
    fn connection(&mut self, named: Option<u64>, began: Duration, answered: Duration) -> u64 {
        if let Some(number) = named {
            let fits = |(sent, ended): &(Duration, Duration)| *sent <= began && *ended <= answered;
            if self.open.get(&number).is_some_and(fits) {
                return number;
            }
            if !self.memory.contains_key(&(number, Side::Client)) {
                self.event(number, began, What::Opened);
                return number;
            }
        }
        self.last += 1;
        while self.named.contains(&self.last) {
            self.last += 1;
        }
        self.event(self.last, began, What::Opened);
        self.last
    }

    fn bytes(&mut self, connection: u64, side: Side, at: Duration, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.memory.entry((connection, side)).or_default().extend_from_slice(bytes);
            self.event(connection, at, What::Bytes(side, bytes.len()));
        }
    }

    fn event(&mut self, connection: u64, at: Duration, what: What) {
        self.events.push(News { connection, at, what });
    }
}
