//! The request that a handler receives.

use super::connection_state::{ConnectionState, UNKNOWN};
use super::incoming::{Incoming, Phase};
use super::refusal::Refusal;
use crate::connection::Connection;
use crate::error::Error;
use crate::wire::{BodyDecoder, Fields, Framing, RequestHead, Version};
use std::io::{self, BufRead, Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::Ordering;

/// A request: its head, and its content through [`Read`] and [`BufRead`]. If the content ends too
/// early, the last read fails.
///
/// ```
/// use std::io::{self, BufRead};
/// use unix_http::server::{Request, Responder, Sent};
///
/// fn handler(request: &mut Request<'_>, responder: Responder<'_>) -> io::Result<Sent> {
///     let lines = request.lines().count(); // the content, as it comes
///     responder.send(format!("{} {lines}", request.path().escape_ascii()))
/// }
/// ```
#[derive(Debug)]
pub struct Request<'a> {
    pub(super) head: &'a RequestHead,
    pub(super) framing: Framing,
    pub(super) body: &'a mut BodyDecoder,
    pub(super) connection: &'a mut Connection<Incoming>,
    pub(super) state: &'a ConnectionState,
    pub(super) limit: Option<u64>,
}

impl Request<'_> {
    /// Returns the method. It is case-sensitive (`RFC 9110 §9.1`).
    pub fn method(&self) -> &str {
        self.head.method()
    }

    /// Returns the request-target as received: `/path?query`, `http://host/path` or `*`.
    pub fn target(&self) -> &[u8] {
        self.head.target()
    }

    /// Returns the target's path, still percent-encoded; `*` for `OPTIONS *`.
    pub fn path(&self) -> &[u8] {
        self.path_and_query().0
    }

    /// Returns the part after the target's first `?`.
    pub fn query(&self) -> Option<&[u8]> {
        self.path_and_query().1
    }

    fn path_and_query(&self) -> (&[u8], Option<&[u8]>) {
        let target = authority(self.target()).map_or(self.target(), |(_, rest)| rest);
        let (path, query) = match target.iter().position(|&b| b == b'?') {
            Some(at) => (&target[..at], Some(&target[at + 1..])),
            None => (target, None),
        };
        // http://host and http://host?query have the path / (RFC 9110 §4.2.3).
        (if path.is_empty() { b"/" } else { path }, query)
    }

    /// Returns the requested host: the authority of an absolute-form target, which overrides Host
    /// (`RFC 9112 §3.2.2`), else the value of Host; `None` if an HTTP/1.0 request has neither.
    pub fn host(&self) -> Option<&[u8]> {
        match authority(self.target()) {
            Some((authority, _)) => Some(authority),
            None => self.head.host().ok().flatten(),
        }
    }

    /// Returns the header section.
    pub fn fields(&self) -> &Fields {
        self.head.fields()
    }

    /// Whether the client offers to switch to `protocol`. An HTTP/1.0 client cannot
    /// (`RFC 9110 §7.8`).
    pub fn offers_upgrade(&self, protocol: &str) -> bool {
        self.head.version() == Version::Http11
            && self.fields().has_token("Connection", "upgrade")
            && self.fields().has_token("Upgrade", protocol)
    }

    /// Returns the address of a TCP client.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.state.peer()
    }

    /// Returns the length of the content; `None` if it is chunked.
    pub fn length(&self) -> Option<u64> {
        length(self.framing)
    }

    /// Returns the trailer fields of chunked content that was read to its end.
    pub fn trailers(&self) -> Option<&Fields> {
        self.body.trailers()
    }

    /// Reads all of the content.
    ///
    /// # Errors
    /// Fails with a [`Refusal`] (413) above `limit` bytes, and as reading does.
    pub fn bytes(&mut self, limit: usize) -> io::Result<Vec<u8>> {
        if self.length().is_some_and(|length| length > limit as u64) {
            return Err(too_large(limit as u64).into());
        }
        let mut bytes = Vec::new();
        self.take((limit as u64).saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() > limit { Err(too_large(limit as u64).into()) } else { Ok(bytes) }
    }

    /// Whether the client has ended its side of the connection. Check it regularly while you send
    /// an endless response. Waits about a millisecond; `false` before all content was read.
    pub fn is_gone(&mut self) -> bool {
        if !self.body.is_done() || self.connection.has_buffered() {
            return false;
        }
        self.connection.stream_mut().phase = Phase::Look;
        !matches!(self.connection.read_ahead(), Ok(1..) | Err(Error::Timeout(_)))
    }

    /// Whether the server is about to [stop](super::Handle::stop). Check it regularly while you
    /// send an endless response, and finish the response: after the time limit it is cut.
    pub fn is_stopping(&self) -> bool {
        self.state.pressure.stopping.load(Ordering::SeqCst)
    }

    /// Sends `100 Continue` before the first read if the client waits for it (`RFC 9110 §10.1.1`).
    fn invite(&mut self) -> io::Result<()> {
        let ConnectionState { stream, expects, answered, .. } = self.state;
        let expects = expects.load(Ordering::Relaxed) && expects.swap(false, Ordering::AcqRel);
        if expects && !self.connection.has_buffered() && !answered.load(Ordering::Acquire) {
            { stream }.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").map_err(Error::send)?;
        }
        Ok(())
    }

    /// Records after a read how much content is left.
    fn note(&self) -> io::Result<()> {
        let unread = match self.length() {
            _ if self.body.is_done() => 0,
            Some(length) => length.saturating_sub(self.body.received()),
            None => UNKNOWN,
        };
        self.state.unread.store(unread, Ordering::Release);
        match self.limit {
            Some(limit) if self.body.received() > limit => Err(too_large(limit).into()),
            _ => Ok(()),
        }
    }
}

/// The length of content with this framing; `None` if it is chunked.
pub(super) fn length(framing: Framing) -> Option<u64> {
    match framing {
        Framing::Length(length) => Some(length),
        Framing::Chunked | Framing::UntilClose => None,
        Framing::NoBody | Framing::Tunnel => Some(0),
    }
}

/// Splits an absolute-form target (`RFC 9112 §3.2.2`) after its authority, without the scheme.
pub(super) fn authority(target: &[u8]) -> Option<(&[u8], &[u8])> {
    let scheme =
        target.iter().take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)).count();
    let rest = target[scheme..].strip_prefix(b"://")?;
    let end = rest.iter().position(|b| matches!(b, b'/' | b'?')).unwrap_or(rest.len());
    target[0].is_ascii_alphabetic().then_some(rest.split_at(end))
}

pub(super) fn too_large(limit: u64) -> Refusal {
    Refusal::new(413, format!("more content than the {limit} bytes that are allowed"))
}

impl Read for Request<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.invite()?;
        let read = self.connection.read_body(self.body, out);
        self.note()?;
        Ok(read?)
    }
}

impl BufRead for Request<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.invite()?;
        let filled = self.connection.fill_body(self.body).map(|_| ());
        self.note()?;
        filled?;
        Ok(self.connection.content())
    }

    fn consume(&mut self, n: usize) {
        self.connection.consume_body(n);
    }
}
