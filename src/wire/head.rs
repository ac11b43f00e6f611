//! Heads, in both directions: the start-line and the field lines, up to and with the empty line.
//!
//! ```text
//! request-line   = method SP request-target SP HTTP-version           ; RFC 9112 §3
//! request-target = origin-form / absolute-form / authority-form / asterisk-form
//! status-line    = HTTP-version SP status-code SP [ reason-phrase ]   ; RFC 9112 §4
//! HTTP-version   = "HTTP/" DIGIT "." DIGIT                            ; RFC 9112 §2.3
//! status-code    = 3DIGIT
//! reason-phrase  = 1*( HTAB / SP / VCHAR / obs-text )
//! ```
//!
//! A decoder is fed the whole of what has come so far, from the head's first byte, and goes on at
//! the line where it stopped. Accepted although the grammar says otherwise, because the RFC allows
//! it and it harms nobody: a lone LF as a line end, a status-line without a reason-phrase and its
//! SP, one empty line before a request-line. Declined: more or other white space between the parts
//! of a start-line, a version other than 1.x, empty lines before a status-line, a request-target of
//! none of the four forms.
//!
//! ```
//! use unix_http::wire::{Progress, ResponseDecoder};
//!
//! let wire = b"HTTP/1.1 204 No Content\r\nApi-Version: 1.41\r\n\r\n";
//! let mut decoder = ResponseDecoder::new();
//! assert_eq!(decoder.decode(wire)?, Progress::Complete { len: wire.len() });
//! let head = decoder.head();
//! assert_eq!((head.status(), head.reason()), (204, &b"No Content"[..]));
//! assert_eq!(head.fields().get("api-version"), Some(&b"1.41"[..]));
//! # Ok::<(), unix_http::wire::ParseError>(())
//! ```

use super::OVERHEAD_LIMIT;
use super::error::{EncodeError, ErrorKind, ParseError};
use super::fields::{Fields, Lenience, SectionDecoder, Span, check_value, line_end};
use super::grammar::{is_target_byte, is_token, not_a_host, token_len};
use std::fmt;

/// How far a decoder came with the bytes it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All bytes are well so far; more are needed.
    Partial,
    /// The head is complete and takes up the first `len` bytes; what follows is not part of it.
    Complete {
        /// The head's length in bytes, its empty line with it.
        len: usize,
    },
}

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
    /// As it is written: `HTTP/1.0` or `HTTP/1.1`.
    pub fn as_str(self) -> &'static str {
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

/// A response's status-line and fields.
#[derive(Clone, Default)]
pub struct ResponseHead {
    version: Version,
    status: u16,
    reason: Span,
    len: usize,
    fields: Fields,
}

impl ResponseHead {
    /// The head of no response.
    pub(crate) const EMPTY: &ResponseHead = &ResponseHead {
        version: Version::Http11,
        status: 0,
        reason: Span { start: 0, end: 0 },
        len: 0,
        fields: Fields::new(),
    };

    /// The peer's version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The status-code, 0 to 999, as it came. One outside 100 to 599 is to be treated as a 5xx
    /// (`RFC 9110 §15`): [`class`](ResponseHead::class) does.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The class of the status-code, 1 to 5.
    pub fn class(&self) -> u16 {
        match self.status {
            100..=599 => self.status / 100,
            _ => 5,
        }
    }

    /// The reason-phrase; often empty, never to be relied on (`RFC 9112 §4`).
    pub fn reason(&self) -> &[u8] {
        self.reason.of(&self.fields.bytes)
    }

    /// The header section.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The head as it came, byte for byte, with its empty line.
    pub fn as_bytes(&self) -> &[u8] {
        self.fields.bytes.get(..self.len).unwrap_or_default()
    }
}

impl fmt::Debug for ResponseHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {} {:?}",
            self.version,
            self.status,
            self.reason().escape_ascii(),
            self.fields
        )
    }
}

/// A request's request-line and fields.
#[derive(Clone, Default)]
pub struct RequestHead {
    version: Version,
    method: Span,
    target: Span,
    len: usize,
    fields: Fields,
}

impl RequestHead {
    /// The peer's version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The method, to be compared with regard to case (`RFC 9110 §9.1`).
    pub fn method(&self) -> &str {
        std::str::from_utf8(self.method.of(&self.fields.bytes)).unwrap_or_default()
    }

    /// The request-target as it came.
    pub fn target(&self) -> &[u8] {
        self.target.of(&self.fields.bytes)
    }

