//! Shortcuts of the codecs. Each has the same result as its plain twin: learners may skip this
//! file.
//!
//! | shortcut | plain twin | gain |
//! |---|---|---|
//! | `whole_chunks` | `ChunkedDecoder::step` | chunks of 100 bytes from a socket: half the time |

use super::chunked::{ChunkedDecoder, State};
use crate::base::number::hex_digit;
use std::ops::Range;

impl ChunkedDecoder {
    /// Reads the complete chunks that follow the end of a chunk at `at`. `take` receives the range
    /// of each chunk's data and moves the data, or returns false to stop. Returns the offset of the
    /// first unread byte and the number of content bytes.
    #[inline]
    pub(super) fn whole_chunks(
        &mut self,
        bytes: &mut [u8],
        mut at: usize,
        mut take: impl FnMut(&mut [u8], Range<usize>) -> bool,
    ) -> (usize, u64) {
        let (start, mut content, mut line) = (at, 0, SizeLine::default());
        let at_end = self.state == State::Data && self.left == 0;
        while at_end
            && let Some((framing, size)) = line.read(&bytes[at..])
            && size <= bytes.len() - at - framing
            && take(bytes, at + framing..at + framing + size)
        {
            at += framing + size;
            content += size as u64;
        }
        self.offset += (at - start) as u64;
        self.budget = self.budget.saturating_add(content);
        (at, content)
    }
}

/// Reads the end of a chunk and the next chunk-size line, if the line has one to four digits, no
/// leading zero and no chunk-ext. Returns the length of both and the chunk-size.
#[inline]
fn plain_line(input: &[u8]) -> Option<(usize, usize)> {
    let digits = input.strip_prefix(b"\r\n")?;
    let mut size = 0;
    for (n, &byte) in digits.iter().take(5).enumerate() {
        match hex_digit(byte) {
            Some(digit) if n < 4 && (n > 0 || digit > 0) => size = size << 4 | usize::from(digit),
            None if n > 0 && digits[n..].starts_with(b"\r\n") => return Some((n + 4, size)),
            _ => return None,
        }
    }
    None
}

/// The most recent line. The next line is compared with it first, because most servers send chunks
/// of one size. The processor can then begin a chunk before it has parsed the previous size.
#[derive(Default)]
struct SizeLine {
    word: u64,
    shift: u32,
    found: (usize, usize),
}

impl SizeLine {
    #[inline(always)]
    fn read(&mut self, input: &[u8]) -> Option<(usize, usize)> {
        let word = u64::from_le_bytes(*input.first_chunk()?);
        if self.found.0 == 0 || (word ^ self.word) << self.shift != 0 {
            self.found = plain_line(input)?;
            (self.word, self.shift) = (word, 64 - 8 * self.found.0 as u32);
        }
        Some(self.found)
    }
}

#[cfg(test)]
mod tests {
    use super::super::chunked::encode_chunk_size;
    use super::*;

    /// Reads the bytes after the data of a chunk with the plain twin.
    fn plainly(line: &[u8]) -> Option<(usize, usize)> {
        let mut decoder = ChunkedDecoder::new(0, 1000);
        decoder.step(b"1\r\nx").unwrap();
        decoder.consume(1);
        let step = decoder.step(line).ok()?;
        let size = usize::try_from(decoder.left()).unwrap();
        (size > 0).then_some((step.framing, size))
    }

    #[test]
    fn both_read_the_same_chunk_size_lines() {
        for size in (1..0x1_0000).step_by(7) {
            let mut line = b"\r\n".to_vec();
            encode_chunk_size(&mut line, size);
            assert_eq!(plain_line(&line), Some((line.len(), size as usize)));
            assert_eq!(plain_line(&line), plainly(&line));
            assert_eq!(plain_line(&line.to_ascii_uppercase()), plainly(&line));
            for cut in 0..line.len() {
                assert_eq!(plain_line(&line[..cut]), None);
            }
        }
        // The shortcut leaves every other line to the plain twin.
        for line in ["\r\n0\r\n", "\r\n01\r\n", "\r\n10000\r\n", "\r\n1;a\r\n", "\r\n1 \r\n"] {
            assert_eq!(plain_line(line.as_bytes()), None, "{line:?}");
        }
    }

    #[test]
    fn the_shortcut_accepts_no_line_that_the_plain_twin_rejects() {
        for a in 0..=255 {
            for b in [0, b'\n', b'\r', b'0', b'f', b'G', b';', b' '] {
                let line = [b'\r', b'\n', a, b, b'\r', b'\n', b'x'];
                if let Some(found) = plain_line(&line) {
                    assert_eq!(Some(found), plainly(&line), "{line:?}");
                }
            }
        }
    }
}
