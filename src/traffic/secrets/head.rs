//! Secrets in heads and trailer sections: the request-target, and the values of fields.

use super::json::ValueMask;
use super::query::QueryMask;
use super::text::push_name;
use crate::base::secret_name::is_secret_field;

/// Schemes of Authorization, in lower case. They stay readable.
const SCHEMES: &[&str] = &["basic", "bearer", "digest", "negotiate"];

/// Masks a request-target.
#[cfg(feature = "tap")]
pub fn mask_target(target: &mut [u8]) {
    let mut mask = QueryMask::target();
    for at in 0..target.len() {
        mask.push(target[at], at, target);
    }
}

/// Masks secrets in a head that arrives in pieces, and finds its end.
#[derive(Clone, Debug, Default)]
pub struct HeadMask {
    at: InHead,
    name: Vec<u8>,
    /// Whether the current value, held in `name`, may still be a scheme of Authorization.
    scheme: bool,
    /// The number of empty lines before the start-line.
    empty: u8,
    started: bool,
    target: QueryMask,
    value: ValueMask,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum InHead {
    #[default]
    LineStart,
    /// The first word of the start-line.
    Method,
    Target,
    Name,
    Value,
}

impl HeadMask {
    /// Masks the next bytes. Returns how many of them belong to the head.
    pub fn run(&mut self, bytes: &mut [u8]) -> usize {
        for at in 0..bytes.len() {
            match (self.at, bytes[at]) {
                (InHead::LineStart, b'\r') => {}
                // One empty line may precede a request-line (RFC 9112 §2.2).
                (InHead::LineStart, b'\n') if self.started || self.empty > 0 => {
                    *self = HeadMask::default();
                    return at + 1;
                }
                (InHead::LineStart, b'\n') => self.empty += 1,
                // A folded line continues the value.
                (InHead::LineStart, space @ (b' ' | b'\t')) => {
                    self.at = InHead::Value;
                    if !self.value.is_covering() {
                        self.value.push(space, (at, at + 1), bytes);
                    }
                }
                (InHead::LineStart, first) => {
                    self.at = if self.started { InHead::Name } else { InHead::Method };
                    self.started = true;
                    self.name.clear();
                    push_name(&mut self.name, first);
                }
                (_, b'\n') => self.at = InHead::LineStart,
                (InHead::Method, b' ') => {
                    (self.at, self.target) = (InHead::Target, QueryMask::target());
                }
                (InHead::Target, b' ') => (self.at, self.value) = (InHead::Value, ValueMask::New),
                (InHead::Target, byte) => self.target.push(byte, at, bytes),
                (InHead::Method | InHead::Name, b':') => self.begin_value(),
                (InHead::Name, b' ' | b'\t') => {}
                (InHead::Method | InHead::Name, byte) => push_name(&mut self.name, byte),
                (InHead::Value, _) => self.value(at, bytes),
            }
        }
        match self.at {
            InHead::Target => self.target.cut(bytes),
            InHead::Value => self.value.cut(bytes),
            _ => {}
        }
        bytes.len()
    }

    fn begin_value(&mut self) {
        let name = String::from_utf8_lossy(&self.name);
        let known = ["authorization", "proxy-authorization"];
        self.scheme = known.iter().any(|known| known.eq_ignore_ascii_case(&name));
        // Any other character: this is not a head.
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        self.value = ValueMask::new(is_name && is_secret_field(&name));
        self.name.clear();
        self.at = InHead::Value;
    }

    fn value(&mut self, at: usize, bytes: &mut [u8]) {
        let byte = bytes[at];
        let secret = matches!(self.value, ValueMask::Secret);
        if secret && matches!(byte, b' ' | b'\t') {
            self.scheme &= self.name.is_empty();
        } else if !(byte == b'\r' && self.value.is_covering() || secret && self.is_scheme(byte)) {
            self.value.push(byte, (at, at + 1), bytes);
        }
    }

    /// Returns whether the value up to this byte begins a scheme.
    fn is_scheme(&mut self, byte: u8) -> bool {
        push_name(&mut self.name, byte.to_ascii_lowercase());
        let word = &self.name[..];
        self.scheme &= SCHEMES.iter().any(|scheme| scheme.as_bytes().starts_with(word));
        self.scheme
    }
}
