//! The response, as the handler gives it.

use super::Upgraded;
use super::answer::{Answer, Asked, Ends, Outcome, invalid, refused};
use super::connection_state::ConnectionState;
use super::refusal::Refusal;
use super::request::Request;
use crate::wire::chunked::encode_chunk_size;
use crate::wire::{Fields, Version, encode_last_chunk};
use std::io::{self, Read, Write};

/// How many bytes of a reader are copied at a time.
const PIECE: usize = 128 * 1024;

/// Responds to one request: first status-code and fields, then one of `send`, `stream`, `upgrade`…
///
/// The server adds Date, Content-Length, Transfer-Encoding and Connection itself. If a field could
/// break out of its line, the handler gets an error and the client 500.
///
/// ```
/// # use unix_http::{server::Server, transport::{Endpoint, PrivateDir}};
/// # let directory = PrivateDir::new_in(std::env::temp_dir())?;
/// # let socket = directory.path().join("s");
/// use std::io::Write;
///
/// let _server = Server::bind(&Endpoint::Unix(socket.clone()))?.spawn(|request, responder| match request.path() {
///     b"/made" => responder.status(201).field("Location", "/made/1").send(""),
///     b"/stream" => {
///         let mut body = responder.stream()?; // of a length that is not known yet
///         body.write_all(b"tick\n")?;
///         body.finish()
///     }
///     _ => responder.status(404).send("not here\n"),
/// })?;
/// let client = unix_http::Client::unix(socket);
/// assert_eq!(client.get("/made").send()?.field("Location"), Some(&b"/made/1"[..]));
/// assert_eq!(client.get("/stream").send()?.text()?, "tick\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a request has to be answered"]
pub struct Responder<'a> {
    pub(super) state: &'a ConnectionState,
    pub(super) answer: &'a mut Answer,
    pub(super) asked: Asked,
    status: u16,
    reason: &'static str,
    /// What was wrong with a field.
    wrong: Option<io::Error>,
}

