//! Heads and their decoder. A head is the start-line, the field section and the empty line.
//!
//! ```text
//! HTTP-message = start-line CRLF *( field-line CRLF ) CRLF [ message-body ]   ; RFC 9112 §2.1
//! ```
//!
//! Pass the decoder everything that has arrived since the first byte of the head. It resumes where
//! it stopped. `start_line` contains the rules of the first line.
//!
//! ```
//! use unix_http::wire::ResponseDecoder;
//!
//! let wire = b"HTTP/1.1 204 No Content\r\nApi-Version: 1.41\r\n\r\n";
//! let mut decoder = ResponseDecoder::new();
//! assert_eq!(decoder.decode(wire)?, Some(wire.len()));
//! let head = decoder.head();
//! assert_eq!((head.status(), head.reason()), (204, &b"No Content"[..]));
//! assert_eq!(head.fields().get("api-version"), Some(&b"1.41"[..]));
//! # Ok::<(), unix_http::wire::ParseError>(())
//! ```

use super::OVERHEAD_LIMIT;
use super::error::{ParseError, Violation};
use super::field::{Fields, Span};
use super::section::{Lenience, SectionDecoder};
use super::target::not_a_host;
use std::fmt;

/// The version of a message. A minor version above 1 is read as 1.1 (`RFC 9110 §2.5`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    #[default]
    Http11,
}

impl Version {
    /// Returns `HTTP/1.0` or `HTTP/1.1`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Version::Http10 => "HTTP/1.0",
            Version::Http11 => "HTTP/1.1",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A start-line and its fields: a [`ResponseHead`] or a [`RequestHead`].
#[derive(Clone, Default)]
pub struct Head<L> {
    pub(super) version: Version,
    pub(super) line: L,
    pub(super) len: usize,
    pub(super) fields: Fields,
}

/// The head of a response.
pub type ResponseHead = Head<StatusLine>;

/// The head of a request.
pub type RequestHead = Head<RequestLine>;

/// The parts of a status-line after the version.
#[derive(Clone, Copy, Debug, Default)]
pub struct StatusLine {
    pub(super) status: u16,
    pub(super) reason: Span,
}

/// The parts of a request-line before the version.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestLine {
    pub(super) method: Span,
    pub(super) target: Span,
}

impl<L> Head<L> {
    /// Returns the version of the peer.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Returns the header section.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Returns the head as it arrived, including the empty lines before and after it.
    pub fn as_bytes(&self) -> &[u8] {
        self.fields.bytes.get(..self.len).unwrap_or_default()
    }
}

/// Omits the query of a request-target, which may contain credentials.
impl<L> fmt::Debug for Head<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.as_bytes().trim_ascii_start().split(|&byte| byte == b'\n').next();
        let line = line.unwrap_or_default().trim_ascii_end();
        let end = line.iter().position(|&byte| byte == b'?').unwrap_or(line.len());
        let dots = if end < line.len() { "?…" } else { "" };
        write!(f, "{}{dots} {:?}", line[..end].escape_ascii(), self.fields)
    }
}

impl ResponseHead {
    pub(crate) const EMPTY: &ResponseHead = &Head {
        version: Version::Http11,
        line: StatusLine { status: 0, reason: Span { start: 0, end: 0 } },
        len: 0,
        fields: Fields::new(),
    };

    /// Returns the status-code as it arrived, 0 to 999.
    pub fn status(&self) -> u16 {
        self.line.status
    }

    /// Returns the first digit of the status-code, or 5 for a code outside 100 to 599
    /// (`RFC 9110 §15`).
    pub fn class(&self) -> u16 {
        match self.line.status {
            status @ 100..=599 => status / 100,
            _ => 5,
        }
    }

    /// Returns the reason-phrase, which is often empty (`RFC 9112 §4`).
    pub fn reason(&self) -> &[u8] {
        self.line.reason.of(&self.fields.bytes)
    }
}

impl RequestHead {
    /// Returns the method, which is case-sensitive (`RFC 9110 §9.1`).
    pub fn method(&self) -> &str {
        std::str::from_utf8(self.line.method.of(&self.fields.bytes)).unwrap_or_default()
    }

