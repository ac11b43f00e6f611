//! The response that a handler sends.

use super::answer::{Answer, Asked, LENGTH, NO_CONTENT, invalid};
use super::refusal::Refusal;
use super::request::Request;
use crate::connection::Upgraded;
use crate::wire::chunked::encode_chunk_size;
use crate::wire::{Fields, Framing, Version, encode_last_chunk};
use std::io::{self, Write};

/// Responds to one request: set the status-code and fields, then call `send`, `stream`, `upgrade`…
///
/// The server adds Date, Content-Length, Transfer-Encoding and Connection itself. If a field could
/// break out of its line, the handler gets an error and the client 500.
///
/// ```
/// use std::io::{self, Write};
/// use unix_http::server::{Request, Responder, Sent};
///
/// fn handler(request: &mut Request<'_>, responder: Responder<'_>) -> io::Result<Sent> {
///     if request.method() == "POST" {
///         return responder.status(201).field("Location", "/made/1").send("");
///     }
///     let mut body = responder.stream()?; // of a length that is not known yet
///     body.write_all(b"tick\n")?;
///     body.finish()
/// }
/// ```
#[derive(Debug)]
#[must_use = "a request has to be answered"]
pub struct Responder<'a> {
    answer: &'a mut Answer,
}

/// Proof that a response was sent; the handler returns it.
#[derive(Debug)]
pub struct Sent(());

impl<'a> Responder<'a> {
    pub(super) fn new(answer: &'a mut Answer, asked: Asked) -> Responder<'a> {
        answer.begin(asked);
        Responder { answer }
    }

    /// Sets the status-code (200 by default).
    pub fn status(self, status: u16) -> Responder<'a> {
        self.answer.status = status;
        self
    }

    /// Sets the reason-phrase instead of the [usual one](crate::wire::reason_phrase).
    pub fn reason(self, reason: &'static str) -> Responder<'a> {
        self.answer.reason = reason;
        self
    }

    /// Adds a field line. Content-Length has to match the content, Date replaces the server's own,
    /// and Connection may only be `Upgrade`.
    pub fn field(self, name: &str, value: impl AsRef<[u8]>) -> Responder<'a> {
        let value = value.as_ref();
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let own =
            is("Transfer-Encoding") || is("Connection") && !value.eq_ignore_ascii_case(b"Upgrade");
        let pushed = match own {
            true => Err(invalid("Transfer-Encoding and Connection are the server's to write")),
            false => self.answer.push(name, value),
        };
        if let Err(error) = pushed {
            self.answer.wrong.get_or_insert(error);
        }
        self
    }

    /// Closes the connection after this response (`Connection: close`).
    pub fn close(self) -> Responder<'a> {
        self.answer.asked.persistent = false;
        self
    }

    /// Sends content from memory, together with the head in one write. To HEAD, and with 204 or
    /// 304, `send("")` sends a head alone: it has a Content-Length only if the handler added one.
    ///
    /// # Errors
    /// Fails for content with a status-code that has none (204, 205, 304), or if sending fails.
    pub fn send(self, content: impl AsRef<[u8]>) -> io::Result<Sent> {
        let (content, to_head) = (content.as_ref(), self.answer.asked.head);
        let head_alone = content.is_empty() && (to_head || self.answer.has_no_content());
        let length = Framing::Length(content.len() as u64);
        self.answer.encode(if head_alone { Framing::NoBody } else { length })?;
        self.send_all(if to_head { b"" } else { content })
    }

    /// Begins content that follows in pieces: as many bytes as the Content-Length that the handler
    /// added. Content of unknown length is sent in chunks; for an HTTP/1.0 client, it ends with the
    /// connection.
    ///
    /// # Errors
    /// Fails for a status-code that has no content.
    pub fn stream(self) -> io::Result<BodyWriter<'a>> {
        if self.answer.has_no_content() {
            return Err(invalid(NO_CONTENT));
        }
        Ok(BodyWriter { answer: self.answer, framing: None })
    }

    /// Ends HTTP on this connection with `101 Switching Protocols`. Read the request's content
    /// first. The raw connection has no timeouts.
    ///
    /// # Errors
    /// Fails with a [`Refusal`] (426) if the client does not offer `protocol`, or if sending fails.
    pub fn upgrade(
        self,
        request: &mut Request<'_>,
        protocol: &str,
    ) -> io::Result<(Upgraded, Sent)> {
        if !request.offers_upgrade(protocol) {
            let why = "this needs Connection: Upgrade and Upgrade: ".to_owned() + protocol;
            let why = Refusal::new(426, why);
            self.answer.fields.clear();
            // A 426 names the protocol (RFC 9110 §15.5.22); Connection names Upgrade (§7.8).
            self.field("Connection", "Upgrade").field("Upgrade", protocol).refuse(&why)?;
            return Err(why.into());
        }
        self.answer.status = 101;
        for (name, value) in [("Connection", "Upgrade"), ("Upgrade", protocol)] {
            if self.answer.fields.get(name).is_none() {
                self.answer.push(name, value.as_bytes())?;
            }
        }
        self.hijack(request)
    }

    /// Ends HTTP on this connection with the status-line and the handler's fields alone. Docker
    /// responds like this to an attach that does not ask for an upgrade.
    ///
    /// # Errors
    /// Fails if the request's content was not read, or if sending fails.
    pub fn hijack(self, request: &mut Request<'_>) -> io::Result<(Upgraded, Sent)> {
        if !request.body.is_done() || !request.connection.content().is_empty() {
            return Err(invalid(
                "the request's content has to be read before HTTP ends (RFC 9110 §7.8)",
            ));
        }
        self.answer.encode_as_is()?;
        let stream = self.answer.state.stream.try_clone()?;
        stream.set_read_timeout(None)?;
        stream.set_write_timeout(None)?;
        self.answer.send(b"", [b""; 2])?;
        let ahead = request.connection.buffered().concat();
        Ok((Upgraded::new(stream, ahead), Sent(())))
    }

    /// Sends the last bytes.
    fn send_all(self, bytes: &[u8]) -> io::Result<Sent> {
        self.answer.send(b"", [bytes, b""])?;
        self.answer.whole = true;
        Ok(Sent(()))
    }

    /// Responds in place of a handler that sent nothing.
    pub(super) fn refuse(self, refusal: &Refusal) -> io::Result<Sent> {
        self.status(refusal.status())
            .field("Content-Type", "text/plain; charset=utf-8")
            .send(refusal.to_string() + "\n")
    }
}

