//! Error responses: which status-code stands for which failure.

use crate::error::Error;
use crate::transport::{Limit, Timeout};
use crate::wire::{ParseError, RequestHead, Violation, reason_phrase};
use std::fmt;
use std::io;

/// An error response. A handler returns it inside an [`io::Error`], so that `?` works.
///
/// ```
/// use unix_http::server::{Refusal, Request, Responder, Sent};
///
/// fn handler(request: &mut Request<'_>, responder: Responder<'_>) -> std::io::Result<Sent> {
///     let name = request.query().ok_or(Refusal::new(400, "a name is needed: /greet?name"))?;
///     responder.send([b"hello, ", name].concat())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    status: u16,
    why: String,
}

impl Refusal {
    /// Creates a refusal with one line of text for people.
    pub fn new(status: u16, why: impl Into<String>) -> Refusal {
        Refusal { status, why: why.into() }
    }

    /// Returns the status-code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the line of text.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// Returns the response for a handler that failed, and whether the connection can be kept
    /// after it.
    pub(super) fn of_handler(error: &io::Error) -> (Refusal, bool) {
        let inner = error.get_ref();
        if let Some(refusal) = inner.and_then(|e| e.downcast_ref::<Refusal>()) {
            return (refusal.clone(), true);
        }
        let refusal = match inner.and_then(|e| e.downcast_ref::<Error>()) {
            Some(error @ (Error::Parse(_) | Error::Incomplete(_) | Error::Timeout(_))) => {
                Refusal::of_message(error, &[])
            }
            _ => Refusal::new(500, "the server failed to answer"),
        };
        (refusal, false)
    }

    /// Returns the response to a broken message that began with `came`.
    pub(super) fn of_message(error: &Error, came: &[u8]) -> Refusal {
        match error {
            Error::Parse(error) => Refusal::new(status_of(error, came), error.to_string()),
            Error::Timeout(Timeout { limit: Limit::Head, after }) => {
                Refusal::new(408, format!("the head did not come whole within {after:?}"))
            }
            Error::Timeout(Timeout { after, .. }) => {
                Refusal::new(408, format!("nothing came for {after:?}"))
            }
            error => Refusal::new(400, error.to_string()),
        }
    }

    /// Returns the response to a request with ambiguous framing.
    pub(super) fn of_framing(error: &ParseError, head: &RequestHead) -> Refusal {
        let fields = head.fields().get_all("Transfer-Encoding");
        let mut codings = fields
            .flat_map(|field| field.value().split(|&b| b == b','))
            .skip_while(|coding| !coding.trim_ascii().eq_ignore_ascii_case(b"chunked"));
        // 501 for an unknown coding (RFC 9112 §6.1), but 400 if it hides the body's end (§6.3).
        let known_end = codings.next().is_some() && codings.next().is_none();
        let status =
            if error.violation == Violation::TransferEncoding && known_end { 501 } else { 400 };
        Refusal::new(status, error.to_string())
    }
}

fn status_of(error: &ParseError, came: &[u8]) -> u16 {
    match error.violation {
        Violation::TooLarge if came.contains(&b'\n') || came.is_empty() => 431,
        Violation::TooLarge => 414,
        Violation::Http2 => 505,
        Violation::Version if names_a_version(came) => 505,
        _ => 400,
    }
}

/// Whether the first line ends in the version of another HTTP, rather than in none.
fn names_a_version(came: &[u8]) -> bool {
    let line = came.split(|&b| b == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    matches!(line, [.., b' ', b'H', b'T', b'T', b'P', b'/', b'0' | b'2'..=b'9', b'.', b'0'..=b'9'])
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, reason_phrase(self.status), self.why)
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> io::Error {
        io::Error::other(refusal)
    }
}
