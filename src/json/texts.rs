//! A stream of JSON texts, cut where each of them ends.
//!
//! Docker's `/events`, build and pull progress are JSON texts one after the other: with white space
//! between them (JSON lines), a record separator before each (RFC 7464 §2.2), or nothing at all
//! where no two could be read as one.
//!
//! To find the end of a text, brackets are counted and strings are passed over. A text also ends at
//! a byte that cannot begin one, at a control character in a string and at a limit. The strict
//! reader then says what is wrong, without waiting for more.

use super::error::JsonErrorKind as Kind;
use super::error::{DEPTH_LIMIT, JsonError, TEXT_LIMIT};
use super::reader::JsonReader;
use super::value::Value;

/// One JSON text, not checked yet.
#[derive(Clone, Copy, Debug)]
pub struct JsonText<'a> {
    /// The text as it came.
    pub bytes: &'a [u8],
    /// Where it begins in its stream.
    pub offset: u64,
}

impl<'a> JsonText<'a> {
    /// Reads the text into a tree.
    ///
    /// # Errors
    /// Where it is not exactly one RFC 8259 text.
    pub fn value(&self) -> Result<Value, JsonError> {
        let mut reader = self.reader();
        let value = reader.value()?;
        reader.finish().map(|()| value)
    }

    pub(crate) fn reader(&self) -> JsonReader<'a> {
        JsonReader::new(self.bytes, self.offset)
    }
}

impl Value {
    /// Reads exactly one JSON text.
    ///
    /// # Errors
    /// On anything that is not RFC 8259 JSON, or more after it than white space.
    pub fn parse(text: &[u8]) -> Result<Value, JsonError> {
        JsonText { bytes: text, offset: 0 }.value()
    }
}

/// Cuts a stream into JSON texts and hands out each with its last byte.
///
/// A number or literal name as a text of its own ends only with the byte after it.
///
/// ```
/// use unix_http::json::JsonTexts;
///
/// let (mut texts, mut ids) = (JsonTexts::default(), Vec::new());
/// for piece in [&b"{\"id\":\"4c6\"}\r\n{\"id\":"[..], b"\"8f1\"}"] {
///     texts.feed(piece, &mut |text| Ok(ids.push(text.value()?.get("id").cloned())))?;
/// }
/// assert_eq!(ids.len(), 2);
/// # Ok::<(), unix_http::json::JsonError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct JsonTexts {
    /// What has come of the current text.
    text: Vec<u8>,
    /// How many brackets are open in it.
    depth: usize,
    in_string: bool,
    /// A backslash in a string came last.
    escaped: bool,
    /// How many bytes of the stream have come.
    offset: u64,
    failed: Option<JsonError>,
}

/// What is done with each text.
type Each<'f> = dyn FnMut(&JsonText<'_>) -> Result<(), JsonError> + 'f;

impl JsonTexts {
    /// How many bytes have been read.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads on in the stream and hands each text that ends to `each`.
    ///
    /// # Errors
    /// The first one that `each` returns; it is final. A text that a limit cuts is not incomplete
    /// but [`TooLong`](Kind::TooLong).
    pub fn feed(&mut self, input: &[u8], each: &mut Each<'_>) -> Result<(), JsonError> {
        self.failed.map_or(Ok(()), Err)?;
        for &byte in input {
            let in_scalar = !self.text.is_empty() && self.depth == 0 && !self.in_string;
            if in_scalar && b"{[\"\x1e".contains(&byte) {
                self.end(each)?;
            }
            self.offset += 1;
            if self.text.is_empty() && b" \t\r\n\x1e".contains(&byte) {
                continue;
            }
            self.text.push(byte);
            if self.is_last(byte) || self.text.len() == TEXT_LIMIT {
                self.end(each)?;
            }
        }
        Ok(())
    }

    /// Ends the stream, and hands a text that had begun to `each`.
    ///
    /// # Errors
    /// As [`feed`](JsonTexts::feed).
    pub fn finish(&mut self, each: &mut Each<'_>) -> Result<(), JsonError> {
        self.failed.map_or(Ok(()), Err)?;
        if self.text.is_empty() { Ok(()) } else { self.end(each) }
    }

    fn end(&mut self, each: &mut Each<'_>) -> Result<(), JsonError> {
        let offset = self.offset - self.text.len() as u64;
        let result = each(&JsonText { bytes: &self.text, offset }).map_err(|error| {
            let cut = error.kind == Kind::Incomplete && self.text.len() == TEXT_LIMIT;
            if cut { JsonError { kind: Kind::TooLong, ..error } } else { error }
        });
        self.text.clear();
        (self.depth, self.in_string, self.escaped) = (0, false, false);
        self.failed = result.err();
        result
    }

    /// Whether the text ends with this byte.
    fn is_last(&mut self, byte: u8) -> bool {
        let escaped = std::mem::take(&mut self.escaped);
        match byte {
            0..=0x1f if self.in_string => return true,
            b'\\' if self.in_string => self.escaped = !escaped,
            b'"' => self.in_string = !self.in_string || escaped,
            _ if self.in_string => {}
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            // A number or a literal name goes on up to a byte that neither can have.
            b'+' | b'-' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => return false,
            _ => {}
        }
        self.depth > DEPTH_LIMIT || (self.depth == 0 && !self.in_string)
    }
}
