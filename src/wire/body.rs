//! One decoder for all framings: which bytes are content, and whether the body is whole.
//!
//! ```text
//! message-body = *OCTET                                               ; RFC 9112 §6
//! ```
//!
//! Call [`BodyDecoder::finish`] when the connection ends. It returns [`Incomplete`] if the body was
//! cut short (`RFC 9112 §8`).
//!
//! ```
//! use unix_http::wire::{BodyDecoder, Framing, Incomplete, Step};
//!
//! let mut body = BodyDecoder::new(Framing::Length(5), 0, 1024);
//! assert_eq!(body.step(b"hel")?, Step { framing: 0, data: 3 });
//! body.consume(3);
//! assert_eq!(body.finish(), Err(Incomplete { received: 3, expected: Some(5) }));
//! body.consume(2);
//! assert!(body.is_done());
//! # Ok::<(), unix_http::wire::ParseError>(())
//! ```

use super::chunked::{ChunkedDecoder, Step};
use super::error::ParseError;
use super::field::Fields;
use super::framing::Framing;
use std::fmt;
use std::ops::Range;

/// A message that ended before it was complete (`RFC 9112 §8`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incomplete {
    /// The number of bytes of content that arrived.
    pub received: u64,
    /// The announced number of bytes, or `None` for a chunked body without its last chunk.
    pub expected: Option<u64>,
}

impl Incomplete {
    /// Returns the message without its RFC section.
    pub(crate) fn text(&self) -> String {
        let which = match self.expected {
            Some(expected) => format!(" of {expected} bytes"),
            None => " bytes, before the last chunk".to_string(),
        };
        format!("the connection ended after {}{which}", self.received)
    }
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (RFC 9112 §8)", self.text())
    }
}

impl std::error::Error for Incomplete {}

#[derive(Clone, Debug)]
enum State {
    Length(u64),
    Chunked(ChunkedDecoder),
    UntilClose,
}

/// Finds the content among the bytes that follow a head.
#[derive(Clone, Debug)]
pub struct BodyDecoder {
    state: State,
    received: u64,
    keep_framing: bool,
}

impl Default for BodyDecoder {
    fn default() -> Self {
        BodyDecoder::new(Framing::NoBody, 0, 0)
    }
}

impl BodyDecoder {
    /// Creates a decoder for a body whose first byte is byte `offset` of the message. Everything
    /// but content must fit `limit` bytes.
    pub fn new(framing: Framing, offset: u64, limit: usize) -> BodyDecoder {
        let state = match framing {
            Framing::NoBody | Framing::Tunnel => State::Length(0),
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Chunked(ChunkedDecoder::new(offset, limit)),
            Framing::UntilClose => State::UntilClose,
        };
        BodyDecoder { state, received: 0, keep_framing: false }
    }

    /// Creates a decoder for the body of a request, which refuses a folded trailer field
    /// (`RFC 9112 §5.2`).
    pub fn of_request(framing: Framing, offset: u64, limit: usize) -> BodyDecoder {
        let mut body = BodyDecoder::new(framing, offset, limit);
        if let State::Chunked(decoder) = &mut body.state {
            decoder.in_request = true;
        }
        body
    }

    /// Reads the framing at the front of `input` and finds the content behind it. If both are
    /// empty, more input is needed, unless the body [is done](BodyDecoder::is_done).
    ///
    /// # Errors
    /// Fails if chunked framing is broken. All content before the error was returned earlier.
    #[inline]
    pub fn step(&mut self, input: &[u8]) -> Result<Step, ParseError> {
        match &mut self.state {
            State::Length(left) => {
                Ok(Step { framing: 0, data: (*left).min(input.len() as u64) as usize })
            }
            State::Chunked(decoder) => decoder.step(input),
            State::UntilClose => Ok(Step { framing: 0, data: input.len() }),
        }
    }

    /// Reports that `n` bytes of content were used.
    #[inline]
    pub fn consume(&mut self, n: usize) {
        self.received += n as u64;
        match &mut self.state {
            State::Length(left) => *left = left.saturating_sub(n as u64),
            State::Chunked(decoder) => decoder.consume(n),
            State::UntilClose => {}
        }
    }

    /// Reads whole chunks, starting at `at`: see [`ChunkedDecoder::whole_chunks`]. Returns the
    /// offset of the first unread byte.
    #[inline]
    pub(crate) fn whole_chunks(
        &mut self,
        bytes: &mut [u8],
        at: usize,
        take: impl FnMut(&mut [u8], Range<usize>) -> bool,
    ) -> usize {
        let State::Chunked(decoder) = &mut self.state else { return at };
        let (end, content) = decoder.whole_chunks(bytes, at, take);
        self.received += content;
        end
    }

    /// Returns whether the last byte of the body has been read. With [`Framing::UntilClose`] this
    /// is never known.
    #[inline]
    pub fn is_done(&self) -> bool {
        match &self.state {
            State::Length(left) => *left == 0,
            State::Chunked(decoder) => decoder.is_done(),
            State::UntilClose => false,
        }
    }

    /// Returns the body as it was sent, including chunk framing (curl's `--raw`), from now on.
    pub fn keep_framing(&mut self) {
        self.keep_framing = true;
    }

    /// Returns whether [`keep_framing`](BodyDecoder::keep_framing) was called.
    #[inline]
    pub(crate) fn keeps_framing(&self) -> bool {
        self.keep_framing
    }

    /// Returns whether the body is chunked.
    #[inline]
    pub(crate) fn is_chunked(&self) -> bool {
        matches!(self.state, State::Chunked(_))
    }

    /// Returns the number of content bytes that come next without framing between them.
    #[inline]
    pub(crate) fn run(&self) -> u64 {
        match &self.state {
            State::Chunked(_) if self.keep_framing => 0,
            State::Length(left) => *left,
            State::Chunked(decoder) => decoder.left(),
            State::UntilClose => u64::MAX,
        }
    }

    /// Returns the number of bytes of content used so far.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Checks at the end of the connection whether the body is complete.
    ///
    /// # Errors
    /// [`Incomplete`] if announced bytes did not arrive.
    pub fn finish(&self) -> Result<(), Incomplete> {
        let received = self.received;
        match &self.state {
            State::Length(left) if *left > 0 => {
                Err(Incomplete { received, expected: Some(received + left) })
            }
            State::Chunked(decoder) if !decoder.is_done() => {
                Err(Incomplete { received, expected: None })
            }
            _ => Ok(()),
        }
    }

    /// Returns the trailer fields of a completed chunked body, otherwise `None`.
    pub fn trailers(&self) -> Option<&Fields> {
        match &self.state {
            State::Chunked(decoder) if decoder.is_done() => Some(decoder.trailers()),
            _ => None,
        }
    }
}
