//! The parameter `filters`: selects things of a list.
//!
//! Each line of `filters.txt` is a filter: the list, the name, how to compare a value, and with
//! which value of a thing's view, as a JSON Pointer.

use super::engine::State;
use super::prelude::*;

const STATUSES: &str = "created dead exited paused removing restarting running";

pub struct Filters {
    list: &'static str,
    /// The names of filters, each with the values to look for.
    asked: Vec<(String, Vec<String>)>,
}

impl Filters {
    /// Reads the filters of a list. The values come as an array, `{"label":["a"]}`, or as a set,
    /// `{"label":{"a":true}}`.
    pub fn read(state: &State, list: &'static str, parameter: &str) -> io::Result<Filters> {
        let parameter = if parameter.is_empty() { "{}" } else { parameter };
        let parsed = Value::parse(parameter.as_bytes()).unwrap_or(Value::Null);
        ensure!(matches!(parsed, Value::Object(_)), "filter");
        let mut filters = Filters { list, asked: Vec::new() };
        for (name, values) in parsed.members() {
            let is_read = matches!(values, Value::Array(_) | Value::Object(_));
            ensure!(is_read, "filter");
            let listed = values.elements().iter().filter_map(Value::as_str);
            let set = values.members().iter().filter(|(_, on)| *on == Value::Bool(true));
            let all = listed.chain(set.map(|(value, _)| &value[..]));
            let all = all.map(|value| resolved(state, list, name, value));
            let all = all.collect::<io::Result<Vec<_>>>()?;
            if !all.is_empty() {
                filters.asked.push((name.clone(), all));
            }
        }
        Ok(filters)
    }

    pub fn has(&self, name: &str) -> bool {
        self.asked.iter().any(|(other, _)| other == name)
    }

    /// Whether a thing with this view is selected: a value of each filter fits, and every label.
    pub fn fit(&self, view: &Value) -> bool {
        self.asked.iter().all(|(name, values)| {
            let places = places(self.list, name);
            let mut each = values.iter().map(|wanted| {
                let mut fits =
                    places.iter().map(|(how, place)| fits(name, how, at(view, place), wanted));
                fits.any(Result::unwrap_or_default)
            });
            if name == "label" { each.all(|fits| fits) } else { each.any(|fits| fits) }
        })
    }
}

/// Finds the comparisons of a filter: how, and the pointer to the other value.
fn places(list: &str, name: &str) -> Vec<(&'static str, &'static str)> {
    let prefix = format!("{list} {name} ");
    let places = include_str!("filters.txt").lines().filter_map(|line| line.strip_prefix(&prefix));
    places.map(|place| place.split_once(' ').unwrap_or((place, ""))).collect()
}

/// Checks a value of a filter. Replaces the name of another thing by the value to compare.
///
/// # Errors
/// Fails for an unknown filter, a missing thing, and a value that cannot be compared.
fn resolved(state: &State, list: &str, name: &str, value: &str) -> io::Result<String> {
    let places = places(list, name);
    let how = places.first().map(|(how, _)| *how);
    ensure!(how.is_some(), "filter-unknown", name);
    ensure!(how != Some("none"), "absent", format!("filter '{name}'"));
    places.iter().try_for_each(|(how, _)| fits(name, how, &Value::Null, value).map(drop))?;
    Ok(match (list, name) {
        ("containers", "ancestor") => {
            state.find_image(value).map_or(value, |image| &image.id).into()
        }
        ("containers", "before" | "since") => {
            text(&state.container(value)?.view(), "/Created").into()
        }
        ("images", "before" | "since") => text(&state.image(value)?.view(), "/Created").into(),
        _ => value.to_owned(),
    })
}

fn fits(name: &str, how: &str, value: &Value, wanted: &str) -> io::Result<bool> {
    let text = value.as_str().unwrap_or_default();
    Ok(match how {
        "text" => text == wanted,
        "status" if STATUSES.split(' ').any(|status| status == wanted) => text == wanted,
        "builtin" => wanted == "builtin",
        "begin" => text.starts_with(wanted),
        "before" => text < wanted,
        "since" => text > wanted,
        // The action of `exec_start: sh` is exec_start.
        "action" => text.split(':').next() == Some(wanted),
        "name" => is_named(wanted, text)?,
        "member" => value.members().iter().any(|(name, value)| {
            name == wanted || format!("{name}={}", value.as_str().unwrap_or_default()) == wanted
        }),
        // The short name of `busybox:latest` is busybox.
        "names" => value.elements().iter().filter_map(Value::as_str).any(|name| {
            let short = name.split([':', '@']).next().unwrap_or_default();
            is_match(wanted, name) || is_match(wanted, short)
        }),
        "truth" => match wanted {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => *value == Value::Bool(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => *value == Value::Bool(false),
            _ => return Err(refusal!("filter-truth", name, wanted)),
        },
        "number" => {
            let invalid = |_| refusal!("filter-number", name, wanted, wanted);
            value.as_i64() == Some(wanted.parse().map_err(invalid)?)
        }
        _ => return Err(refusal!("filter-value", name, wanted)),
    })
}

/// Whether a pattern matches a part of a name. As in a regular expression, `.` is any character,
/// `^` the beginning and `$` the end. Other special characters are refused.
fn is_named(pattern: &str, name: &str) -> io::Result<bool> {
    let name = format!("/{}", name.trim_start_matches('/'));
    let (starts, ends) = (pattern.starts_with('^'), pattern.ends_with('$'));
    let part = pattern[usize::from(starts)..].trim_end_matches('$');
    let part = if starts && !part.starts_with('/') { format!("/{part}") } else { part.to_owned() };
    let special = part.find(|c| "^$*+?()[]{}|\\".contains(c)).map_or("", |at| &part[at..=at]);
    let is_plain = special.is_empty();
    ensure!(is_plain, "absent", format!("'{special}' in a filter '{pattern}'"));
    let fits = |place: &[u8]| place.iter().zip(part.bytes()).all(|(&b, p)| p == b'.' || p == b);
    let mut places = name.as_bytes().windows(part.len().max(1));
    Ok(match (starts, ends) {
        (true, true) => name.len() == part.len() && fits(name.as_bytes()),
        (true, false) => places.next().is_some_and(fits),
        (false, true) => places.last().is_some_and(fits),
        (false, false) => places.any(fits),
    })
}

/// Whether a pattern matches a name. Its first `*` stands for any characters but a slash.
fn is_match(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == name };
    let middle = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    middle.is_some_and(|middle| !middle.contains('/'))
}
