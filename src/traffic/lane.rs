//! One direction of a connection, and the part of a message that its next bytes belong to.

use super::cover::Cover;
use super::secrets::BodyMask;
use crate::wire::head::{Head, StartLine};
use crate::wire::head_pieces::HeadPieces;
use crate::wire::{BodyDecoder, ParseError};
use std::time::Duration;

/// The part of a message that the next bytes belong to.
#[derive(Debug)]
pub(super) enum Reading {
    Head,
    Body(BodyDecoder),
    /// Bytes whose meaning the next response decides, and their error if they are a request.
    Held(Vec<u8>, Option<ParseError>),
    Tunnel,
    /// Bytes that cannot be parsed.
    Lost,
}

#[derive(Debug)]
pub(super) struct Lane {
    pub reading: Reading,
    /// The exchange of the current body or tunnel.
    pub number: u64,
    pub cover: Cover,
    /// When the first byte of the head arrived.
    pub began: Duration,
}

/// The number of bytes that belong to a head, and the complete head with its length.
pub(super) type HeadRead<H> = (usize, Result<Option<(H, usize)>, ParseError>);

impl Lane {
    pub fn new(cover: bool) -> Lane {
        let cover = Cover::new(cover);
        Lane { reading: Reading::Head, number: 0, cover, began: Duration::ZERO }
    }

    pub fn head<L: StartLine>(
        &mut self,
        pieces: &mut HeadPieces<L>,
        now: Duration,
        bytes: &mut [u8],
    ) -> HeadRead<Head<L>> {
        if pieces.partial().is_empty() {
            self.began = now;
        }
        let n = self.cover.head.run(bytes);
        let read = pieces.feed(&bytes[..n]);
        (n, read.map(|(_, len)| len.map(|len| (pieces.take(), len))))
    }

    /// Returns whether the next `n` bytes are content without secrets, which needs no copy.
    pub fn is_plain(&self, n: usize) -> bool {
        matches!(&self.reading, Reading::Body(decoder) if decoder.run() > n as u64)
            && matches!(self.cover.body, BodyMask::Off)
    }
}
