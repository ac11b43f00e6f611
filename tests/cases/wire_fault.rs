//! The rules that a message can break, by the words and the section of their errors.

use unix_http::Error;
use unix_http::wire::{EncodeError, ParseError};

macro_rules! violations {
    ($($name:ident $text:literal)*) => {
        #[allow(dead_code, reason = "each test file uses its own part")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Violation { $($name,)* }

        const ALL: &[Violation] = &[$(Violation::$name,)*];

        impl Violation {
            /// Returns the text and the section of the rule.
            pub fn text(self) -> &'static str {
                match self { $(Violation::$name => $text,)* }
            }
        }
    };
}

violations! {
    NotHttp "not an HTTP/1 message (RFC 9112 §2.3)"
    Http2 "the peer speaks HTTP/2 (gRPC), not HTTP/1.1 (RFC 9113 §3.4)"
    Version "a version that is not HTTP/1.0 or HTTP/1.1 (RFC 9112 §2.3)"
    StatusCode "a status-code that is not three digits (RFC 9112 §4)"
    ReasonPhrase "a control character in the reason-phrase (RFC 9112 §4)"
    Method "a method that is not a token (RFC 9112 §3.1)"
    Target "a request-target that is empty, or contains white space or controls (RFC 9112 §3.2)"
    TargetForm
        "a request-target in a form that the method does not allow: a path begins with / (RFC 9112 §3.2)"
    BareCr "a CR without an LF (RFC 9112 §2.2)"
    LeadingSpace "white space before the first field line (RFC 9112 §2.2)"
    MissingColon "a field line without a colon (RFC 9112 §5)"
    SpaceBeforeColon "space before the colon of a field line (RFC 9112 §5.1)"
    FieldName "a field name that is not a token (RFC 9110 §5.1)"
    FieldValue "a control character in a field value (RFC 9110 §5.5)"
    ObsFold "a folded field line in a request (RFC 9112 §5.2)"
    MissingHost "an HTTP/1.1 request without a Host field (RFC 9112 §3.2)"
    Host "a Host field that is repeated or is not a host (RFC 9112 §3.2)"
    ContentLength "a Content-Length that is not a decimal number (RFC 9112 §6.3)"
    ContentLengthOverflow "a Content-Length over 2^64-1 (RFC 9112 §6.3)"
    ContentLengthDiffers "Content-Lengths that differ (RFC 9112 §6.3)"
    TransferEncoding "a Transfer-Encoding other than chunked (RFC 9112 §6.1)"
    TransferEncodingVersion "Transfer-Encoding in an HTTP/1.0 request (RFC 9112 §6.1)"
    TransferEncodingAndLength "Transfer-Encoding and Content-Length in one request (RFC 9112 §6.1)"
    ChunkSize "a chunk-size that is not a hexadecimal number (RFC 9112 §7.1)"
    ChunkSizeOverflow "a chunk-size over 2^64-1 (RFC 9112 §7.1)"
    ChunkExt "a byte that is not allowed in a chunk-ext (RFC 9112 §7.1.1)"
    ChunkLineEnd "a line of chunked framing that does not end in CR LF (RFC 9112 §7.1)"
    ChunkDataEnd "chunk-data that is not followed by CR LF (RFC 9112 §7.1)"
    UnexpectedUpgrade
        "a 101 (Switching Protocols) to a protocol that was not requested (RFC 9110 §7.8)"
    TooLarge "a head, chunk-ext or trailer section over the limit (RFC 9110 §5.4)"
}

/// A [`ParseError`] or an [`EncodeError`], with its rule by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireFault {
    pub kind: Violation,
    pub offset: u64,
}

impl WireFault {
    fn of(text: &str, offset: u64) -> WireFault {
        let kind = ALL.iter().find(|kind| kind.text() == text);
        WireFault { kind: *kind.unwrap_or_else(|| panic!("{text}")), offset }
    }
}

impl From<ParseError> for WireFault {
    fn from(error: ParseError) -> WireFault {
        let text = error.to_string().replace(&format!(" at byte {} (", error.offset), " (");
        WireFault::of(&text, error.offset)
    }
}

impl From<EncodeError> for WireFault {
    fn from(error: EncodeError) -> WireFault {
        let text = error.to_string().replace("refused to send ", "");
        let text = text.replace(&format!("(at its byte {}, ", error.offset), "(");
        WireFault::of(&text, error.offset as u64)
    }
}

/// Returns whether `error` reports that a message breaks this rule, or that it would if it was sent.
#[allow(dead_code, reason = "each test file uses its own part")]
pub fn breaks(error: &Error, rule: Violation) -> bool {
    match error {
        Error::Parse(error) => WireFault::from(*error).kind == rule,
        Error::Encode(error) => WireFault::from(*error).kind == rule,
        _ => false,
    }
}
