//! The parameter `filters`: which of the things in a list are asked for.

use super::api::Call;
use super::prelude::*;

/// Names of filters, and for each the values to look for.
pub struct Filters(Vec<(String, Vec<String>)>);

impl Filters {
    /// The values come as a list, `{"label":["a"]}`, or as a set, `{"label":{"a":true}}`. Names
    /// that are not among `known` are refused.
    pub fn read(call: &Call<'_, '_>, known: &str) -> io::Result<Filters> {
        let asked = match call.parameter("filters") {
            "" => Value::Object(Vec::new()),
            asked => Value::parse(asked.as_bytes()).unwrap_or(Value::Null),
        };
        ensure!(matches!(asked, Value::Object(_)), 400, "invalid filter");
        let mut filters = Vec::new();
        for (name, values) in asked.members() {
            ensure!(known.split(' ').any(|one| one == name), 400, "invalid filter '{name}'");
            let is_read = matches!(values, Value::Array(_) | Value::Object(_));
            ensure!(is_read, 400, "invalid filter");
            let listed = values.elements().iter().filter_map(Value::as_str);
            let set = values.members().iter().filter(|(_, on)| *on == Value::Bool(true));
            let all = listed.chain(set.map(|(value, _)| &value[..])).map(str::to_owned).collect();
            filters.push((name.clone(), all));
        }
        Ok(Filters(filters))
    }

    pub fn values(&self, name: &str) -> &[String] {
        self.0.iter().find(|(n, _)| n == name).map_or(&[], |(_, values)| values)
    }

    /// Whether each filter has a value that `fits` accepts. Of labels it has to accept all.
    pub fn fit(&self, fits: impl Fn(&str, &str) -> io::Result<bool>) -> io::Result<bool> {
        let mut fit = true;
        for (name, values) in &self.0 {
            let each = values.iter().map(|value| fits(name, value));
            let each = each.collect::<io::Result<Vec<bool>>>()?;
            let all = !each.contains(&false);
            fit &= all || name != "label" && each.contains(&true);
        }
        Ok(fit)
    }
}

/// Whether a config has a label that is looked for, `name` or `name=value`.
pub fn has_label(config: &Value, wanted: &str) -> bool {
    let (name, value) = wanted.split_once('=').map_or((wanted, None), |(n, v)| (n, Some(v)));
    let fits = |label: &Value| value.is_none_or(|value| label.as_str() == Some(value));
    members(config, "Labels").iter().any(|(label, value)| label == name && fits(value))
}

/// The value of a filter that is a truth, as Go's `ParseBool` reads one.
pub fn truth(name: &str, value: &str) -> io::Result<bool> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(refusal!(400, "invalid filter '{name}=[{value}]'")),
    }
}

/// Whether a regular expression of `^ $ . * + ?` and `\` is found in a text. Others are refused.
pub fn is_match(pattern: &str, text: &str) -> io::Result<bool> {
    // For each character whether it may be left out, and whether it may be repeated.
    let (mut items, mut is_bound) = (Vec::new(), false);
    let mut chars = pattern.strip_prefix('^').unwrap_or(pattern).chars().peekable();
    while let Some(c) = chars.next() {
        let wanted = match c {
            '.' => None,
            '\\' => chars.next(),
            '$' if chars.peek().is_none() => {
                is_bound = true;
                break;
            }
            c => {
                let is_plain = !"^$*+?()[]{}|".contains(c);
                ensure!(is_plain, 400, "this demonstration has no '{c}' in a filter '{pattern}'");
                Some(c)
            }
        };
        match chars.next_if(|c| "*+?".contains(*c)) {
            Some('+') => items.extend([(wanted, false, false), (wanted, true, true)]),
            Some(repeat) => items.push((wanted, true, repeat == '*')),
            None => items.push((wanted, false, false)),
        }
    }
    // How many items may have been matched so far.
    let mut states = vec![false; items.len() + 1];
    for (at, c) in text.chars().map(Some).chain([None]).enumerate() {
        states[0] |= at == 0 || !pattern.starts_with('^');
        let mut next = vec![false; states.len()];
        for (state, (wanted, is_optional, is_repeated)) in items.iter().enumerate() {
            states[state + 1] |= states[state] && *is_optional;
            let fits = states[state] && c.is_some() && wanted.is_none_or(|w| Some(w) == c);
            next[state + usize::from(!is_repeated)] |= fits;
        }
        if states[items.len()] && (c.is_none() || !is_bound) {
            return Ok(true);
        }
        states = next;
    }
    Ok(false)
}

/// Whether a text fits a pattern in which `*` stands for any characters but a slash.
pub fn glob(pattern: &str, text: &str) -> io::Result<bool> {
    let slashes = |text: &str| text.matches('/').count();
    let expression = pattern.replace('.', "\\.").replace('*', ".*").replace('?', ".");
    Ok(slashes(pattern) == slashes(text) && is_match(&format!("^{expression}$"), text)?)
}