    /// The header section.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The head as it came, byte for byte, with its empty line (and one before it, if there was
    /// one).
    pub fn as_bytes(&self) -> &[u8] {
        self.fields.bytes.get(..self.len).unwrap_or_default()
    }

    /// The value of Host; `None` in an HTTP/1.0 request that has none.
    ///
    /// # Errors
    /// What a server must answer with 400 (`RFC 9112 §3.2`): no Host in HTTP/1.1, more than one, or
    /// a value that is not `uri-host [ ":" port ]`.
    pub fn host(&self) -> Result<Option<&[u8]>, ParseError> {
        let mut hosts = self.fields.get_all("Host");
        let Some(host) = hosts.next() else {
            return match self.version {
                Version::Http10 => Ok(None),
                Version::Http11 => Err(ParseError::new(ErrorKind::MissingHost, self.len)),
            };
        };
        let value = host.value();
        if let Some(second) = hosts.next() {
            return Err(ParseError::new(ErrorKind::Host, second.offset));
        }
        match not_a_host(value) {
            Some(at) => Err(ParseError::new(ErrorKind::Host, host.offset + at)),
            None => Ok(Some(value)),
        }
    }
}

impl fmt::Debug for RequestHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {} {:?}",
            self.method(),
            self.target().escape_ascii(),
            self.version,
            self.fields
        )
    }
}

/// Reads heads of one direction: [`ResponseDecoder`] or [`RequestDecoder`].
#[derive(Clone, Debug)]
pub struct HeadDecoder<H> {
    head: H,
    section: SectionDecoder,
    /// Whether the start-line has been read.
    started: bool,
    /// How many bytes were looked at before it was: one that comes byte by byte is not read again
    /// from its start.
    seen: usize,
    limit: usize,
    /// Whether `head` is a whole one, whose bytes would mean the same again.
    known: bool,
}

/// Reads response heads.
pub type ResponseDecoder = HeadDecoder<ResponseHead>;

/// Reads request heads.
pub type RequestDecoder = HeadDecoder<RequestHead>;

impl<H: Head> Default for HeadDecoder<H> {
    fn default() -> Self {
        HeadDecoder::new()
    }
}

#[allow(private_bounds, reason = "there are two directions and no more")]
impl<H: Head> HeadDecoder<H> {
    /// A decoder for one head of at most [`OVERHEAD_LIMIT`] bytes.
    pub fn new() -> Self {
        HeadDecoder::with_limit(OVERHEAD_LIMIT)
    }

    /// A decoder for one head of at most `limit` bytes.
    pub fn with_limit(limit: usize) -> Self {
        let (head, section) = (H::default(), SectionDecoder::default());
        HeadDecoder { head, section, started: false, seen: 0, limit, known: false }
    }

    /// Makes ready for another head, and keeps the memory of the one before.
    pub fn reset(&mut self, limit: usize) {
        self.known = false;
        self.reset_known(limit);
    }

    /// As [`reset`](Self::reset), for a peer that may say the same again: a head of the very bytes
    /// of the one before is compared with it instead of read. That is a third of the instructions
    /// of an exchange with a server whose answers do not differ; where they do, as by their Date,
    /// the comparison ends at the first byte that does.
    pub fn reset_known(&mut self, limit: usize) {
        self.started = false;
        self.seen = 0;
        self.limit = limit;
    }

    /// Reads on. `bytes` is all that has come since the head's first byte.
    ///
    /// # Errors
    /// As soon as the bytes decide that this is no head, or one over the limit.
    pub fn decode(&mut self, bytes: &[u8]) -> Result<Progress, ParseError> {
        let within = &bytes[..bytes.len().min(self.limit)];
        if self.known && !self.started {
            let (len, fields) = self.head.storage();
            if fields.bytes.get(..*len).is_some_and(|head| within.starts_with(head)) {
                return Ok(Progress::Complete { len: *len });
            }
            self.known = false;
        }
        if !self.started {
            let line = self.head.start_line(within, self.seen)?;
            self.seen = within.len();
            if let Some(at) = line {
                self.head.storage().1.clear();
                self.section.reset(at);
                self.started = true;
            }
        }
        let (head_len, fields) = self.head.storage();
        let progress = if self.started {
            self.section.decode(fields, within, H::LENIENCE)?
        } else {
            Progress::Partial
        };
        match progress {
            Progress::Complete { len } => {
                *head_len = len;
                self.known = true;
            }
            Progress::Partial if within.len() == self.limit => {
                return Err(ParseError::new(ErrorKind::TooLarge, self.limit));
            }
            Progress::Partial => {}
        }
        Ok(progress)
    }

