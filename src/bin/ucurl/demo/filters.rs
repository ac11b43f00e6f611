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
            let set = values.members().iter().filter(|(_, on)| *on == Value::Bool(true));
            let values = match values {
                Value::Array(_) => words(values, ""),
                Value::Object(_) => set.map(|(value, _)| value.clone()).collect(),
                _ => return Err(refusal!("filter")),
            };
            let values = values.iter().map(|value| resolved(state, list, name, value));
            filters.asked.push((name.clone(), values.collect::<io::Result<_>>()?));
        }
        filters.asked.retain(|(_, values)| !values.is_empty());
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
                let fits = |(how, place)| fits(name, how, at(view, place), wanted);
                places.iter().copied().map(fits).any(Result::unwrap_or_default)
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
    let created = |view: &Value| text(view, "/Created").to_owned();
    Ok(match (list, name) {
        ("containers", "ancestor") => state.find_image(value).map_or(value, |one| &one.id).into(),
        ("containers", "before" | "since") => created(&state.container(value)?.view()),
        ("images", "before" | "since") => created(&state.image(value)?.view()),
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

/// Whether a regular expression matches a part of a name, with or without the slash before it.
/// Special characters other than `.`, `^` and `$` are refused.
fn is_named(pattern: &str, name: &str) -> io::Result<bool> {
    let special = pattern.find(|c| "*+?()[]{}|\\".contains(c));
    let special = special.map_or("", |at| &pattern[at..=at]);
    ensure!(special.is_empty(), "absent", format!("'{special}' in a filter '{pattern}'"));
    Ok([name, name.trim_start_matches('/')].iter().any(|name| match pattern.strip_prefix('^') {
        Some(pattern) => begins(name.as_bytes(), pattern.as_bytes()),
        None => (0..=name.len()).any(|at| begins(&name.as_bytes()[at..], pattern.as_bytes())),
    }))
}

/// Whether a text begins with a pattern: `.` is any character, and `$` the end of the text.
fn begins(text: &[u8], pattern: &[u8]) -> bool {
    match (pattern, text) {
        ([], _) | (b"$", []) => true,
        ([p, pattern @ ..], [b, text @ ..]) => (*p == b'.' || p == b) && begins(text, pattern),
        _ => false,
    }
}

/// Whether a pattern matches a name. Its first `*` stands for any characters but a slash.
fn is_match(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == name };
    let middle = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    middle.is_some_and(|middle| !middle.contains('/'))
}
