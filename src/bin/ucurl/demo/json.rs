//! JSON values: fills templates, overlays values, reads members.

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

/// `fill!(value, Id: id, State.Pid: pid)` sets members that the value already has.
macro_rules! fill {
    ($target:expr, $($($name:ident).+ : $value:expr),* $(,)?) => {
        $(if let Some(place) = $target.pointer_mut(concat!($("/", stringify!($name)),+)) {
            *place = Value::from($value);
        })*
    };
}

/// `template!("exec.json")` reads the value in that file.
macro_rules! template {
    ($file:literal) => {
        $crate::demo::json::parsed(include_str!($file))
    };
}

pub(super) use {fill, object, template};

pub fn parsed(text: &str) -> Value {
    Value::parse(text.as_bytes()).unwrap_or(Value::Null)
}

/// Fills a template: each string that begins with a slash is a JSON Pointer into `of`.
pub fn shaped(template: Value, of: &Value) -> Value {
    match template {
        Value::String(text) if text.starts_with('/') => at(of, &text).clone(),
        Value::Array(elements) => {
            elements.into_iter().map(|e| shaped(e, of)).collect::<Vec<_>>().into()
        }
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name, shaped(value, of)));
            Value::Object(members.collect())
        }
        other => other,
    }
}

/// Returns the value at a JSON Pointer, or `Null`.
pub fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    at(value, pointer).as_str().unwrap_or_default()
}

pub fn flag(value: &Value, pointer: &str) -> bool {
    at(value, pointer).as_bool().unwrap_or_default()
}

/// Returns an array of strings. A single string counts as an array of one.
pub fn words(value: &Value, pointer: &str) -> Vec<String> {
    let value = at(value, pointer);
    let words = value.as_str().into_iter().chain(value.elements().iter().filter_map(Value::as_str));
    words.map(str::to_owned).collect()
}

/// Makes an array of strings, or `null` if there are none.
pub fn or_null(words: Vec<String>) -> Value {
    if words.is_empty() { Value::Null } else { Value::from(words) }
}

/// Removes a member, and returns it.
pub fn take(value: &mut Value, name: &str) -> Value {
    let Value::Object(members) = value else { return Value::Null };
    let place = members.iter().position(|(other, _)| other == name);
    place.map_or(Value::Null, |place| members.remove(place).1)
}

/// Lays a client's values over defaults, as Go decodes JSON into a struct: names match in any case,
/// zero values change nothing, and a value of another type is an error. A single string becomes an
/// array of one.
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
                ensure!(fits, "json-type", kind(new), name);
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

/// Writes a value as Go does, which escapes `<`, `>` and `&`.
pub fn write(value: &Value) -> String {
    let text = value.to_string();
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// Returns the seconds since 1970.
pub fn unix(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as i64
}
