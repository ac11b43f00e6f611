//! Where the message body ends: `RFC 9112 §6.3` as two functions, in the order of its items.
//!
//! ```text
//! 1.  a response to HEAD, or with 1xx, 204 or 304      no body, whatever the fields say
//! 2.  a 2xx to CONNECT, and a 101                      no body: a tunnel begins
//! 3.  Transfer-Encoding and Content-Length             Content-Length is ignored
//! 4.  Transfer-Encoding: chunked                       to the last chunk
//!     any other Transfer-Encoding                      rejected
//! 5.  a Content-Length that is not one number          rejected
//! 6.  Content-Length                                   that many bytes
//! 7.  a request with neither                           no body
//! 8.  a response with neither                          to the end of the connection
//! ```
//!
//! Request smuggling exploits two readers that disagree about the end of a message. Therefore a
//! malformed length is an error, and so is a transfer coding other than chunked.
//!
//! ```
//! use unix_http::wire::{Framing, ResponseDecoder, framing};
//!
//! let head = |wire: &[u8]| {
//!     let mut decoder = ResponseDecoder::new();
//!     decoder.decode(wire).unwrap();
//!     decoder.head().clone()
//! };
//! let ok = head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
//! assert_eq!(framing::response("GET", &ok)?.framing, Framing::Chunked);
//! assert_eq!(framing::response("HEAD", &ok)?.framing, Framing::NoBody);
//! let bad = head(b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n");
//! let error = framing::response("GET", &bad).unwrap_err();
//! assert_eq!((error.section(), error.offset), ("RFC 9112 §6.3", 33));
//! # Ok::<(), unix_http::wire::ParseError>(())
//! ```

use super::error::{ParseError, Violation};
use super::field::{Field, Fields};
use super::grammar::list;
use super::head::{RequestHead, ResponseHead, Version};
use crate::base::number::decimal;

/// Where the message body ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    #[default]
    NoBody,
    /// After this many bytes.
    Length(u64),
    /// After the last chunk and its trailer section.
    Chunked,
    /// At the end of the connection. A truncated body cannot be detected.
    UntilClose,
    /// With the head. Another protocol follows on this connection.
    Tunnel,
}

/// The rule of `RFC 9112 §6.3` that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    item: u8,
    text: &'static str,
    pub(crate) section: &'static str,
}

impl Rule {
    /// Returns the item of `RFC 9112 §6.3`.
    pub fn item(self) -> u8 {
        self.item
    }

    /// Returns the rule in words.
    pub fn text(self) -> &'static str {
        self.text
    }
}

macro_rules! rules {
    ($($name:ident $item:literal $text:literal)*) => {
        #[allow(non_upper_case_globals, reason = "they read as the variants of an enum")]
        impl Rule {
            $(pub(crate) const $name: Rule = Rule {
                item: $item,
                text: $text,
                section: concat!("RFC 9112 §6.3, item ", $item),
            };)*
        }
    };
}

rules! {
    Head 1 "an answer to HEAD, so there is no body whatever the fields say"
    Status 1 "1xx, 204 and 304 have no body whatever the fields say"
    Tunnel 2 "the message ends with its head; what follows is another protocol"
    TransferEncodingOverLength 3
        "Transfer-Encoding: chunked overrides Content-Length; the body ends at the last chunk"
    TransferEncoding 4 "Transfer-Encoding: chunked, so the body ends at the last chunk"
    ContentLength 6 "Content-Length, so the body ends after that many bytes"
    Neither 7 "neither Content-Length nor Transfer-Encoding in a request: there is no body"
    Close 8
        "neither Content-Length nor Transfer-Encoding: the body ends when the connection does"
}

/// The framing of a body, the rule that decided it, and the fate of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Where the body ends.
    pub framing: Framing,
    /// Which rule decided this.
    pub rule: Rule,
    /// Whether another message may follow on the connection (`RFC 9112 §9.3`).
    pub persistent: bool,
}

