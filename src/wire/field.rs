//! Field lines: ordered pairs of a name and a value, looked up by name in any case.
//!
//! ```text
//! field-line   = field-name ":" OWS field-value OWS                   ; RFC 9112 §5
//! field-name   = token                                                ; RFC 9110 §5.1
//! field-value  = *field-content                                       ; RFC 9110 §5.5
//! ```
//!
//! [`section`](super::section) parses field lines. This module looks up, adds and writes them.
//!
//! ```
//! use unix_http::wire::Fields;
//!
//! let mut fields = Fields::new();
//! fields.push("Host", "localhost")?;
//! fields.push("Accept", "*/*")?;
//! assert_eq!(fields.get("host"), Some(&b"localhost"[..]));
//! assert_eq!(fields.get("Accept-Language"), None);
//! assert!(fields.push("X-Trick", "a\r\nHost: elsewhere").is_err());
//! # Ok::<(), unix_http::wire::EncodeError>(())
//! ```

use super::error::{EncodeError, Violation};
use super::grammar::{is_ows, is_token, list, ows_len, token_len, trim_ows, value_len};
use crate::base::secret_name::is_secret_field;
use std::fmt;

/// A range of bytes in a head. A head is far shorter than 4 GiB.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Span {
        Span { start: start as u32, end: end as u32 }
    }

    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// The position of one field line in [`Fields::bytes`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub name: Span,
    pub value: Span,
    /// Where the value began in the head, before unfolding.
    pub offset: u32,
}

/// Field lines in the order in which they arrived or were added.
#[derive(Clone, Default)]
pub struct Fields {
    /// A parsed head, unchanged, then its unfolded values; or the lines of a head to be written.
    pub(crate) bytes: Vec<u8>,
    pub(super) lines: Vec<Line>,
}

/// One field line: its name, and its value without surrounding white space.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    name: &'a [u8],
    value: &'a [u8],
    /// Where the value began in the parsed head.
    pub(crate) offset: usize,
}

impl<'a> Field<'a> {
    /// Returns the name as it was sent. Names are case-insensitive.
    pub fn name(&self) -> &'a str {
        std::str::from_utf8(self.name).unwrap_or_default()
    }

    /// Returns the value. It may contain any bytes but controls.
    pub fn value(&self) -> &'a [u8] {
        self.value
    }

    /// Returns whether the field has this name, in any case.
    #[inline]
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// Masks the value of a field that holds a secret, such as Authorization.
impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match is_secret_field(self.name()) {
            true => write!(f, "{}: ***", self.name()),
            false => write!(f, "{}: {}", self.name(), self.value.escape_ascii()),
        }
    }
}

impl Fields {
    /// Creates an empty list without allocating.
    pub const fn new() -> Fields {
        Fields { bytes: Vec::new(), lines: Vec::new() }
    }

    /// Returns the number of field lines.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Returns whether there are no field lines.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Adds a field line at the end, and removes white space around the value.
    ///
    /// # Errors
    /// Refuses a name that is not a token and a value that contains a control: either could start
    /// another line.
    pub fn push(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), EncodeError> {
        let (name, value) = (name.as_bytes(), value.as_ref());
        check_name(name)?;
        check_value(value)?;
        self.push_checked(name, b": ", trim_ows(value));
        Ok(())
    }

    /// Adds a field line such as `Name:value` unchanged, except for white space at its end.
    ///
    /// # Errors
    /// Fails as [`push`](Fields::push) does, and for a line without a colon.
    pub fn push_line(&mut self, line: &[u8]) -> Result<(), EncodeError> {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            return Err(EncodeError { violation: Violation::MissingColon, offset: line.len() });
        };
        let (name, rest) = line.split_at(colon);
        check_name(name)?;
        check_value(&rest[1..])
            .map_err(|error| EncodeError { offset: error.offset + colon + 1, ..error })?;
        let ows = ows_len(&rest[1..]);
        let (colon, value) = rest.split_at(1 + ows);
        self.push_checked(name, colon, trim_ows(value));
        Ok(())
    }

    /// Adds `Content-Length: length`.
    #[cfg(feature = "server")]
    pub(crate) fn push_length(&mut self, length: u64) {
        self.push_checked(b"Content-Length", b": ", length.to_string().as_bytes());
    }

    fn push_checked(&mut self, name: &[u8], colon: &[u8], value: &[u8]) {
        let start = self.bytes.len();
        for part in [name, colon, value] {
            self.bytes.extend_from_slice(part);
        }
        let end = self.bytes.len();
        let value = Span::new(end - value.len(), end);
        let name = Span::new(start, start + name.len());
        self.lines.push(Line { name, value, offset: value.start });
    }

    /// Removes every field line with this name and returns their number.
    pub fn remove(&mut self, name: &str) -> usize {
        let (before, bytes) = (self.lines.len(), &self.bytes);
        self.lines.retain(|line| !line.name.of(bytes).eq_ignore_ascii_case(name.as_bytes()));
        before - self.lines.len()
    }

    /// Returns the value of the first field line with this name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter().find(|field| field.is(name)).map(|field| field.value)
    }

    /// Returns every field line with this name, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Field<'a>> {
        self.iter().filter(move |field| field.is(name))
    }

    /// Returns whether a list field, such as `Connection`, contains `token` in any of its lines, in
    /// any case.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.get_all(name)
            .any(|field| list(field.value).any(|t| t.eq_ignore_ascii_case(token.as_bytes())))
    }

    /// Returns every field line, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Field<'_>> {
        self.lines.iter().map(|line| Field {
            name: line.name.of(&self.bytes),
            value: line.value.of(&self.bytes),
            offset: line.offset as usize,
        })
    }

    /// Appends the field lines to `out`, each with a CR LF.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        for Line { name, value, .. } in &self.lines {
            let gap = Span { start: name.end, end: value.start }.of(&self.bytes);
            if gap.starts_with(b":") && gap[1..].iter().all(|&byte| is_ows(byte)) {
                let whole = Span { start: name.start, end: value.end };
                out.extend_from_slice(whole.of(&self.bytes));
            } else {
                // The value was unfolded, so it is not next to its name.
                for part in [name.of(&self.bytes), b": ", value.of(&self.bytes)] {
                    out.extend_from_slice(part);
                }
            }
            out.extend_from_slice(b"\r\n");
        }
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.lines.clear();
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Compares names (in any case) and values, in order.
impl PartialEq for Fields {
    fn eq(&self, other: &Fields) -> bool {
        let same = |(a, b): (Field<'_>, Field<'_>)| a.is(b.name()) && a.value == b.value;
        self.len() == other.len() && self.iter().zip(other.iter()).all(same)
    }
}

impl Eq for Fields {}

fn check_name(name: &[u8]) -> Result<(), EncodeError> {
    match token_len(name) {
        1.. if is_token(name) => Ok(()),
        offset => Err(EncodeError { violation: Violation::FieldName, offset }),
    }
}

pub(super) fn check_value(value: &[u8]) -> Result<(), EncodeError> {
    match value_len(value) {
        offset if offset == value.len() => Ok(()),
        offset => Err(EncodeError { violation: Violation::FieldValue, offset }),
    }
}

/// Appends one field line. The name must be a token.
pub(crate) fn encode_field(out: &mut Vec<u8>, name: &str, value: &[u8]) -> Result<(), EncodeError> {
    check_value(value)?;
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
    Ok(())
}