/// Proof that a response was sent; the handler returns it.
#[derive(Debug)]
pub struct Sent(pub(super) ());

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

    /// Sets the reason-phrase instead of the [usual one](super::reason_phrase).
    pub fn reason(mut self, reason: &'static str) -> Responder<'a> {
        self.reason = reason;
        self
    }

    /// Adds a field line. Content-Length has to match the content, Date replaces the server's own,
    /// and Connection may only be `Upgrade`.
    pub fn field(mut self, name: &str, value: impl AsRef<[u8]>) -> Responder<'a> {
        let value = value.as_ref();
        let own = match name.len() {
            10 if name.eq_ignore_ascii_case("Connection") => {
                !value.eq_ignore_ascii_case(b"Upgrade")
            }
            _ => name.eq_ignore_ascii_case("Transfer-Encoding"),
        };
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

    /// Sends content from memory, together with the head in one write.
    ///
    /// # Errors
    /// Fails for content with a status-code that has none (204, 205, 304), or if sending fails.
    pub fn send(mut self, content: impl AsRef<[u8]>) -> io::Result<Sent> {
        let content = content.as_ref();
        self.begin(match self.has_no_content() {
            true if content.is_empty() => Ends::Head,
            true => return Err(invalid(NO_CONTENT)),
            false => Ends::Length(content.len() as u64),
        })?;
        self.answer
            .send(self.state, [if self.asked.head { b"" } else { content }, b"", b"", b""])?;
        self.done()
    }

    /// Sends a head alone: to HEAD, or with 204 or 304. A Content-Length is sent only if the
    /// handler added one.
    ///
    /// # Errors
    /// Fails if the client would wait for content, or if sending fails.
    pub fn send_head(mut self) -> io::Result<Sent> {
        if !self.asked.head && !self.has_no_content() {
            return Err(invalid("an answer without content, and nothing that says so"));
        }
        self.begin(Ends::Head)?;
        self.answer.send(self.state, [b""; 4])?;
        self.done()
    }

    /// Sends the next `length` bytes of `reader`.
    ///
    /// # Errors
    /// Fails if reading or sending fails or `reader` ends too early. The client then receives less
    /// than announced and notices.
    pub fn send_reader(mut self, reader: &mut impl Read, length: u64) -> io::Result<Sent> {
        if self.has_no_content() {
            return Err(invalid(NO_CONTENT));
        }
        self.begin(Ends::Length(length))?;
        self.answer.send(self.state, [b""; 4])?;
        if self.asked.head {
            return self.done();
        }
        let mut left = length;
        let mut piece = vec![0; PIECE.min(usize::try_from(length).unwrap_or(PIECE))];
        while left > 0 {
            let room = piece.len().min(usize::try_from(left).unwrap_or(PIECE));
            match reader.read(&mut piece[..room]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(n) => {
                    (&self.state.stream).write_all(&piece[..n])?;
                    left -= n as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.done()
    }

    /// Begins content of unknown length, sent in chunks; to an HTTP/1.0 client until the end of the
    /// connection.
    ///
    /// # Errors
    /// Fails for a status-code that has no content.
    pub fn stream(self) -> io::Result<BodyWriter<'a>> {
        if self.has_no_content() {
            return Err(invalid(NO_CONTENT));
        }
        Ok(BodyWriter::new(self))
    }

    /// Ends HTTP on this connection with `101 Switching Protocols`. Read the request's content
    /// first.
    ///
    /// # Errors
    /// Fails with a [`Refusal`] (426) if the client does not offer `protocol`, or if sending fails.
    pub fn upgrade(
        mut self,
        request: &mut Request<'_>,
        protocol: &str,
    ) -> io::Result<(Upgraded, Sent)> {
        if !request.offers_upgrade(protocol) {
            // A 426 names the protocol (RFC 9110 §15.5.22); Connection names Upgrade (§7.8).
            let why = Refusal::new(
                426,
                "this needs Connection: Upgrade and Upgrade: ".to_owned() + protocol,
            );
            self.answer.fields.clear();
            self.status(426)
                .field("Connection", "Upgrade")
                .field("Upgrade", protocol)
                .send(why.to_string() + "\n")?;
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
        self.answer.send(self.state, [b""; 4])?;
        self.answer.outcome = Outcome::Raw;
        let mut ahead: Vec<u8> = request.connection.stream_mut().take_ahead().into_iter().collect();
        ahead.splice(0..0, request.connection.buffered().concat());
        Ok((Upgraded::new(stream, ahead, ()), Sent(())))
    }

    pub(super) fn has_no_content(&self) -> bool {
        matches!(self.status, 100..=199 | 204 | 205 | 304)
    }

    pub(super) fn begin(&mut self, ends: Ends) -> io::Result<()> {
        self.wrong.take().map_or(Ok(()), Err)?;
        if self.status < 200 {
            return Err(invalid("an interim response is no answer (RFC 9110 §15.2)"));
        }
        // 205 has no content, but its head does not say so by itself (RFC 9110 §15.3.6).
        let ends = if self.status == 205 { Ends::Length(0) } else { ends };
        self.answer.encode(self.state, self.asked, (self.status, self.reason), ends)
    }

    pub(super) fn done(self) -> io::Result<Sent> {
        self.answer.outcome = Outcome::Whole;
        Ok(Sent(()))
    }

    /// Responds for a handler that did not.
    pub(super) fn refuse(self, refusal: &Refusal) -> io::Result<Sent> {
        let text = refusal.to_string() + "\n";
        let responder = if refusal.is_decided() { self } else { self.close() };
        responder
            .status(refusal.status())
            .field("Content-Type", "text/plain; charset=utf-8")
            .send(text)
    }
}

const NO_CONTENT: &str = "content with a status-code that has none (RFC 9110 §15)";

/// Small writes are collected up to this many bytes before a chunk is sent.
const GATHER: usize = 2048;

/// The content of a response whose length is not known at its start.
///
/// Small writes are collected; [`flush`](Write::flush) sends them at once, with the head. Content
/// that is [finished](BodyWriter::finish) before anything was sent gets a Content-Length. If the
/// writer is dropped instead, the body is cut and the client notices.
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

    /// Sends the rest and ends the body.
    ///
    /// # Errors
    /// Fails if sending fails.
    pub fn finish(self) -> io::Result<Sent> {
        self.finish_with(&Fields::new())
    }

    /// Ends the body with trailer fields, which HTTP/1.0 clients do not get (`RFC 9112 §7.1.2`).
    ///
    /// # Errors
    /// Fails for a field that belongs before the content, such as Content-Length, or if sending
    /// fails.
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
        let Responder { state, answer, asked, .. } = &mut self.responder;
        let length = first.len() + second.len();
        if asked.head || (length == 0 && last.is_empty()) {
            return if answer.head.is_empty() { Ok(()) } else { answer.send(state, [b""; 4]) };
        }
        let (mut before, mut after) = (Vec::new(), Vec::new());
        if self.framing == Some(Ends::Chunked) && length > 0 {
            encode_chunk_size(&mut before, length as u64);
            after.extend_from_slice(b"\r\n");
        }
        after.extend_from_slice(last);
        answer.send(state, [&before, first, second, &after])
    }
}

/// Fields for framing, routing, authentication and content format. In a trailer section they come
/// too late and mislead a reader that merges them.
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
