//! A response in progress: its head, its framing, and the memory that a connection reuses.

use super::connection_state::ConnectionState;
use crate::base::number::decimal;
use crate::base::time::http_date;
use crate::error::Error;
use crate::transport::Stream;
use crate::wire::{EncodeError, Fields, Version, encode_response, reason_phrase};
use std::io::{self, ErrorKind, IoSlice, Write};
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

/// Where the content ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// After this many bytes.
    Length(u64),
    /// At the last chunk.
    Chunked,
    /// With the connection.
    Close,
    /// With the head.
    Head,
}

#[derive(Debug, Default)]
pub(super) struct Answer {
    pub fields: Fields,
    /// The head, until it is sent.
    pub head: Vec<u8>,
    /// Small pieces of content, until they are sent.
    pub content: Vec<u8>,
    /// The status-code, once the head is encoded.
    pub status: Option<u16>,
    /// How many bytes of content were sent.
    pub sent: u64,
    /// Whether the whole response was sent, so that another exchange can follow.
    pub whole: bool,
    /// Whether the connection stays open, as the response tells the client.
    pub persistent: bool,
}

impl Answer {
    pub fn reset(&mut self) {
        self.fields.clear();
        self.head.clear();
        self.content.clear();
        (self.status, self.sent) = (None, 0);
        self.whole = false;
        self.persistent = false;
    }

    /// Encodes the head, with the server's own fields. It leaves with the first content.
    pub fn encode(
        &mut self,
        state: &ConnectionState,
        asked: Asked,
        status: (u16, &str),
        ends: Ends,
    ) -> io::Result<()> {
        self.persistent = asked.persistent && ends != Ends::Close && !state.must_close(status.0);
        if self.fields.get("Date").is_none() {
            self.push("Date", &http_date(SystemTime::now()))?;
        }
        match (self.given_length()?, ends) {
            (None, Ends::Length(length)) => self.fields.push_length(length),
            (Some(given), Ends::Length(length)) if given == length => {}
            (Some(_), Ends::Head) if status.0 == 204 => {
                return Err(invalid("a Content-Length with 204 (RFC 9110 §8.6)"));
            }
            (None, _) | (_, Ends::Head) => {}
            _ => return Err(invalid(LENGTH)),
        }
        match (self.persistent, asked.version) {
            (false, _) => self.push("Connection", b"close")?,
            (true, Version::Http10) => self.push("Connection", b"keep-alive")?,
            (true, Version::Http11) => {}
        }
        if ends == Ends::Chunked {
            self.push("Transfer-Encoding", b"chunked")?;
        }
        self.encode_as_is(status)
    }

    /// Encodes the head from the handler's fields alone.
    pub fn encode_as_is(&mut self, (status, reason): (u16, &str)) -> io::Result<()> {
        self.head.clear();
        self.status = Some(status);
        let reason = if reason.is_empty() { reason_phrase(status) } else { reason };
        encode_response(&mut self.head, Version::Http11, status, reason, &self.fields)
            .map_err(refused)
    }

    /// Sends the head if it was not sent before, `before`, the collected content, then the rest:
    /// more content, and what follows it.
    pub fn send(
        &mut self,
        state: &ConnectionState,
        before: &[u8],
        rest: [&[u8]; 2],
    ) -> io::Result<()> {
        state.answered.store(true, Ordering::Release);
        let parts = [&self.head, before, &self.content, rest[0], rest[1]];
        let written = write_all(&state.stream, &mut parts.map(IoSlice::new));
        self.sent += (self.content.len() + rest[0].len()) as u64;
        self.head.clear();
        self.content.clear();
        written
    }

    fn push(&mut self, name: &str, value: &[u8]) -> io::Result<()> {
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

pub(super) const LENGTH: &str = "a Content-Length that is not that of the content (RFC 9112 §6.2)";

pub(super) fn invalid(why: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, why)
}

pub(super) fn refused(error: EncodeError) -> io::Error {
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
