//! A response in progress: its head, its framing, and the memory that a connection reuses.

use super::connection_state::ConnectionState;
use crate::base::number::decimal;
use crate::base::time::http_date;
use crate::error::Error;
use crate::transport::Stream;
use crate::wire::{EncodeError, Fields, Framing, Version, encode_response, reason_phrase};
use std::io::{self, ErrorKind, IoSlice, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

/// The properties of the request that shape its response.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked {
    /// The request was HEAD.
    pub head: bool,
    pub version: Version,
    /// Whether another request may follow this one.
    pub persistent: bool,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub state: Arc<ConnectionState>,
    /// After the head is encoded, `persistent` says whether the connection stays open.
    pub asked: Asked,
    pub status: u16,
    /// The reason-phrase; empty for the usual one.
    pub reason: &'static str,
    pub fields: Fields,
    /// The first field that was refused.
    pub wrong: Option<io::Error>,
    /// The head, until it is sent.
    head: Vec<u8>,
    /// Small pieces of content, until they are sent.
    pub content: Vec<u8>,
    /// How many bytes of content were sent.
    pub sent: u64,
    /// Whether the whole response was sent, so that another exchange can follow.
    pub whole: bool,
}

impl Answer {
    pub fn new(state: Arc<ConnectionState>) -> Answer {
        let (asked, fields, wrong, head, content, sent, whole) = Default::default();
        let (status, reason) = (200, "");
        Answer { state, asked, status, reason, fields, wrong, head, content, sent, whole }
    }

    /// Begins the response to another request.
    pub fn begin(&mut self, asked: Asked) {
        self.fields.clear();
        self.head.clear();
        self.content.clear();
        (self.asked, self.status, self.reason) = (asked, 200, "");
        (self.wrong, self.sent, self.whole) = (None, 0, false);
    }

    pub fn has_no_content(&self) -> bool {
        matches!(self.status, 100..=199 | 204 | 205 | 304)
    }

    /// Encodes the head, with the server's own fields. It is sent with the first content.
    /// With [`Framing::NoBody`] it is sent alone.
    pub fn encode(&mut self, framing: Framing) -> io::Result<()> {
        self.check_fields()?;
        if self.status < 200 {
            return Err(invalid("an interim response is no answer (RFC 9110 §15.2)"));
        }
        if framing != Framing::NoBody && self.has_no_content() {
            return Err(invalid(NO_CONTENT));
        }
        // 205 has no content, but its head does not say so by itself (RFC 9110 §15.3.6).
        let framing = if self.status == 205 { Framing::Length(0) } else { framing };
        self.asked.persistent &=
            framing != Framing::UntilClose && !self.state.must_close(self.status);
        if self.fields.get("Date").is_none() {
            self.push("Date", http_date(SystemTime::now()).as_bytes())?;
        }
        match (self.given_length()?, framing) {
            (None, Framing::Length(length)) => self.fields.push_length(length),
            (Some(given), Framing::Length(length)) if given == length => {}
            (Some(_), Framing::NoBody) if self.status == 204 => {
                return Err(invalid("a Content-Length with 204 (RFC 9110 §8.6)"));
            }
            (None, _) | (_, Framing::NoBody) => {}
            _ => return Err(invalid(LENGTH)),
        }
        match (self.asked.persistent, self.asked.version) {
            (false, _) => self.push("Connection", b"close")?,
            (true, Version::Http10) => self.push("Connection", b"keep-alive")?,
            (true, Version::Http11) => {}
        }
        if framing == Framing::Chunked {
            self.push("Transfer-Encoding", b"chunked")?;
        }
        self.encode_as_is()
    }

    /// Fails if a field was refused, each time: a handler may overlook the first error.
    fn check_fields(&self) -> io::Result<()> {
        let again = |wrong: &io::Error| Err(io::Error::new(wrong.kind(), wrong.to_string()));
        self.wrong.as_ref().map_or(Ok(()), again)
    }

    /// Encodes the head from the handler's fields alone.
    pub fn encode_as_is(&mut self) -> io::Result<()> {
        self.check_fields()?;
        self.head.clear();
        let reason = if self.reason.is_empty() { reason_phrase(self.status) } else { self.reason };
        encode_response(&mut self.head, Version::Http11, self.status, reason, &self.fields)
            .map_err(refused)
    }

    /// Sends the head if it was not sent before, `before`, the collected content, then the rest:
    /// more content, and what follows it.
    pub fn send(&mut self, before: &[u8], rest: [&[u8]; 2]) -> io::Result<()> {
        self.state.answered.store(true, Ordering::Release);
        let parts = [&self.head, before, &self.content, rest[0], rest[1]];
        let written = write_all(&self.state.stream, &mut parts.map(IoSlice::new));
        self.sent += (self.content.len() + rest[0].len()) as u64;
        self.head.clear();
        self.content.clear();
        written
    }

    pub fn push(&mut self, name: &str, value: &[u8]) -> io::Result<()> {
        self.fields.push(name, value).map_err(refused)
    }

    /// The Content-Length that the handler gave.
    pub fn given_length(&self) -> io::Result<Option<u64>> {
        let mut given = self.fields.get_all("Content-Length");
        match (given.next(), given.next()) {
            (None, _) => Ok(None),
            (Some(one), None) => decimal(one.value()).map(Some).ok_or_else(|| invalid(LENGTH)),
            _ => Err(invalid(LENGTH)),
        }
    }
}

pub(super) const NO_CONTENT: &str = "content with a status-code that has none (RFC 9110 §15)";
pub(super) const LENGTH: &str = "a Content-Length that is not that of the content (RFC 9112 §6.2)";

pub(super) fn invalid(why: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, why)
}

fn refused(error: EncodeError) -> io::Error {
    Error::Encode(error).into()
}

/// Writes all of the parts in as few calls as possible.
fn write_all(mut stream: &Stream, mut parts: &mut [IoSlice<'_>]) -> io::Result<()> {
    IoSlice::advance_slices(&mut parts, 0);
    while !parts.is_empty() {
        match stream.write_vectored(parts)? {
            0 => return Err(ErrorKind::WriteZero.into()),
            n => IoSlice::advance_slices(&mut parts, n),
        }
    }
    Ok(())
}
