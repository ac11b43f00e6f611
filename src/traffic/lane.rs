//! One direction of a connection: what its next bytes belong to.

use super::cover::Cover;
use crate::wire::head::Head;
use crate::wire::{BodyDecoder, HeadDecoder, ParseError, Progress};
use std::time::Duration;

/// What the next bytes of a direction belong to.
#[derive(Debug)]
pub(super) enum Reading {
    Head,
    Body(BodyDecoder),
    /// Bytes behind a request whose answer decides how they are read, and what is wrong with them
    /// if they are another request.
    Held(Vec<u8>, Option<ParseError>),
    /// Another protocol.
    Tunnel,
    /// Something that cannot be read.
    Lost,
}

#[derive(Debug)]
pub(super) struct Lane {
    pub reading: Reading,
    /// The number of the exchange whose body or tunnel is read.
    pub number: u64,
    pub cover: Cover,
    /// The head as far as it has come, unless it came all at once.
    pub partial: Vec<u8>,
    /// When the head's first byte came.
    pub began: Duration,
}

/// How many bytes belong to a head, and the head and its length once it is complete.
pub(super) type HeadRead<H> = (usize, Result<Option<(H, usize)>, ParseError>);

impl Lane {
    pub fn new(cover: bool) -> Lane {
        Lane {
            reading: Reading::Head,
            number: 0,
            cover: Cover::new(cover),
            partial: Vec::new(),
            began: Duration::ZERO,
        }
    }

    /// Reads on in a head.
    pub fn head<H: Head>(
        &mut self,
        decoder: &mut HeadDecoder<H>,
        now: Duration,
        bytes: &mut [u8],
    ) -> HeadRead<H> {
        if self.partial.is_empty() {
            self.began = now;
        }
        let (n, complete) = self.cover.head(bytes);
        let progress = if self.partial.is_empty() && complete {
            decoder.decode(&bytes[..n])
        } else {
            self.partial.extend_from_slice(&bytes[..n]);
            decoder.decode(&self.partial)
        };
        match progress {
            Ok(Progress::Partial) => (n, Ok(None)),
            Ok(Progress::Complete { len }) => {
                self.partial.clear();
                (n, Ok(Some((std::mem::take(decoder).into_head(), len))))
            }
            Err(error) => (n, Err(error)),
        }
    }

    /// Whether the next `n` bytes are content in which nothing is covered: they need not be copied.
    pub fn is_plain(&self, n: usize) -> bool {
        matches!(&self.reading, Reading::Body(decoder) if decoder.run() > n as u64)
            && self.cover.is_off()
    }
}
