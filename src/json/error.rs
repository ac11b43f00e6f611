//! What can be wrong with a JSON text or a pointer into it: the kind, the place, the rule.

use std::fmt;

/// Bytes that are not JSON, or not a pointer: which rule they break, and at which byte.
///
/// The offset counts from the first byte that was fed, over all texts of a sequence.
///
/// ```
/// use unix_http::json::{JsonErrorKind, Value};
///
/// let error = Value::parse(br#"{"Tty":True}"#).unwrap_err();
/// assert_eq!((error.kind, error.offset), (JsonErrorKind::Value, 7));
/// assert_eq!(error.to_string(), "a value must stand here at byte 7 (RFC 8259 §3)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// Which rule was broken.
    pub kind: JsonErrorKind,
    /// The offset of the first byte that breaks it; for [`Incomplete`](JsonErrorKind::Incomplete)
    /// where the text ended.
    pub offset: u64,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $text:literal $section:literal)*) => {
        /// The rule that bytes broke; [`section`](JsonErrorKind::section) says where it is written.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum JsonErrorKind { $($(#[$doc])* $name,)* }

        impl JsonErrorKind {
            /// Every kind, for tables and tests.
            pub const ALL: &'static [JsonErrorKind] = &[$(JsonErrorKind::$name,)*];

            /// The rule's place, as in `RFC 8259 §3`.
            pub fn section(self) -> &'static str {
                match self { $(JsonErrorKind::$name => $section,)* }
            }

            /// What is wrong, in a few words and without the place.
            pub fn text(self) -> &'static str {
                match self { $(JsonErrorKind::$name => $text,)* }
            }
        }
    };
}

kinds! {
    /// Something else where a value must begin.
    Value "a value must stand here" "RFC 8259 §3"
    /// A literal name that is not `true`, `false` or `null`, in lower case.
    Literal "a literal name other than true, false and null" "RFC 8259 §3"
    /// Something else where a member's name must begin: names are strings in double quotes.
    Name "a member's name must stand here, in double quotes" "RFC 8259 §4"
    /// No colon between a name and its value.
    Colon "a colon must stand between a name and its value" "RFC 8259 §4"
    /// Neither a comma nor the object's end after a member.
    MemberEnd "a comma or } must follow a member" "RFC 8259 §4"
    /// Neither a comma nor the array's end after an element.
    ElementEnd "a comma or ] must follow an element" "RFC 8259 §5"
    /// A comma before the end of an object or array.
    TrailingComma "a comma that nothing follows" "RFC 8259 §4, §5"
    /// A digit after a leading zero.
    LeadingZero "a number with a leading zero" "RFC 8259 §6"
    /// No digit after a minus sign, a decimal point or an exponent's `e`.
    Digit "a number that lacks a digit" "RFC 8259 §6"
    /// A control character in a string that is not escaped.
    Control "a control character in a string" "RFC 8259 §7"
    /// A backslash with something after it that is no escape.
    Escape "an escape that does not exist" "RFC 8259 §7"
    /// A `\u` escape without four hexadecimal digits.
    Hex "a \\u escape without four hexadecimal digits" "RFC 8259 §7"
    /// One half of a surrogate pair without the other: it names no character.
    Surrogate "half a surrogate pair" "RFC 8259 §8.2"
    /// Bytes in a string that are not UTF-8.
    Utf8 "a byte that is not UTF-8" "RFC 8259 §8.1"
    /// A byte order mark before the text.
    ByteOrderMark "a byte order mark" "RFC 8259 §8.1"
    /// Something after the text, or a number or literal name that runs into the next text.
    TrailingData "data after the end of the JSON text" "RFC 8259 §2"
    /// The text ends before its value does, or before it began.
    Incomplete "the JSON text ends too early" "RFC 8259 §2"
    /// More containers inside each other than [`Limits::depth`](super::Limits).
    TooDeep "nested more deeply than the limit" "RFC 8259 §9"
    /// A string or number of more bytes than [`Limits::token`](super::Limits).
    TooLong "a string or number over the limit" "RFC 8259 §9"
    /// A pointer that is neither empty nor begins with `/`.
    PointerSlash "a pointer begins with a slash" "RFC 6901 §3"
    /// A `~` in a pointer that neither `0` nor `1` follows.
    PointerEscape "a ~ in a pointer is written ~0 (and a slash in a name ~1)" "RFC 6901 §3"
    /// A member that a pointer names stands in its object more than once.
    Ambiguous "a second member of the name that the pointer asks for" "RFC 6901 §4"
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {} ({})", self.kind.text(), self.offset, self.kind.section())
    }
}

impl std::error::Error for JsonError {}
