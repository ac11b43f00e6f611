//! A stream of JSON texts, cut where each of them ends.
//!
//! Docker's `/events`, build and pull progress are JSON texts one after the other: with white space
//! between them (JSON lines), a record separator before each (RFC 7464 §2.2), or nothing at all
//! where no two could be read as one.
//!
//! To find the end of a text, brackets are counted and strings are passed over. A text also ends at
//! a byte that cannot begin one, at a control character in a string and at a limit. The strict
//! reader then says what is wrong, without waiting for more.

use super::error::{DEPTH_LIMIT, JsonError, JsonErrorKind, TEXT_LIMIT};
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
/// let (mut texts, mut ids) = (JsonTexts::new(), Vec::new());
/// for piece in [&b"{\"id\":\"4c6\"}\r\n{\"id\":"[..], b"\"8f1\"}"] {
///     texts.feed(piece, |text| Ok(ids.push(text.value()?.get("id").cloned())))?;
/// }
/// assert_eq!(ids.len(), 2);
/// # Ok::<(), unix_http::json::JsonError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct JsonTexts {
    /// What has come of the current text.
    text: Vec<u8>,
    /// How many bytes of the stream have come.
    offset: u64,
    place: Place,
    /// How many brackets are open.
    depth: usize,
    failed: Option<JsonError>,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, Default)]
enum Place {
    #[default]
    Between,
    /// A number or literal name at the root.
    Scalar,
    Container,
    String,
    /// After a backslash in a string.
    Escape,
}

impl JsonTexts {
    /// A stream of any number of texts, none included.
    pub fn new() -> JsonTexts {
        JsonTexts::default()
    }

    /// How many bytes have been read.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads on in the stream and hands each text that ends to `each`.
    ///
    /// # Errors
    /// The first one that `each` returns, or [`TooLong`](JsonErrorKind::TooLong). It is final.
    pub fn feed(
        &mut self,
        input: &[u8],
        mut each: impl FnMut(&JsonText<'_>) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.failed.map_or(Ok(()), Err)?;
        for &byte in input {
            if matches!((self.place, byte), (Place::Scalar, b'{' | b'[' | b'"' | 0x1e)) {
                self.end(&mut each)?;
            }
            self.offset += 1;
            if matches!((self.place, byte), (Place::Between, b' ' | b'\t' | b'\n' | b'\r' | 0x1e)) {
                continue;
            }
            self.text.push(byte);
            if self.ends_with(byte) {
                self.end(&mut each)?;
            } else if self.text.len() == TEXT_LIMIT {
                let long = JsonError { kind: JsonErrorKind::TooLong, offset: self.offset };
                let result = self.end(&mut each);
                self.failed =
                    result.err().filter(|error| error.offset < long.offset).or(Some(long));
                return self.failed.map_or(Ok(()), Err);
            }
        }
        Ok(())
    }

    /// Ends the stream, and hands a text that had begun to `each`.
    ///
    /// # Errors
    /// As [`feed`](JsonTexts::feed).
    pub fn finish(
        &mut self,
        each: impl FnOnce(&JsonText<'_>) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.failed.map_or(Ok(()), Err)?;
        if self.text.is_empty() { Ok(()) } else { self.end(each) }
    }

    fn end(
        &mut self,
        each: impl FnOnce(&JsonText<'_>) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        let offset = self.offset - self.text.len() as u64;
        let result = each(&JsonText { bytes: &self.text, offset });
        self.text.clear();
        (self.place, self.depth) = (Place::Between, 0);
        self.failed = result.err();
        result
    }

    /// Whether the text ends with this byte.
    fn ends_with(&mut self, byte: u8) -> bool {
        self.place = match (self.place, byte) {
            (Place::Between | Place::Container, b'{' | b'[') => {
                self.depth += 1;
                Place::Container
            }
            (Place::Container, b'}' | b']') => {
                self.depth -= 1;
                Place::Container
            }
            (Place::Between | Place::Container, b'"') | (Place::Escape, 0x20..) => Place::String,
            (Place::Container, _) => return false,
            (Place::String, b'\\') => Place::Escape,
            (Place::String, b'"') => Place::Container,
            (Place::String, 0x20..) => return false,
            (Place::Scalar, b'+' | b'.') | (_, b'-') => Place::Scalar,
            (Place::Between | Place::Scalar, _) if byte.is_ascii_alphanumeric() => Place::Scalar,
            _ => return true,
        };
        let in_container = matches!(self.place, Place::Container);
        (in_container && self.depth == 0) || self.depth > DEPTH_LIMIT
    }
}