/// The parts of a request that decide how to read its response (`RFC 9112 §6.3`).
pub(crate) struct ResponseTo<'a> {
    pub method: &'a str,
    pub fields: &'a Fields,
    /// Protocols that were requested in addition to those in the fields, separated by commas.
    pub upgrade: Option<&'a str>,
    /// Whether a Content-Length is ignored (curl's `--ignore-content-length`).
    pub ignore_length: bool,
}

impl ResponseTo<'_> {
    /// Decides the framing of a response. Returns `None` for an interim response, after which
    /// another head follows (`RFC 9110 §15.2`).
    ///
    /// # Errors
    /// Fails as [`response`] does.
    pub fn decide(&self, head: &ResponseHead) -> Result<Option<Decision>, ParseError> {
        if head.class() == 1 && head.status() != 101 {
            return Ok(None);
        }
        let mut decision = response(self.method, head)?;
        if self.ignore_length && matches!(decision.framing, Framing::Length(_)) {
            (decision.framing, decision.persistent) = (Framing::UntilClose, false);
        }
        decision.persistent &= !self.fields.has_token("Connection", "close");
        Ok(Some(decision))
    }

    /// Rejects a 101 to a protocol that was not requested (`RFC 9110 §7.8`).
    pub fn check_upgrade(&self, head: &ResponseHead) -> Result<(), ParseError> {
        fn protocols(fields: &Fields) -> impl Iterator<Item = &[u8]> {
            fields.get_all("Upgrade").flat_map(|field| list(field.value()))
        }
        if head.status() != 101 {
            return Ok(());
        }
        let by_fields = self.fields.has_token("Connection", "upgrade");
        let asked = |name: &[u8]| {
            let more = list(self.upgrade.unwrap_or_default().as_bytes());
            let fields = protocols(self.fields).filter(|_| by_fields);
            fields.chain(more).any(|it| it.eq_ignore_ascii_case(name))
        };
        match head.fields().get("Upgrade").is_some() && protocols(head.fields()).all(asked) {
            true => Ok(()),
            false => Err(ParseError::new(Violation::UnexpectedUpgrade, STATUS)),
        }
    }
}

/// The offset of the status-code in a status-line, after `HTTP/1.1 `.
const STATUS: usize = 9;

/// Decides the framing of a response to a request with this method. For a 101, the caller must
/// check that it requested an upgrade.
///
/// # Errors
/// Fails on a Transfer-Encoding other than `chunked` and a Content-Length that is not one number.
#[inline]
pub fn response(method: &str, head: &ResponseHead) -> Result<Decision, ParseError> {
    let found = Found::in_fields(head.fields());
    // An intermediary forwarded a Transfer-Encoding that it did not understand (§6.1): HTTP/1.0 has
    // none, and HTTP/1.1 allows no length next to it. The intermediary may have more to send.
    let faulty =
        found.coding.is_some() && (found.length.is_some() || head.version() == Version::Http10);
    let persistent = found.persistent(head.version()) && !faulty;
    let decide = |framing, rule, persistent| Ok(Decision { framing, rule, persistent });
    let status = head.status();
    if status == 101 || (method == "CONNECT" && head.class() == 2) {
        return decide(Framing::Tunnel, Rule::Tunnel, false);
    }
    if method == "HEAD" {
        return decide(Framing::NoBody, Rule::Head, persistent);
    }
    if head.class() == 1 || status == 204 || status == 304 {
        return decide(Framing::NoBody, Rule::Status, persistent);
    }
    if let Some(coding) = found.coding {
        coding.chunked_alone()?;
        let rule = match found.length {
            Some(_) => Rule::TransferEncodingOverLength,
            None => Rule::TransferEncoding,
        };
        return decide(Framing::Chunked, rule, persistent);
    }
    match found.length {
        Some(length) => decide(Framing::Length(length?), Rule::ContentLength, persistent),
        None => decide(Framing::UntilClose, Rule::Close, false),
    }
}

