//! Heads that arrive in pieces, from a caller that does not keep the pieces.

use super::ParseError;
use super::head::{Head, HeadDecoder, StartLine};

/// Reads one head after another, in pieces of any length. Keeps a head until it is complete.
#[derive(Debug)]
pub(crate) struct HeadPieces<L> {
    decoder: HeadDecoder<L>,
    /// The beginning of a head that did not arrive in one piece.
    partial: Vec<u8>,
}

impl<L: StartLine> Default for HeadPieces<L> {
    fn default() -> Self {
        HeadPieces { decoder: HeadDecoder::new(), partial: Vec::new() }
    }
}

impl<L: StartLine> HeadPieces<L> {
    /// Reads the front of `input`. Returns how many of its bytes belong to the head, and the
    /// length of the head once it is complete.
    ///
    /// # Errors
    /// As [`HeadDecoder::decode`].
    pub fn feed(&mut self, input: &[u8]) -> Result<(usize, Option<usize>), ParseError> {
        let before = self.partial.len();
        let complete = if before == 0 {
            self.decoder.decode(input)?
        } else {
            self.partial.extend_from_slice(input);
            self.decoder.decode(&self.partial)?
        };
        if let Some(len) = complete {
            self.partial.clear();
            return Ok((len - before, complete));
        }
        if before == 0 {
            self.partial.extend_from_slice(input);
        }
        Ok((input.len(), None))
    }

    /// Returns the bytes of a head that is not complete.
    pub fn partial(&mut self) -> &mut Vec<u8> {
        &mut self.partial
    }

    /// Prepares for another head of at most `limit` bytes.
    pub fn reset(&mut self, limit: usize) {
        self.partial.clear();
        self.decoder.reset(limit);
    }

    /// Returns the last complete head.
    pub fn head(&self) -> &Head<L> {
        self.decoder.head()
    }

    /// Takes the complete head away, and prepares for another.
    #[cfg(feature = "docker")]
    pub fn take(&mut self) -> Head<L> {
        std::mem::take(&mut self.decoder).head
    }
}
