//! Recorded responses and the requests that they belong to.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::fs::File;
use std::hash::Hasher;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long a response waits for what preceded it in the recording.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);
/// How many bytes of a file are read at a time.
const PART: u64 = 256 * 1024;

/// A request as it is compared.
#[derive(Debug, PartialEq)]
pub(super) struct RequestKey {
    pub method: String,
    pub target: Vec<u8>,
    pub body: Digest,
}

impl RequestKey {
    /// `METHOD target`, for people.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.target.escape_ascii())
    }
}

#[derive(Debug)]
pub(super) struct RecordedAnswer {
    /// The number of its connection, if known.
    pub connection: Option<u64>,
    pub request: RequestKey,
    /// When the request began, since the start of the recording.
    pub began: Duration,
    /// What the server did, in order.
    pub parts: Vec<Part>,
    /// Whether 100 (Continue) came first; it is not among the parts.
    pub interim: bool,
    /// Whether the connection ends with it. Without a part that ends it, the client does.
    pub close: bool,
    /// Why it cannot be replayed, if so.
    pub unfit: Option<String>,
}

/// Some bytes of a response, or the end of the server's side.
#[derive(Debug)]
pub(super) struct Part {
    /// When they came, since the start of the recording.
    pub at: Duration,
    /// How long after what caused them at the earliest: the request, the previous part, or what the
    /// client did last in the tunnel.
    pub after: Duration,
    /// How much the client had sent in the tunnel by then, as [`Heard`] counts.
    pub heard: u64,
    /// How long to wait for the client's end, if that came before.
    pub client_end: Option<Duration>,
    /// Whether these are the first bytes after a head that ends HTTP.
    pub after_head: bool,
    /// The bytes; `None` is the end.
    pub bytes: Option<Source>,
}

/// The responses given so far.
#[derive(Debug)]
pub(super) struct Given {
    /// How often each was given.
    pub counts: Vec<u64>,
    /// Requests that the client left out, as far as one can tell.
    pub skipped: Vec<bool>,
    /// When the next part of each response under way came in the recording.
    pub under_way: BTreeMap<usize, Duration>,
    pub problems: Vec<String>,
}

/// Where the bytes are.
#[derive(Debug)]
pub(super) enum Source {
    Memory(Vec<u8>),
    File { path: Arc<PathBuf>, offset: u64, length: u64 },
}

impl Source {
    /// Hands the bytes to `take`, a piece at a time.
    pub fn read(&self, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let (path, offset, length) = match self {
            Source::Memory(bytes) => return take(bytes),
            Source::File { path, offset, length } => (path, *offset, *length),
        };
        let mut file = File::open(&**path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut file = BufReader::with_capacity(length.min(PART) as usize, file.take(length));
        loop {
            let bytes = file.fill_buf()?;
            let n = bytes.len();
            if n == 0 {
                break;
            }
            take(bytes)?;
            file.consume(n);
        }
        if file.get_ref().limit() > 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

/// Counts what a client sends in a tunnel.
///
/// Terminals answer where the cursor is (`ESC [ row ; column R`), which differs from run to run. So
/// the digits of escape sequences do not count.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heard {
    pub bytes: u64,
    /// How many bytes of `ESC [` have come.
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

/// The length and a hash of a body: enough to tell recorded bodies apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Digest {
    length: u64,
    hash: DefaultHasher,
}

impl Digest {
    pub fn add(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        self.hash.write(bytes);
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Digest) -> bool {
        (self.length, self.hash.finish()) == (other.length, other.hash.finish())
    }
}
