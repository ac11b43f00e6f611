//! The rules that a JSON text or a pointer can break, by the words and the section of their errors.

use unix_http::json::JsonError;

macro_rules! kinds {
    ($($name:ident $text:literal)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum JsonErrorKind { $($name,)* }

        const TEXTS: &[(JsonErrorKind, &str)] = &[$((JsonErrorKind::$name, $text),)*];
    };
}

kinds! {
    Value "expected a value (RFC 8259 §3)"
    Literal "a literal name other than true, false and null (RFC 8259 §3)"
    Name "expected a member's name in double quotes (RFC 8259 §4)"
    Colon "expected a colon after a member's name (RFC 8259 §4)"
    MemberEnd "expected a comma or } after a member (RFC 8259 §4)"
    ElementEnd "expected a comma or ] after an element (RFC 8259 §5)"
    TrailingComma "a trailing comma (RFC 8259 §4, §5)"
    LeadingZero "a number with a leading zero (RFC 8259 §6)"
    Digit "a number without a digit (RFC 8259 §6)"
    Control "a control character in a string (RFC 8259 §7)"
    Escape "an unknown escape (RFC 8259 §7)"
    Hex "a \\u escape without four hexadecimal digits (RFC 8259 §7)"
    Surrogate "half a surrogate pair (RFC 8259 §8.2)"
    Utf8 "a byte that is not UTF-8 (RFC 8259 §8.1)"
    ByteOrderMark "a byte order mark (RFC 8259 §8.1)"
    TrailingData "data after the end of the JSON text (RFC 8259 §2)"
    Incomplete "the JSON text is incomplete (RFC 8259 §2)"
    TooDeep "nesting deeper than the limit (RFC 8259 §9)"
    TooLong "a JSON text over the limit (RFC 8259 §9)"
    PointerSlash "a pointer must begin with a slash (RFC 6901 §3)"
    PointerEscape "in a pointer, write ~0 for ~ (and ~1 for a slash in a name) (RFC 6901 §3)"
    Ambiguous "a second member with the name that the pointer selects (RFC 6901 §4)"
}

/// A [`JsonError`], with its rule by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonFault {
    pub kind: JsonErrorKind,
    pub offset: u64,
}

impl From<JsonError> for JsonFault {
    fn from(error: JsonError) -> JsonFault {
        let text = error.to_string().replace(&format!(" at byte {}", error.offset), "");
        let rule = TEXTS.iter().find(|(_, rule)| *rule == text);
        JsonFault { kind: rule.unwrap_or_else(|| panic!("{error}")).0, offset: error.offset }
    }
}
