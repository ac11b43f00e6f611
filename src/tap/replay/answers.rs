//! Recorded responses and their requests.

use crate::traffic::Exchange;
use std::borrow::Cow;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::hash::Hasher;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long a response waits for the events that preceded it in the recording.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// The field that proves that a WebSocket server has read the client's key (RFC 6455 §4.2.2).
pub(super) const WEBSOCKET_ACCEPT: &str = "Sec-WebSocket-Accept";
/// The remark about a recorded one: the clients of a replay have other keys.
pub(super) const OTHER_KEY: &str =
    "its Sec-WebSocket-Accept belongs to the recorded key, so a WebSocket client refuses it";

/// A request in a form for comparison.
#[derive(Debug, Default, PartialEq)]
pub(super) struct RequestKey {
    pub method: String,
    pub target: Vec<u8>,
    pub body: Digest,
}

impl RequestKey {
    pub fn new(x: &Exchange, body: Digest) -> RequestKey {
        RequestKey { method: x.method().to_owned(), target: x.target().to_vec(), body }
    }

    /// `METHOD target`, for people.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.target.escape_ascii())
    }
}

#[derive(Debug, Default)]
pub(super) struct RecordedAnswer {
    /// The number of its connection, if known.
    pub connection: Option<u64>,
    pub request: RequestKey,
    /// When the request began, since the start of the recording.
    pub began: Duration,
    /// The server's bytes and end, in order.
    pub parts: Vec<Part>,
    /// Whether 100 (Continue) came first; it is not among the parts.
    pub interim: bool,
    /// Whether the connection ends with it. Without a part that ends it, the client ends it.
    pub close: bool,
    /// The reason, if it cannot be replayed.
    pub unfit: Option<String>,
}

/// Some bytes of a response, or the end of the server's side.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// When they arrived, since the start of the recording.
    pub at: Duration,
    /// The minimum delay after their cause: the request, the previous part, or the last action of
    /// the client in the tunnel.
    pub after: Duration,
    /// How much the client had sent in the tunnel by then, counted by [`Heard`].
    pub heard: u64,
    /// How long to wait for the client's end, if that preceded them.
    pub client_end: Option<Duration>,
    /// Whether these are the first bytes after a head that ends HTTP.
    pub after_head: bool,
    /// The bytes; `None` is the end.
    pub bytes: Option<Source>,
}

/// The responses given so far.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub used: BTreeSet<usize>,
    /// Requests that the client has probably left out.
    pub skipped: BTreeSet<usize>,
    /// For each response in progress, the recorded time of its next part.
    pub under_way: BTreeMap<usize, Duration>,
    pub problems: Vec<String>,
}

/// Where the bytes are.
#[derive(Debug)]
pub(super) enum Source {
    Memory(Vec<u8>),
    File { path: Arc<PathBuf>, offset: u64, length: usize },
}

impl Source {
    /// Reads the bytes.
    pub fn read(&self) -> io::Result<Cow<'_, [u8]>> {
        let (path, offset, length) = match self {
            Source::Memory(bytes) => return Ok(bytes.into()),
            Source::File { path, offset, length } => (path, *offset, *length),
        };
        let mut bytes = vec![0; length];
        File::open(&**path)?.read_exact_at(&mut bytes, offset)?;
        Ok(bytes.into())
    }
}

/// Counts what a client sends in a tunnel.
///
/// Terminals report the position of the cursor (`ESC [ row ; column R`), which differs from run to
/// run. Therefore the digits of escape sequences do not count.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heard {
    pub bytes: u64,
    /// How many bytes of `ESC [` have arrived.
    escape: u8,
}

impl Heard {
    pub fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.escape = match (self.escape, byte) {
                (2, b'0'..=b'9') => continue,
                (_, b'\x1b') => 1,
                (1, b'[') | (2, b';') => 2,
                _ => 0,
            };
            self.bytes += 1;
        }
    }
}

/// A hash of a body: enough to distinguish recorded bodies.
#[derive(Clone, Debug, Default)]
pub(super) struct Digest(DefaultHasher);

impl Digest {
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Digest) -> bool {
        self.0.finish() == other.0.finish()
    }
}