/// Decides the framing of a request.
///
/// # Errors
/// Fails as [`response`] does. Also fails on Transfer-Encoding in HTTP/1.0 or together with
/// Content-Length, because two readers could disagree about the end (`RFC 9112 §6.1`).
pub fn request(head: &RequestHead) -> Result<Decision, ParseError> {
    request_fields(head.fields(), head.version())
}

/// Decides the framing of a request with these fields.
pub(crate) fn request_fields(fields: &Fields, version: Version) -> Result<Decision, ParseError> {
    let found = Found::in_fields(fields);
    let persistent = found.persistent(version);
    let decide = |framing, rule| Ok(Decision { framing, rule, persistent });
    if let Some(coding) = found.coding {
        if found.length.is_some() {
            return Err(ParseError::new(Violation::TransferEncodingAndLength, coding.first));
        }
        if version == Version::Http10 {
            return Err(ParseError::new(Violation::TransferEncodingVersion, coding.first));
        }
        coding.chunked_alone()?;
        return decide(Framing::Chunked, Rule::TransferEncoding);
    }
    match found.length {
        Some(length) => decide(Framing::Length(length?), Rule::ContentLength),
        None => decide(Framing::NoBody, Rule::Neither),
    }
}

/// The fields that decide framing, collected in one pass.
#[derive(Default)]
struct Found {
    /// The value on which all Content-Length lines agree.
    length: Option<Result<u64, ParseError>>,
    coding: Option<Coding>,
    close: bool,
    keep_alive: bool,
}

/// All Transfer-Encoding lines combined: the offset of the first value, and the offset of the first
/// value that makes them anything but exactly one `chunked`.
struct Coding {
    first: usize,
    wrong: Option<usize>,
}

impl Coding {
    fn chunked_alone(&self) -> Result<(), ParseError> {
        self.wrong.map_or(Ok(()), |at| Err(ParseError::new(Violation::TransferEncoding, at)))
    }
}

impl Found {
    fn in_fields(fields: &Fields) -> Found {
        let mut found = Found::default();
        for field in fields.iter() {
            if field.is("Connection") {
                for option in list(field.value()) {
                    found.close |= option.eq_ignore_ascii_case(b"close");
                    found.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            } else if field.is("Content-Length") {
                found.length = Some(length(found.length, field));
            } else if field.is("Transfer-Encoding") {
                let at = field.offset;
                let chunked = field.value().eq_ignore_ascii_case(b"chunked");
                found.coding = Some(match found.coding {
                    None => Coding { first: at, wrong: (!chunked).then_some(at) },
                    Some(Coding { first, wrong }) => Coding { first, wrong: wrong.or(Some(at)) },
                });
            }
        }
        found
    }

    /// `RFC 9112 §9.3`: `close` ends the connection. HTTP/1.1 keeps it, HTTP/1.0 only with
    /// `keep-alive`.
    fn persistent(&self, version: Version) -> bool {
        !self.close && (version == Version::Http11 || self.keep_alive)
    }
}

/// Returns the value on which every element of this Content-Length line and the lines `before` it
/// agree.
fn length(before: Option<Result<u64, ParseError>>, field: Field<'_>) -> Result<u64, ParseError> {
    let mut length = before.transpose()?;
    for element in list(field.value()) {
        let digits = !element.is_empty() && element.iter().all(u8::is_ascii_digit);
        let violation = match (decimal(element), length) {
            (Some(n), None) => {
                length = Some(n);
                continue;
            }
            (Some(n), Some(before)) if n == before => continue,
            (Some(_), Some(_)) => Violation::ContentLengthDiffers,
            (None, _) if digits => Violation::ContentLengthOverflow,
            (None, _) => Violation::ContentLength,
        };
        return Err(ParseError::new(violation, field.offset));
    }
    length.ok_or(ParseError::new(Violation::ContentLength, field.offset))
}