    /// The head, once it is complete.
    pub fn head(&self) -> &H {
        &self.head
    }

    /// Hands over the head, once it is complete.
    pub fn into_head(self) -> H {
        self.head
    }
}

/// What differs between the two directions.
pub(crate) trait Head: Default {
    const LENIENCE: Lenience;
    /// Reads the start-line; where the next line begins, or `None` when it has not come whole. The
    /// first `seen` bytes were there before, and well so far.
    fn start_line(&mut self, bytes: &[u8], seen: usize) -> Result<Option<usize>, ParseError>;
    /// Where the head's length and its fields are kept.
    fn storage(&mut self) -> (&mut usize, &mut Fields);
}

impl Head for ResponseHead {
    const LENIENCE: Lenience = Lenience { folds: true, bare_lf: true };

    fn storage(&mut self) -> (&mut usize, &mut Fields) {
        (&mut self.len, &mut self.fields)
    }

    /// `status-line = HTTP-version SP status-code SP [ reason-phrase ]`; where the next line
    /// begins.
    fn start_line(&mut self, bytes: &[u8], seen: usize) -> Result<Option<usize>, ParseError> {
        if let Some(0) = bytes.first()
            && let Some(http2) = http2_settings(bytes)
        {
            return http2;
        }
        let reason = match bytes.strip_prefix(b"HTTP/1.1 ") {
            // Nearly every status-line: the same as below, without the ways to an error.
            Some(&[a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', b' ', ..]) => {
                self.version = Version::Http11;
                self.status = [a, b, c].iter().fold(0, |n, digit| n * 10 + u16::from(digit - b'0'));
                13
            }
            _ => match self.before_reason(bytes)? {
                Some(reason) => reason,
                None => return Ok(None),
            },
        };
        // The last byte seen may have been a CR that waits for its LF.
        let line =
            line_end(bytes, reason.max(seen.saturating_sub(1))).map_err(|e| match e.kind {
                ErrorKind::FieldValue => ParseError { kind: ErrorKind::ReasonPhrase, ..e },
                _ => e,
            })?;
        Ok(line.map(|(end, next)| {
            self.reason = Span::new(reason, end);
            next
        }))
    }
}

impl ResponseHead {
    /// `HTTP-version SP status-code [ SP ]`; where the reason-phrase begins, or `None` when that
    /// has not come.
    fn before_reason(&mut self, bytes: &[u8]) -> Result<Option<usize>, ParseError> {
        let Some(minor) = version(bytes, 0)? else { return Ok(None) };
        self.version = minor;
        match bytes.get(8) {
            None => return Ok(None),
            Some(b' ') => {}
            Some(_) => return Err(ParseError::new(ErrorKind::Version, 8)),
        }
        self.status = 0;
        for at in 9..12 {
            match bytes.get(at) {
                None => return Ok(None),
                Some(digit @ b'0'..=b'9') => {
                    self.status = self.status * 10 + u16::from(digit - b'0')
                }
                Some(_) => return Err(ParseError::new(ErrorKind::StatusCode, at)),
            }
        }
        match bytes.get(12) {
            None => Ok(None),
            Some(b' ') => Ok(Some(13)),
            Some(b'\r' | b'\n') => Ok(Some(12)),
            Some(_) => Err(ParseError::new(ErrorKind::StatusCode, 12)),
        }
    }
}

/// `HTTP-version`, from `at` on; `None` when it has not come whole.
fn version(bytes: &[u8], at: usize) -> Result<Option<Version>, ParseError> {
    if let Some(b"HTTP/1.1") = bytes.get(at..at + 8) {
        return Ok(Some(Version::Http11));
    }
    for (i, want) in b"HTTP/1.".iter().enumerate() {
        match bytes.get(at + i) {
            None => return Ok(None),
            Some(b) if b == want => {}
            Some(_) if i < 5 && at == 0 => return Err(ParseError::new(ErrorKind::NotHttp, i)),
            Some(_) => return Err(ParseError::new(ErrorKind::Version, at + i)),
        }
    }
    match bytes.get(at + 7) {
        None => Ok(None),
        Some(b'0') => Ok(Some(Version::Http10)),
        Some(b'1'..=b'9') => Ok(Some(Version::Http11)),
        Some(_) => Err(ParseError::new(ErrorKind::Version, at + 7)),
    }
}

/// An HTTP/2 server opens with a SETTINGS frame: a length of three bytes, type 4, no flags, stream
/// 0 (`RFC 9113 §3.4`).
fn http2_settings<T>(bytes: &[u8]) -> Option<Result<Option<T>, ParseError>> {
    let frame = bytes.get(..bytes.len().min(9))?;
    let wrong = |(i, &b): (usize, &u8)| match i {
        0 | 1 => b != 0,
        2 => false,
        3 => b != 4,
        _ => b != 0,
    };
    match frame {
        [0, ..] if frame.iter().enumerate().any(wrong) => None,
        [0, ..] if frame.len() == 9 => Some(Err(ParseError::new(ErrorKind::Http2, 0))),
        [0, ..] => Some(Ok(None)),
        _ => None,
    }
}

impl Head for RequestHead {
    const LENIENCE: Lenience = Lenience { folds: false, bare_lf: true };

