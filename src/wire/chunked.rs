//! The chunked transfer coding: a body whose length is not known when it begins.
//!
//! ```text
//! chunked-body   = *chunk last-chunk trailer-section CRLF             ; RFC 9112 §7.1
//! chunk          = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
//! chunk-size     = 1*HEXDIG
//! last-chunk     = 1*("0") [ chunk-ext ] CRLF
//! chunk-ext      = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
//! trailer-section = *( field-line CRLF )                              ; RFC 9112 §7.1.2
//! ```
//!
//! Declined, since each is a way to make two readers see two different chunks: a bare LF anywhere
//! in the framing, trailer section and all (the answer to erratum 7633), anything but CR LF after
//! chunk-data, `0x` and signs, more than 16 significant digits. Extensions are read past, but not
//! for ever: with leading zeros they may take up no more than the limit plus one byte for each byte
//! of content. The trailer section, which is kept, gets what is left of the limit and nothing for
//! the content; its fields are kept apart and never acted on.
//!
//! ```
//! use unix_http::wire::{ChunkedDecoder, Step};
//!
//! let wire = b"5\r\nhello\r\n0\r\n\r\n";
//! let mut decoder = ChunkedDecoder::new();
//! assert_eq!(decoder.step(wire)?, Step { framing: 3, data: 5 });
//! decoder.consume(5);
//! assert_eq!(decoder.step(&wire[8..])?, Step { framing: 7, data: 0 });
//! assert!(decoder.is_done());
//! # Ok::<(), unix_http::wire::ParseError>(())
//! ```

use super::OVERHEAD_LIMIT;
use super::body::Step;
use super::error::{ErrorKind, ParseError};
use super::fields::{Fields, Lenience, SectionDecoder};
use super::grammar::{is_ows, is_value_byte};
use super::head::Progress;
use std::ops::Range;

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The first digit of a chunk-size.
    SizeStart,
    /// More digits, or what follows them.
    Size,
    /// White space that only a `;` may follow.
    Bws,
    /// A chunk-ext, up to its CR.
    Ext,
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

/// How far [`ChunkedDecoder::plain_chunks`] read, and how many bytes of content.
pub(crate) struct Taken {
    pub at: usize,
    pub content: u64,
}

/// Undoes the chunked coding, one step at a time, without ever holding content.
///
/// Feed it what has come; each [`step`](ChunkedDecoder::step) says how many bytes of framing stood
/// in front and how many bytes of content follow them in the same input.
#[derive(Clone, Debug)]
pub struct ChunkedDecoder {
    state: State,
    /// What is left of this chunk's data; while its chunk-size is being read, the number so far.
    left: u64,
    /// How many bytes were read, framing and data.
    offset: u64,
    /// How many bytes of extensions, zeros and trailers may still come.
    budget: u64,
    /// The budget at the start.
    limit: u64,
    /// Whether a folded trailer field is refused.
    in_request: bool,
    /// The trailer section. Few bodies have one; apart, it does not make every decoder four times
    /// as large.
    trailer: Option<Box<Trailer>>,
}

#[derive(Clone, Debug, Default)]
struct Trailer {
    /// The section as far as it has come.
    bytes: Vec<u8>,
    section: SectionDecoder,
    fields: Fields,
}

impl Default for ChunkedDecoder {
    fn default() -> Self {
        ChunkedDecoder::new()
    }
}

impl ChunkedDecoder {
    /// A decoder at the start of a body, with [`OVERHEAD_LIMIT`] as its budget.
    pub fn new() -> ChunkedDecoder {
        ChunkedDecoder::with_limit(0, OVERHEAD_LIMIT)
    }

    /// A decoder whose errors count bytes from `offset` on, and that accepts `limit` bytes of
    /// extensions, zeros and trailers; of what is read past, also one for each byte of content.
    pub fn with_limit(offset: u64, limit: usize) -> ChunkedDecoder {
        let limit = limit as u64;
        let (state, left, in_request) = (State::SizeStart, 0, false);
        ChunkedDecoder { state, left, offset, budget: limit, limit, in_request, trailer: None }
    }

    /// The body is a request's: a folded trailer field is refused, and not unfolded (`RFC 9112
    /// §5.2`).
    pub fn in_request(self) -> ChunkedDecoder {
        ChunkedDecoder { in_request: true, ..self }
    }

    /// Whether the last chunk and its trailer section have been read.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// How many bytes of the current chunk's data are still to come.
    pub fn left(&self) -> u64 {
        if self.state == State::Data { self.left } else { 0 }
    }

    /// The trailer fields, once [`is_done`](ChunkedDecoder::is_done).
    pub fn trailers(&self) -> &Fields {
        const NONE: &Fields = &Fields::new();
        self.trailer.as_ref().map_or(NONE, |trailer| &trailer.fields)
    }

