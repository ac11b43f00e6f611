//! One direction of a connection, and the part of a message that its next bytes belong to.

use super::cover::Cover;
use crate::wire::head::{Head, StartLine};
use crate::wire::head_pieces::HeadPieces;
use crate::wire::{BodyDecoder, ParseError};
use std::time::Duration;

/// The part of a message that the next bytes belong to.
#[derive(Debug, Default)]
pub(super) enum Reading {
    #[default]
    Head,
    Body(BodyDecoder),
    /// Bytes whose meaning the next response decides, and their error if they are a request.
    Held(Vec<u8>, Option<ParseError>),
    Tunnel,
    /// Bytes that cannot be parsed.
    Lost,
}

#[derive(Debug, Default)]
pub(super) struct Lane {
    pub reading: Reading,
    /// The exchange of the current body or tunnel.
    pub number: u64,
    pub cover: Cover,
    /// When the first byte of the head arrived.
    pub began: Duration,
}

impl Lane {
    /// Returns how many bytes belong to a head, and the head once it is complete.
    pub fn head<L: StartLine>(
        &mut self,
        pieces: &mut HeadPieces<L>,
        now: Duration,
        bytes: &mut [u8],
    ) -> (usize, Result<Option<Head<L>>, ParseError>) {
        if pieces.partial().is_empty() {
            self.began = now;
        }
        let n = if self.cover.off { bytes.len() } else { self.cover.head.run(bytes) };
        match pieces.feed(&bytes[..n]) {
            Ok((used, len)) => (used, Ok(len.map(|_| pieces.take()))),
            Err(error) => (n, Err(error)),
        }
    }
}
