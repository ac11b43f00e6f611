//! Splitting a stream into JSON texts.
//!
//! Docker's `/events`, build and pull progress are sequences of JSON texts: with white space
//! between them (JSON lines), with a record separator before each (RFC 7464 §2.2), or with nothing
//! where two texts cannot be read as one.
//!
//! To find the end of a text, this module counts brackets and skips strings. A text also ends at a
//! byte that cannot begin one, at a control character in a string, and at a limit: the strict
//! reader then reports the error without waiting for more input.

use super::error::JsonErrorKind as Kind;
use super::error::{DEPTH_LIMIT, JsonError, TEXT_LIMIT};
use super::reader::JsonReader;
use super::value::Value;

/// One JSON text that has not been checked yet.
#[derive(Clone, Copy, Debug)]
pub struct JsonText<'a> {
    /// The text as it arrived.
    pub bytes: &'a [u8],
    /// Where it begins in its stream.
    pub offset: u64,
}

impl<'a> JsonText<'a> {
    /// Parses the text into a tree.
    ///
    /// # Errors
    /// Fails if it is not exactly one RFC 8259 text.
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
    /// Parses exactly one JSON text.
    ///
    /// # Errors
    /// Fails if it is not exactly one RFC 8259 text.
    pub fn parse(text: &[u8]) -> Result<Value, JsonError> {
        JsonText { bytes: text, offset: 0 }.value()
    }
}

/// Splits a stream into JSON texts. Delivers each as soon as its last byte arrives.
///
/// A text that is only a number or a literal name ends with the byte after it.
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
    /// The part of the current text that has arrived.
    text: Vec<u8>,
    /// The number of open brackets.
    depth: usize,
    in_string: bool,
    /// Whether the last byte was a backslash in a string.
    escaped: bool,
    /// How many bytes of the stream have arrived.
    offset: u64,
    failed: Option<JsonError>,
}

/// The callback for each text.
type Each<'f> = dyn FnMut(&JsonText<'_>) -> Result<(), JsonError> + 'f;

impl JsonTexts {
    /// Returns the number of bytes read so far.
    #[cfg(feature = "docker")]
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads more of the stream and passes each completed text to `each`.
    ///
    /// # Errors
    /// Returns the first error of `each`, now and in every later call. Fails on a text over 64 MiB.
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

    /// Ends the stream and passes the unfinished text, if there is one, to `each`.
    ///
    /// # Errors
    /// Fails as [`feed`](JsonTexts::feed) does.
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

    /// Returns whether the text ends with this byte.
    fn is_last(&mut self, byte: u8) -> bool {
        let escaped = std::mem::take(&mut self.escaped);
        match byte {
            0..=0x1f if self.in_string => return true,
            b'\\' if self.in_string => self.escaped = !escaped,
            b'"' => self.in_string = !self.in_string || escaped,
            _ if self.in_string => {}
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            // A number or a literal name continues up to a byte that neither can contain.
            b'+' | b'-' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => return false,
            _ => {}
        }
        self.depth > DEPTH_LIMIT || (self.depth == 0 && !self.in_string)
    }
}
