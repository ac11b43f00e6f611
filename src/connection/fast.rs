//! A shortcut for content into the caller's memory. The result is the same as that of
//! [`fill_body`](super::Connection::fill_body) and a copy: skip this file to learn the protocol.
//!
//! | shortcut | plain twin | gain |
//! |---|---|---|
//! | [`read_large`] | `fill_body` and a copy | chunks of 32 KiB: 1.06 instead of 1.16 × a socket |
//! | [`copy_buffered`] | `fill_body` and a copy | chunks of 100 bytes: one copy instead of two |
//!
//! `tests/client/read_body.rs` shows that both deliver the same content.

use super::buffer::{Buffer, RUN};
use crate::error::Error;
use crate::wire::BodyDecoder;
use std::io::{self, IoSliceMut, Read};

/// The longest gap that is read separately: CR LF, 16 digits, CR LF.
const GAP: usize = 20;

/// The framing between the last two chunks. Most servers send chunks of one size, so the next gap
/// and the next chunk will probably have the same length.
#[derive(Debug, Default)]
pub(super) struct Gap {
    /// The bytes between the data of the last chunk and the data before it.
    len: usize,
    /// The bytes of data of the last chunk.
    chunk: usize,
    /// The bytes of the next gap that have arrived.
    part: usize,
}

impl Gap {
    /// Notes that the decoder read `framing` bytes of framing.
    #[inline]
    fn note(&mut self, framing: usize, body: &BodyDecoder) {
        self.part += framing;
        if self.part > 0 && body.run() > 0 {
            // No CR LF of an earlier chunk precedes the first chunk.
            let first = if body.received() == 0 { 2 } else { 0 };
            self.len = (self.part + first).min(GAP);
            self.chunk = usize::try_from(body.run()).unwrap_or(usize::MAX);
            self.part = 0;
        }
    }

    /// Returns whether the rest of a gap comes next, and probably a large chunk after it.
    fn is_next(&self, body: &BodyDecoder) -> bool {
        let between = body.is_chunked() && body.run() == 0 && !body.is_done();
        between && self.chunk >= RUN && self.part < self.len
    }
}

/// Reads content into `out`. Returns 0 at the end of the body, or if `out` is empty.
pub(super) fn read_content(
    stream: &mut impl Read,
    buffer: &mut Buffer,
    gap: &mut Gap,
    body: &mut BodyDecoder,
    out: &mut [u8],
) -> Result<usize, Error> {
    loop {
        let n = copy_buffered(buffer, gap, body, out);
        if n > 0 || out.is_empty() {
            return Ok(n);
        }
        let is_empty = buffer.raw.is_empty() && buffer.broken.is_none();
        let large = body.run() >= RUN as u64 || gap.is_next(body);
        if is_empty && large && out.len() >= RUN {
            let n = read_large(stream, buffer, gap, body, out)?;
            if n > 0 || !body.is_chunked() {
                return Ok(n);
            }
        } else if !buffer.more(stream, body)? {
            return Ok(0);
        }
    }
}

/// Copies buffered content to `out`.
fn copy_buffered(
    buffer: &mut Buffer,
    gap: &mut Gap,
    body: &mut BodyDecoder,
    out: &mut [u8],
) -> usize {
    let mut n = 0;
    while n < out.len() && !buffer.raw.is_empty() && buffer.broken.is_none() && !body.is_done() {
        let bytes = &mut buffer.bytes[..buffer.raw.end];
        buffer.raw.start = body.whole_chunks(bytes, buffer.raw.start, |bytes, data| {
            let Some(room) = out[n..].get_mut(..data.len()) else { return false };
            n += room.len();
            room.copy_from_slice(&bytes[data]);
            true
        });
        let raw = &buffer.bytes[buffer.raw.clone()];
        match body.step(raw) {
            Ok(step) => {
                let data = step.data.min(out.len() - n);
                out[n..n + data].copy_from_slice(&raw[step.framing..step.framing + data]);
                gap.note(step.framing, body);
                body.consume(data);
                buffer.raw.start += step.framing + data;
                n += data;
                if data == 0 {
                    break;
                }
            }
            Err(error) => buffer.broken = Some(error),
        }
    }
    n
}

/// Reads large runs from the stream straight into `out`. Returns 0 if only framing arrived.
fn read_large(
    stream: &mut impl Read,
    buffer: &mut Buffer,
    gap: &mut Gap,
    body: &mut BodyDecoder,
    out: &mut [u8],
) -> Result<usize, Error> {
    buffer.ready = 0..0;
    let mut guess = Guess::new(gap, body, out.len());
    guess.read(stream, out).map_err(Error::receive)?;
    if guess.n == 0 {
        body.finish().map_err(Error::Incomplete)?;
    }
    Ok(guess.sort_out(buffer, gap, body, out))
}

