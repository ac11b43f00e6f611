//! What can be wrong with a JSON text or a pointer: the kind, the byte and the rule.

use std::fmt;

/// How many containers may be open inside each other: 512 (RFC 8259 §9).
pub const DEPTH_LIMIT: usize = 512;
/// How many bytes one text of a stream may have: 64 MiB (RFC 8259 §9).
pub const TEXT_LIMIT: usize = 64 << 20;

/// Bytes that are not JSON, or not a pointer: which rule they break, and at which byte.
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
    /// The offset of the first byte that breaks it, counted from the beginning of the stream. For
    /// [`Incomplete`](JsonErrorKind::Incomplete) it is where the text ended.
    pub offset: u64,
}

macro_rules! kinds {
    ($($name:ident $text:literal $section:literal)*) => {
        /// A rule that bytes broke; [`section`](JsonErrorKind::section) says where it is written.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum JsonErrorKind { $(#[doc = $text] $name,)* }

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
    Value "a value must stand here" "RFC 8259 §3"
    Literal "a literal name other than true, false and null" "RFC 8259 §3"
    Name "a member's name must stand here, in double quotes" "RFC 8259 §4"
    Colon "a colon must stand between a name and its value" "RFC 8259 §4"
    MemberEnd "a comma or } must follow a member" "RFC 8259 §4"
    ElementEnd "a comma or ] must follow an element" "RFC 8259 §5"
    TrailingComma "a comma that nothing follows" "RFC 8259 §4, §5"
    LeadingZero "a number with a leading zero" "RFC 8259 §6"
    Digit "a number that lacks a digit" "RFC 8259 §6"
    Control "a control character in a string" "RFC 8259 §7"
    Escape "an escape that does not exist" "RFC 8259 §7"
    Hex "a \\u escape without four hexadecimal digits" "RFC 8259 §7"
    Surrogate "half a surrogate pair" "RFC 8259 §8.2"
    Utf8 "a byte that is not UTF-8" "RFC 8259 §8.1"
    ByteOrderMark "a byte order mark" "RFC 8259 §8.1"
    TrailingData "data after the end of the JSON text" "RFC 8259 §2"
    Incomplete "the JSON text ends too early" "RFC 8259 §2"
    TooDeep "nested more deeply than the limit" "RFC 8259 §9"
    TooLong "a JSON text over the limit" "RFC 8259 §9"
    PointerSlash "a pointer begins with a slash" "RFC 6901 §3"
    PointerEscape "a ~ in a pointer is written ~0 (and a slash in a name ~1)" "RFC 6901 §3"
    Ambiguous "a second member of the name that the pointer asks for" "RFC 6901 §4"
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {} ({})", self.kind.text(), self.offset, self.kind.section())
    }
}

impl std::error::Error for JsonError {}
