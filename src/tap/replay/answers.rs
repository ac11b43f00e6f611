//! Recorded responses and the requests that they belong to.

use std::collections::hash_map::DefaultHasher;
use std::fs::File;
use std::hash::Hasher;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How many bytes of a file are read at a time.
const PART: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct Answer {
    /// The number of its connection, if known.
    pub connection: Option<u64>,
    pub method: String,
    pub target: Vec<u8>,
    pub body: Digest,
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

impl Answer {
    /// `METHOD target`, for people.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.target.escape_ascii())
    }
}

/// Some bytes of a response.
#[derive(Debug)]
pub(super) struct Part {
    /// When they came, since the start of the recording.
    pub at: Duration,
    /// How long after the previous part or the request.
    pub after: Duration,
    /// How many bytes the client had sent after the request by then.
    pub heard: u64,
    pub bytes: Source,
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
        match self {
            Source::Memory(bytes) => take(bytes),
            Source::File { path, offset, length } => {
                let mut file = File::open(&**path)?;
                file.seek(SeekFrom::Start(*offset))?;
                let mut left = *length;
                let mut buffer = vec![0; PART.min(usize::try_from(left).unwrap_or(PART))];
                while left > 0 {
                    let room = buffer.len().min(usize::try_from(left).unwrap_or(PART));
                    let n = file.read(&mut buffer[..room])?;
                    if n == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    take(&buffer[..n])?;
                    left -= n as u64;
                }
                Ok(())
            }
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
