//! One buffer over one stream: messages in, messages out.
//!
//! ```text
//!   stream ──read──▶ [ ready │ raw          │ free ]
//!                      │       └ bytes as they came: heads, chunk-size lines, content
//!                      └ content, handed out as slices of this same buffer
//! ```
//!
//! A small message costs one read. Content is not copied a second time: a length-delimited body
//! that is larger than what is buffered is read straight into the caller's memory, a large chunk
//! too, and small chunks are pushed together where they lie, so that a log of short lines becomes
//! large slices. Bytes beyond a message stay for the next one.
//!
//! ```
//! use unix_http::connection::Connection;
//! use unix_http::wire::{BodyDecoder, Framing, ResponseDecoder};
//!
//! let wire: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nfoo\r\n3\r\nbar\r\n0\r\n\r\n";
//! let (mut connection, mut decoder) = (Connection::new(wire), ResponseDecoder::new());
//! assert_eq!(connection.read_head(&mut decoder)?, Some(47));
//! let mut body = BodyDecoder::new(Framing::Chunked, 47, 1024);
//! assert_eq!(connection.fill_body(&mut body)?, b"foobar");
//! connection.consume_body(6);
//! assert_eq!(connection.fill_body(&mut body)?, b"");
//! assert!(body.is_done());
//! # Ok::<(), unix_http::Error>(())
//! ```

mod chunks;

use crate::error::Error;
use crate::wire::head::Head;
use crate::wire::{BodyDecoder, HeadDecoder, ParseError, Progress};
use chunks::Rhythm;
use std::fmt;
use std::io::{self, Read, Write};

/// What a new buffer holds: a head and a small body.
const SMALL: usize = 16 * 1024;
/// What a buffer grows to while it is filled to the brim by every read.
const LARGE: usize = 256 * 1024;
/// From here on a run of content is worth a slice, or a read, of its own.
const RUN: usize = 4096;

/// A stream with the bytes that were read ahead from it.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    buffer: Vec<u8>,
    /// Content to hand out: `buffer[ready.0..ready.1]`.
    ready: (usize, usize),
    /// Bytes as they came, not looked at yet: `buffer[raw.0..raw.1]`, behind `ready`.
    raw: (usize, usize),
    /// What broke the framing behind the content that is ready.
    broken: Option<ParseError>,
    rhythm: Rhythm,
    watch: Option<Watch>,
}

/// Is shown a body's bytes as they were sent, framing and all.
pub struct Watch(Box<Eye>);

type Eye = dyn FnMut(&[u8]) + Send;

