//! The buffer of a connection: bytes as they arrived, and content decoded in place.

use crate::error::Error;
use crate::wire::{BodyDecoder, ParseError};
use std::fmt;
use std::io::{self, Read};
use std::ops::Range;

/// The size of a new buffer: enough for a head and a small body.
const SMALL: usize = 16 * 1024;
/// The largest size. A buffer grows only while every read fills it.
const LARGE: usize = 256 * 1024;
/// A run of content of at least this length gets its own slice or its own read.
pub(super) const RUN: usize = 4096;

/// A callback that receives the bytes of a body exactly as they arrived, including chunk framing.
pub(crate) type Watch = Box<dyn FnMut(&[u8]) + Send>;

/// Bytes that were read ahead, and their positions.
#[derive(Default)]
pub(super) struct Buffer {
    pub bytes: Vec<u8>,
    /// Content that is ready for the caller.
    pub ready: Range<usize>,
    /// Bytes behind `ready` that are not decoded yet.
    pub raw: Range<usize>,
    /// The framing error behind the content that is ready.
    pub broken: Option<ParseError>,
    pub watch: Option<Watch>,
}

/// Shows only lengths, because the bytes may contain credentials.
impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer(ready: {} bytes, raw: {} bytes)", self.ready.len(), self.raw.len())
    }
}

impl Buffer {
    #[inline]
    pub fn ready(&self) -> &[u8] {
        &self.bytes[self.ready.start..self.ready.end]
    }

    #[inline]
    pub fn raw(&self) -> &[u8] {
        &self.bytes[self.raw.start..self.raw.end]
    }

    /// Decodes raw bytes into ready content. Joins small chunks; a large chunk stays separate.
    pub fn decode(&mut self, body: &mut BodyDecoder) {
        while self.broken.is_none() {
            self.join_whole_chunks(body);
            let step = match body.step(&self.bytes[self.raw.clone()]) {
                Ok(step) => step,
                Err(error) => {
                    self.broken = Some(error);
                    return self.show(self.raw.len());
                }
            };
            let keep_framing = body.keeps_framing();
            let takes_data =
                self.ready.is_empty() || step.data < RUN || keep_framing || self.watch.is_some();
            self.show(step.framing + if takes_data { step.data } else { 0 });
            let end = self.raw.start + step.framing + step.data;
            self.raw.start += if keep_framing { 0 } else { step.framing };
            // The next step offers data that was not taken again.
            if !takes_data || self.raw.start == end {
                return;
            }
            if self.ready.is_empty() {
                self.ready = self.raw.start..end;
            } else {
                self.bytes.copy_within(self.raw.start..end, self.ready.end);
                self.ready.end += end - self.raw.start;
            }
            self.raw.start = end;
            body.consume(step.data);
        }
    }

    /// Joins whole small chunks to the content that is ready.
    fn join_whole_chunks(&mut self, body: &mut BodyDecoder) {
        if self.ready.is_empty() || body.keeps_framing() || self.watch.is_some() {
            return;
        }
        let end = &mut self.ready.end;
        let bytes = &mut self.bytes[..self.raw.end];
        self.raw.start = body.whole_chunks(bytes, self.raw.start, |bytes, data| {
            if data.len() >= RUN {
                return false;
            }
            let to = *end;
            *end += data.len();
            bytes.copy_within(data, to);
            true
        });
    }

    /// Passes the next `n` raw bytes to the watch, if there is one.
    fn show(&mut self, n: usize) {
        if let (Some(callback), 1..) = (&mut self.watch, n) {
            callback(&self.bytes[self.raw.start..self.raw.start + n]);
        }
    }

    /// Reads more of a body. Returns false at its end.
    pub fn more(&mut self, stream: &mut impl Read, body: &BodyDecoder) -> Result<bool, Error> {
        if body.is_done() {
            return Ok(false);
        }
        if let Some(error) = self.broken {
            return Err(error.into());
        }
        if self.fill(stream).map_err(Error::receive)? == 0 {
            return body.finish().map(|()| false).map_err(Error::Incomplete);
        }
        Ok(true)
    }

    /// Reads more bytes behind the buffered ones. Returns 0 at the end of the stream.
    pub fn fill(&mut self, stream: &mut impl Read) -> io::Result<usize> {
        let waiting = self.raw.len();
        if waiting == 0 {
            self.raw = 0..0;
        } else if self.raw.start > 0 && self.bytes.len() - self.raw.end < self.bytes.len() / 2 {
            self.bytes.copy_within(self.raw.clone(), 0);
            self.raw = 0..waiting;
        }
        self.ready = 0..0;
        if self.raw.end == self.bytes.len() {
            self.grow((self.bytes.len() * 2).max(SMALL));
        }
        let n = stream.read(&mut self.bytes[self.raw.end..])?;
        self.raw.end += n;
        if self.raw == (0..self.bytes.len()) && n < LARGE {
            self.grow((self.bytes.len() * 4).min(LARGE));
        }
        Ok(n)
    }

    fn grow(&mut self, size: usize) {
        if self.bytes.len() < size {
            self.bytes.resize(size, 0);
        }
    }
}
