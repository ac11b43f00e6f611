//! The client's side of a connection without any I/O, for a poll loop or an async runtime.

use crate::error::Error;
use crate::wire::framing::ResponseTo;
use crate::wire::head::StatusLine;
use crate::wire::head_pieces::HeadPieces;
use crate::wire::{
    BodyDecoder, Decision, Fields, Framing, OVERHEAD_LIMIT, ResponseHead, Version, encode_request,
};

/// One exchange after another on a connection whose bytes the caller moves.
///
/// Send the bytes that [`request`](ClientExchange::request) writes, and pass every received byte to
/// [`feed`](ClientExchange::feed). The exchange handles interim responses, all framings, trailers,
/// tunnels, and one budget for everything but content.
///
/// ```
/// use std::io::{Read, Write};
/// use unix_http::{Error, connection::{ClientExchange, Received}, wire::Fields};
/// # let (mut stream, mut peer) = std::os::unix::net::UnixStream::pair().map_err(Error::Send)?;
/// # peer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").map_err(Error::Send)?;
/// # peer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK").map_err(Error::Send)?;
///
/// let (mut exchange, mut out, mut fields) = (ClientExchange::new(), Vec::new(), Fields::new());
/// fields.push("Host", "localhost")?;
/// exchange.request(&mut out, "GET", b"/_ping", &fields)?;
/// stream.write_all(&out).map_err(Error::Send)?;
///
/// let (mut buffer, mut content) = ([0; 4096], Vec::new());
/// while !exchange.is_over() {
///     let n = stream.read(&mut buffer).map_err(Error::Receive)?; // when poll says so
///     if n == 0 {
///         exchange.finish()?; // the stream ended: was the response whole?
///         break;
///     }
///     let mut input = &buffer[..n];
///     while let Some(event) = exchange.feed(&mut input)? {
///         match event {
///             Received::Head(head, _) => assert_eq!(head.status(), 200),
///             Received::Content(bytes) => content.extend_from_slice(bytes),
///             _ => {}
///         }
///     }
/// }
/// assert_eq!(content, b"OK");
/// assert!(exchange.is_reusable());
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct ClientExchange {
    pieces: HeadPieces<StatusLine>,
    state: State,
    body: BodyDecoder,
    method: String,
    fields: Fields,
    /// How many bytes other than content may still arrive.
    budget: usize,
    persistent: bool,
}

/// The part of the response that the next bytes belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    Body,
    /// Another protocol, which must be reported to the caller.
    Tunnel,
    /// HTTP has ended, or has not begun.
    Over,
}

/// A received event: see [`ClientExchange::feed`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Received<'a> {
    /// A 1xx head; the final one follows.
    Interim(&'a ResponseHead),
    /// The final head, and where its body ends.
    Head(&'a ResponseHead, Decision),
    /// The next bytes of content.
    Content(&'a [u8]),
    /// The end of the body, with its trailer fields if it was chunked.
    End(Option<&'a Fields>),
    /// The end of HTTP: the rest of the input and all later bytes belong to another protocol.
    Tunnel,
}

impl Default for ClientExchange {
    fn default() -> Self {
        ClientExchange::new()
    }
}

impl ClientExchange {
    /// The client's side of a new connection.
    pub fn new() -> ClientExchange {
        ClientExchange {
            pieces: HeadPieces::default(),
            state: State::Over,
            body: BodyDecoder::default(),
            method: String::new(),
            fields: Fields::new(),
            budget: OVERHEAD_LIMIT,
            persistent: true,
        }
    }

    /// Begins an exchange: appends the head of a request to `out`. The caller sends the content
    /// that the fields announce: bytes, or chunks by [`encode_chunk`](crate::wire::encode_chunk).
    ///
    /// # Errors
    /// [`Error::Request`] if the connection is not [reusable](ClientExchange::is_reusable), and
    /// [`Error::Encode`]. Nothing is appended then.
    pub fn request(
        &mut self,
        out: &mut Vec<u8>,
        method: &str,
        target: &[u8],
        fields: &Fields,
    ) -> Result<(), Error> {
        if !self.is_reusable() {
            return Err(Error::Request("the connection cannot carry another request"));
        }
        encode_request(out, method, target, Version::Http11, fields)?;
        self.method.clear();
        self.method.push_str(method);
        self.fields.clone_from(fields);
        (self.state, self.budget) = (State::Head, OVERHEAD_LIMIT);
        self.pieces.reset(self.budget);
        Ok(())
    }

    /// Reads the front of `input` and moves `input` behind it. Returns the next event, or `None` if
    /// that needs more bytes. Unsolicited bytes stay in `input`, and the connection is not reused.
    ///
    /// # Errors
    /// [`Error::Parse`], after all content before the error.
    pub fn feed<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<Received<'a>>, Error> {
        match self.state {
            State::Head => self.head(input),
            State::Body => {
                let step = self.body.step(input)?;
                let (content, rest) = input[step.framing..].split_at(step.data);
                self.body.consume(step.data);
                *input = rest;
                if content.is_empty() && self.body.is_done() {
                    self.state = State::Over;
                    return Ok(Some(Received::End(self.body.trailers())));
                }
                Ok((!content.is_empty()).then_some(Received::Content(content)))
            }
            State::Tunnel => {
                self.state = State::Over;
                Ok(Some(Received::Tunnel))
            }
            State::Over => {
                // No response (`RFC 9112 §9.2`).
                self.persistent &= input.is_empty();
                Ok(None)
            }
        }
    }

    fn head(&mut self, input: &mut &[u8]) -> Result<Option<Received<'_>>, Error> {
        let (used, complete) = self.pieces.feed(input)?;
        *input = &input[used..];
        let Some(len) = complete else { return Ok(None) };
        self.budget = self.budget.saturating_sub(len);
        let Self { method, fields, .. } = &*self;
        let asked = ResponseTo { method, fields, upgrade: None, ignore_length: false };
        asked.check_upgrade(self.pieces.head())?;
        let Some(decision) = asked.decide(self.pieces.head())? else {
            self.pieces.reset(self.budget);
            return Ok(Some(Received::Interim(self.pieces.head())));
        };
        self.persistent = decision.persistent;
        self.body = BodyDecoder::new(decision.framing, len as u64, self.budget);
        self.state = match decision.framing {
            Framing::Tunnel => State::Tunnel,
            _ => State::Body,
        };
        Ok(Some(Received::Head(self.pieces.head(), decision)))
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// [`Error::IncompleteHead`] or [`Error::Incomplete`] if the response is
    /// incomplete.
    pub fn finish(&mut self) -> Result<(), Error> {
        self.persistent = false;
        let received = self.pieces.partial().len() as u64;
        match std::mem::replace(&mut self.state, State::Over) {
            State::Head => Err(Error::IncompleteHead { received }),
            State::Body => self.body.finish().map_err(Error::Incomplete),
            State::Tunnel | State::Over => Ok(()),
        }
    }

    /// Returns whether the response has ended, or no request was made.
    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Returns whether another request may be made on the connection (`RFC 9112 §9.3`). Send the
    /// whole last request first.
    pub fn is_reusable(&self) -> bool {
        self.is_over() && self.persistent
    }
}
