//! Looks up remarks and their sections.

use crate::wire::framing::Rule;

/// `[part]`, then entries: `name | remark | section`.
const GLOSSARY: &str = include_str!("glossary.txt");

/// A remark, and its section.
pub(super) type Remark<'a> = (&'a str, &'a str);

/// Returns the remark on a kind of line.
pub(super) fn line(kind: &str) -> Remark<'static> {
    find("line", kind, "").unwrap_or_default()
}

/// Returns the remark on a decision.
pub(super) fn decision(name: &str) -> Remark<'static> {
    find("decision", name, "").unwrap_or_default()
}

/// Returns the meaning of a method.
pub(super) fn method(method: &str) -> (String, &'static str) {
    if let Some((text, section)) = find("method", method, "") {
        return (format!("{method}: {text}"), section);
    }
    let (text, section) = find("method", "other", "").unwrap_or_default();
    (text.to_owned(), section)
}

/// Returns the meaning of a field of a request; `content` tells whether content follows.
pub(super) fn request_field(name: &str, value: &str, content: bool) -> Remark<'static> {
    let case = match name.eq_ignore_ascii_case("content-type") && !content {
        true => "without content",
        false => without_parameters(value),
    };
    find("request", name, case).unwrap_or_default()
}

/// Returns the meaning of a field of a response; `rule` decides where the body ends.
pub(super) fn response_field(
    name: &str,
    value: &str,
    status: u16,
    rule: Option<Rule>,
) -> Remark<'static> {
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
    find("response", name, case).unwrap_or_default()
}

/// Returns the meaning of a status code, or of its class.
pub(super) fn status(code: u16, class: u16) -> (String, &'static str) {
    let known = find("status", &code.to_string(), "");
    let remark = known.or_else(|| find("status", &format!("{class}xx"), ""));
    let (text, section) = remark.unwrap_or_default();
    (format!("{code}: {text}"), section)
}

fn without_parameters(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

/// Finds the entry `name: case`, or else `name`.
fn find(part: &str, name: &str, case: &str) -> Option<Remark<'static>> {
    let (_, entries) = GLOSSARY.split_once(&format!("\n[{part}]\n"))?;
    let mut plain = None;
    for line in entries.lines().take_while(|line| !line.is_empty()) {
        let mut columns = line.split(" | ");
        let entry = columns.next()?;
        let remark = (columns.next()?, columns.next().unwrap_or_default());
        match entry.split_once(": ") {
            None if entry.eq_ignore_ascii_case(name) => plain = Some(remark),
            Some((field, of))
                if field.eq_ignore_ascii_case(name) && of.eq_ignore_ascii_case(case) =>
            {
                return Some(remark);
            }
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn an_entry_for_a_value_comes_before_the_one_for_its_field() {
        let close = ("this is the last request on the connection", "RFC 9112 §9.6");
        assert_eq!(find("request", "Connection", "Close"), Some(close));
        let any = ("options that apply to this connection only", "RFC 9110 §7.6.1");
        assert_eq!(find("request", "connection", "x"), Some(any));
        assert_eq!(find("request", "x", "x"), None);
    }
}
