//! A response, read by the caller.

use super::cancel::Cancellable;
use super::observer::ClientEvent;
use super::pool::{Pool, Wire};
use super::upload::Upload;
use crate::connection::Upgraded;
use crate::error::Error;
use crate::wire::{BodyDecoder, Decision, Fields, Framing, ResponseHead};
use std::fmt;
use std::io::{self, BufRead, Read};
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;

/// A response: its head, and its content as [`Read`] and [`BufRead`].
///
/// When it is dropped after it was read to its end, the connection serves the next request; dropped
/// earlier, it closes the connection. [`io::copy`] writes the content to a sink as it arrives. An
/// error of reading has an [`Error`] inside ([`io::Error::downcast`]).
///
/// ```
/// # #[cfg(feature = "server")] {
/// # use unix_http::{server::Server, transport::{Endpoint, PrivateDir}};
/// # let directory = PrivateDir::new_in(std::env::temp_dir())?;
/// # let socket = directory.path().join("s");
/// # let _server = Server::bind(&Endpoint::Unix(socket.clone()))?.spawn(|_, responder| {
/// #     let mut body = responder.field("Content-Type", "text/plain").stream()?;
/// #     std::io::Write::write_all(&mut body, b"one\ntwo\n")?;
/// #     body.finish()
/// # })?;
/// use std::io::BufRead;
/// use unix_http::{Client, wire::Framing};
///
/// let response = Client::unix(&socket).get("/lines").send()?;
/// assert_eq!(response.status(), 200);
/// assert_eq!(response.field("content-type"), Some(&b"text/plain"[..]));
/// assert_eq!(response.decision().framing, Framing::Length(8));
/// let lines: Vec<String> = response.lines().collect::<Result<_, _>>()?; // as they come
/// assert_eq!(lines, ["one", "two"]);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a response may report an error: look at its status"]
pub struct Response {
    pool: Arc<Pool>,
    /// The connection, until the response is dropped or taken apart.
    wire: Option<Wire>,
    exchange: Answered,
    /// Whether the end of the body was reached.
    ended: bool,
}

/// An exchange whose final head has arrived.
pub(super) struct Answered {
    pub decision: Decision,
    pub body: BodyDecoder,
    pub upload: Option<Upload>,
    pub cancellable: Option<Cancellable>,
}

impl Response {
    pub(super) fn begin(pool: Arc<Pool>, wire: Wire, exchange: Answered) -> Response {
        Response { pool, wire: Some(wire), exchange, ended: false }
    }

    /// Returns the status-code: see [`ResponseHead::status`].
    pub fn status(&self) -> u16 {
        self.head().status()
    }

    /// Whether the status is a 2xx.
    pub fn is_success(&self) -> bool {
        self.head().class() == 2
    }

    /// Returns the reason-phrase; often empty.
    pub fn reason(&self) -> &[u8] {
        self.head().reason()
    }

    /// Returns the header section.
    pub fn fields(&self) -> &Fields {
        self.head().fields()
    }

