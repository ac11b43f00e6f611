//! Recorded responses and the requests that they belong to.

use std::collections::hash_map::DefaultHasher;
use std::fs::File;
use std::hash::Hasher;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

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
    /// When the request began and the response ended, since the start of the recording.
    pub began: Duration,
    pub ended: Duration,
    /// The server's bytes, as they came.
    pub parts: Vec<Part>,
    /// Whether 100 (Continue) came first; it is not among the parts.
    pub interim: bool,
    /// Whether the connection ended with it.
    pub close: bool,
    /// Why it cannot be replayed, if so.
    pub unfit: Option<String>,
}

/// Some bytes of a response.
#[derive(Debug)]
pub(super) struct Part {
    /// When they came, since the start of the recording.
    pub at: Duration,
    /// How long after the previous part or the request.
    pub after: Duration,
    /// How many bytes the client had sent in the tunnel by then.
    pub heard: u64,
    pub bytes: Source,
}

/// The responses given so far.
#[derive(Debug)]
pub(super) struct Given {
    pub counts: Vec<u64>,
    /// Those that were given to the end.
    pub whole: Vec<bool>,
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
