//! A JSON text as a tree.
//!
//! Members keep their order, even those with the same name: RFC 8259 §4 leaves their meaning open.
//! [`Value::get`] takes the last, as Docker's own reader does.

use super::pointer::{Pointer, array_index};

/// One JSON value and everything in it. Its `Display` is compact JSON.
///
/// ```
/// use unix_http::json::Value;
///
/// let mut value = Value::parse(br#"{"Id": "4c6ce6", "Ports": [{"PublicPort": 8080}]}"#)?;
/// assert_eq!(value.get("Id").and_then(Value::as_str), Some("4c6ce6"));
/// assert_eq!(value.pointer("/Ports/0/PublicPort").and_then(Value::as_u64), Some(8080));
/// *value.pointer_mut("/Ports/0/PublicPort").ok_or("no port")? = 80.into();
/// value.set("Tty", true);
/// assert_eq!(value.to_string(), r#"{"Id":"4c6ce6","Ports":[{"PublicPort":80}],"Tty":true}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Value {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number's text, unchanged, so that no digit is lost.
    Number(String),
    /// A string's characters, unescaped.
    String(String),
    /// An array's elements.
    Array(Vec<Value>),
    /// An object's members, in order.
    Object(Vec<(String, Value)>),
}

impl Value {
    /// Returns an object's member with this name, or the last of several.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members().iter().rev().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// Does the same in any ASCII case, as Docker does for its own files.
    #[cfg(feature = "docker")]
    pub(crate) fn get_ignore_case(&self, name: &str) -> Option<&Value> {
        let same = |(n, _): &&(String, Value)| n.eq_ignore_ascii_case(name);
        self.members().iter().rev().find(same).map(|(_, value)| value)
    }

    /// Returns the value that an RFC 6901 pointer such as `/a/0/b` selects. Returns `None` also for
    /// a malformed pointer, and for a name that its object has more than once.
    pub fn pointer(&self, pointer: &str) -> Option<&Value> {
        let pointer = Pointer::parse(pointer).ok()?;
        pointer.tokens.iter().try_fold(self, |value, token| match value {
            Value::Array(elements) => elements.get(array_index(token)?),
            Value::Object(members) => members.get(value.only(token)?).map(|(_, member)| member),
            _ => None,
        })
    }

    /// Returns the same value for a change: `*value.pointer_mut("/Spec/Name")? = "web".into()`.
    pub fn pointer_mut(&mut self, pointer: &str) -> Option<&mut Value> {
        let pointer = Pointer::parse(pointer).ok()?;
        pointer.tokens.iter().try_fold(self, |value, token| {
            let only = value.only(token);
            match value {
                Value::Array(elements) => elements.get_mut(array_index(token)?),
                Value::Object(members) => members.get_mut(only?).map(|(_, member)| member),
                _ => None,
            }
        })
    }

    /// Returns the index of the only member with this name.
    fn only(&self, name: &str) -> Option<usize> {
        let mut same = (0..).zip(self.members()).filter(|(_, (n, _))| n == name);
        let (place, _) = same.next()?;
        same.next().is_none().then_some(place)
    }

    /// Sets an object's member; a new member goes last. Does nothing if this is not an object.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        if let Value::Object(members) = self {
            match members.iter_mut().rev().find(|(n, _)| n == name) {
                Some((_, member)) => *member = value.into(),
                None => members.push((name.to_owned(), value.into())),
            }
        }
    }

    /// Returns an object's members, or none for any other value.
    pub fn members(&self) -> &[(String, Value)] {
        if let Value::Object(members) = self { members } else { &[] }
    }

    /// Returns an array's elements, or none for any other value.
    pub fn elements(&self) -> &[Value] {
        if let Value::Array(elements) = self { elements } else { &[] }
    }

    /// Returns a string's characters.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = self { Some(text) } else { None }
    }

    /// Returns the value of `true` or `false`.
    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(b) = self { Some(*b) } else { None }
    }

    /// Returns a number that is written as an integer and fits an `i64`.
    pub fn as_i64(&self) -> Option<i64> {
        if let Value::Number(text) = self { text.parse().ok() } else { None }
    }

    /// Returns a number that is written as an integer and fits a `u64`.
    pub fn as_u64(&self) -> Option<u64> {
        if let Value::Number(text) = self { text.parse().ok() } else { None }
    }

    /// Returns the `f64` nearest to a number, or `None` if that is infinite.
    pub fn as_f64(&self) -> Option<f64> {
        let Value::Number(text) = self else { return None };
        text.parse().ok().filter(|number: &f64| number.is_finite())
    }
}

/// Implements `From` for common types: `Value::from("text")`, `Value::from(5)`.
macro_rules! from {
    ($($type:ty, $value:ident => $json:expr;)*) => {
        $(impl From<$type> for Value {
            fn from($value: $type) -> Value {
                $json
            }
        })*
    };
}

from! {
    &str, text => Value::String(text.to_owned());
    String, text => Value::String(text);
    &String, text => Value::String(text.clone());
    bool, truth => Value::Bool(truth);
    i32, number => Value::Number(number.to_string());
    i64, number => Value::Number(number.to_string());
    u64, number => Value::Number(number.to_string());
    usize, number => Value::Number(number.to_string());
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(elements: Vec<T>) -> Value {
        Value::Array(elements.into_iter().map(Into::into).collect())
    }
}
