//! What a tokenizer gives, and how much of it: the events of a JSON text, and the limits.
//!
//! ```
//! use unix_http::json::{Event, Limits, Tokenizer};
//!
//! let mut tokenizer = Tokenizer::one().with_limits(Limits { depth: 1, ..Limits::default() });
//! let mut input = &b"[[]]"[..];
//! assert_eq!(tokenizer.next(&mut input), Ok(Some(Event::BeginArray)));
//! assert_eq!(tokenizer.next(&mut input).unwrap_err().to_string(), "nested more deeply than the limit at byte 1 (RFC 8259 §9)");
//! ```

/// What a tokenizer found. The events of one text, written one after the other, are the text
/// without its white space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// `{`
    BeginObject,
    /// `}`
    EndObject,
    /// `[`
    BeginArray,
    /// `]`
    EndArray,
    /// The quotation mark before a member's name. `Text` and `Escape` follow, then `EndName`.
    BeginName,
    /// The quotation mark after a member's name.
    EndName,
    /// The quotation mark before a string. `Text` and `Escape` follow, then `EndString`.
    BeginString,
    /// The quotation mark after a string.
    EndString,
    /// A run of characters as they stand in a name or string. A run can be cut anywhere, also
    /// inside a character; the runs one after the other are valid UTF-8.
    Text(&'a [u8]),
    /// A character that was escaped, in a name or string.
    Escape(char),
    /// A number begins. `Number` follows, then `EndNumber`.
    BeginNumber,
    /// Some of a number's text.
    Number(&'a [u8]),
    /// A number is over. Only the byte after it tells, or
    /// [`Tokenizer::finish`](super::Tokenizer::finish).
    EndNumber,
    /// `true` or `false`
    Bool(bool),
    /// `null`
    Null,
}

impl Event<'_> {
    /// Whether a value begins with this event. (A `Bool` or `Null` begins and ends one.)
    pub fn begins_value(&self) -> bool {
        use Event::*;
        matches!(self, BeginObject | BeginArray | BeginString | BeginNumber | Bool(_) | Null)
    }

    /// Whether a value ends with this event.
    pub fn ends_value(&self) -> bool {
        use Event::*;
        matches!(self, EndObject | EndArray | EndString | EndNumber | Bool(_) | Null)
    }

    /// Appends the characters that this event stands for in a name, string or number; nothing for
    /// any other event.
    pub fn append_text(&self, out: &mut Vec<u8>) {
        match self {
            Event::Text(text) | Event::Number(text) => out.extend_from_slice(text),
            Event::Escape(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            _ => {}
        }
    }
}

/// How much a tokenizer accepts, RFC 8259 §9.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many containers may be open inside each other. 512 unless told.
    pub depth: usize,
    /// How many bytes the text of one string or number may have. 16 MiB unless told.
    pub token: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { depth: 512, token: 16 << 20 }
    }
}
