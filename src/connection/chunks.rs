//! Large chunks, read to where they will lie.
//!
//! Where a chunk ends is known, but not what follows it: CR LF, a chunk-size line, more data (`RFC
//! 9112 §7.1`). Most peers send chunks of one size after another (Go's are of 32 KiB), so the next
//! is taken to be like the last, and one readv(2) puts the data of several into the caller's memory
//! and the lines between them elsewhere:
//!
//! ```text
//!   out   [ chunk-data           ]             [ chunk-data           ]
//!   gaps                         [CRLF 8000 CRLF]                     [CRLF 8000 CRLF]
//! ```
//!
//! What the lines say decides. Where they do not say what was guessed, the bytes behind are moved
//! to the buffer and read as any others. Chunks of 32 KiB into 64 KiB of memory take half the calls
//! and no copy: 1.16 times the time of a bare socket before, 1.01 to 1.12 from run to run with
//! this.

use super::{Connection, LARGE, RUN, SMALL};
use crate::error::Error;
use crate::wire::BodyDecoder;
use std::io::{IoSliceMut, Read};

/// How many chunks are read at once, at most.
const CHUNKS: usize = 8;
/// CR LF, 16 digits, CR LF: what is longer has chunk extensions or leading zeros.
const GAP: usize = 20;

/// What the last chunk looked like.
#[derive(Debug, Default)]
pub(super) struct Rhythm {
    /// Bytes between the data of the chunk before and its own.
    gap: usize,
    /// Bytes of its data.
    chunk: usize,
    /// How many bytes of the next gap have come.
    part: usize,
}

impl Rhythm {
    /// `framing` bytes were read that are not content.
    #[inline]
    pub fn hear(&mut self, framing: usize, body: &BodyDecoder) {
        self.part += framing;
        if self.part > 0 && body.run() > 0 {
            // There is no data before the first chunk that a CR LF would end.
            let first = if body.received() == 0 { 2 } else { 0 };
            self.gap = (self.part + first).min(GAP);
            self.chunk = usize::try_from(body.run()).unwrap_or(LARGE);
            self.part = 0;
        }
    }

    /// Whether data that is worth a place of its own is expected behind the rest of a gap.
    pub fn expects(&self, body: &BodyDecoder) -> bool {
        body.is_chunked() && !body.is_done() && self.chunk >= RUN && self.part < self.gap
    }
}

impl<S: Read> Connection<S> {
    /// Reads chunk-data into `out`, behind a gap if one is due; nothing is buffered. 0 where only
    /// framing came.
    pub(super) fn read_chunks(
        &mut self,
        body: &mut BodyDecoder,
        out: &mut [u8],
    ) -> Result<usize, Error> {
        let room = out.len().min(LARGE);
        let out = &mut out[..room];
        if body.run() > 0 {
            self.rhythm.part = 0;
        }
        let mut gaps = [[0; GAP]; CHUNKS];
        let mut plan = [(0, 0); CHUNKS];
        let n = {
            let mut slices: [IoSliceMut<'_>; 2 * CHUNKS] =
                std::array::from_fn(|_| IoSliceMut::new(&mut []));
            let mut chunk = usize::try_from(body.run()).unwrap_or(LARGE);
            let mut between = self.rhythm.gap.saturating_sub(self.rhythm.part);
            let mut rest = &mut *out;
            for ((slices, plan), gap) in slices.chunks_exact_mut(2).zip(&mut plan).zip(&mut gaps) {
                let (data, behind) = rest.split_at_mut(chunk.min(rest.len()));
                // Where `out` ends inside a chunk, its end is not waited for.
                let gap = &mut gap[..if data.len() == chunk { between } else { 0 }];
                let last = gap.is_empty() || behind.is_empty() || self.rhythm.chunk == 0;
                *plan = (data.len(), gap.len());
                slices[0] = IoSliceMut::new(data);
                slices[1] = IoSliceMut::new(gap);
                (rest, chunk, between) = (behind, self.rhythm.chunk, self.rhythm.gap);
                if last {
                    break;
                }
            }
            // Not into an empty slice first: a stream that knows no vectors reads into that alone.
            let filled = slices.iter().position(|slice| !slice.is_empty()).unwrap_or(0);
            self.stream.read_vectored(&mut slices[filled..]).map_err(Error::receive)?
        };
        if n == 0 {
            body.finish().map_err(Error::Incomplete)?;
        }
        Ok(self.sort_out(body, out, &plan, &gaps, n))
    }

    /// Goes through `n` bytes that were read as planned, as far as the guess was right; how many
    /// are content in `out`.
    fn sort_out(
        &mut self,
        body: &mut BodyDecoder,
        out: &[u8],
        plan: &[(usize, usize)],
        gaps: &[[u8; GAP]],
        n: usize,
    ) -> usize {
        let (mut content, mut left) = (0, n);
        for (at, (&(data, gap), bytes)) in plan.iter().zip(gaps).enumerate() {
            let data = data.min(left);
            body.consume(data);
            content += data;
            left -= data;
            let framing = &bytes[..gap.min(left)];
            if framing.is_empty() {
                break;
            }
            left -= framing.len();
            let step = match body.step(framing) {
                Ok(step) => step,
                Err(error) => {
                    self.broken = Some(error);
                    break;
                }
            };
            self.rhythm.hear(step.framing, body);
            let next = plan.get(at + 1).map_or(0, |&(data, _)| data.min(left));
            if step.framing < framing.len() || body.run() < next as u64 {
                self.keep(&framing[step.framing..]);
                self.keep_rest(&out[content..], &plan[at + 1..], &gaps[at + 1..], left);
                break;
            }
        }
        content
    }

    fn keep_rest(
        &mut self,
        mut out: &[u8],
        plan: &[(usize, usize)],
        gaps: &[[u8; GAP]],
        mut left: usize,
    ) {
        for (&(data, gap), bytes) in plan.iter().zip(gaps) {
            let (data, behind) = out.split_at(data.min(left));
            left -= data.len();
            let gap = &bytes[..gap.min(left)];
            left -= gap.len();
            self.keep(data);
            self.keep(gap);
            out = behind;
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if !self.has_buffered() {
            self.raw = (0, 0);
        }
        let end = self.raw.1 + bytes.len();
        self.grow(end.max(SMALL));
        self.buffer[self.raw.1..end].copy_from_slice(bytes);
        self.raw.1 = end;
    }
}
