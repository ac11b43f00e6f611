//! The JSON writer: strings, values, and objects member by member.

use super::value::Value;
use std::fmt;

/// Appends `text` as a JSON string in quotation marks.
///
/// Escapes only the characters that RFC 8259 §7 requires, and DEL, which a terminal would obey.
pub(super) fn encode_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for &byte in text.as_bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..=0x1f | 0x7f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// Prints compact JSON.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut json = JsonWriter::default();
        json.value(self);
        f.write_str(&String::from_utf8_lossy(&json.into_bytes()))
    }
}

/// Writes JSON piece by piece and adds the commas.
///
/// In an object, call [`name`](JsonWriter::name) before each value. In an array, write only the
/// values.
#[derive(Debug, Default)]
pub(crate) struct JsonWriter {
    out: Vec<u8>,
    /// Whether the next name or value needs a comma before it.
    comma: bool,
}

impl JsonWriter {
    /// Returns the text.
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// Writes a member's name.
    pub fn name(&mut self, name: &str) -> &mut JsonWriter {
        self.string(name).out.push(b':');
        self.comma = false;
        self
    }

    /// Writes a string.
    pub fn string(&mut self, text: &str) -> &mut JsonWriter {
        encode_string(self.place(), text);
        self
    }

    /// Writes a number, `true` or `false`. Writes `null` for a number that JSON lacks, such as
    /// `NaN`.
    pub fn scalar(&mut self, scalar: impl fmt::Display) -> &mut JsonWriter {
        let text = scalar.to_string();
        let is_json = Value::parse(text.as_bytes()).is_ok();
        self.place().extend_from_slice(if is_json { text.as_bytes() } else { b"null" });
        self
    }

    /// Writes a value.
    pub fn value(&mut self, value: &Value) -> &mut JsonWriter {
        match value {
            Value::Null => self.scalar("null"),
            Value::Bool(value) => self.scalar(value),
            Value::Number(number) => self.scalar(number),
            Value::String(text) => self.string(text),
            Value::Array(elements) => self.array(|json| {
                elements.iter().for_each(|element| _ = json.value(element));
            }),
            Value::Object(members) => self.object(|json| {
                members.iter().for_each(|(name, value)| _ = json.name(name).value(value));
            }),
        }
    }

    /// Writes an object with the members that `inside` writes.
    pub fn object(&mut self, inside: impl FnOnce(&mut JsonWriter)) -> &mut JsonWriter {
        self.within(b"{}", inside)
    }

    /// Writes an array with the elements that `inside` writes.
    pub fn array(&mut self, inside: impl FnOnce(&mut JsonWriter)) -> &mut JsonWriter {
        self.within(b"[]", inside)
    }

    fn within(&mut self, brackets: &[u8; 2], inside: impl FnOnce(&mut JsonWriter)) -> &mut Self {
        self.place().push(brackets[0]);
        self.comma = false;
        inside(self);
        self.out.push(brackets[1]);
        self.comma = true;
        self
    }

    /// Adds a comma if one is due, and returns the output.
    fn place(&mut self) -> &mut Vec<u8> {
        if std::mem::replace(&mut self.comma, true) {
            self.out.push(b',');
        }
        &mut self.out
    }
}