    fn storage(&mut self) -> (&mut usize, &mut Fields) {
        (&mut self.len, &mut self.fields)
    }

    /// `request-line = method SP request-target SP HTTP-version`; where the next line begins.
    fn start_line(&mut self, bytes: &[u8], seen: usize) -> Result<Option<usize>, ParseError> {
        // One empty line is skipped: old clients send one after a POST (RFC 9112 §2.2).
        let start = match bytes {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            [b'\r', _, ..] => return Err(ParseError::new(ErrorKind::BareCr, 0)),
            [] | [b'\r'] => return Ok(None),
            _ => 0,
        };
        if seen <= start {
            (self.method, self.target) = (Span::default(), Span::default());
        }
        if self.method.end == 0 {
            let Some(end) = method_end(bytes, start, seen)? else { return Ok(None) };
            self.method = Span::new(start, end);
        }
        if self.target.end == 0 {
            let from = self.method.end as usize + 1;
            let Some(end) = target_end(bytes, from, seen)? else { return Ok(None) };
            if !has_target_form(self.method.of(bytes), &bytes[from..end]) {
                return Err(ParseError::new(ErrorKind::Target, from));
            }
            self.target = Span::new(from, end);
        }
        let at = self.target.end as usize + 1;
        if bytes[start..].starts_with(b"PRI * HTTP/2.0") {
            return Err(ParseError::new(ErrorKind::Http2, start));
        }
        if b"PRI * HTTP/2.0".starts_with(&bytes[start..]) {
            return Ok(None);
        }
        // No preface after all, and the asterisk is OPTIONS' alone.
        if bytes[start..].starts_with(b"PRI * HTTP/1") {
            return Err(ParseError::new(ErrorKind::Target, self.target.start as usize));
        }
        let Some(version) = version(bytes, at)? else { return Ok(None) };
        let next = match bytes[at + 8..] {
            [b'\r', b'\n', ..] => at + 10,
            [b'\n', ..] => at + 9,
            [] | [b'\r'] => return Ok(None),
            [b'\r', ..] => return Err(ParseError::new(ErrorKind::BareCr, at + 8)),
            _ => return Err(ParseError::new(ErrorKind::Version, at + 8)),
        };
        self.version = version;
        Ok(Some(next))
    }
}

/// Where the method that begins at `start` ends in its SP; `None` when that has not come.
fn method_end(bytes: &[u8], start: usize, seen: usize) -> Result<Option<usize>, ParseError> {
    let from = start.max(seen);
    let end = from + token_len(&bytes[from..]);
    match bytes.get(end) {
        None => Ok(None),
        Some(b' ') if end > start => Ok(Some(end)),
        // No method begins so: these bytes are another protocol's (TLS, say).
        Some(_) if end == 0 => Err(ParseError::new(ErrorKind::NotHttp, 0)),
        Some(_) => Err(ParseError::new(ErrorKind::Method, end)),
    }
}

/// Where the request-target that begins at `start` ends in its SP; `None` when that has not come.
fn target_end(bytes: &[u8], start: usize, seen: usize) -> Result<Option<usize>, ParseError> {
    let from = start.max(seen);
    let end = from + bytes[from..].iter().take_while(|&&b| is_target_byte(b)).count();
    match bytes.get(end) {
        None => Ok(None),
        Some(b' ') if end > start => Ok(Some(end)),
        // `GET /` and a line end: HTTP/0.9, which had no version.
        Some(b'\r' | b'\n') if end > start => Err(ParseError::new(ErrorKind::Version, end)),
        Some(_) => Err(ParseError::new(ErrorKind::Target, end)),
    }
}

/// Which forms a request-target may have is for the method to say (`RFC 9112 §3.2`).
fn has_target_form(method: &[u8], target: &[u8]) -> bool {
    match (method, target) {
        // authority-form = uri-host ":" port; a port that is empty must be refused (RFC 9110
        // §9.3.6).
        (b"CONNECT", _) => {
            let port = target.iter().rposition(|&b| b == b':').map(|colon| &target[colon + 1..]);
            not_a_host(target).is_none()
                && port.and_then(|port| port.last()).is_some_and(u8::is_ascii_digit)
        }
        // asterisk-form; and HTTP/2's preface, which is recognised by its version.
        (b"OPTIONS" | b"PRI", b"*") => true,
        (_, [b'/', ..]) => true,
        // absolute-form, which begins with a scheme.
        (_, [first, ..]) => {
            let scheme = |b: &u8| b.is_ascii_alphanumeric() || b"+-.".contains(b);
            let end = target.iter().position(|b| !scheme(b));
            first.is_ascii_alphabetic() && end.is_some_and(|end| target[end] == b':')
        }
        _ => false,
    }
}

/// Appends a request head to `out`: request-line, field lines, empty line.
///
/// # Errors
/// A method that is not a token, a target that is empty or holds white space or a control. Nothing
/// was appended then. Fields were checked when they were put in.
///
/// ```
/// use unix_http::wire::{Fields, Version, encode_request};
///
/// let (mut out, mut fields) = (Vec::new(), Fields::new());
/// fields.push("Host", "localhost")?;
/// encode_request(&mut out, "GET", b"/version", Version::Http11, &fields)?;
/// assert_eq!(out, b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n");
/// # Ok::<(), unix_http::wire::EncodeError>(())
/// ```
pub fn encode_request(
    out: &mut Vec<u8>,
    method: &str,
    target: &[u8],
    version: Version,
    fields: &Fields,
) -> Result<(), EncodeError> {
    encode_request_line(out, method, target, version)?;
    fields.encode(out);
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Appends a request-line alone.
pub(crate) fn encode_request_line(
    out: &mut Vec<u8>,
    method: &str,
    target: &[u8],
    version: Version,
) -> Result<(), EncodeError> {
    if !is_token(method.as_bytes()) {
        return Err(EncodeError { kind: ErrorKind::Method, offset: token_len(method.as_bytes()) });
    }
    if target.is_empty() || !target.iter().all(|&b| is_target_byte(b)) {
        let offset = target.iter().take_while(|&&b| is_target_byte(b)).count();
        return Err(EncodeError { kind: ErrorKind::Target, offset });
    }
    for part in [method.as_bytes(), b" ", target, b" ", version.as_str().as_bytes(), b"\r\n"] {
        out.extend_from_slice(part);
    }
    Ok(())
}

/// Appends a response head to `out`: status-line, field lines, empty line.
///
/// # Errors
/// A status-code outside 100 to 599 (`RFC 9110 §15`: such are invalid, though a client bears them),
/// a reason-phrase with a control in it. Nothing was appended then.
///
/// ```
/// use unix_http::wire::{Fields, Version, encode_response};
///
/// let mut out = Vec::new();
/// encode_response(&mut out, Version::Http11, 204, "No Content", &Fields::new())?;
/// assert_eq!(out, b"HTTP/1.1 204 No Content\r\n\r\n");
/// # Ok::<(), unix_http::wire::EncodeError>(())
/// ```
pub fn encode_response(
    out: &mut Vec<u8>,
    version: Version,
    status: u16,
    reason: &str,
    fields: &Fields,
) -> Result<(), EncodeError> {
    if !(100..=599).contains(&status) {
        return Err(EncodeError { kind: ErrorKind::StatusCode, offset: 0 });
    }
    check_value(reason.as_bytes())
        .map_err(|e| EncodeError { kind: ErrorKind::ReasonPhrase, ..e })?;
    let code =
        [b'0' + (status / 100) as u8, b'0' + (status / 10 % 10) as u8, b'0' + (status % 10) as u8];
    for part in [version.as_str().as_bytes(), b" ", &code, b" ", reason.as_bytes(), b"\r\n"] {
        out.extend_from_slice(part);
    }
    fields.encode(out);
    out.extend_from_slice(b"\r\n");
    Ok(())
}
