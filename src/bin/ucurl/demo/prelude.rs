//! Errors for the client, JSON values, and names that most files of the demonstration use.

pub use std::io::{self, Write};
pub use std::sync::{Arc, Mutex};
pub use std::time::{Duration, SystemTime, UNIX_EPOCH};
pub use unix_http::base::sync::{Watched, lock};
pub use unix_http::base::time::rfc3339;
pub use unix_http::json::Value;

use std::fmt::Display;
use unix_http::server::Refusal;

/// `refusal!("container-none", name)` makes this error of `errors.txt` and fills its holes.
macro_rules! refusal {
    ($error:literal $(, $hole:expr)* $(,)?) => {
        $crate::demo::prelude::filled($error, &[$(&$hole),*])
    };
}

/// `ensure!(is_running, "not-running", id)` returns that error if the condition is false.
macro_rules! ensure {
    ($is_so:expr, $($error:tt)+) => {
        if !$is_so {
            return Err($crate::demo::prelude::refusal!($($error)+));
        }
    };
}

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
        $crate::demo::prelude::parsed(include_str!($file))
    };
}

pub(super) use {ensure, fill, object, refusal, template};

pub fn filled(error: &str, holes: &[&dyn Display]) -> io::Error {
    let mut lines = include_str!("errors.txt").lines().filter_map(|line| line.split_once(' '));
    let line = lines.find(|(name, _)| *name == error).map_or("", |(_, line)| line);
    let (status, text) = line.split_once(' ').unwrap_or_default();
    let holes = holes.iter().map(ToString::to_string).chain([String::new()]);
    let parts = text.split("{}").zip(holes).map(|(text, hole)| text.to_owned() + &hole);
    Refusal::new(status.parse().unwrap_or(500), parts.collect::<String>()).into()
}

/// Returns the status-code and the text of such an error.
pub fn told(error: &io::Error) -> Option<(u16, &str)> {
    let refusal = error.get_ref()?.downcast_ref::<Refusal>()?;
    Some((refusal.status(), refusal.why()))
}

/// Puts other words before the text of such an error.
pub fn prefixed(error: io::Error, before: &str) -> io::Error {
    let Some((status, why)) = told(&error) else { return error };
    Refusal::new(status, format!("{before}: {why}")).into()
}

pub fn parsed(text: &str) -> Value {
    Value::parse(text.as_bytes()).unwrap_or(Value::Null)
}

/// Fills a template: each string that begins with a slash is a JSON Pointer into `of`.
pub fn shaped(mut template: Value, of: &Value) -> Value {
    let shape = |value: &mut Value| *value = shaped(std::mem::take(value), of);
    match &mut template {
        Value::String(text) if text.starts_with('/') => return at(of, text).clone(),
        Value::Array(elements) => elements.iter_mut().for_each(shape),
        Value::Object(members) => members.iter_mut().for_each(|(_, value)| shape(value)),
        _ => {}
    }
    template
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
