//! Errors of decoders and encoders: the broken rule, and where.

use crate::base::rules::rules;
use std::fmt;

/// A violation of the grammar: which rule, and at which byte of the message.
///
/// ```
/// use unix_http::wire::{ParseErrorKind, ResponseDecoder};
///
/// let error = ResponseDecoder::new().decode(b"HTTP/1.1 200 OK\r\nServer : x\r\n").unwrap_err();
/// assert_eq!((error.kind(), error.offset), (ParseErrorKind::Malformed, 23));
/// let text = "space before the colon of a field line at byte 23 (RFC 9112 §5.1)";
/// assert_eq!(error.to_string(), text);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    pub(crate) violation: Violation,
    /// The offset of the first byte that breaks the rule, counted from the first byte of the head.
    /// A decoder that reads only a body counts from the first byte of the body.
    pub offset: u64,
}

/// The kinds of [`ParseError`] that a program may treat differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// The peer does not speak HTTP/1.0 or HTTP/1.1.
    NotHttp,
    /// The peer speaks HTTP/2 or gRPC.
    Http2,
    /// A head breaks another rule.
    Malformed,
    /// A Transfer-Encoding other than chunked.
    TransferEncoding,
    /// Chunked framing is broken.
    Chunked,
    /// A head, chunk-ext or trailer section exceeds its limit.
    TooLarge,
}

impl ParseError {
    pub(crate) fn new(violation: Violation, offset: usize) -> ParseError {
        ParseError { violation, offset: offset as u64 }
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ParseErrorKind {
        use Violation::*;
        match self.violation {
            NotHttp | Version | StatusCode => ParseErrorKind::NotHttp,
            Http2 => ParseErrorKind::Http2,
            TransferEncoding => ParseErrorKind::TransferEncoding,
            ChunkSize | ChunkSizeOverflow | ChunkExt | ChunkLineEnd | ChunkDataEnd => {
                ParseErrorKind::Chunked
            }
            TooLarge => ParseErrorKind::TooLarge,
            _ => ParseErrorKind::Malformed,
        }
    }

    /// Returns the section that states the rule, such as `RFC 9112 §5.1`.
    pub fn section(&self) -> &'static str {
        self.violation.section()
    }
}

rules! {
    /// The rule that a message breaks.
    Violation
    NotHttp "not an HTTP/1 message" "RFC 9112 §2.3"
    Http2 "the peer speaks HTTP/2 (gRPC), not HTTP/1.1" "RFC 9113 §3.4"
    Version "a version that is not HTTP/1.0 or HTTP/1.1" "RFC 9112 §2.3"
    StatusCode "a status-code that is not three digits" "RFC 9112 §4"
    ReasonPhrase "a control character in the reason-phrase" "RFC 9112 §4"
    Method "a method that is not a token" "RFC 9112 §3.1"
    Target
        "a request-target that is empty, or contains white space or controls" "RFC 9112 §3.2"
    TargetForm
        "a request-target in a form that the method does not allow: a path begins with /"
        "RFC 9112 §3.2"
    BareCr "a CR without an LF" "RFC 9112 §2.2"
    LeadingSpace "white space before the first field line" "RFC 9112 §2.2"
    MissingColon "a field line without a colon" "RFC 9112 §5"
    SpaceBeforeColon "space before the colon of a field line" "RFC 9112 §5.1"
    FieldName "a field name that is not a token" "RFC 9110 §5.1"
    FieldValue "a control character in a field value" "RFC 9110 §5.5"
    ObsFold "a folded field line in a request" "RFC 9112 §5.2"
    MissingHost "an HTTP/1.1 request without a Host field" "RFC 9112 §3.2"
    Host "a Host field that is repeated or is not a host" "RFC 9112 §3.2"
    ContentLength "a Content-Length that is not a decimal number" "RFC 9112 §6.3"
    ContentLengthOverflow "a Content-Length over 2^64-1" "RFC 9112 §6.3"
    ContentLengthDiffers "Content-Lengths that differ" "RFC 9112 §6.3"
    TransferEncoding "a Transfer-Encoding other than chunked" "RFC 9112 §6.1"
    TransferEncodingVersion "Transfer-Encoding in an HTTP/1.0 request" "RFC 9112 §6.1"
    TransferEncodingAndLength "Transfer-Encoding and Content-Length in one request" "RFC 9112 §6.1"
    ChunkSize "a chunk-size that is not a hexadecimal number" "RFC 9112 §7.1"
    ChunkSizeOverflow "a chunk-size over 2^64-1" "RFC 9112 §7.1"
    ChunkExt "a byte that is not allowed in a chunk-ext" "RFC 9112 §7.1.1"
    ChunkLineEnd "a line of chunked framing that does not end in CR LF" "RFC 9112 §7.1"
    ChunkDataEnd "chunk-data that is not followed by CR LF" "RFC 9112 §7.1"
    UnexpectedUpgrade
        "a 101 (Switching Protocols) to a protocol that was not requested" "RFC 9110 §7.8"
    TooLarge "a head, chunk-ext or trailer section over the limit" "RFC 9110 §5.4"
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {} ({})", self.violation.text(), self.offset, self.section())
    }
}

impl std::error::Error for ParseError {}

/// A refusal to send a part of a message that could break out of its line. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeError {
    pub(crate) violation: Violation,
    /// The offset of the refused byte within the part.
    pub offset: usize,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, section) = (self.violation.text(), self.violation.section());
        write!(f, "refused to send {text} (at its byte {}, {section})", self.offset)
    }
}

impl std::error::Error for EncodeError {}
