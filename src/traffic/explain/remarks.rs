//! Explains the parts of an exchange: the lines of its heads, its framing, and its end.

use crate::traffic::exchange::{Exchange, Side};
use crate::wire::framing::Rule;
use crate::wire::{Decision, Fields, Framing, RequestHead, ResponseHead, Version};
use std::borrow::Cow;

/// `[part]`, then entries: `name | remark | section`.
const GLOSSARY: &str = include_str!("glossary.txt");

/// A remark, and its section. Both may be empty.
pub(crate) type Remark<'a> = (Cow<'a, str>, &'a str);

/// A line of a head with its line end, and the remarks on it.
pub(crate) struct ExplainedLine<'a> {
    pub line: &'a [u8],
    pub remarks: Vec<Remark<'static>>,
}

/// Returns the remark with this name.
pub(crate) fn remark(name: &str) -> Remark<'static> {
    find("remark", name, "").unwrap_or_default()
}

/// Explains the head of a request. `decision` tells whether content follows, `unix` whether it goes
/// to a Unix socket.
pub(crate) fn request_lines(
    head: &RequestHead,
    decision: Option<Decision>,
    unix: bool,
) -> Vec<ExplainedLine<'_>> {
    let method = head.method();
    let method = match find("method", method, "") {
        Some((text, section)) => (format!("{method}: {text}").into(), section),
        None => remark("other method"),
    };
    let start = [remark("request-line"), method];
    let framing = decision.map(|decision| decision.framing);
    let content = !matches!(framing, Some(Framing::NoBody | Framing::Length(0)));
    lines(head.as_bytes(), head.fields(), start, &|name, value| {
        let case = match name.eq_ignore_ascii_case("content-type") && !content {
            true => "without content",
            false => without_parameters(value),
        };
        let mut remarks = vec![find("request", name, case).unwrap_or_default()];
        if unix && name.eq_ignore_ascii_case("host") {
            remarks.push(remark("host of a Unix socket"));
        }
        remarks
    })
}

/// Explains the head of a response. `rule` decides where its body ends; an interim one has none.
pub(crate) fn response_lines(head: &ResponseHead, rule: Option<Rule>) -> Vec<ExplainedLine<'_>> {
    let status = head.status();
    let known = find("status", &status.to_string(), "");
    let known = known.or_else(|| find("status", &format!("{}xx", head.class()), ""));
    let (text, section) = known.unwrap_or_default();
    let start = [remark("status-line"), (format!("{status}: {text}").into(), section)];
    lines(head.as_bytes(), head.fields(), start, &|name, value| {
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
        vec![find("response", name, case).unwrap_or_default()]
    })
}

fn without_parameters(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

fn lines<'a>(
    bytes: &'a [u8],
    fields: &Fields,
    start: [Remark<'static>; 2],
    remarks: &dyn Fn(&str, &str) -> Vec<Remark<'static>>,
) -> Vec<ExplainedLine<'a>> {
    let (mut start, mut fields) = (Some(start), fields.iter());
    let explained = |line: &'a [u8]| {
        let mut remarks = match (start.take(), line) {
            (Some(start), _) => start.into(),
            (_, b"\r\n" | b"\n") => vec![remark("empty")],
            (_, [b' ' | b'\t', ..]) => vec![remark("folded")],
            _ => fields.next().map_or(Vec::new(), |field| {
                remarks(field.name(), &String::from_utf8_lossy(field.value()))
            }),
        };
        if !line.ends_with(b"\r\n") {
            remarks.push(remark("bare LF"));
        }
        ExplainedLine { line, remarks }
    };
    bytes.split_inclusive(|&b| b == b'\n').map(explained).collect()
}

/// Explains where the body of a request ends, or that of a response with this `status`.
pub(crate) fn framing(decision: &Decision, status: Option<u16>) -> Remark<'static> {
    let text = match (decision.framing, status) {
        // §6.3 covers only the end of a 101; another rule ends HTTP.
        (Framing::Tunnel, Some(101)) => return remark("upgraded"),
        (Framing::NoBody, None) => remark("request without body").0,
        (Framing::Length(0), _) => "Content-Length: 0, so there is no content".into(),
        (Framing::Length(length), _) => {
            format!("Content-Length: {length}, so the body ends after that many bytes").into()
        }
        _ => decision.rule.text().into(),
    };
    (text, decision.rule.section)
}

/// Whether the connection goes on after an exchange that is over.
pub(crate) fn is_kept(x: &Exchange) -> bool {
    let persistent = [&x.sent, &x.received].iter().all(|message| {
        message.complete && message.decision.is_some_and(|decision| decision.persistent)
    });
    persistent && !x.is_tunnel()
}

/// Returns the name of the remark that explains why the connection was kept or closed.
pub(crate) fn outcome(x: &Exchange, kept: bool) -> &'static str {
    let answer = x.response.as_ref().zip(x.received.decision);
    let Some((head, decision)) = answer else { return "no answer" };
    let old = head.version() == Version::Http10;
    match decision.framing {
        _ if kept && old => return "kept by 1.0",
        _ if kept => return "kept",
        Framing::Tunnel => return "end of tunnel",
        Framing::UntilClose => return "end of body",
        _ if !x.received.complete => return "cut short",
        _ if decision.rule == Rule::TransferEncodingOverLength => return "two lengths",
        Framing::Chunked if old => return "chunks from 1.0",
        _ => {}
    }
    let closes =
        |side| x.fields(side).is_some_and(|fields| fields.has_token("Connection", "close"));
    match [Side::Client, Side::Server].map(closes) {
        [true, true] => "both closed",
        [true, false] => "request closed",
        [false, true] => "server closed",
        _ if old => "not kept by 1.0",
        _ if x.request.is_some() && x.sent.decision.is_none() => "unclear request",
        _ if x.request.is_some() && !x.sent.complete => "not all sent",
        _ if !decision.persistent => "contradiction",
        _ => "left over",
    }
}

/// Finds the entry `name: case`, or else `name`.
fn find(part: &str, name: &str, case: &str) -> Option<Remark<'static>> {
    let (_, entries) = GLOSSARY.split_once(&format!("\n[{part}]\n"))?;
    let mut plain = None;
    for line in entries.lines().take_while(|line| !line.is_empty()) {
        let mut columns = line.split(" | ");
        let entry = columns.next()?;
        let remark = (columns.next()?.into(), columns.next().unwrap_or_default());
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
        let close = ("this is the last request on the connection".into(), "RFC 9112 §9.6");
        assert_eq!(find("request", "Connection", "Close"), Some(close));
        let any = ("options that apply to this connection only".into(), "RFC 9110 §7.6.1");
        assert_eq!(find("request", "connection", "x"), Some(any));
        assert_eq!(find("request", "x", "x"), None);
    }
}
