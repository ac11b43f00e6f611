//! The chunked transfer coding: for a body whose length is unknown when it begins.
//!
//! ```text
//! chunked-body   = *chunk last-chunk trailer-section CRLF             ; RFC 9112 §7.1
//! chunk          = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
//! chunk-size     = 1*HEXDIG
//! last-chunk     = 1*("0") [ chunk-ext ] CRLF
//! chunk-ext      = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
//! chunk-ext-name = token
//! chunk-ext-val  = token / quoted-string
//! trailer-section = *( field-line CRLF )                              ; RFC 9112 §7.1.2
//! ```
//!
//! Rejected, because two readers could see two different chunks: a bare LF in the framing or in the
//! trailer section (erratum 7633), anything but CR LF after chunk-data, `0x` and signs, more than
//! 16 significant digits.
//!
//! Extensions are ignored, but they have a budget: extensions and leading zeros together may take
//! the limit plus one byte for each byte of content. The trailer section is held in memory, so it
//! gets only the rest of the limit. Its fields stay separate from the head and are never acted on.
//!
//! ```
//! use unix_http::wire::{BodyDecoder, Framing, OVERHEAD_LIMIT, Step};
//!
//! let wire = b"5\r\nhello\r\n0\r\n\r\n";
//! let mut body = BodyDecoder::new(Framing::Chunked, 0, OVERHEAD_LIMIT);
//! assert_eq!(body.step(wire)?, Step { framing: 3, data: 5 });
//! body.consume(5);
//! assert_eq!(body.step(&wire[8..])?, Step { framing: 7, data: 0 });
//! assert!(body.is_done());
//! # Ok::<(), unix_http::wire::ParseError>(())
//! ```

use super::error::{ParseError, Violation};
use super::field::Fields;
use super::grammar::{is_tchar, is_value_byte};
use super::section::{Lenience, SectionDecoder};
use crate::base::number::{LOWER_HEX, hex_digit};
use std::fmt;

/// What a decoder found at the front of its input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The number of framing bytes. The decoder has read them: skip them.
    pub framing: usize,
    /// The number of content bytes that follow.
    pub data: usize,
}

/// The part of the body that the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The first digit of a chunk-size.
    SizeStart,
    /// More digits, or what follows them.
    Size,
    /// White space before a `;`.
    Bws,
    /// A chunk-ext, up to its CR.
    Ext(Ext),
    /// The LF of a chunk-size line.
    SizeLf,
    /// Chunk-data, then its CR.
    Data,
    /// The LF after chunk-data.
    DataLf,
    /// The trailer section.
    Trailer,
    /// The message is over.
    Done,
}

/// The part of a chunk-ext that the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ext {
    /// White space, then the first byte of a name.
    NameStart,
    Name,
    /// White space before a `=` or a `;`.
    NameEnd,
    /// White space, then the first byte of a value.
    ValueStart,
    Token,
    Quoted,
    /// The byte after a backslash (`RFC 9110 §5.6.4`).
    QuotedPair,
    /// The byte after a closing quote.
    QuoteEnd,
    /// White space before a `;`.
    ValueEnd,
}

impl Ext {
    /// Returns the state after `byte`, or `None` if `byte` is not allowed here.
    fn after(self, byte: u8) -> Option<Ext> {
        use Ext::*;
        Some(match (self, byte) {
            (NameStart | ValueStart, b' ' | b'\t') => self,
            (NameStart | Name, _) if is_tchar(byte) => Name,
            (Name | NameEnd, b' ' | b'\t') => NameEnd,
            (Name | NameEnd, b'=') => ValueStart,
            (ValueStart, b'"') => Quoted,
            (ValueStart | Token, _) if is_tchar(byte) => Token,
            (Quoted, b'"') => QuoteEnd,
            (Quoted, b'\\') => QuotedPair,
            (Quoted | QuotedPair, _) if is_value_byte(byte) => Quoted,
            (Token | QuoteEnd | ValueEnd, b' ' | b'\t') => ValueEnd,
            (Name | NameEnd | Token | QuoteEnd | ValueEnd, b';') => NameStart,
            _ => return None,
        })
    }
}

