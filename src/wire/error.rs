//! Errors of decoders and encoders: the kind, the place, the rule.

use std::fmt;

/// Bytes that break the protocol: which rule, and at which byte.
///
/// The offset counts from the first byte of the head. For a decoder of a body alone it counts from
/// the first byte of the body.
///
/// ```
/// use unix_http::wire::{ErrorKind, ResponseDecoder};
///
/// let error = ResponseDecoder::new().decode(b"HTTP/1.1 200 OK\r\nServer : x\r\n").unwrap_err();
/// assert_eq!((error.kind, error.offset), (ErrorKind::SpaceBeforeColon, 23));
/// let text = "space before the colon of a field line at byte 23 (RFC 9112 §5.1)";
/// assert_eq!(error.to_string(), text);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Which rule was broken.
    pub kind: ErrorKind,
    /// The offset of the first byte that breaks it.
    pub offset: u64,
}

impl ParseError {
    pub(crate) fn new(kind: ErrorKind, offset: usize) -> ParseError {
        ParseError { kind, offset: offset as u64 }
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $text:literal $section:literal)*) => {
        /// The rule that bytes broke; [`section`](ErrorKind::section) says where it is written.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind { $($(#[$doc])* $name,)* }

        impl ErrorKind {
            /// Every kind, for tables and tests.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$name,)*];

            /// The rule's place, as in `RFC 9112 §5.1`.
            pub fn section(self) -> &'static str {
                match self { $(ErrorKind::$name => $section,)* }
            }

            /// What is wrong, in a few words and without the place.
            pub fn text(self) -> &'static str {
                match self { $(ErrorKind::$name => $text,)* }
            }
        }
    };
}

kinds! {
    /// The first bytes cannot begin an HTTP/1 message.
    NotHttp "not an HTTP/1 message" "RFC 9112 §2.3"
    /// The peer speaks HTTP/2, as gRPC servers (containerd) do.
    Http2 "the peer speaks HTTP/2 (gRPC), not HTTP/1.1" "RFC 9113 §3.4"
    /// `HTTP/` is not followed by `1.` and one digit.
    Version "a version that is not HTTP/1.0 or HTTP/1.1" "RFC 9112 §2.3"
    /// The status-line's status-code is not three digits between single spaces.
    StatusCode "a status-code that is not three digits" "RFC 9112 §4"
    /// A control character in the reason-phrase.
    ReasonPhrase "a control character in the reason-phrase" "RFC 9112 §4"
    /// The request-line's method is not a token followed by one space.
    Method "a method that is not a token" "RFC 9112 §3.1"
    /// The request-target is empty, holds a control character or white space, or has a form that
    /// the method does not have.
    Target
        "a request-target that is empty, has no known form, or holds white space or controls"
        "RFC 9112 §3.2"
    /// A CR that no LF follows.
    BareCr "a CR without its LF" "RFC 9112 §2.2"
    /// White space between the start-line and the first field line.
    LeadingSpace "white space before the first field line" "RFC 9112 §2.2"
    /// A field line without a colon.
    MissingColon "a field line without a colon" "RFC 9112 §5"
    /// White space in a field name or between it and its colon.
    SpaceBeforeColon "space before the colon of a field line" "RFC 9112 §5.1"
    /// A field name that is empty or holds a byte that is not a tchar.
    FieldName "a field name that is not a token" "RFC 9110 §5.1"
    /// A control character in a field value.
    FieldValue "a control character in a field value" "RFC 9110 §5.5"
    /// A folded field line, in a request.
    ObsFold "a folded field line in a request" "RFC 9112 §5.2"
    /// An HTTP/1.1 request without Host.
    MissingHost "an HTTP/1.1 request without a Host field" "RFC 9112 §3.2"
    /// More than one Host field, or one whose value is not a host.
    Host "a Host field that is repeated or not a host" "RFC 9112 §3.2"
    /// A Content-Length that is not 1*DIGIT.
    ContentLength "a Content-Length that is not a decimal number" "RFC 9112 §6.3"
    /// A Content-Length over 2^64-1.
    ContentLengthOverflow "a Content-Length over 2^64-1" "RFC 9112 §6.3"
    /// Content-Lengths that contradict each other.
    ContentLengthDiffers "Content-Lengths that differ" "RFC 9112 §6.3"
    /// A Transfer-Encoding other than one `chunked`.
    TransferEncoding "a Transfer-Encoding other than chunked" "RFC 9112 §6.1"
    /// Transfer-Encoding in a request of HTTP/1.0.
    TransferEncodingVersion "Transfer-Encoding in an HTTP/1.0 request" "RFC 9112 §6.1"
    /// Transfer-Encoding and Content-Length in one request.
    TransferEncodingAndLength "Transfer-Encoding and Content-Length in one request" "RFC 9112 §6.1"
    /// A chunk-size that is not 1*HEXDIG, or followed by something that is neither chunk-ext nor CR
    /// LF.
    ChunkSize "a chunk-size that is not a hexadecimal number" "RFC 9112 §7.1"
    /// A chunk-size of more than 16 significant digits.
    ChunkSizeOverflow "a chunk-size over 2^64-1" "RFC 9112 §7.1"
    /// A byte in a chunk-ext that cannot stand there.
    ChunkExt "a byte that cannot stand in a chunk-ext" "RFC 9112 §7.1.1"
    /// A chunk-size line, or a line of the trailer section, that does not end in CR LF.
    ChunkLineEnd "a line of chunked framing that does not end in CR LF" "RFC 9112 §7.1"
    /// Chunk-data that exactly CR LF does not follow.
    ChunkDataEnd "chunk-data that CR LF does not follow" "RFC 9112 §7.1"
    /// 101 Switching Protocols that was not asked for.
    UnexpectedUpgrade "a 101 (Switching Protocols) that was not asked for" "RFC 9110 §7.8"
    /// More that is not content than the budget allows.
    TooLarge "a head, chunk-ext or trailer section over the limit" "RFC 9110 §5.4"
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {} ({})", self.kind.text(), self.offset, self.kind.section())
    }
}

impl std::error::Error for ParseError {}

/// A part that may not be written, because it could break out of its line. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeError {
    /// The part that was refused: its [`text`](ErrorKind::text) and [`section`](ErrorKind::section)
    /// say why.
    pub kind: ErrorKind,
    /// The offset of the refused byte within that part.
    pub offset: usize,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, section) = (self.kind.text(), self.kind.section());
        write!(f, "refused to send {text} (its byte {}, {section})", self.offset)
    }
}

impl std::error::Error for EncodeError {}
