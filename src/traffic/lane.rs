//! One direction of a connection, and what its next bytes belong to.

use super::cover::Cover;
use crate::wire::head::{Head, StartLine};
use crate::wire::{BodyDecoder, HeadDecoder, ParseError, Progress};
use std::time::Duration;

/// What the next bytes belong to.
#[derive(Debug)]
pub(super) enum Reading {
    Head,
    Body(BodyDecoder),
    /// Bytes that the next response explains, and their error if they are a request.
    Held(Vec<u8>, Option<ParseError>),
    Tunnel,
    /// Something that cannot be parsed.
    Lost,
}

#[derive(Debug)]
pub(super) struct Lane {
    pub reading: Reading,
    /// The exchange whose body or tunnel is read.
    pub number: u64,
    pub cover: Cover,
    /// The beginning of a head that did not arrive in one piece.
    pub partial: Vec<u8>,
    /// When the first byte of the head arrived.
    pub began: Duration,
}

/// The number of bytes that belong to a head, and the complete head with its length.
pub(super) type HeadRead<H> = (usize, Result<Option<(H, usize)>, ParseError>);

impl Lane {
    pub fn new(cover: bool) -> Lane {
        let (partial, began) = (Vec::new(), Duration::ZERO);
        Lane { reading: Reading::Head, number: 0, cover: Cover::new(cover), partial, began }
    }

    pub fn head<L: StartLine>(
        &mut self,
        decoder: &mut HeadDecoder<L>,
        now: Duration,
        bytes: &mut [u8],
    ) -> HeadRead<Head<L>> {
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

    /// Whether the next `n` bytes are content without secrets, which needs no copy.
    pub fn is_plain(&self, n: usize) -> bool {
        matches!(&self.reading, Reading::Body(decoder) if decoder.run() > n as u64)
            && self.cover.is_off()
    }
}
