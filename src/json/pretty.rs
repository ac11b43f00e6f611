//! The pretty printer, which indents as `jq .` does.
//!
//! Two spaces for each level, one member or element per line, `{}` and `[]` when empty, each text
//! starts a new line. Unlike in `jq`, numbers keep every digit, and members with the same name
//! stay.

use super::error::JsonError;
use super::reader::{Begun, JsonReader, Next};
use super::texts::JsonText;
use super::write::encode_string;

impl JsonText<'_> {
    /// Indents the text and passes it to `out` line by line, because deep nesting can make it many
    /// times longer.
    ///
    /// ```
    /// use unix_http::json::JsonText;
    ///
    /// let text = JsonText { bytes: br#"{"a":[1.0,{}],"b":"\u003e"}"#, offset: 0 };
    /// let mut out = Vec::new();
    /// text.lay_out(&mut |line| out.extend_from_slice(line))?;
    /// assert_eq!(out, b"{\n  \"a\": [\n    1.0,\n    {}\n  ],\n  \"b\": \">\"\n}\n");
    /// # Ok::<(), unix_http::json::JsonError>(())
    /// ```
    ///
    /// # Errors
    /// Fails if the text is not JSON. The text before the error is indented, the rest is unchanged.
    pub fn lay_out(&self, out: &mut dyn FnMut(&[u8])) -> Result<(), JsonError> {
        let mut layout = Layout { out, line: Vec::new(), done: 0 };
        let mut reader = self.reader();
        let result = layout.text(&mut reader).and_then(|()| reader.finish());
        let rest = if result.is_ok() { b"\n" } else { &self.bytes[layout.done..] };
        layout.line.extend_from_slice(rest);
        (layout.out)(&layout.line);
        result
    }
}

struct Layout<'o> {
    out: &'o mut dyn FnMut(&[u8]),
    line: Vec<u8>,
    /// How many bytes of the text have been printed.
    done: usize,
}

impl Layout<'_> {
    fn text(&mut self, reader: &mut JsonReader<'_>) -> Result<(), JsonError> {
        let mut empty = self.begin(reader)?;
        while !reader.open.is_empty() {
            let next = reader.next()?;
            let ends = matches!(next, Next::End(_));
            if !empty && !ends {
                self.line.push(b',');
            }
            if !empty || !ends {
                self.end_line(reader);
            }
            match next {
                Next::End(bracket) => self.line.push(bracket),
                Next::Element => {}
                Next::Member(name) => {
                    encode_string(&mut self.line, &name);
                    self.line.extend_from_slice(b": ");
                }
            }
            self.done = reader.at;
            empty = !ends && self.begin(reader)?;
        }
        Ok(())
    }

    /// Prints the beginning of a value. Returns whether it opened a container.
    fn begin(&mut self, reader: &mut JsonReader<'_>) -> Result<bool, JsonError> {
        let begun = reader.begin()?;
        self.done = reader.at;
        match begun {
            Begun::Container(bracket) => self.line.push(bracket),
            Begun::Scalar(ref value) => self.line.extend_from_slice(value.to_string().as_bytes()),
        }
        Ok(matches!(begun, Begun::Container(_)))
    }

    fn end_line(&mut self, reader: &JsonReader<'_>) {
        self.line.push(b'\n');
        (self.out)(&self.line);
        self.line.clear();
        self.line.resize(2 * reader.open.len(), b' ');
    }
}
