//! The strict reader of one JSON text in memory.
//!
//! ```text
//! JSON-text = ws value ws                                             ; RFC 8259 §2
//! value     = false / null / true / object / array / number / string  ; §3
//! object    = "{" [ member *( "," member ) ] "}"                      ; §4
//! member    = string ":" value
//! array     = "[" [ value *( "," value ) ] "]"                        ; §5
//! number    = [ "-" ] int [ frac ] [ exp ]                            ; §6
//! int       = "0" / ( digit1-9 *DIGIT )
//! frac      = "." 1*DIGIT
//! exp       = ( "e" / "E" ) [ "-" / "+" ] 1*DIGIT
//! string    = DQUOTE *char DQUOTE                                     ; §7
//! char      = unescaped / "\" ( DQUOTE / "\" / "/" / "b" / "f" / "n" / "r" / "t" / "u" 4HEXDIG )
//! unescaped = %x20-21 / %x23-5B / %x5D-10FFFF
//! ```
//!
//! [`begin`](JsonReader::begin) reads a scalar or an opening bracket. After a bracket, each call of
//! [`next`](JsonReader::next) moves to the next value, until the container ends.

use super::error::JsonErrorKind as Kind;
use super::error::{DEPTH_LIMIT, JsonError};
use super::value::Value;

/// The beginning of a value.
pub(crate) enum Begun {
    /// `[` or `{`.
    Container(u8),
    /// A complete string, number or literal name.
    Scalar(Value),
}

/// The next item in a container.
pub(crate) enum Next {
    /// An element of an array; its value follows.
    Element,
    /// A member of an object with this name; its value follows.
    Member(String),
    /// The end: `]` or `}`.
    End(u8),
}

pub(crate) struct JsonReader<'a> {
    text: &'a [u8],
    /// How many bytes have been read.
    pub(crate) at: usize,
    /// Where the text begins in its stream.
    offset: u64,
    /// The closing brackets of the open containers.
    pub(super) open: Vec<u8>,
    /// Where the last name ended.
    name_end: usize,
}

impl<'a> JsonReader<'a> {
    pub(super) fn new(text: &'a [u8], offset: u64) -> JsonReader<'a> {
        JsonReader { text, at: 0, offset, open: Vec::new(), name_end: 0 }
    }

    /// Reads the beginning of a value: an opening bracket, or a complete scalar.
    pub(crate) fn begin(&mut self) -> Result<Begun, JsonError> {
        self.skip_space();
        let scalar = match self.peek()? {
            b'{' | b'[' if self.open.len() == DEPTH_LIMIT => return self.fail(Kind::TooDeep),
            bracket @ (b'{' | b'[') => {
                self.at += 1;
                self.open.push(if bracket == b'{' { b'}' } else { b']' });
                return Ok(Begun::Container(bracket));
            }
            b'"' => Value::String(self.string()?),
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.literal("true", Value::Bool(true))?,
            b'f' => self.literal("false", Value::Bool(false))?,
            b'n' => self.literal("null", Value::Null)?,
            0xef if self.offset == 0 && self.at == 0 => return self.fail(Kind::ByteOrderMark),
            _ => return self.fail(Kind::Value),
        };
        Ok(Begun::Scalar(scalar))
    }

    /// Moves to the next value of the innermost container, or to its end.
    pub(crate) fn next(&mut self) -> Result<Next, JsonError> {
        let Some(&end) = self.open.last() else { return self.fail(Kind::TrailingData) };
        let is_first = matches!(self.text[self.at - 1], b'[' | b'{');
        self.skip_space();
        if self.peek()? == end {
            self.at += 1;
            self.open.pop();
            return Ok(Next::End(end));
        }
        if !is_first {
            self.expect(b',', if end == b'}' { Kind::MemberEnd } else { Kind::ElementEnd })?;
            self.skip_space();
        }
        match self.peek()? {
            byte if byte == end => self.fail(Kind::TrailingComma),
            _ if end == b']' => Ok(Next::Element),
            b'"' => {
                let name = self.string()?;
                self.name_end = self.at;
                self.skip_space();
                self.expect(b':', Kind::Colon)?;
                Ok(Next::Member(name))
            }
            _ => self.fail(Kind::Name),
        }
    }

    /// Reads a value into a tree.
    pub(crate) fn value(&mut self) -> Result<Value, JsonError> {
        let (mut elements, mut members) = (Vec::new(), Vec::new());
        if let Begun::Scalar(value) = self.begin()? {
            return Ok(value);
        }
        loop {
            match self.next()? {
                Next::Element => elements.push(self.value()?),
                Next::Member(name) => members.push((name, self.value()?)),
                Next::End(b']') => return Ok(Value::Array(elements)),
                Next::End(_) => return Ok(Value::Object(members)),
            }
        }
    }

    /// Checks a value without building a tree, and returns its bytes.
    pub(crate) fn skip(&mut self) -> Result<&'a [u8], JsonError> {
        self.skip_space();
        let (start, depth) = (self.at, self.open.len());
        self.begin()?;
        while self.open.len() > depth {
            if !matches!(self.next()?, Next::End(_)) {
                self.begin()?;
            }
        }
        Ok(&self.text[start..self.at])
    }

