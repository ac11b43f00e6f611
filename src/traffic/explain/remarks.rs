//! Explains the parts of an exchange: the lines of its heads, its framing, and its end.

use super::glossary::{self, Remark};
use crate::traffic::exchange::Exchange;
use crate::wire::framing::Rule;
use crate::wire::{Decision, Fields, Framing, RequestHead, ResponseHead, Version};
use std::borrow::Cow;

/// A remark and its section, which may depend on the exchange.
pub(crate) type OwnRemark = (Cow<'static, str>, Cow<'static, str>);

/// A line of a head with its line end, and the remarks on it.
pub(crate) struct ExplainedLine<'a> {
    pub line: &'a [u8],
    pub remarks: Vec<OwnRemark>,
}

/// Explains the head of a request. `content` tells whether content follows, `unix` whether it goes
/// to a Unix socket.
pub(crate) fn request_lines(
    head: &RequestHead,
    content: bool,
    unix: bool,
) -> Vec<ExplainedLine<'_>> {
    let start = [own(glossary::line("request-line")), named(glossary::method(head.method()))];
    lines(head.as_bytes(), head.fields(), start, &|name, value| {
        let mut remarks = vec![own(glossary::request_field(name, value, content))];
        if unix && name.eq_ignore_ascii_case("host") {
            remarks.push(own(glossary::line("host of a Unix socket")));
        }
        remarks
    })
}

/// Explains the head of a response. `rule` decides where its body ends; an interim one has none.
pub(crate) fn response_lines(head: &ResponseHead, rule: Option<Rule>) -> Vec<ExplainedLine<'_>> {
    let status = head.status();
    let start = [own(glossary::line("status-line")), named(glossary::status(status, head.class()))];
    lines(head.as_bytes(), head.fields(), start, &|name, value| {
        vec![own(glossary::response_field(name, value, status, rule))]
    })
}

fn lines<'a>(
    bytes: &'a [u8],
    fields: &Fields,
    start: [OwnRemark; 2],
    remarks: &dyn Fn(&str, &str) -> Vec<OwnRemark>,
) -> Vec<ExplainedLine<'a>> {
    let (mut start, mut fields) = (Some(start), fields.iter());
    let explained = |line: &'a [u8]| {
        let mut remarks = match (start.take(), line) {
            (Some(start), _) => start.into(),
            (_, b"\r\n" | b"\n") => vec![own(glossary::line("empty"))],
            (_, [b' ' | b'\t', ..]) => vec![own(glossary::line("folded"))],
            _ => fields.next().map_or(Vec::new(), |field| {
                remarks(field.name(), &String::from_utf8_lossy(field.value()))
            }),
        };
        if !line.ends_with(b"\r\n") {
            remarks.push(own(glossary::line("bare LF")));
        }
        ExplainedLine { line, remarks }
    };
    bytes.split_inclusive(|&b| b == b'\n').map(explained).collect()
}

fn own((text, section): Remark<'static>) -> OwnRemark {
    (text.into(), section.into())
}

fn named((text, section): (String, &'static str)) -> OwnRemark {
    (text.into(), section.into())
}

/// Explains where the body of a request ends.
pub(crate) fn request_framing(decision: &Decision) -> OwnRemark {
    match decision.framing {
        Framing::NoBody => {
            (glossary::decision("request without body").0.into(), section_6_3(decision.rule))
        }
        _ => framing(decision),
    }
}

/// Explains where the body of a response ends.
pub(crate) fn response_framing(status: u16, decision: &Decision) -> OwnRemark {
    match decision.framing {
        // §6.3 covers only the end of a 101; another rule ends HTTP.
        Framing::Tunnel if status == 101 => own(glossary::decision("upgraded")),
        _ => framing(decision),
    }
}

fn framing(decision: &Decision) -> OwnRemark {
    let text = match decision.framing {
        Framing::Length(0) => "Content-Length: 0, so there is no content".into(),
        Framing::Length(length) => {
            format!("Content-Length: {length}, so the body ends after that many bytes").into()
        }
        _ => decision.rule.text().into(),
    };
    (text, section_6_3(decision.rule))
}

fn section_6_3(rule: Rule) -> Cow<'static, str> {
    format!("RFC 9112 §6.3, item {}", rule.item()).into()
}

/// Returns the remark on a trailer field.
#[cfg(feature = "page")]
pub(crate) fn trailer_remark() -> Remark<'static> {
    glossary::line("trailer field")
}

/// Whether the connection goes on after an exchange that is over.
pub(crate) fn is_kept(x: &Exchange) -> bool {
    let persistent = [&x.sent, &x.received].iter().all(|message| {
        message.complete && message.decision.is_some_and(|decision| decision.persistent)
    });
    persistent && !x.is_tunnel()
}

/// Explains why the connection is kept or closed. `close` tells whether the request asks to close
/// it, `sent` whether all of the request was sent; `answer` is the response and whether it is
/// complete.
pub(crate) fn outcome(
    kept: bool,
    close: bool,
    sent: bool,
    answer: Option<(&ResponseHead, Decision, bool)>,
) -> Remark<'static> {
    glossary::decision(outcome_name(kept, close, sent, answer))
}

fn outcome_name(
    kept: bool,
    close: bool,
    sent: bool,
    answer: Option<(&ResponseHead, Decision, bool)>,
) -> &'static str {
    let Some((head, decision, complete)) = answer else { return "no answer" };
    let old = head.version() == Version::Http10;
    match decision.framing {
        _ if kept && old => return "kept by 1.0",
        _ if kept => return "kept",
        Framing::Tunnel => return "end of tunnel",
        Framing::UntilClose => return "end of body",
        _ if !complete => return "cut short",
        _ if decision.rule == Rule::TransferEncodingOverLength => return "two lengths",
        Framing::Chunked if old => return "chunks from 1.0",
        _ => {}
    }
    match (close, head.fields().has_token("Connection", "close")) {
        (true, true) => "both closed",
        (true, false) => "request closed",
        (false, true) => "server closed",
        _ if old => "not kept by 1.0",
        _ if !sent => "not all sent",
        _ if !decision.persistent => "contradiction",
        _ => "left over",
    }
}