/// The most chunks that one read expects, after the current one.
const CHUNKS: usize = 7;

/// The layout that one readv(2) expects: the rest of a chunk, then gaps and chunks like the last
/// ones. The gaps go to `lines`, so that the chunks are contiguous in `out`:
///
/// ```text
///   out     [ chunk-data           ]             [ chunk-data           ]
///   lines                           [CRLF 8000 CRLF]
/// ```
///
/// If a gap has other bytes than expected, everything after it moves to the buffer.
struct Guess {
    /// The length of the current run.
    run: usize,
    /// The expected lengths of the rest of the first gap, of every other gap, and of every chunk.
    first: usize,
    gap: usize,
    chunk: usize,
    /// The bytes of the gaps.
    lines: [[u8; GAP]; CHUNKS],
    /// How many bytes were read.
    n: usize,
}

impl Guess {
    fn new(gap: &mut Gap, body: &BodyDecoder, room: usize) -> Guess {
        let run = room.min(usize::try_from(body.run()).unwrap_or(usize::MAX));
        if run > 0 {
            gap.part = 0;
        }
        // Do not wait for the end of a chunk that `out` has no room for.
        let chunk = if body.is_chunked() && run < room { gap.chunk } else { 0 };
        let (first, lines) = (gap.len - gap.part, [[0; GAP]; CHUNKS]);
        Guess { run, first, gap: gap.len, chunk, lines, n: 0 }
    }

    fn read(&mut self, stream: &mut impl Read, out: &mut [u8]) -> io::Result<()> {
        let (data, mut rest) = out.split_at_mut(self.run);
        if self.chunk == 0 {
            self.n = stream.read(data)?;
            return Ok(());
        }
        let mut slices: [IoSliceMut<'_>; 1 + 2 * CHUNKS] =
            std::array::from_fn(|_| IoSliceMut::new(&mut []));
        slices[0] = IoSliceMut::new(data);
        let mut gap = self.first;
        for (pair, line) in slices[1..].chunks_exact_mut(2).zip(&mut self.lines) {
            if rest.is_empty() {
                break;
            }
            let (chunk, behind) = rest.split_at_mut(self.chunk.min(rest.len()));
            pair[0] = IoSliceMut::new(&mut line[..gap]);
            pair[1] = IoSliceMut::new(chunk);
            (rest, gap) = (behind, self.gap);
        }
        // A stream without vectored reads uses only the first slice, which must not be empty.
        self.n = stream.read_vectored(&mut slices[usize::from(self.run == 0)..])?;
        Ok(())
    }

    /// Checks the gaps. Returns the number of content bytes in `out`.
    fn sort_out(
        &self,
        buffer: &mut Buffer,
        gap: &mut Gap,
        body: &mut BodyDecoder,
        out: &[u8],
    ) -> usize {
        let mut content = self.n.min(self.run);
        body.consume(content);
        let mut unread = self.n - content;
        let mut expected = self.first;
        for (at, line) in self.lines.iter().enumerate() {
            let line = &line[..expected.min(unread)];
            if line.is_empty() {
                break;
            }
            unread -= line.len();
            expected = self.gap;
            match body.step(line) {
                Ok(step) => {
                    gap.note(step.framing, body);
                    let data = self.chunk.min(unread).min(out.len() - content);
                    if step.framing < line.len() || body.run() < data as u64 {
                        buffer.keep(&line[step.framing..]);
                        self.keep_rest(at + 1, unread, buffer, &out[content..]);
                        break;
                    }
                    body.consume(data);
                    content += data;
                    unread -= data;
                }
                Err(error) => {
                    buffer.broken = Some(error);
                    break;
                }
            }
        }
        content
    }

    /// Moves `unread` bytes to the buffer: a chunk, then pairs of a gap and a chunk, starting with
    /// gap `at`.
    fn keep_rest(&self, at: usize, mut unread: usize, buffer: &mut Buffer, mut out: &[u8]) {
        for line in [&[][..]].into_iter().chain(self.lines[at..].iter().map(|line| &line[..])) {
            let line = &line[..line.len().min(self.gap).min(unread)];
            unread -= line.len();
            let (chunk, behind) = out.split_at(self.chunk.min(unread).min(out.len()));
            unread -= chunk.len();
            buffer.keep(line);
            buffer.keep(chunk);
            out = behind;
        }
    }
}
