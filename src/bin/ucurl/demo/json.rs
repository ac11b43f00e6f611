//! JSON values: templates that are filled in, values laid over others, members.

use super::errors::ensure;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};
use unix_http::json::Value;

/// `object!(Id: id, Warnings: warnings)`
macro_rules! object {
    ($($name:ident: $value:expr),* $(,)?) => {
        Value::Object(vec![$((stringify!($name).to_owned(), Value::from($value))),*])
    };
}

/// `fill!(value, Id: id, State.Pid: pid)` puts values at these places.
macro_rules! fill {
    ($target:expr $(, $($name:ident).+ : $value:expr)* $(,)?) => {
        $(*$crate::demo::json::at(&mut $target, &[$(stringify!($name)),+]) = Value::from($value);)*
    };
}

/// `filled!("exec.json", Id: id)` is that file with values at these places.
macro_rules! filled {
    ($file:literal $($places:tt)*) => {{
        #[allow(unused_mut)]
        let mut filled = $crate::demo::json::parsed(include_str!($file));
        $crate::demo::json::fill!(filled $($places)*);
        filled
    }};
}

pub(super) use {fill, filled, object};

pub fn parsed(text: &str) -> Value {
    Value::parse(text.as_bytes()).unwrap_or(Value::Null)
}

/// The member at a path; it is added where it is missing.
pub fn at<'a>(value: &'a mut Value, path: &[&str]) -> &'a mut Value {
    let Some((name, rest)) = path.split_first() else { return value };
    if !matches!(value, Value::Object(_)) {
        *value = Value::Object(Vec::new());
    }
    let Value::Object(members) = value else { return value };
    let found = members.iter().position(|(other, _)| other == name).unwrap_or_else(|| {
        members.push(((*name).to_owned(), Value::Null));
        members.len() - 1
    });
    at(&mut members[found].1, rest)
}

pub fn remove(value: &mut Value, names: &[&str]) {
    if let Value::Object(members) = value {
        members.retain(|(name, _)| !names.contains(&&name[..]));
    }
}

/// Lays what a client sent over the defaults, as Go decodes into a struct: names match in any
/// case, zero values change nothing, a text alone is a list of one, and a value of another type is
/// an error.
pub fn overlay(base: &mut Value, over: &Value) -> io::Result<()> {
    const ZERO: [&str; 5] = ["0", "false", "\"\"", "[]", "{}"];
    let Value::Object(members) = base else { return Ok(()) };
    for (name, new) in over.members() {
        let old = members.iter_mut().find(|(other, _)| other.eq_ignore_ascii_case(name));
        match (old.map(|(_, old)| old), new) {
            (_, Value::Null) => {}
            (None, new) => members.push((name.clone(), new.clone())),
            (Some(old @ Value::Object(_)), Value::Object(_)) => overlay(old, new)?,
            (Some(old @ Value::Array(_)), Value::String(_)) => *old = vec![new.clone()].into(),
            (Some(old), new) => {
                let fits = *old == Value::Null || kind(old) == kind(new);
                let why = "invalid JSON: json: cannot unmarshal";
                ensure!(fits, 400, "{why} {} into {name}", kind(new));
                if !ZERO.contains(&&new.to_string()[..]) {
                    *old = new.clone();
                }
            }
        }
    }
    Ok(())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get_ignore_case(name).and_then(Value::as_str).unwrap_or_default()
}

pub fn flag(value: &Value, name: &str) -> bool {
    value.get_ignore_case(name).and_then(Value::as_bool).unwrap_or_default()
}

/// The members of a member that is an object.
pub fn members(value: &Value, name: &str) -> Vec<(String, Value)> {
    value.get(name).map(|value| value.members().to_vec()).unwrap_or_default()
}

/// A member that is an array of strings; a string alone counts as one element.
pub fn words(value: &Value, name: &str) -> Vec<String> {
    let value = value.get_ignore_case(name).unwrap_or(&Value::Null);
    let words = value.as_str().into_iter().chain(value.elements().iter().filter_map(Value::as_str));
    words.map(str::to_owned).collect()
}

/// An array of strings, or `null` where there are none.
pub fn or_null(words: Vec<String>) -> Value {
    if words.is_empty() { Value::Null } else { Value::from(words) }
}

/// The text of a value, as Go writes it: `<`, `>` and `&` are escaped.
pub fn write(value: &Value) -> String {
    let text = value.to_string();
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// Seconds since 1970.
pub fn unix(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as i64
}
