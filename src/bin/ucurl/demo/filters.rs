//! The parameter `filters`: selects things of a list.
//!
//! Each line of `filters.txt` is a filter: the list, the name, how to compare a value, and with
//! which values of a thing's view, as JSON Pointers.

use super::engine::State;
use super::prelude::*;

const STATUSES: &str = "created dead exited paused removing restarting running";

pub struct Filters(Vec<Filter>);

struct Filter {
    name: String,
    how: &'static str,
    pointers: &'static str,
    /// The values to look for.
    wanted: Vec<String>,
}

impl Filters {
    /// Reads the filters of a list. The values come as an array, `{"label":["a"]}`, or as a set,
    /// `{"label":{"a":true}}`.
    pub fn read(state: &State, list: &str, parameter: &str) -> io::Result<Filters> {
        let parameter = if parameter.is_empty() { "{}" } else { parameter };
        let parsed = Value::parse(parameter.as_bytes()).unwrap_or(Value::Null);
        ensure!(matches!(parsed, Value::Object(_)), "filter");
        let mut filters = Vec::new();
        for (name, values) in parsed.members() {
            let set = values.members().iter().filter(|(_, on)| *on == Value::Bool(true));
            let mut wanted: Vec<String> = match values {
                Value::Array(_) => words(values, ""),
                Value::Object(_) => set.map(|(value, _)| value.clone()).collect(),
                _ => return Err(refusal!("filter")),
            };
            if wanted.is_empty() {
                continue;
            }
            let prefix = format!("{list} {name} ");
            let mut lines = include_str!("filters.txt").lines();
            let line = lines.find_map(|line| line.strip_prefix(&prefix));
            let line = line.ok_or_else(|| refusal!("filter-unknown", name))?;
            ensure!(line != "none", "absent", format!("filter '{name}'"));
            let (how, pointers) = line.split_once(' ').unwrap_or((line, ""));
            for value in &mut wanted {
                fits(name, how, &Value::Null, value)?;
                *value = resolved(state, list, name, value)?;
            }
            filters.push(Filter { name: name.clone(), how, pointers, wanted });
        }
        Ok(Filters(filters))
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|filter| filter.name == name)
    }

    /// Whether a thing with this view is selected: a value of each filter fits, and every label.
    pub fn fit(&self, view: &Value) -> bool {
        self.0.iter().all(|Filter { name, how, pointers, wanted }| {
            let is_met = |wanted: &String| {
                let mut values = pointers.split(' ').map(|pointer| at(view, pointer));
                values.any(|value| fits(name, how, value, wanted).unwrap_or_default())
            };
            if name == "label" { wanted.iter().all(is_met) } else { wanted.iter().any(is_met) }
        })
    }
}

/// Replaces the name of another thing by the value to compare.
fn resolved(state: &State, list: &str, name: &str, value: &str) -> io::Result<String> {
    let created = |view: &Value| text(view, "/Created").to_owned();
    Ok(match (list, name) {
        ("containers", "ancestor") => state.find_image(value).map_or(value, |one| &one.id).into(),
        ("containers", "before" | "since") => created(&state.container(value)?.view()),
        ("images", "before" | "since") => created(&state.image(value)?.view()),
        _ => value.to_owned(),
    })
}

/// Compares a value. Fails if such a filter cannot have the value that is wanted.
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