/// Removes the chunked coding step by step, without storing content.
#[derive(Clone, Debug)]
pub(crate) struct ChunkedDecoder {
    pub(super) state: State,
    /// The bytes left of this chunk's data; within a chunk-size, the number read so far.
    pub(super) left: u64,
    pub(super) offset: u64,
    /// The bytes of extensions, zeros and trailers that are still allowed.
    pub(super) budget: u64,
    /// The initial budget.
    limit: u64,
    /// Whether to reject a folded trailer field, as a server must (`RFC 9112 §5.2`).
    pub(super) in_request: bool,
    /// Boxed because few bodies have a trailer section.
    trailer: Option<Box<Trailer>>,
}

#[derive(Clone)]
struct Trailer {
    /// The part of the section that has arrived.
    bytes: Vec<u8>,
    section: SectionDecoder,
    fields: Fields,
}

impl fmt::Debug for Trailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fields.fmt(f)
    }
}

impl ChunkedDecoder {
    /// Creates a decoder whose first byte is byte `offset` of the message, with a budget of `limit`
    /// bytes.
    pub fn new(offset: u64, limit: usize) -> ChunkedDecoder {
        let limit = limit as u64;
        let (state, left, in_request) = (State::SizeStart, 0, false);
        ChunkedDecoder { state, left, offset, budget: limit, limit, in_request, trailer: None }
    }

    /// Returns whether the last chunk and its trailer section have been read.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Returns the number of bytes left of the current chunk's data.
    pub fn left(&self) -> u64 {
        if self.state == State::Data { self.left } else { 0 }
    }

    /// Returns the trailer fields, once the decoder [is done](ChunkedDecoder::is_done).
    pub fn trailers(&self) -> &Fields {
        const NONE: &Fields = &Fields::new();
        self.trailer.as_ref().map_or(NONE, |trailer| &trailer.fields)
    }

    /// Reads the framing at the front of `input`, up to chunk-data, the end of the message or the
    /// end of the input.
    ///
    /// Skip `framing` bytes of the input. Then use up to `data` bytes and report their number to
    /// [`consume`](ChunkedDecoder::consume). If both are 0, more input is needed.
    ///
    /// # Errors
    /// Fails as soon as the bytes break the grammar. All content before the error was returned
    /// earlier.
    pub fn step(&mut self, input: &[u8]) -> Result<Step, ParseError> {
        let mut at = 0;
        while let (Some(&byte), false) = (input.get(at), self.state == State::Done) {
            match self.state {
                State::Data if self.left > 0 => break,
                State::Trailer => at += self.trailer_section(&input[at..])?,
                _ => {
                    self.state = self.framing_byte(byte)?;
                    self.offset += 1;
                    at += 1;
                }
            }
        }
        let data = self.left().min((input.len() - at) as u64) as usize;
        Ok(Step { framing: at, data })
    }

    /// Reports that `n` bytes of the chunk's data were used.
    #[inline]
    pub fn consume(&mut self, n: usize) {
        let n = (n as u64).min(self.left());
        self.left -= n;
        self.offset = self.offset.saturating_add(n);
        self.budget = self.budget.saturating_add(n);
    }

    /// Reads one byte of framing and returns the state after it.
    fn framing_byte(&mut self, byte: u8) -> Result<State, ParseError> {
        let violation = match (self.state, byte) {
            (State::SizeStart | State::Size, _) if byte.is_ascii_hexdigit() => {
                return self.size_digit(hex_digit(byte).unwrap_or_default());
            }
            (State::Size | State::Bws, b';') => return self.spend(State::Ext(Ext::NameStart)),
            (State::Size | State::Bws, b' ' | b'\t') => return self.spend(State::Bws),
            (State::Size | State::Ext(Ext::Name | Ext::Token | Ext::QuoteEnd), b'\r') => {
                return Ok(State::SizeLf);
            }
            (State::Ext(ext), _) => match ext.after(byte) {
                Some(next) => return self.spend(State::Ext(next)),
                None if byte == b'\n' => Violation::ChunkLineEnd,
                None => Violation::ChunkExt,
            },
            (State::SizeLf, b'\n') if self.left > 0 => return Ok(State::Data),
            (State::SizeLf, b'\n') => {
                // Content adds to the budget of extensions, but not to that of the trailers.
                self.budget = self.budget.min(self.limit);
                return Ok(State::Trailer);
            }
            (State::Data, b'\r') => return Ok(State::DataLf),
            (State::DataLf, b'\n') => return Ok(State::SizeStart),
            (State::Size, b'\n') | (State::SizeLf, _) => Violation::ChunkLineEnd,
            (State::SizeStart | State::Size | State::Bws, _) => Violation::ChunkSize,
            _ => Violation::ChunkDataEnd,
        };
        Err(self.error(violation))
    }

