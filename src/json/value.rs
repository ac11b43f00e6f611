//! A JSON text as a tree, for the small ones: contexts, settings, error messages.
//!
//! Members stay in the order they came in, and so do members of one name: RFC 8259 §4 lets a reader
//! choose. [`Value::get`] takes the last, as Docker's own reader does.
//!
//! ```
//! use unix_http::json::Value;
//!
//! let value = Value::parse(br#"{"Id":"4c6ce6","Warnings":[],"Size":1.50}"#)?;
//! assert_eq!(value.get("Id").and_then(Value::as_str), Some("4c6ce6"));
//! assert_eq!(value.get("Size"), Some(&Value::Number("1.50".into())));
//! # Ok::<(), unix_http::json::JsonError>(())
//! ```

use super::error::{JsonError, JsonErrorKind};
use super::event::{Event, Limits};
use super::tokenizer::Tokenizer;

/// One JSON value with all that is in it.
///
/// ```
/// use unix_http::json::Value;
///
/// let container = Value::parse(br#"{"Id":"4f","State":{"ExitCode":3,"Running":false},"Names":["/mypy"]}"#)?;
/// assert_eq!(container.get("Id").and_then(Value::as_str), Some("4f"));
/// assert_eq!(container.get("State").and_then(|state| state.get("ExitCode")?.as_i64()), Some(3));
/// assert_eq!(container.get("Names").map(|names| names.elements().len()), Some(1));
/// assert!(Value::parse(b"{} {}").is_err());
/// # Ok::<(), unix_http::json::JsonError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number's text as it was written, so that no digit is lost.
    Number(String),
    /// A string's characters, with the escapes undone.
    String(String),
    /// An array's elements.
    Array(Vec<Value>),
    /// An object's members, in their order.
    Object(Vec<(String, Value)>),
}

impl Value {
    /// Reads exactly one JSON text, within the default [`Limits`].
    ///
    /// # Errors
    /// On anything that is not RFC 8259 JSON, or more after it than white space.
    pub fn parse(text: &[u8]) -> Result<Value, JsonError> {
        Value::parse_within(text, Limits::default())
    }

    /// The same within limits of one's own.
    ///
    /// # Errors
    /// As [`parse`](Value::parse).
    pub fn parse_within(text: &[u8], limits: Limits) -> Result<Value, JsonError> {
        let mut tokenizer = Tokenizer::one().with_limits(limits);
        let mut builder = Builder::default();
        let mut input = text;
        while let Some(event) = tokenizer.next(&mut input)? {
            builder.on(event).map_err(|kind| JsonError { kind, offset: tokenizer.offset() })?;
        }
        let incomplete = JsonError { kind: JsonErrorKind::Incomplete, offset: tokenizer.offset() };
        if let Some(event) = tokenizer.finish()? {
            builder.on(event).map_err(|kind| JsonError { kind, ..incomplete })?;
        }
        builder.root.ok_or(incomplete)
    }

    /// An object's member of this name; of several the last.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members().iter().rev().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// The same whatever the name's ASCII case, as Docker reads its own files.
    pub fn get_ignore_case(&self, name: &str) -> Option<&Value> {
        self.members()
            .iter()
            .rev()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// An object's members; none for any other value.
    pub fn members(&self) -> &[(String, Value)] {
        if let Value::Object(members) = self { members } else { &[] }
    }

    /// An array's elements; none for any other value.
    pub fn elements(&self) -> &[Value] {
        if let Value::Array(elements) = self { elements } else { &[] }
    }

    /// A string's characters.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = self { Some(text) } else { None }
    }

    /// `true` or `false`.
    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(b) = self { Some(*b) } else { None }
    }

    /// A number that is written as an integer and lies within an `i64`.
    pub fn as_i64(&self) -> Option<i64> {
        if let Value::Number(text) = self { text.parse().ok() } else { None }
    }
}

/// A container that is not over.
enum Open {
    Array(Vec<Value>),
    /// With the name whose value comes next.
    Object(Vec<(String, Value)>, String),
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    text: Vec<u8>,
    root: Option<Value>,
}

impl Builder {
    fn on(&mut self, event: Event) -> Result<(), JsonErrorKind> {
        match event {
            Event::BeginObject => self.open.push(Open::Object(Vec::new(), String::new())),
            Event::BeginArray => self.open.push(Open::Array(Vec::new())),
            Event::BeginName | Event::BeginString | Event::BeginNumber => self.text.clear(),
            Event::Text(_) | Event::Escape(_) | Event::Number(_) => {
                event.append_text(&mut self.text)
            }
            Event::EndName => {
                let text = self.text()?;
                if let Some(Open::Object(_, name)) = self.open.last_mut() {
                    *name = text;
                }
            }
            Event::EndString => {
                let text = self.text()?;
                self.add(Value::String(text));
            }
            Event::EndNumber => {
                let text = self.text()?;
                self.add(Value::Number(text));
            }
            Event::Bool(b) => self.add(Value::Bool(b)),
            Event::Null => self.add(Value::Null),
            Event::EndObject | Event::EndArray => match self.open.pop() {
                Some(Open::Array(elements)) => self.add(Value::Array(elements)),
                Some(Open::Object(members, _)) => self.add(Value::Object(members)),
                None => {}
            },
        }
        Ok(())
    }

    /// Puts a value where it belongs: into the container around it, or at the root.
    fn add(&mut self, value: Value) {
        match self.open.last_mut() {
            Some(Open::Array(elements)) => elements.push(value),
            Some(Open::Object(members, name)) => members.push((std::mem::take(name), value)),
            None => self.root = Some(value),
        }
    }

    fn text(&mut self) -> Result<String, JsonErrorKind> {
        String::from_utf8(std::mem::take(&mut self.text)).map_err(|_| JsonErrorKind::Utf8)
    }
}