/// Small writes are collected up to this many bytes before a chunk is sent.
const GATHER: usize = 2048;

/// The content of a response, written in pieces.
///
/// Small writes are collected; [`flush`](Write::flush) sends them at once. Content that is
/// [finished](BodyWriter::finish) before anything was sent gets a Content-Length, except for empty
/// content in the response to HEAD. If the writer is dropped instead, the body is truncated and the
/// client notices.
#[derive(Debug)]
#[must_use = "a body has to be finished"]
pub struct BodyWriter<'a> {
    answer: &'a mut Answer,
    /// Where the content ends, once the head has been encoded.
    framing: Option<Framing>,
}

impl BodyWriter<'_> {
    /// Sends the rest and ends the body.
    ///
    /// # Errors
    /// Fails if sending fails, or if the content is shorter than its Content-Length.
    pub fn finish(self) -> io::Result<Sent> {
        self.finish_with(&Fields::new())
    }

    /// Ends chunked content with trailer fields (`RFC 9112 §7.1.2`). HTTP/1.0 clients do not get
    /// them, nor do the clients of content with a Content-Length.
    ///
    /// # Errors
    /// Fails for a field that belongs before the content, such as Content-Length, or if sending
    /// fails.
    pub fn finish_with(mut self, trailers: &Fields) -> io::Result<Sent> {
        let too_late = |name: &str| NO_TRAILERS.split(' ').any(|no| no.eq_ignore_ascii_case(name));
        if trailers.iter().any(|field| too_late(field.name())) {
            return Err(invalid(
                "a trailer field that has to be known before the content (RFC 9110 §6.5.1)",
            ));
        }
        if self.framing.is_none() && trailers.is_empty() {
            let content = std::mem::take(&mut self.answer.content);
            return Responder { answer: self.answer }.send(content);
        }
        let (mut last, framing) = (Vec::new(), self.begin()?);
        if framing == Framing::Chunked {
            encode_last_chunk(&mut last, trailers);
        }
        self.send(&[], &last)?;
        let is_short = |all| self.answer.sent < all && !self.answer.asked.head;
        match framing {
            Framing::Length(all) if is_short(all) => Err(invalid(LENGTH)),
            _ => Responder { answer: self.answer }.send_all(b""),
        }
    }

    /// Encodes the head, unless that was done before.
    fn begin(&mut self) -> io::Result<Framing> {
        if let Some(framing) = self.framing {
            return Ok(framing);
        }
        let framing = match (self.answer.given_length()?, self.answer.asked.version) {
            (Some(length), _) => Framing::Length(length),
            (None, Version::Http11) => Framing::Chunked,
            (None, Version::Http10) => Framing::UntilClose,
        };
        self.answer.encode(framing)?;
        Ok(*self.framing.insert(framing))
    }

    /// Sends the collected content and `bytes`, as one chunk if it is chunked, then `last`.
    fn send(&mut self, bytes: &[u8], last: &[u8]) -> io::Result<()> {
        let framing = self.begin()?;
        let answer = &mut *self.answer;
        if answer.asked.head {
            answer.content.clear();
            return answer.send(b"", [b""; 2]);
        }
        let length = answer.content.len() + bytes.len();
        if matches!(framing, Framing::Length(all) if answer.sent + length as u64 > all) {
            return Err(invalid(LENGTH));
        }
        let (mut before, mut after) = (Vec::new(), Vec::new());
        if framing == Framing::Chunked && length > 0 {
            encode_chunk_size(&mut before, length as u64);
            after.extend_from_slice(b"\r\n");
        }
        after.extend_from_slice(last);
        answer.send(&before, [bytes, &after])
    }
}

/// Fields for framing, routing, authentication and content format. In a trailer section they come
/// too late, and a reader that merges them is misled.
const NO_TRAILERS: &str = "Authorization Cache-Control Connection Content-Encoding Content-Length \
    Content-Range Content-Type Host Location Set-Cookie TE Trailer Transfer-Encoding Upgrade \
    WWW-Authenticate";

impl Write for BodyWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let gathered = &mut self.answer.content;
        if gathered.len() + bytes.len() <= GATHER {
            gathered.extend_from_slice(bytes);
        } else {
            self.send(bytes, &[])?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send(&[], &[])
    }
}