impl Watch {
    /// Shows them to `eye`.
    pub fn new(eye: impl FnMut(&[u8]) + Send + 'static) -> Watch {
        Watch(Box::new(eye))
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

impl<S> Connection<S> {
    /// A connection over `stream`, with nothing read yet.
    pub fn new(stream: S) -> Connection<S> {
        Connection::with_buffer(stream, Vec::new())
    }

    /// A connection that uses the memory of one before it.
    pub fn with_buffer(stream: S, buffer: Vec<u8>) -> Connection<S> {
        Connection {
            stream,
            buffer,
            ready: (0, 0),
            raw: (0, 0),
            broken: None,
            rhythm: Rhythm::default(),
            watch: None,
        }
    }

    /// The stream.
    pub fn stream(&self) -> &S {
        &self.stream
    }

    /// The stream. Reading from it loses what is buffered; see [`buffered`](Connection::buffered).
    pub fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// From now on bodies are shown to `watch`, or no longer. While one is, content is not read
    /// past the buffer.
    pub fn set_watch(&mut self, watch: Option<Watch>) {
        self.watch = watch;
    }

    /// What was read from the stream and not used yet, content before other bytes.
    pub fn buffered(&self) -> [&[u8]; 2] {
        [&self.buffer[self.ready.0..self.ready.1], &self.buffer[self.raw.0..self.raw.1]]
    }

    /// Whether bytes were read ahead and not used yet.
    pub fn has_buffered(&self) -> bool {
        self.ready.0 < self.ready.1 || self.raw.0 < self.raw.1
    }

    /// Takes the connection apart: the stream, and the bytes read ahead.
    pub fn into_parts(self) -> (S, Vec<u8>) {
        let ahead = self.buffered().concat();
        (self.stream, ahead)
    }

    /// Closes the stream and hands over the memory.
    pub fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// Tells that `n` bytes of the content from [`fill_body`](Connection::fill_body) were used.
    #[inline]
    pub fn consume_body(&mut self, n: usize) {
        self.ready.0 = (self.ready.0 + n).min(self.ready.1);
    }

    /// The content that is ready: what [`fill_body`](Connection::fill_body) found and was not
    /// consumed.
    #[inline]
    pub fn content(&self) -> &[u8] {
        &self.buffer[self.ready.0..self.ready.1]
    }

    /// Drops what is buffered of a body that nobody wants to read, without reading from the stream.
    pub fn discard_buffered(&mut self, body: &mut BodyDecoder) {
        loop {
            self.ready = (0, 0);
            if body.is_done() || !self.has_buffered() {
                return;
            }
            self.decode(body);
            if self.ready == (0, 0) {
                return;
            }
        }
    }

    /// Makes content of what is buffered, as far as it goes.
    fn decode(&mut self, body: &mut BodyDecoder) {
        while self.broken.is_none() {
            if self.ready.0 < self.ready.1 && !body.keeps_framing() && self.watch.is_none() {
                let end = &mut self.ready.1;
                self.raw.0 =
                    body.whole_chunks(&mut self.buffer[..self.raw.1], self.raw.0, |bytes, data| {
                        let small = data.len() < RUN;
                        if small {
                            let to = *end;
                            *end += data.len();
                            bytes.copy_within(data, to);
                        }
                        small
                    });
            }
            let step = match body.step(&self.buffer[self.raw.0..self.raw.1]) {
                Ok(step) => step,
                Err(error) => {
                    self.broken = Some(error);
                    if let Some(Watch(eye)) = &mut self.watch {
                        eye(&self.buffer[self.raw.0..self.raw.1]);
                    }
                    return;
                }
            };
            let whole = self.raw.0..self.raw.0 + step.framing + step.data;
            if let Some(Watch(eye)) = &mut self.watch
                && !whole.is_empty()
            {
                eye(&self.buffer[whole.clone()]);
            }
            self.raw.0 += if body.keeps_framing() { 0 } else { step.framing };
            let data = self.raw.0..whole.end;
            if data.is_empty() {
                return;
            }
            if self.ready.0 == self.ready.1 {
                self.ready = (data.start, data.end);
            } else if data.len() < RUN || body.keeps_framing() || self.watch.is_some() {
                self.buffer.copy_within(data.clone(), self.ready.1);
                self.ready.1 += data.len();
            } else {
                // The framing before it is gone already; the decoder offers the data again.
                return;
            }
            self.raw.0 = data.end;
            body.consume(step.data);
        }
    }
}

impl<S: Read> Connection<S> {
    /// Reads a head; its length, or `None` where the stream ended before its first byte.
    ///
    /// # Errors
    /// [`Error::IncompleteHead`], [`Error::Parse`], and those of the stream.
    #[allow(private_bounds, reason = "there are two kinds of heads and no more")]
    pub fn read_head<H: Head>(
        &mut self,
        decoder: &mut HeadDecoder<H>,
    ) -> Result<Option<usize>, Error> {
        self.rhythm = Rhythm::default();
        loop {
            let came = &self.buffer[self.raw.0..self.raw.1];
            if !came.is_empty()
                && let Progress::Complete { len } = decoder.decode(came)?
            {
                self.raw.0 += len;
                return Ok(Some(len));
            }
            let received = (self.raw.1 - self.raw.0) as u64;
            if self.fill().map_err(Error::receive)? == 0 {
                return if received == 0 {
                    Ok(None)
                } else {
                    Err(Error::IncompleteHead { received })
                };
            }
        }
    }

    /// The next content, without copying it; empty at the body's end.
    ///
    /// # Errors
    /// [`Error::Incomplete`], [`Error::Parse`] and those of the stream, each after all content
    /// before it.
    #[inline]
    pub fn fill_body(&mut self, body: &mut BodyDecoder) -> Result<&[u8], Error> {
        while self.ready.0 == self.ready.1 {
            self.decode(body);
            if self.ready.0 == self.ready.1 && !self.more(body)? {
                break;
            }
        }
        Ok(&self.buffer[self.ready.0..self.ready.1])
    }

    /// Reads more of a body from the stream; whether there is more.
    fn more(&mut self, body: &BodyDecoder) -> Result<bool, Error> {
        if body.is_done() {
            return Ok(false);
        }
        if let Some(error) = self.broken {
            return Err(error.into());
        }
        if self.fill().map_err(Error::receive)? == 0 {
            return body.finish().map(|()| false).map_err(Error::Incomplete);
        }
        Ok(true)
    }

    /// Reads content into `out`; 0 at the body's end (or where `out` is empty).
    ///
    /// # Errors
    /// As for [`fill_body`](Connection::fill_body).
    #[inline]
    pub fn read_body(&mut self, body: &mut BodyDecoder, out: &mut [u8]) -> Result<usize, Error> {
        if self.watch.is_none() && !body.keeps_framing() && self.ready.0 == self.ready.1 {
            return self.read_content(body, out);
        }
        let ready = self.fill_body(body)?;
        let n = ready.len().min(out.len());
        out[..n].copy_from_slice(&ready[..n]);
        self.consume_body(n);
        Ok(n)
    }

    /// Large runs are read into `out`; the rest is copied there from where it lies: chunks that
    /// were pushed together before would be copied twice.
    fn read_content(&mut self, body: &mut BodyDecoder, out: &mut [u8]) -> Result<usize, Error> {
        loop {
            if self.reads_directly(body, out) {
                let n = self.read_directly(body, out)?;
                if n > 0 || !body.is_chunked() {
                    return Ok(n);
                }
                continue;
            }
            let n = self.copy_content(body, out);
            if n > 0 || out.is_empty() || !self.reads_directly(body, out) && !self.more(body)? {
                return Ok(n);
            }
        }
    }

    /// Whether nothing is buffered, and what comes is worth a read of its own.
    fn reads_directly(&self, body: &BodyDecoder, out: &[u8]) -> bool {
        let nothing = self.raw.0 == self.raw.1 && self.broken.is_none();
        let large = body.run() >= RUN as u64 || body.run() == 0 && self.rhythm.expects(body);
        nothing && large && out.len() >= RUN
    }

    fn copy_content(&mut self, body: &mut BodyDecoder, out: &mut [u8]) -> usize {
        let mut n = 0;
        while n < out.len() && !body.is_done() && self.broken.is_none() {
            self.raw.0 =
                body.whole_chunks(&mut self.buffer[..self.raw.1], self.raw.0, |bytes, data| {
                    let room = out[n..].get_mut(..data.len());
                    n += room.as_ref().map_or(0, |room| room.len());
                    room.map(|room| room.copy_from_slice(&bytes[data])).is_some()
                });
            let raw = &self.buffer[self.raw.0..self.raw.1];
            match body.step(raw) {
                Ok(step) => {
                    let data = step.data.min(out.len() - n);
                    out[n..n + data].copy_from_slice(&raw[step.framing..step.framing + data]);
                    self.rhythm.hear(step.framing, body);
                    body.consume(data);
                    self.raw.0 += step.framing + data;
                    n += data;
                    if data == 0 {
                        break;
                    }
                }
                Err(error) => self.broken = Some(error),
            }
        }
        n
    }

    /// Reads a run of content from the stream into `out`.
    fn read_directly(&mut self, body: &mut BodyDecoder, out: &mut [u8]) -> Result<usize, Error> {
        self.ready = (0, 0);
        if body.is_chunked() {
            return self.read_chunks(body, out);
        }
        let run = out.len().min(usize::try_from(body.run()).unwrap_or(usize::MAX));
        let n = self.stream.read(&mut out[..run]).map_err(Error::receive)?;
        if n == 0 {
            body.finish().map_err(Error::Incomplete)?;
        }
        body.consume(n);
        Ok(n)
    }

    /// Reads more behind what is buffered; 0 at the end of the stream.
    fn fill(&mut self) -> io::Result<usize> {
        let waiting = self.raw.1 - self.raw.0;
        if waiting == 0 {
            self.raw = (0, 0);
        } else if self.raw.0 > 0 && self.buffer.len() - self.raw.1 < self.buffer.len() / 2 {
            self.buffer.copy_within(self.raw.0..self.raw.1, 0);
            self.raw = (0, waiting);
        }
        self.ready = (0, 0);
        if self.raw.1 == self.buffer.len() {
            self.grow((self.buffer.len() * 2).max(SMALL));
        }
        let n = self.stream.read(&mut self.buffer[self.raw.1..])?;
        self.raw.1 += n;
        if self.raw == (0, self.buffer.len()) && n < LARGE {
            self.grow((self.buffer.len() * 4).min(LARGE));
        }
        Ok(n)
    }

    fn grow(&mut self, size: usize) {
        if self.buffer.len() < size {
            self.buffer.resize(size, 0);
        }
    }
}

impl<S: Write> Connection<S> {
    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// [`Error::Send`], or [`Error::Timeout`].
    pub fn write_all(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.stream.write_all(bytes).map_err(Error::send)
    }
}