    /// Hands over the trailer fields.
    pub fn into_trailers(self) -> Fields {
        self.trailer.map(|trailer| trailer.fields).unwrap_or_default()
    }

    /// Reads past the framing at the front of `input`, up to data, the end of the message or the
    /// end of the input.
    ///
    /// The caller takes `framing` bytes off its input, then may use `data` bytes and tell how many
    /// it used with [`consume`](ChunkedDecoder::consume). A step of nothing at all asks for more
    /// input.
    ///
    /// # Errors
    /// As soon as the bytes decide it. All content before the error has been handed out.
    #[inline]
    pub fn step(&mut self, input: &[u8]) -> Result<Step, ParseError> {
        if self.between_chunks()
            && let Some((framing, size)) = plain_line(input)
        {
            self.offset += framing as u64;
            self.left = size as u64;
            return Ok(Step { framing, data: size.min(input.len() - framing) });
        }
        self.framing(input)
    }

    /// Reads on in `bytes` from `at` while chunks come that are whole and plain, and hands each
    /// one's place to `take`, which may move it away, or decline it. Where the first byte is that
    /// was not read.
    ///
    /// It does what [`step`](ChunkedDecoder::step) and [`consume`](ChunkedDecoder::consume) do, and
    /// no more; log lines of 100 bytes take a third of the time, since nothing but the place is
    /// carried from one to the next.
    #[inline]
    pub(crate) fn plain_chunks(
        &mut self,
        bytes: &mut [u8],
        mut at: usize,
        mut take: impl FnMut(&mut [u8], Range<usize>) -> bool,
    ) -> Taken {
        let (start, mut content) = (at, 0);
        let mut last = SizeLine::default();
        while self.between_chunks()
            && let Some((framing, size)) = last.like(&bytes[at..])
            && size <= bytes.len() - at - framing
            && take(bytes, at + framing..at + framing + size)
        {
            at += framing + size;
            content += size as u64;
        }
        self.offset += (at - start) as u64;
        self.budget = self.budget.saturating_add(content);
        Taken { at, content }
    }

    /// Whether the CR LF after a chunk is next.
    #[inline]
    fn between_chunks(&self) -> bool {
        self.state == State::Data && self.left == 0
    }

    /// Any framing, byte by byte.
    fn framing(&mut self, input: &[u8]) -> Result<Step, ParseError> {
        let mut at = 0;
        while let (Some(&byte), false) = (input.get(at), self.state == State::Done) {
            match self.state {
                State::Data if self.left > 0 => break,
                State::Trailer => at += self.trailer_section(&input[at..])?,
                _ => {
                    self.framing_byte(byte)?;
                    self.offset += 1;
                    at += 1;
                }
            }
        }
        let data = self.left().min((input.len() - at) as u64) as usize;
        Ok(Step { framing: at, data })
    }

    /// Tells that `n` bytes of the chunk's data were used.
    #[inline]
    pub fn consume(&mut self, n: usize) {
        let n = (n as u64).min(self.left());
        self.left -= n;
        self.offset += n;
        self.budget = self.budget.saturating_add(n);
    }

