//! Errors in a JSON text or a pointer: the kind, the offset, the rule.

use crate::base::rules::rules;
use std::fmt;

/// The maximum nesting depth: 512 (RFC 8259 §9).
pub(crate) const DEPTH_LIMIT: usize = 512;
/// The maximum length of one text in a stream: 64 MiB (RFC 8259 §9).
pub(crate) const TEXT_LIMIT: usize = 64 << 20;

/// A violation of the grammar of JSON or of a pointer: which rule, and at which byte.
///
/// ```
/// use unix_http::json::Value;
///
/// let error = Value::parse(br#"{"Tty":True}"#).unwrap_err();
/// assert_eq!(error.offset, 7);
/// assert_eq!(error.to_string(), "expected a value at byte 7 (RFC 8259 §3)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// Which rule was broken.
    pub(crate) kind: JsonErrorKind,
    /// The offset of the first byte that breaks it, counted from the beginning of the stream, or
    /// the end of a text that [is incomplete](JsonError::is_incomplete).
    pub offset: u64,
}

impl JsonError {
    /// Whether the text ended before it was whole, so that more bytes could mend it.
    pub fn is_incomplete(&self) -> bool {
        self.kind == JsonErrorKind::Incomplete
    }
}

rules! {
    /// The rule that a text or a pointer breaks.
    JsonErrorKind
    Value "expected a value" "RFC 8259 §3"
    Literal "a literal name other than true, false and null" "RFC 8259 §3"
    Name "expected a member's name in double quotes" "RFC 8259 §4"
    Colon "expected a colon after a member's name" "RFC 8259 §4"
    MemberEnd "expected a comma or } after a member" "RFC 8259 §4"
    ElementEnd "expected a comma or ] after an element" "RFC 8259 §5"
    TrailingComma "a trailing comma" "RFC 8259 §4, §5"
    LeadingZero "a number with a leading zero" "RFC 8259 §6"
    Digit "a number without a digit" "RFC 8259 §6"
    Control "a control character in a string" "RFC 8259 §7"
    Escape "an unknown escape" "RFC 8259 §7"
    Hex "a \\u escape without four hexadecimal digits" "RFC 8259 §7"
    Surrogate "half a surrogate pair" "RFC 8259 §8.2"
    Utf8 "a byte that is not UTF-8" "RFC 8259 §8.1"
    ByteOrderMark "a byte order mark" "RFC 8259 §8.1"
    TrailingData "data after the end of the JSON text" "RFC 8259 §2"
    Incomplete "the JSON text is incomplete" "RFC 8259 §2"
    TooDeep "nesting deeper than the limit" "RFC 8259 §9"
    TooLong "a JSON text over the limit" "RFC 8259 §9"
    PointerSlash "a pointer must begin with a slash" "RFC 6901 §3"
    PointerEscape "in a pointer, write ~0 for ~ (and ~1 for a slash in a name)" "RFC 6901 §3"
    Ambiguous "a second member with the name that the pointer selects" "RFC 6901 §4"
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {} ({})", self.kind.text(), self.offset, self.kind.section())
    }
}

impl std::error::Error for JsonError {}
