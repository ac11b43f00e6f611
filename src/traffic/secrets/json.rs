//! Secrets in JSON: members with a secret name, and text in strings, which may be JSON again.

use super::text::{ByteSpan, TextMask, cover, push_name, set_name};
use crate::base::number::hex_digit;
use crate::base::secret_name::is_secret_name;

/// Masks one value: a string in JSON, or the value of a field or of a parameter.
#[derive(Clone, Debug, Default)]
pub(super) enum ValueMask {
    /// Only white space so far.
    #[default]
    New,
    Text(TextMask),
    /// JSON in a string or in a parameter.
    Json(Box<JsonMask>),
    /// A secret as a whole.
    Secret,
}

impl ValueMask {
    pub fn new(secret: bool) -> ValueMask {
        if secret { ValueMask::Secret } else { ValueMask::New }
    }

    pub fn push(&mut self, byte: u8, at: ByteSpan, raw: &mut [u8]) {
        if let ValueMask::New = self {
            *self = match byte {
                b' ' | b'\t' | b'\r' | b'\n' => return,
                b'{' | b'[' => {
                    ValueMask::Json(Box::new(JsonMask { nested: true, ..JsonMask::default() }))
                }
                _ => ValueMask::Text(TextMask::default()),
            };
        }
        match self {
            ValueMask::New => {}
            ValueMask::Text(text) => text.push(byte, at, raw),
            ValueMask::Json(json) => json.push(byte, at, raw),
            ValueMask::Secret => cover(raw, at),
        }
    }

    pub fn is_covering(&self) -> bool {
        match self {
            ValueMask::New => false,
            ValueMask::Text(text) => text.covers,
            ValueMask::Json(json) => json.is_covering(),
            ValueMask::Secret => true,
        }
    }

    /// Notes that a read ends within the value.
    pub fn cut(&mut self, raw: &mut [u8]) {
        match self {
            ValueMask::Text(text) => text.cut(raw),
            ValueMask::Json(json) => json.cut(raw),
            ValueMask::New | ValueMask::Secret => {}
        }
    }
}

/// Masks secret strings in JSON that arrives in pieces. Other text may be masked too much.
#[derive(Clone, Debug, Default)]
pub struct JsonMask {
    at: InJson,
    /// The current string, and its name if it is one.
    string: ValueMask,
    name: Vec<u8>,
    /// The text outside of strings, if this is not JSON.
    outside: TextMask,
    /// Where the current escape begins.
    escape: usize,
    /// Whether a string, held in `name`, has just ended.
    named: bool,
    /// Whether the next string is secret.
    secret_value: bool,
    /// One bit for each open object (1) or list (0), the innermost last.
    open: u128,
    depth: u32,
    /// The depth of the object or list whose strings are all secret.
    secret_from: Option<u32>,
    /// Whether the next string is a name.
    expects_name: bool,
    /// Whether members named `Data` are secret.
    data: bool,
    /// Whether this is JSON inside a value. Its strings are read as text, which limits the depth.
    nested: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum InJson {
    #[default]
    Outside,
    String,
    Escape,
    /// The digits of `\u` so far: how many, and their value.
    Unicode(u8, u16),
}

impl JsonMask {
    /// Starts at the first byte of a text. With `data`, members named `Data` are secret, as in
    /// `/secrets/create`.
    pub fn new(data: bool) -> JsonMask {
        JsonMask { data, ..JsonMask::default() }
    }

    /// Returns whether the next byte belongs to a secret, or ends it.
    pub fn is_covering(&self) -> bool {
        self.at != InJson::Outside && self.string.is_covering()
    }

    /// Masks the next bytes.
    pub fn run(&mut self, bytes: &mut [u8]) {
        let mut at = 0;
        while at < bytes.len() {
            let is_new = self.at == InJson::String && self.name.is_empty();
            let plain = if is_new { self.plain_string(&bytes[at..]) } else { None };
            if plain.is_none() {
                self.push(bytes[at], (at, at + 1), bytes);
            }
            at += plain.unwrap_or(1);
        }
        self.cut(bytes);
    }