    fn size_digit(&mut self, digit: u8) -> Result<State, ParseError> {
        if self.state == State::SizeStart {
            self.left = 0;
        } else if self.left == 0 {
            self.spend(State::Size)?;
        }
        if self.left >> 60 != 0 {
            return Err(self.error(Violation::ChunkSizeOverflow));
        }
        self.left = self.left << 4 | u64::from(digit);
        Ok(State::Size)
    }

    /// Takes one byte off the budget and returns `next`.
    fn spend(&mut self, next: State) -> Result<State, ParseError> {
        self.budget = self.budget.checked_sub(1).ok_or(self.error(Violation::TooLarge))?;
        Ok(next)
    }

    /// Reads more of the trailer section. Returns how many bytes of `input` belong to it.
    fn trailer_section(&mut self, input: &[u8]) -> Result<usize, ParseError> {
        if self.trailer.is_none() && input.starts_with(b"\r\n") {
            self.state = State::Done;
            self.offset += 2;
            return Ok(2);
        }
        let lenience = Lenience { folds: !self.in_request, bare_lf: false };
        let Trailer { bytes, section, fields } = &mut **self.trailer.get_or_insert_with(|| {
            let section = SectionDecoder::new(lenience);
            Box::new(Trailer { bytes: Vec::new(), section, fields: Fields::new() })
        });
        let before = bytes.len();
        let start = self.offset - before as u64;
        // The empty line that ends the section is always allowed.
        let room = self.budget.saturating_add(2).min(usize::MAX as u64) as usize;
        let within = &input[..input.len().min(room.saturating_sub(before))];
        bytes.extend_from_slice(within);
        let taken = match section.decode(fields, bytes) {
            Err(error) => return Err(ParseError { offset: start + error.offset, ..error }),
            Ok(Some(len)) => {
                self.state = State::Done;
                len - before
            }
            Ok(None) if bytes.len() == room => {
                return Err(ParseError {
                    violation: Violation::TooLarge,
                    offset: start + room as u64,
                });
            }
            Ok(None) => within.len(),
        };
        self.offset += taken as u64;
        Ok(taken)
    }

    fn error(&self, violation: Violation) -> ParseError {
        ParseError { violation, offset: self.offset }
    }
}

/// Appends `data` as one chunk. Appends nothing if it is empty: a chunk of size 0 ends the body.
///
/// ```
/// let mut out = Vec::new();
/// unix_http::wire::encode_chunk(&mut out, b"hello, world");
/// unix_http::wire::encode_last_chunk(&mut out, &Default::default());
/// assert_eq!(out, b"c\r\nhello, world\r\n0\r\n\r\n");
/// ```
pub fn encode_chunk(out: &mut Vec<u8>, data: &[u8]) {
    if !data.is_empty() {
        encode_chunk_size(out, data.len() as u64);
        out.extend_from_slice(data);
        out.extend_from_slice(b"\r\n");
    }
}

/// Appends the chunk-size line of a chunk. The caller writes the chunk-data and a CR LF.
pub(crate) fn encode_chunk_size(out: &mut Vec<u8>, size: u64) {
    let digits = (16 - size.leading_zeros() as usize / 4).max(1);
    for i in (0..digits).rev() {
        out.push(LOWER_HEX[(size >> (4 * i) & 15) as usize]);
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends the last chunk, the trailer fields and the empty line that ends the body.
pub fn encode_last_chunk(out: &mut Vec<u8>, trailers: &Fields) {
    out.extend_from_slice(b"0\r\n");
    trailers.encode(out);
    out.extend_from_slice(b"\r\n");
}