    /// Returns the request-target as it arrived.
    pub fn target(&self) -> &[u8] {
        self.line.target.of(&self.fields.bytes)
    }

    /// Returns the value of Host, or `None` for an HTTP/1.0 request without Host.
    ///
    /// # Errors
    /// Fails where a server must answer 400: HTTP/1.1 without Host, two Host fields, or a value
    /// that is not `uri-host [ ":" port ]` (`RFC 9112 §3.2`).
    pub fn host(&self) -> Result<Option<&[u8]>, ParseError> {
        let mut hosts = self.fields.get_all("Host");
        let Some(host) = hosts.next() else {
            return match self.version {
                Version::Http10 => Ok(None),
                Version::Http11 => Err(ParseError::new(Violation::MissingHost, self.len)),
            };
        };
        if let Some(second) = hosts.next() {
            return Err(ParseError::new(Violation::Host, second.offset));
        }
        match not_a_host(host.value()) {
            Some(at) => Err(ParseError::new(Violation::Host, host.offset + at)),
            None => Ok(Some(host.value())),
        }
    }
}

/// The differences between requests and responses.
pub(crate) trait StartLine: Default {
    const LENIENCE: Lenience;

    /// Reads the line. Its first `seen` bytes were found valid by the previous call. Returns the
    /// version and where the next line begins, or `None` if the line is incomplete.
    fn read(&mut self, bytes: &[u8], seen: usize) -> Result<Option<(Version, usize)>, ParseError>;
}

/// Decodes heads of one direction: [`ResponseDecoder`] or [`RequestDecoder`].
#[derive(Clone, Debug)]
pub struct HeadDecoder<L> {
    pub(super) head: Head<L>,
    section: SectionDecoder,
    /// Whether the start-line has been read.
    started: bool,
    /// How many bytes of the start-line earlier calls examined.
    seen: usize,
    limit: usize,
}

/// Decodes response heads.
pub type ResponseDecoder = HeadDecoder<StatusLine>;

/// Decodes request heads.
pub type RequestDecoder = HeadDecoder<RequestLine>;

impl<L: StartLine> Default for HeadDecoder<L> {
    fn default() -> Self {
        HeadDecoder::new()
    }
}

#[allow(private_bounds, reason = "there are two directions and no more")]
impl<L: StartLine> HeadDecoder<L> {
    /// Creates a decoder for one head of at most [`OVERHEAD_LIMIT`] bytes.
    pub fn new() -> Self {
        let (head, section) = (Head::default(), SectionDecoder::new(L::LENIENCE));
        HeadDecoder { head, section, started: false, seen: 0, limit: OVERHEAD_LIMIT }
    }

    /// Prepares for another head, of at most `limit` bytes, and reuses the memory of the previous
    /// one.
    pub fn reset(&mut self, limit: usize) {
        (self.started, self.seen, self.limit) = (false, 0, limit);
    }

    /// Decodes `bytes`: everything that has arrived since the first byte of the head. Returns the
    /// length of the head, including its empty line, or `None` if more bytes are needed.
    ///
    /// # Errors
    /// Fails as soon as the bytes cannot become a head, or exceed the limit.
    pub fn decode(&mut self, bytes: &[u8]) -> Result<Option<usize>, ParseError> {
        let within = &bytes[..bytes.len().min(self.limit)];
        if !self.started {
            let line = self.head.line.read(within, self.seen)?;
            self.seen = within.len();
            if let Some((version, next)) = line {
                self.head.version = version;
                self.head.fields.clear();
                self.section.reset(next);
                self.started = true;
            }
        }
        if self.started
            && let Some(len) = self.section.decode(&mut self.head.fields, within)?
        {
            self.head.len = len;
            return Ok(Some(len));
        }
        match within.len() == self.limit {
            true => Err(ParseError::new(Violation::TooLarge, self.limit)),
            false => Ok(None),
        }
    }

    /// Returns the head, once it is complete.
    pub fn head(&self) -> &Head<L> {
        &self.head
    }
}
