//! The response that a handler sends.

use super::answer::{Answer, Asked, Ends, LENGTH, invalid, refused};
use super::connection_state::ConnectionState;
use super::refusal::Refusal;
use super::request::Request;
use crate::connection::Upgraded;
use crate::wire::chunked::encode_chunk_size;
use crate::wire::{Fields, Version, encode_last_chunk};
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
    state: &'a ConnectionState,
    answer: &'a mut Answer,
    asked: Asked,
    status: u16,
    reason: &'static str,
    /// The first field that was refused.
    wrong: Option<io::Error>,
}

/// Proof that a response was sent; the handler returns it.
#[derive(Debug)]
pub struct Sent(());

impl<'a> Responder<'a> {
    pub(super) fn new(
        state: &'a ConnectionState,
        answer: &'a mut Answer,
        asked: Asked,
    ) -> Responder<'a> {
        answer.reset();
        Responder { state, answer, asked, status: 200, reason: "", wrong: None }
    }

    /// Sets the status-code (200 by default).
    pub fn status(mut self, status: u16) -> Responder<'a> {
        self.status = status;
        self
    }

    /// Sets the reason-phrase instead of the [usual one](crate::wire::reason_phrase).
    pub fn reason(mut self, reason: &'static str) -> Responder<'a> {
        self.reason = reason;
        self
    }

    /// Adds a field line. Content-Length has to match the content, Date replaces the server's own,
    /// and Connection may only be `Upgrade`.
    pub fn field(mut self, name: &str, value: impl AsRef<[u8]>) -> Responder<'a> {
        let value = value.as_ref();
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let own =
            is("Transfer-Encoding") || is("Connection") && !value.eq_ignore_ascii_case(b"Upgrade");
        let pushed = match own {
            true => Err(invalid("Transfer-Encoding and Connection are the server's to write")),
            false => self.answer.fields.push(name, value).map_err(refused),
        };
        self.wrong = self.wrong.or(pushed.err());
        self
    }

    /// Closes the connection after this response (`Connection: close`).
    pub fn close(mut self) -> Responder<'a> {
        self.asked.persistent = false;
        self
    }

    /// Sends content from memory, together with the head in one write. To HEAD, and with 204 or
    /// 304, `send("")` sends a head alone: it has a Content-Length only if the handler added one.
    ///
    /// # Errors
    /// Fails for content with a status-code that has none (204, 205, 304), or if sending fails.
    pub fn send(mut self, content: impl AsRef<[u8]>) -> io::Result<Sent> {
        let content = content.as_ref();
        let head_alone = content.is_empty() && (self.asked.head || self.has_no_content());
        self.begin(if head_alone { Ends::Head } else { Ends::Length(content.len() as u64) })?;
        let content = if self.asked.head { b"" } else { content };
        self.send_all(content)
    }

    /// Begins content that follows in pieces: as many bytes as the Content-Length that the handler
    /// added. Content of unknown length is sent in chunks; for an HTTP/1.0 client, it ends with the
    /// connection.
    ///
    /// # Errors
    /// Fails for a status-code that has no content.
    pub fn stream(self) -> io::Result<BodyWriter<'a>> {
        if self.has_no_content() {
            return Err(invalid(NO_CONTENT));
        }
        Ok(BodyWriter { responder: self, ends: None })
    }

    /// Ends HTTP on this connection with `101 Switching Protocols`. Read the request's content
    /// first. The raw connection has no timeouts.
    ///
    /// # Errors
    /// Fails with a [`Refusal`] (426) if the client does not offer `protocol`, or if sending fails.
    pub fn upgrade(
        mut self,
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
        self.status = 101;
        for (name, value) in [("Connection", "Upgrade"), ("Upgrade", protocol)] {
            if self.answer.fields.get(name).is_none() {
                self.answer.fields.push(name, value).map_err(refused)?;
            }
        }
        self.hijack(request)
    }

    /// Ends HTTP on this connection with the status-line and the handler's fields alone. Docker
    /// responds like this to an attach that does not ask for an upgrade.
    ///
    /// # Errors
    /// Fails if the request's content was not read, or if sending fails.
    pub fn hijack(mut self, request: &mut Request<'_>) -> io::Result<(Upgraded, Sent)> {
        if !request.body.is_done() || !request.connection.content().is_empty() {
            return Err(invalid(
                "the request's content has to be read before HTTP ends (RFC 9110 §7.8)",
            ));
        }
        self.wrong.take().map_or(Ok(()), Err)?;
        let stream = self.state.stream.try_clone()?;
        stream.set_read_timeout(None)?;
        stream.set_write_timeout(None)?;
        self.answer.encode_as_is((self.status, self.reason))?;
        self.answer.send(self.state, b"", [b""; 2])?;
        let ahead = request.connection.buffered().concat();
        Ok((Upgraded::new(stream, ahead), Sent(())))
    }

    fn has_no_content(&self) -> bool {
        matches!(self.status, 100..=199 | 204 | 205 | 304)
    }

    fn begin(&mut self, ends: Ends) -> io::Result<()> {
        self.wrong.take().map_or(Ok(()), Err)?;
        if self.status < 200 {
            return Err(invalid("an interim response is no answer (RFC 9110 §15.2)"));
        }
        if ends != Ends::Head && self.has_no_content() {
            return Err(invalid(NO_CONTENT));
        }
        // 205 has no content, but its head does not say so by itself (RFC 9110 §15.3.6).
        let ends = if self.status == 205 { Ends::Length(0) } else { ends };
        self.answer.encode(self.state, self.asked, (self.status, self.reason), ends)
    }

    /// Sends the last bytes.
    fn send_all(self, bytes: &[u8]) -> io::Result<Sent> {
        self.answer.send(self.state, b"", [bytes, b""])?;
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

const NO_CONTENT: &str = "content with a status-code that has none (RFC 9110 §15)";

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
    responder: Responder<'a>,
    /// Where the content ends, once the head has been encoded.
    ends: Option<Ends>,
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
        if self.ends.is_none() && trailers.is_empty() {
            let content = std::mem::take(&mut self.responder.answer.content);
            return self.responder.send(content);
        }
        let (mut last, ends) = (Vec::new(), self.begin()?);
        if ends == Ends::Chunked {
            encode_last_chunk(&mut last, trailers);
        }
        self.send(&[], &last)?;
        let is_short = |all| self.responder.answer.sent < all && !self.responder.asked.head;
        match ends {
            Ends::Length(all) if is_short(all) => Err(invalid(LENGTH)),
            _ => self.responder.send_all(b""),
        }
    }

    /// Encodes the head, unless that was done before.
    fn begin(&mut self) -> io::Result<Ends> {
        if let Some(ends) = self.ends {
            return Ok(ends);
        }
        let ends = match (self.responder.answer.given_length()?, self.responder.asked.version) {
            (Some(length), _) => Ends::Length(length),
            (None, Version::Http11) => Ends::Chunked,
            (None, Version::Http10) => Ends::Close,
        };
        self.responder.begin(ends)?;
        self.ends = Some(ends);
        Ok(ends)
    }

    /// Sends the collected content and `bytes`, as one chunk if it is chunked, then `last`.
    fn send(&mut self, bytes: &[u8], last: &[u8]) -> io::Result<()> {
        let ends = self.begin()?;
        let Responder { state, answer, asked, .. } = &mut self.responder;
        if asked.head {
            answer.content.clear();
            return answer.send(state, b"", [b""; 2]);
        }
        let length = answer.content.len() + bytes.len();
        if matches!(ends, Ends::Length(all) if answer.sent + length as u64 > all) {
            return Err(invalid(LENGTH));
        }
        let (mut before, mut after) = (Vec::new(), Vec::new());
        if ends == Ends::Chunked && length > 0 {
            encode_chunk_size(&mut before, length as u64);
            after.extend_from_slice(b"\r\n");
        }
        after.extend_from_slice(last);
        answer.send(state, &before, [bytes, &after])
    }
}

/// Fields for framing, routing, authentication and content format. In a trailer section they come
/// too late, and a reader that merges them is misled.
const NO_TRAILERS: &str = "Authorization Cache-Control Connection Content-Encoding Content-Length \
    Content-Range Content-Type Host Location Set-Cookie TE Trailer Transfer-Encoding Upgrade \
    WWW-Authenticate";

impl Write for BodyWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let gathered = &mut self.responder.answer.content;
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
