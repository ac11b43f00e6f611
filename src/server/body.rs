//! Content that is sent as it comes.

use super::answer::{Ends, invalid};
use super::responder::{Responder, Sent};
use crate::wire::chunked::encode_chunk_size;
use crate::wire::{Fields, Version, encode_last_chunk};
use std::io::{self, Write};

/// So much is gathered before a chunk is sent.
const GATHER: usize = 2048;

/// The content of a response whose length is not known when it begins.
///
/// Small writes are gathered; [`flush`](Write::flush) sends what there is, the head with it, so
/// that the client sees it now. Content that was [finished](BodyWriter::finish) before anything was
/// sent has a length after all, and is sent with it. Dropped instead of finished, the body is cut:
/// the client learns that it is not whole.
#[derive(Debug)]
#[must_use = "a body has to be finished"]
pub struct BodyWriter<'a> {
    responder: Responder<'a>,
    /// How the content is framed, once the head has been sent.
    framing: Option<Ends>,
}

impl<'a> BodyWriter<'a> {
    pub(super) fn new(responder: Responder<'a>) -> BodyWriter<'a> {
        BodyWriter { responder, framing: None }
    }

    /// Sends what is left and ends the body.
    ///
    /// # Errors
    /// Of sending.
    pub fn finish(self) -> io::Result<Sent> {
        self.finish_with(&Fields::new())
    }

    /// The same with trailer fields, which reach clients of HTTP/1.1 only (`RFC 9112 §7.1.2`).
    ///
    /// # Errors
    /// Of sending, and for a field that has to be known before the content, such as Content-Length.
    pub fn finish_with(mut self, trailers: &Fields) -> io::Result<Sent> {
        if trailers
            .iter()
            .any(|field| NO_TRAILERS.iter().any(|name| name.eq_ignore_ascii_case(field.name())))
        {
            return Err(invalid(
                "a trailer field that has to be known before the content (RFC 9110 §6.5.1)",
            ));
        }
        if self.framing.is_none() && trailers.is_empty() {
            let content = std::mem::take(&mut self.responder.answer.content);
            return self.responder.send(content);
        }
        self.begin()?;
        let content = std::mem::take(&mut self.responder.answer.content);
        let mut last = Vec::new();
        if self.framing == Some(Ends::Chunked) {
            encode_last_chunk(&mut last, trailers);
        }
        self.send(&content, &[], &last)?;
        self.responder.done()
    }

    fn begin(&mut self) -> io::Result<()> {
        if self.framing.is_none() {
            let ends = match self.responder.asked.version {
                Version::Http11 => Ends::Chunked,
                Version::Http10 => Ends::Close,
            };
            self.responder.begin(ends)?;
            self.framing = Some(ends);
        }
        Ok(())
    }

    /// Sends two runs of content as one chunk, then `last`.
    fn send(&mut self, first: &[u8], second: &[u8], last: &[u8]) -> io::Result<()> {
        self.begin()?;
        let Responder { live, answer, asked, .. } = &mut self.responder;
        let length = first.len() + second.len();
        if asked.head || (length == 0 && last.is_empty()) {
            return if answer.head.is_empty() { Ok(()) } else { answer.send(live, [b""; 4]) };
        }
        let (mut before, mut after) = (Vec::new(), Vec::new());
        if self.framing == Some(Ends::Chunked) && length > 0 {
            encode_chunk_size(&mut before, length as u64);
            after.extend_from_slice(b"\r\n");
        }
        after.extend_from_slice(last);
        answer.send(live, [&before, first, second, &after])
    }
}

/// Fields for framing, routing, authentication and the content's form: in a trailer section they
/// come too late, and a reader that merges them is led astray.
const NO_TRAILERS: &[&str] = &[
    "Authorization",
    "Cache-Control",
    "Connection",
    "Content-Encoding",
    "Content-Length",
    "Content-Range",
    "Content-Type",
    "Host",
    "Location",
    "Set-Cookie",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "WWW-Authenticate",
];

impl Write for BodyWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let gathered = &mut self.responder.answer.content;
        if gathered.len() + bytes.len() <= GATHER {
            gathered.extend_from_slice(bytes);
            return Ok(bytes.len());
        }
        let mut first = std::mem::take(gathered);
        let sent = self.send(&first, bytes, &[]);
        first.clear();
        self.responder.answer.content = first;
        sent.map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut gathered = std::mem::take(&mut self.responder.answer.content);
        let sent = self.send(&gathered, &[], &[]);
        gathered.clear();
        self.responder.answer.content = gathered;
        sent
    }
}
