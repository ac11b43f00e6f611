//! One buffer over one stream: messages in, messages out.
//!
//! ```text
//!   stream ──read──▶ [ ready │ raw          │ free ]
//!                      │       └ bytes as they arrived: heads, chunk-size lines, content
//!                      └ content, handed out as slices of this same buffer
//! ```
//!
//! A small message costs one read. Small chunks are joined in place. Bytes beyond a message stay
//! for the next one. Reads into the caller's memory take a shortcut: `fast`.
//!
//! [`Connection`] reads from a stream and blocks. [`ClientExchange`] has no stream: a poll loop or
//! an async runtime moves the bytes.
//!
//! ```
//! use unix_http::connection::Connection;
//! use unix_http::wire::{BodyDecoder, Framing, ResponseDecoder};
//!
//! let wire: &[u8] =
//!     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nfoo\r\n3\r\nbar\r\n0\r\n\r\n";
//! let (mut connection, mut decoder) = (Connection::new(wire), ResponseDecoder::new());
//! assert_eq!(connection.read_head(&mut decoder)?, Some(47));
//! let mut body = BodyDecoder::new(Framing::Chunked, 47, 1024);
//! assert_eq!(connection.fill_body(&mut body)?, b"foobar");
//! connection.consume_body(6);
//! assert_eq!(connection.fill_body(&mut body)?, b"");
//! assert!(body.is_done());
//! # Ok::<(), unix_http::Error>(())
//! ```

mod buffer;
mod exchange;
mod fast;
mod upgraded;

pub(crate) use buffer::Watch;
pub use exchange::{ClientExchange, Received};
pub use upgraded::Upgraded;

use crate::error::Error;
use crate::wire::head::StartLine;
use crate::wire::{BodyDecoder, HeadDecoder};
use buffer::Buffer;
use std::io::Read;

/// A stream and the bytes that were read ahead from it.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    buffer: Buffer,
}

impl<S> Connection<S> {
    /// Creates a connection over `stream` with an empty buffer.
    pub fn new(stream: S) -> Connection<S> {
        Connection::with_buffer(stream, Vec::new())
    }

    /// Creates a connection over `stream` with this memory as its buffer.
    pub(crate) fn with_buffer(stream: S, bytes: Vec<u8>) -> Connection<S> {
        let buffer = Buffer { bytes, ..Buffer::default() };
        Connection { stream, buffer }
    }

    /// Returns the stream.
    pub(crate) fn stream(&self) -> &S {
        &self.stream
    }

    /// Returns the stream. Reading from it skips the bytes that were read ahead.
    pub fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Passes the bytes of bodies to `watch` from now on. `None` removes an earlier watch.
    pub(crate) fn set_watch(&mut self, watch: Option<Watch>) {
        self.buffer.watch = watch;
    }

    /// Returns the bytes that were read but not used yet: decoded content, then raw bytes.
    pub(crate) fn buffered(&self) -> [&[u8]; 2] {
        [self.buffer.ready(), self.buffer.raw()]
    }

    /// Returns whether bytes were read but not used yet.
    pub(crate) fn has_buffered(&self) -> bool {
        self.buffered().iter().any(|bytes| !bytes.is_empty())
    }

    /// Splits the connection into the stream and the unused bytes.
    pub fn into_parts(self) -> (S, Vec<u8>) {
        let ahead = self.buffered().concat();
        (self.stream, ahead)
    }

    /// Marks `n` bytes of the content from [`fill_body`](Connection::fill_body) as used.
    #[inline]
    pub fn consume_body(&mut self, n: usize) {
        let ready = &mut self.buffer.ready;
        ready.start = (ready.start + n).min(ready.end);
    }

    /// Returns the unused content from [`fill_body`](Connection::fill_body).
    #[inline]
    pub(crate) fn content(&self) -> &[u8] {
        self.buffer.ready()
    }

    /// Drops the buffered part of a body without reading from the stream.
    pub(crate) fn discard_buffered(&mut self, body: &mut BodyDecoder) {
        self.buffer.ready = 0..0;
        while !body.is_done() && self.has_buffered() {
            self.buffer.decode(body);
            if std::mem::take(&mut self.buffer.ready).is_empty() {
                return;
            }
        }
    }
}

impl<S: Read> Connection<S> {
    /// Reads once into the empty buffer.
    #[cfg(feature = "server")]
    pub(crate) fn read_ahead(&mut self) -> Result<usize, Error> {
        self.buffer.fill(&mut self.stream).map_err(Error::receive)
    }

    /// Reads a head. Returns its length, or `None` if the stream ended before its first byte.
    ///
    /// # Errors
    /// [`Error::IncompleteHead`], [`Error::Parse`], and errors of the stream.
    #[allow(private_bounds, reason = "there are two kinds of heads and no more")]
    pub fn read_head<L: StartLine>(
        &mut self,
        decoder: &mut HeadDecoder<L>,
    ) -> Result<Option<usize>, Error> {
        loop {
            let received = self.buffer.raw.len() as u64;
            if received > 0
                && let Some(len) = decoder.decode(self.buffer.raw())?
            {
                self.buffer.raw.start += len;
                return Ok(Some(len));
            }
            if self.buffer.fill(&mut self.stream).map_err(Error::receive)? == 0 {
                return match received {
                    0 => Ok(None),
                    _ => Err(Error::IncompleteHead { received }),
                };
            }
        }
    }

    /// Returns the next content without copying it. Returns an empty slice at the end of the body.
    ///
    /// # Errors
    /// [`Error::Incomplete`], [`Error::Parse`] and errors of the stream. All content before the
    /// error was returned earlier.
    #[inline]
    pub fn fill_body(&mut self, body: &mut BodyDecoder) -> Result<&[u8], Error> {
        while self.buffer.ready.is_empty() {
            self.buffer.decode(body);
            if self.buffer.ready.is_empty() && !self.buffer.more(&mut self.stream, body)? {
                break;
            }
        }
        Ok(self.buffer.ready())
    }

    /// Reads content into `out`. Returns 0 at the end of the body, or if `out` is empty.
    ///
    /// # Errors
    /// Fails as [`fill_body`](Connection::fill_body) does.
    #[inline]
    pub fn read_body(&mut self, body: &mut BodyDecoder, out: &mut [u8]) -> Result<usize, Error> {
        let buffer = &mut self.buffer;
        if buffer.ready.is_empty() && buffer.watch.is_none() && !body.keeps_framing() {
            return fast::read_content(&mut self.stream, buffer, body, out);
        }
        let ready = self.fill_body(body)?;
        let n = ready.len().min(out.len());
        out[..n].copy_from_slice(&ready[..n]);
        self.consume_body(n);
        Ok(n)
    }
}