    /// Skips a string that ends in `bytes` and cannot contain a secret: it has no escape, `=`,
    /// option, URL or swarm token. Returns its length. This makes the masking of an engine's JSON
    /// four times as fast.
    fn plain_string(&mut self, bytes: &[u8]) -> Option<usize> {
        if !matches!(self.string, ValueMask::New) || b" \t\r\n{[".contains(bytes.first()?) {
            return None;
        }
        let mut end = 0;
        loop {
            let stops = |byte: &u8| matches!(byte, b'"' | b'\\' | b'=' | b':' | b'-');
            end += bytes[end..].iter().position(stops)?;
            let next = bytes.get(end + 1);
            match bytes[end] {
                b'"' => break,
                b':' if next != Some(&b'/') => end += 1,
                b'-' if next != Some(&b'-') && !matches!(bytes[..end], [.., b'N' | b'Y']) => {
                    end += 1
                }
                _ => return None,
            }
        }
        set_name(&mut self.name, &bytes[..end]);
        self.end_string();
        Some(end + 1)
    }

    pub(super) fn push(&mut self, byte: u8, at: ByteSpan, raw: &mut [u8]) {
        match self.at {
            InJson::Outside => self.outside(byte, at, raw),
            InJson::String => match byte {
                b'"' => self.end_string(),
                b'\\' => (self.at, self.escape) = (InJson::Escape, at.0),
                _ => self.in_string(byte, at, raw),
            },
            InJson::Escape if byte == b'u' => self.at = InJson::Unicode(0, 0),
            InJson::Escape => {
                let decoded = match byte {
                    b'b' | b'f' | b'n' | b'r' | b't' => b'\n',
                    _ => byte,
                };
                self.in_string(decoded, (self.escape, at.1), raw);
            }
            InJson::Unicode(count, value) => match hex_digit(byte) {
                None => {
                    self.in_string(b'?', (self.escape, at.0), raw);
                    self.push(byte, at, raw);
                }
                Some(digit) if count == 3 => {
                    // No name of a secret has other than ASCII characters.
                    let decoded = u8::try_from(value << 4 | u16::from(digit));
                    self.in_string(decoded.unwrap_or(b'?'), (self.escape, at.1), raw);
                }
                Some(digit) => {
                    self.at = InJson::Unicode(count + 1, value << 4 | u16::from(digit));
                }
            },
        }
    }

    fn in_string(&mut self, byte: u8, at: ByteSpan, raw: &mut [u8]) {
        self.at = InJson::String;
        push_name(&mut self.name, byte);
        self.string.push(byte, at, raw);
    }

    fn end_string(&mut self) {
        (self.at, self.named, self.expects_name) = (InJson::Outside, true, false);
    }

    fn outside(&mut self, byte: u8, at: ByteSpan, raw: &mut [u8]) {
        if byte == b' ' && self.outside.is_blank() {
            return;
        }
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'"' => {
                let inside = self.secret_from.is_some() && !self.expects_name;
                self.string = match self.secret_value || inside {
                    false if self.nested => ValueMask::Text(TextMask::default()),
                    secret => ValueMask::new(secret),
                };
                self.name.clear();
                (self.at, self.named, self.secret_value) = (InJson::String, false, false);
            }
            b':' => {
                let is_data = self.data && self.name.eq_ignore_ascii_case(b"data");
                self.secret_value = self.named && (is_data || is_secret_name(&self.name));
            }
            b'{' | b'[' => {
                self.expects_name = byte == b'{';
                self.open = self.open << 1 | u128::from(byte == b'{');
                self.depth = self.depth.saturating_add(1);
                if self.secret_value {
                    self.secret_from.get_or_insert(self.depth);
                }
                (self.named, self.secret_value) = (false, false);
            }
            b'}' | b']' => {
                self.secret_from = self.secret_from.filter(|from| *from < self.depth);
                self.depth = self.depth.saturating_sub(1);
                self.open >>= 1;
            }
            b',' => {
                self.expects_name = self.open & 1 == 1;
                // ["--password", "x"]
                let name = &self.name;
                let option = name.starts_with(b"-") && !name.contains(&b'=');
                let option = option && self.named && !self.expects_name;
                self.secret_value = option && is_secret_name(name);
            }
            _ => (self.named, self.secret_value) = (false, false),
        }
        match byte {
            b'"' | b',' | b'{' | b'}' | b'[' | b']' => self.outside.clear(),
            _ => self.outside.push(byte, at, raw),
        }
    }

    pub(super) fn cut(&mut self, raw: &mut [u8]) {
        if matches!(self.at, InJson::Escape | InJson::Unicode(..)) && self.string.is_covering() {
            cover(raw, (self.escape, raw.len()));
        }
        self.escape = 0;
        match self.at {
            InJson::Outside => self.outside.cut(raw),
            _ => self.string.cut(raw),
        }
    }
}
