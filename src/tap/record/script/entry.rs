//! The requests of a script.

use super::spool::Spool;
use crate::tap::record::command::repeated_fields;
use crate::traffic::{Exchange, Side};
use crate::wire::Fields;
use std::time::Duration;

/// The most input that is written as lines with their times. More goes to a file.
const TYPED_LIMIT: u64 = 4096;
/// A longer pause begins a new piece of input.
const PAUSE: Duration = Duration::from_secs(1);

/// One request, and its response.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub name: String,
    pub began: Duration,
    /// When its response ended; `None` if it was interrupted.
    pub ended: Option<Duration>,
    /// When the client left it.
    pub left: Option<Duration>,
    pub method: String,
    pub target: Vec<u8>,
    pub fields: Fields,
    pub body: Spool,
    /// Whether it became a tunnel, and the client's bytes in it.
    pub tunnel: bool,
    pub stdin: Spool,
    /// The first of those bytes, line by line, and when they were sent.
    pub typed: Vec<(Duration, Vec<u8>)>,
    /// The side that ended the tunnel first.
    pub first_end: Option<Side>,
    pub status: u16,
    pub reply: Spool,
}

impl Entry {
    pub(super) fn new(connection: u64, at: Duration, x: &Exchange) -> Entry {
        Entry {
            name: format!("{connection}.{}", x.number),
            began: x.sent.began.unwrap_or(at),
            method: x.method().to_owned(),
            target: x.target().to_vec(),
            fields: repeated_fields(x.fields(Side::Client)),
            ..Entry::default()
        }
    }

    /// Stores input of a tunnel with its time.
    pub(super) fn type_in(&mut self, at: Duration, bytes: &[u8]) {
        if self.stdin.length > TYPED_LIMIT {
            return;
        }
        for line in bytes.split_inclusive(|b| b"\r\n".contains(b)) {
            match self.typed.last_mut() {
                Some((begun, text))
                    if !text.ends_with(b"\r")
                        && !text.ends_with(b"\n")
                        && at.saturating_sub(*begun) < PAUSE =>
                {
                    text.extend_from_slice(line)
                }
                _ => self.typed.push((at, line.to_vec())),
            }
        }
    }

    /// Returns whether the input of the tunnel stays open until the server ends, as at a terminal.
    pub(super) fn stays_open(&self) -> bool {
        self.tunnel && self.first_end != Some(Side::Client) && self.stdin.length <= TYPED_LIMIT
    }
}
