//! Secrets in a request-target, and in a form, which has the syntax of its query.

use super::json::ValueMask;
use crate::base::secret_name::is_secret_name;

use super::text::{ByteSpan, cover, push_name};
use crate::base::number::hex_digit;

/// Masks `name "=" value *( "&" name "=" value )`, percent-encoded.
#[derive(Clone, Debug, Default)]
pub struct QueryMask {
    /// Whether this is still the path before `?`.
    path: bool,
    name: Vec<u8>,
    /// The current value, unless this is a name.
    value: Option<ValueMask>,
    /// The beginning of an escape: its position, and its first digit.
    escape: Option<(usize, Option<u8>)>,
}

impl QueryMask {
    /// Starts at the first byte of a request-target. The default starts at that of a form.
    pub fn target() -> QueryMask {
        QueryMask { path: true, value: Some(ValueMask::new(false)), ..QueryMask::default() }
    }

    /// Masks the next bytes.
    pub fn run(&mut self, bytes: &mut [u8]) {
        for at in 0..bytes.len() {
            self.push(bytes[at], at, bytes);
        }
        self.cut(bytes);
    }

    pub(super) fn push(&mut self, byte: u8, at: usize, raw: &mut [u8]) {
        match (self.escape, hex_digit(byte)) {
            (Some((start, None)), Some(digit)) => self.escape = Some((start, Some(digit))),
            (Some((start, Some(high))), Some(low)) => {
                self.escape = None;
                self.decoded(high << 4 | low, (start, at + 1), raw);
            }
            (escape, _) => {
                // An invalid escape is plain text.
                if let Some((start, _)) = escape {
                    self.decoded(b'%', (start, at), raw);
                }
                self.escape = (byte == b'%').then_some((at, None));
                if byte != b'%' {
                    self.plain(byte, at, raw);
                }
            }
        }
    }

    fn plain(&mut self, byte: u8, at: usize, raw: &mut [u8]) {
        match byte {
            b'&' => (self.name, self.value) = (Vec::new(), None),
            b'?' if self.path => (self.path, self.value) = (false, None),
            b'=' if self.value.is_none() => {
                self.value = Some(ValueMask::new(is_secret_name(&self.name)));
            }
            b'+' if !self.path => self.decoded(b' ', (at, at + 1), raw),
            _ => self.decoded(byte, (at, at + 1), raw),
        }
    }

    fn decoded(&mut self, byte: u8, at: ByteSpan, raw: &mut [u8]) {
        match &mut self.value {
            Some(value) => value.push(byte, at, raw),
            None => push_name(&mut self.name, byte),
        }
    }

    pub(super) fn cut(&mut self, raw: &mut [u8]) {
        if let Some(value) = &mut self.value {
            if let (Some((start, _)), true) = (self.escape, value.is_covering()) {
                cover(raw, (start, raw.len()));
            }
            value.cut(raw);
        }
        if let Some((start, _)) = &mut self.escape {
            *start = 0;
        }
    }
}