    /// Returns the value of the first field with this name, in any letter case.
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        self.fields().get(name)
    }

    /// Returns the head.
    pub fn head(&self) -> &ResponseHead {
        match &self.wire {
            Some(wire) => wire.decoder.head(),
            None => ResponseHead::EMPTY,
        }
    }

    /// Returns where the body ends, and which rule decided it.
    pub fn decision(&self) -> Decision {
        self.exchange.decision
    }

    /// Returns the trailer fields (`RFC 9112 §7.1.2`) of a chunked body that was read to its end.
    pub fn trailers(&self) -> Option<&Fields> {
        self.exchange.body.trailers()
    }

    /// Returns the local and the remote address of a TCP connection.
    pub fn addresses(&self) -> Option<(SocketAddr, SocketAddr)> {
        self.wire.as_ref()?.connection.stream().addresses()
    }

    /// Whether an earlier exchange used the same connection.
    pub fn is_reused(&self) -> bool {
        self.wire.as_ref().is_some_and(|wire| wire.reused)
    }

    /// Returns why the request's content was not sent completely, although there is a response. For
    /// example, the peer answered early and closed.
    pub fn upload_error(&mut self) -> Option<&Error> {
        self.exchange.upload.as_mut()?.outcome()?.as_ref().err()
    }

    /// Reads all of the content.
    ///
    /// # Errors
    /// [`Error::Incomplete`] and the other errors of an exchange.
    pub fn bytes(mut self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let read = self.read_to_end(&mut bytes);
        read.map_err(|error| error.downcast().unwrap_or_else(Error::Receive))?;
        Ok(bytes)
    }

    /// Reads all of the content as text. Bytes that are not UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// As [`bytes`](Response::bytes).
    pub fn text(self) -> Result<String, Error> {
        let bytes = self.bytes()?;
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
    }

    /// Returns the raw connection after a 101, after a 2xx to CONNECT, and after a response that
    /// ends with the connection, such as Docker's attach without `Upgrade`. The time limits stay in
    /// force until [`Upgraded::set_timeouts`].
    ///
    /// # Errors
    /// Returns any other response.
    pub fn into_upgraded(mut self) -> Result<Upgraded, Box<Response>> {
        match (self.exchange.decision.framing, self.wire.take()) {
            (Framing::Tunnel | Framing::UntilClose, Some(wire)) => {
                self.pool.settings.tell(ClientEvent::Upgraded(wire.number));
                let (stream, ahead) = wire.connection.into_parts();
                Ok(Upgraded::new(stream, ahead))
            }
            (_, wire) => {
                self.wire = wire;
                Err(Box::new(self))
            }
        }
    }

    fn cancelled(&self) -> Option<Error> {
        let is_cancelled = |it: &Cancellable| it.canceller.is_cancelled();
        self.exchange.cancellable.as_ref().is_some_and(is_cancelled).then_some(Error::Cancelled)
    }

    /// Notes the end of the body.
    fn end(&mut self) -> Result<(), Error> {
        if self.exchange.decision.framing == Framing::UntilClose
            && let Some(error) = self.cancelled()
        {
            return Err(error);
        }
        let cancellable = self.exchange.cancellable.as_ref();
        if let Some(upload) = &mut self.exchange.upload
            && self.wire.as_ref().is_some_and(|wire| wire.decoder.head().class() < 4)
        {
            // The status is below 400, so the server still wants the rest of the request body.
            upload.finish(|| cancellable.is_some_and(|it| it.canceller.is_cancelled()))?;
        }
        self.ended = true;
        Ok(())
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("endpoint", &self.pool.settings.endpoint)
            .field("head", self.head())
            .field("framing", &self.exchange.decision.framing)
            .field("received", &self.exchange.body.received())
            .finish_non_exhaustive()
    }
}

impl Read for Response {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(wire) = self.wire.as_mut().filter(|_| !self.ended) else { return Ok(0) };
        let n = match wire.connection.read_body(&mut self.exchange.body, out) {
            Ok(n) => n,
            Err(error) => return Err(self.cancelled().unwrap_or(error).into()),
        };
        if n == 0 && !out.is_empty() {
            self.end()?;
        }
        Ok(n)
    }
}

impl BufRead for Response {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let Some(wire) = self.wire.as_mut().filter(|_| !self.ended) else { return Ok(&[]) };
        match wire.connection.fill_body(&mut self.exchange.body) {
            Ok([]) => self.end()?,
            Ok(_) => {}
            Err(error) => return Err(self.cancelled().unwrap_or(error).into()),
        }
        Ok(self.wire.as_ref().map_or(&[], |wire| wire.connection.content()))
    }

    #[inline]
    fn consume(&mut self, n: usize) {
        if let Some(wire) = &mut self.wire {
            wire.connection.consume_body(n);
        }
    }
}

/// Returns the connection to the pool, or closes it.
impl Drop for Response {
    fn drop(&mut self) {
        let Some(mut wire) = self.wire.take() else { return };
        let Answered { decision, body, upload, cancellable } = &mut self.exchange;
        // No canceller acts from here on, so that the next exchange on the connection is safe.
        let canceller = cancellable.take().map(|it| it.canceller.clone());
        let is_cancelled = canceller.is_some_and(|canceller| canceller.is_cancelled());
        wire.connection.discard_buffered(body);
        let upload = upload.as_mut();
        let sent = upload.is_none_or(|upload| matches!(upload.outcome(), Some(Ok(()))));
        // Bytes behind the response answer no request.
        let clean = body.is_done() && !wire.connection.has_buffered() && !is_cancelled;
        if !sent {
            // Ends the thread that is still sending.
            let _ = wire.connection.stream().shutdown(Shutdown::Both);
        }
        match decision.persistent && sent && clean {
            true => self.pool.keep(wire),
            false => self.pool.close(wire),
        }
    }
}
