//! Looks up what there is to say of a method, a field or a status-code, and where it is written.

use crate::wire::framing::Rule;

/// `[part]`, then a line for each name: `name | remark | where it is written`.
const GLOSSARY: &str = include_str!("glossary.txt");

/// A remark, and the place that it can be looked up at.
pub(super) type Remark<'a> = (&'a str, &'a str);

/// Returns what a method asks for.
pub(super) fn method(method: &str) -> Option<Remark<'static>> {
    find("method", method, "")
}

/// Returns what a field of a request is for; `content` tells whether any follows.
pub(super) fn request_field(name: &str, value: &str, content: bool) -> Option<Remark<'static>> {
    let case = match name.eq_ignore_ascii_case("content-type") && !content {
        true => "without content",
        false => without_parameters(value),
    };
    find("request", name, case)
}

/// Returns what a field of a response tells, where `rule` decided about the body.
pub(super) fn response_field(
    name: &str,
    value: &str,
    status: u16,
    rule: Option<Rule>,
) -> Option<Remark<'static>> {
    let is = |field: &str| name.eq_ignore_ascii_case(field);
    let case = match rule {
        Some(Rule::Head) if is("content-length") => "of a GET",
        Some(Rule::Status) if is("content-length") && status == 304 => "of a 200",
        Some(Rule::Status) if is("content-length") => "not used",
        Some(Rule::TransferEncodingOverLength) if is("content-length") => "overridden",
        _ if is("location") && status == 201 => "created",
        _ if is("upgrade") && status == 101 => "granted",
        _ => without_parameters(value),
    };
    find("response", name, case)
}

/// Returns what a status-code says; of one that is not known, its class.
pub(super) fn status(code: u16, class: u16) -> Remark<'static> {
    let known = find("status", &code.to_string(), "");
    known.or_else(|| find("status", &format!("{class}xx"), "")).unwrap_or_default()
}

fn without_parameters(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

/// Finds the entry `name: case`, or else `name`.
fn find(part: &str, name: &str, case: &str) -> Option<Remark<'static>> {
    let mut lines = GLOSSARY.lines();
    lines.find(|line| {
        line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) == Some(part)
    })?;
    let entries = lines.take_while(|line| !line.is_empty()).filter_map(|line| {
        let mut columns = line.split(" | ");
        Some((columns.next()?, (columns.next()?, columns.next()?)))
    });
    let mut plain = None;
    for (entry, remark) in entries {
        match entry.split_once(": ") {
            Some((field, of)) if field.eq_ignore_ascii_case(name) => {
                if of.eq_ignore_ascii_case(case) {
                    return Some(remark);
                }
            }
            None if entry.eq_ignore_ascii_case(name) => plain = Some(remark),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{GLOSSARY, find, method, status};

    #[test]
    fn every_line_has_a_name_a_remark_and_a_place() {
        for line in
            GLOSSARY.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '[']))
        {
            assert_eq!(
                line.split(" | ").filter(|column| !column.trim().is_empty()).count(),
                3,
                "{line}"
            );
        }
    }

    #[test]
    fn the_entry_for_a_value_comes_before_the_one_for_its_field() {
        let close = ("this request is the last one on the connection", "RFC 9112 §9.6");
        assert_eq!(find("request", "Connection", "Close"), Some(close));
        let any = ("what holds for this connection alone", "RFC 9110 §7.6.1");
        assert_eq!(find("request", "connection", "x"), Some(any));
        assert_eq!(find("request", "x", "x"), None);
        assert_eq!(method("BREW"), None);
        assert_eq!(status(599, 5), ("the server failed", "RFC 9110 §15.6"));
    }
}