    fn framing_byte(&mut self, byte: u8) -> Result<(), ParseError> {
        self.state = match (self.state, byte) {
            (State::SizeStart, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                self.left = hex(byte);
                State::Size
            }
            (State::SizeStart, _) => return Err(self.error(ErrorKind::ChunkSize)),
            (State::Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                if self.left == 0 {
                    self.spend(1)?;
                }
                if self.left >> 60 != 0 {
                    return Err(self.error(ErrorKind::ChunkSizeOverflow));
                }
                self.left = self.left << 4 | hex(byte);
                State::Size
            }
            (State::Size | State::Bws | State::Ext, b';') => {
                self.spend(1)?;
                State::Ext
            }
            (State::Size | State::Bws, _) if is_ows(byte) => {
                self.spend(1)?;
                State::Bws
            }
            (State::Size | State::Ext, b'\r') => State::SizeLf,
            (State::Size | State::Ext, b'\n') => return Err(self.error(ErrorKind::ChunkLineEnd)),
            (State::Size | State::Bws, _) => return Err(self.error(ErrorKind::ChunkSize)),
            (State::Ext, _) if is_value_byte(byte) => {
                self.spend(1)?;
                State::Ext
            }
            (State::Ext, _) => return Err(self.error(ErrorKind::ChunkExt)),
            (State::SizeLf, b'\n') if self.left > 0 => State::Data,
            (State::SizeLf, b'\n') => {
                // A long body buys no long trailer section: that one is held in memory.
                self.budget = self.budget.min(self.limit);
                State::Trailer
            }
            (State::SizeLf, _) => return Err(self.error(ErrorKind::ChunkLineEnd)),
            (State::Data, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::SizeStart,
            (State::Data | State::DataLf | State::Trailer | State::Done, _) => {
                return Err(self.error(ErrorKind::ChunkDataEnd));
            }
        };
        Ok(())
    }

    /// Reads on in the trailer section; how many bytes of `input` belong to it.
    fn trailer_section(&mut self, input: &[u8]) -> Result<usize, ParseError> {
        if self.trailer.is_none() && input.starts_with(b"\r\n") {
            self.state = State::Done;
            self.offset += 2;
            return Ok(2);
        }
        let Trailer { bytes, section, fields } = &mut **self.trailer.get_or_insert_default();
        let before = bytes.len();
        let start = self.offset - before as u64;
        // The empty line that ends the section is always allowed.
        let room = self.budget.saturating_add(2).min(usize::MAX as u64) as usize;
        let within = &input[..input.len().min(room.saturating_sub(before))];
        bytes.extend_from_slice(within);
        let lenience = Lenience { folds: !self.in_request, bare_lf: false };
        let taken = match section.decode(fields, bytes, lenience) {
            Err(error) => return Err(ParseError { offset: start + error.offset, ..error }),
            Ok(Progress::Complete { len }) => {
                self.state = State::Done;
                len - before
            }
            Ok(Progress::Partial) if bytes.len() == room => {
                return Err(ParseError { kind: ErrorKind::TooLarge, offset: start + room as u64 });
            }
            Ok(Progress::Partial) => within.len(),
        };
        self.offset += taken as u64;
        Ok(taken)
    }

    fn spend(&mut self, n: u64) -> Result<(), ParseError> {
        self.budget = self.budget.checked_sub(n).ok_or(self.error(ErrorKind::TooLarge))?;
        Ok(())
    }

    fn error(&self, kind: ErrorKind) -> ParseError {
        ParseError { kind, offset: self.offset }
    }
}

/// The chunk-size line before. Where the last two were the same the next one is taken to be, and
/// only compared: a guess that holds lets the processor begin the next chunk before it has read
/// this one's size.
#[derive(Default)]
struct SizeLine {
    word: u64,
    other: u32,
    found: (usize, usize),
    guess: bool,
}

impl SizeLine {
    #[inline(always)]
    fn like(&mut self, input: &[u8]) -> Option<(usize, usize)> {
        let word = u64::from_le_bytes(*input.first_chunk()?);
        if self.guess && (word ^ self.word) << self.other == 0 {
            return Some(self.found);
        }
        let found = plain_line(input)?;
        self.guess = found == self.found;
        (self.word, self.other, self.found) = (word, 64 - 8 * found.0 as u32, found);
        Some(found)
    }
}

/// The end of a chunk and the whole chunk-size line of the next one, as nearly every server writes
/// it, with one to four digits, no leading zero and no chunk-ext: its length and the chunk-size.
#[inline]
fn plain_line(input: &[u8]) -> Option<(usize, usize)> {
    let (len, size, sizes) = match *input {
        [b'\r', b'\n', a, b, b'\r', b'\n', ..] => (6, digit(a) << 4 | digit(b), 0x10..0x100),
        [b'\r', b'\n', a, b'\r', b'\n', ..] => (5, digit(a), 1..0x10),
        [b'\r', b'\n', a, b, c, b'\r', b'\n', ..] => {
            (7, digit(a) << 8 | digit(b) << 4 | digit(c), 0x100..0x1000)
        }
        [b'\r', b'\n', a, b, c, d, b'\r', b'\n', ..] => {
            (8, digit(a) << 12 | digit(b) << 8 | digit(c) << 4 | digit(d), 0x1000..0x1_0000)
        }
        _ => return None,
    };
    sizes.contains(&size).then_some((len, size))
}

fn hex(digit: u8) -> u64 {
    u64::from(match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    })
}

/// The value of a hexadecimal digit; of another byte, a number that no four digits reach.
#[inline]
fn digit(byte: u8) -> usize {
    const VALUES: [u32; 256] = {
        let mut values = [0x1_0000; 256];
        let mut i = 0;
        while i < 16 {
            values[b"0123456789abcdef"[i] as usize] = i as u32;
            values[b"0123456789ABCDEF"[i] as usize] = i as u32;
            i += 1;
        }
        values
    };
    VALUES[byte as usize] as usize
}

/// Appends `data` as one chunk; nothing for no data, since a chunk of size 0 would end the body.
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

/// Appends the line before a chunk of `size` bytes; the chunk-data and a CR LF are the caller's to
/// write.
pub fn encode_chunk_size(out: &mut Vec<u8>, size: u64) {
    let digits = (16 - size.leading_zeros() as usize / 4).max(1);
    for i in (0..digits).rev() {
        out.push(b"0123456789abcdef"[(size >> (4 * i) & 15) as usize]);
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends the last chunk, the trailer fields and the empty line that ends the body.
pub fn encode_last_chunk(out: &mut Vec<u8>, trailers: &Fields) {
    out.extend_from_slice(b"0\r\n");
    trailers.encode(out);
    out.extend_from_slice(b"\r\n");
}