    /// Checks that only white space follows the root's value.
    pub(crate) fn finish(mut self) -> Result<(), JsonError> {
        self.skip_space();
        if self.at < self.text.len() { self.fail(Kind::TrailingData) } else { Ok(()) }
    }

    /// Fails because an earlier member had the same name as the last one.
    pub(super) fn fail_twice<T>(&self) -> Result<T, JsonError> {
        Err(JsonError { kind: Kind::Ambiguous, offset: self.offset + self.name_end as u64 })
    }

    /// Fails at the next byte.
    fn fail<T>(&self, kind: Kind) -> Result<T, JsonError> {
        Err(JsonError { kind, offset: self.offset + self.at as u64 })
    }

    fn peek(&self) -> Result<u8, JsonError> {
        self.text.get(self.at).map_or_else(|| self.fail(Kind::Incomplete), |&byte| Ok(byte))
    }

    fn expect(&mut self, byte: u8, missing: Kind) -> Result<(), JsonError> {
        if self.peek()? != byte {
            return self.fail(missing);
        }
        self.at += 1;
        Ok(())
    }

    /// Skips the next byte if it is one of these.
    fn take(&mut self, bytes: &[u8]) -> bool {
        let is_next = self.text.get(self.at).is_some_and(|byte| bytes.contains(byte));
        self.at += usize::from(is_next);
        is_next
    }

    fn skip_space(&mut self) {
        while self.take(b" \t\r\n") {}
    }

    fn literal(&mut self, name: &str, value: Value) -> Result<Value, JsonError> {
        name.bytes().try_for_each(|byte| self.expect(byte, Kind::Literal))?;
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        self.take(b"-");
        if !self.take(b"0") {
            self.digits()?;
        } else if self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            return self.fail(Kind::LeadingZero);
        }
        if self.take(b".") {
            self.digits()?;
        }
        if self.take(b"eE") {
            self.take(b"+-");
            self.digits()?;
        }
        Ok(Value::Number(String::from_utf8_lossy(&self.text[start..self.at]).into_owned()))
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        if !self.peek()?.is_ascii_digit() {
            return self.fail(Kind::Digit);
        }
        while self.take(b"0123456789") {}
        Ok(())
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let mut string = String::new();
        loop {
            string.push_str(self.unescaped()?);
            match self.peek()? {
                b'"' => break,
                b'\\' => string.push(self.escape()?),
                _ => return self.fail(Kind::Control),
            }
        }
        self.at += 1;
        Ok(string)
    }

    /// Reads characters up to a quotation mark, a backslash or a control character.
    fn unescaped(&mut self) -> Result<&'a str, JsonError> {
        let rest = &self.text[self.at..];
        let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
        let run = &rest[..rest.iter().position(special).unwrap_or(rest.len())];
        let checked = str::from_utf8(run);
        self.at += match &checked {
            Ok(_) => run.len(),
            Err(error) => match (error.valid_up_to(), error.error_len()) {
                (_, None) => run.len(),
                // The first byte can begin a character (RFC 3629 §4), so a later byte is wrong.
                (first, Some(len)) if matches!(run[first], 0xc2..=0xf4) => first + len,
                (first, Some(_)) => first,
            },
        };
        checked.or_else(|_| self.peek().and_then(|_| self.fail(Kind::Utf8)))
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        self.at += 1;
        let c = match self.peek()? {
            b'u' => return self.unicode_escape(),
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            _ => return self.fail(Kind::Escape),
        };
        self.at += 1;
        Ok(c)
    }

    /// Reads `uXXXX`, or both halves of a surrogate pair, `uXXXX\uXXXX`.
    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let mut code = self.code_unit()?;
        if let high @ 0xd800..=0xdbff = code {
            self.expect(b'\\', Kind::Surrogate)?;
            if let low @ 0xdc00..=0xdfff = self.code_unit()? {
                code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            }
        }
        let Some(c) = char::from_u32(code) else {
            self.at -= 1;
            return self.fail(Kind::Surrogate);
        };
        Ok(c)
    }

    /// Reads a `u` and four hexadecimal digits.
    fn code_unit(&mut self) -> Result<u32, JsonError> {
        self.expect(b'u', Kind::Surrogate)?;
        let mut code = 0;
        for _ in 0..4 {
            let Some(digit) = char::from(self.peek()?).to_digit(16) else {
                return self.fail(Kind::Hex);
            };
            code = code << 4 | digit;
            self.at += 1;
        }
        Ok(code)
    }
}
