//! Writing JSON: strings, and a text laid out for people to read.
//!
//! The lay-out is that of `jq .`: two spaces for each level, one member or element a line, `{}` and
//! `[]` when empty, each text of a sequence on a line of its own. Escapes are kept only where they
//! are needed. Other than `jq`, numbers stay as they were written, to the last digit, and so do
//! members of the same name.
//!
//! ```
//! let mut pretty = unix_http::json::Pretty::new();
//! let mut out = Vec::new();
//! pretty.feed(br#"{"a":[1.0,{}],"b":"\u003e"}"#, &mut out)?;
//! pretty.finish(&mut out)?;
//! assert_eq!(out, b"{\n  \"a\": [\n    1.0,\n    {}\n  ],\n  \"b\": \">\"\n}\n");
//! # Ok::<(), unix_http::json::JsonError>(())
//! ```

use super::error::JsonError;
use super::event::{Event, Limits};
use super::tokenizer::Tokenizer;

/// Appends `text` as a JSON string, with its quotation marks.
///
/// ```
/// let mut out = Vec::new();
/// unix_http::json::encode_string(&mut out, "say \"hi\"\n");
/// assert_eq!(out, br#""say \"hi\"\n""#);
/// ```
pub fn encode_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    encode_characters(out, text.as_bytes());
    out.push(b'"');
}

/// Appends characters as they stand inside a JSON string. ASCII alone is ever escaped, so a run may
/// be cut anywhere.
fn encode_characters(out: &mut Vec<u8>, mut text: &[u8]) {
    while let Some(at) = text.iter().position(|byte| matches!(byte, 0..=0x1f | b'"' | b'\\' | 0x7f))
    {
        out.extend_from_slice(&text[..at]);
        match text[at] {
            byte @ (b'"' | b'\\') => out.extend_from_slice(&[b'\\', byte]),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            byte => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
        text = &text[at + 1..];
    }
    out.extend_from_slice(text);
}

/// Lays out the events of one text after the other.
#[derive(Clone, Debug, Default)]
pub struct Printer {
    depth: usize,
    /// Whether the innermost container has nothing in it yet.
    empty: bool,
    /// Whether a name stands before the value that comes.
    after_name: bool,
}

impl Printer {
    /// A printer at the beginning of a text.
    pub fn new() -> Printer {
        Printer::default()
    }

    /// Appends what the next event adds to the lay-out; a line end after the last of a text.
    pub fn on(&mut self, event: &Event, out: &mut Vec<u8>) {
        if event.begins_value() || *event == Event::BeginName {
            self.place(out);
        }
        match event {
            Event::BeginObject | Event::BeginArray => {
                out.push(if *event == Event::BeginObject { b'{' } else { b'[' });
                (self.depth, self.empty) = (self.depth + 1, true);
            }
            Event::EndObject | Event::EndArray => {
                self.depth = self.depth.saturating_sub(1);
                if !self.empty {
                    self.line(out);
                }
                self.empty = false;
                out.push(if *event == Event::EndObject { b'}' } else { b']' });
            }
            Event::BeginName | Event::BeginString | Event::EndString => out.push(b'"'),
            Event::EndName => {
                out.extend_from_slice(b"\": ");
                self.after_name = true;
            }
            Event::Text(text) => encode_characters(out, text),
            Event::Escape(c) => encode_characters(out, c.encode_utf8(&mut [0; 4]).as_bytes()),
            Event::Number(text) => out.extend_from_slice(text),
            Event::Bool(true) => out.extend_from_slice(b"true"),
            Event::Bool(false) => out.extend_from_slice(b"false"),
            Event::Null => out.extend_from_slice(b"null"),
            Event::BeginNumber | Event::EndNumber => {}
        }
        if event.ends_value() && self.depth == 0 {
            out.push(b'\n');
        }
    }

    /// Goes to where the next name or value stands.
    fn place(&mut self, out: &mut Vec<u8>) {
        if !std::mem::take(&mut self.after_name) && self.depth > 0 {
            if !self.empty {
                out.push(b',');
            }
            self.line(out);
        }
        self.empty = false;
    }

    fn line(&self, out: &mut Vec<u8>) {
        out.push(b'\n');
        out.resize(out.len() + 2 * self.depth, b' ');
    }
}

/// Lays out a stream of JSON texts while it comes.
#[derive(Clone, Debug)]
pub struct Pretty {
    tokenizer: Tokenizer,
    printer: Printer,
}

impl Default for Pretty {
    fn default() -> Self {
        Pretty::new()
    }
}

impl Pretty {
    /// For any number of texts one after the other, within the default [`Limits`].
    pub fn new() -> Pretty {
        Pretty::with_limits(Limits::default())
    }

    /// The same within limits of one's own.
    pub fn with_limits(limits: Limits) -> Pretty {
        Pretty { tokenizer: Tokenizer::sequence().with_limits(limits), printer: Printer::new() }
    }

    /// Reads on in the stream and appends what it becomes.
    ///
    /// Each byte can become a line of twice the depth, so feed slices of a few kilobytes.
    ///
    /// # Errors
    /// At the first byte that is not JSON; `out` then has all that came before it.
    pub fn feed(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<(), JsonError> {
        while let Some(event) = self.tokenizer.next(&mut input)? {
            self.printer.on(&event, out);
        }
        Ok(())
    }

    /// The stream is over.
    ///
    /// # Errors
    /// [`Incomplete`](super::JsonErrorKind::Incomplete) inside a text.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), JsonError> {
        if let Some(event) = self.tokenizer.finish()? {
            self.printer.on(&event, out);
        }
        Ok(())
    }
}
