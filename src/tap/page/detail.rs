//! Writes an exchange as JSON: its line in the list, and everything about it.

use super::command::command;
use super::content::{self, PieceWriter};
use super::kept::{ContentKind, KeptExchange};
use crate::base::text::harmless;
use crate::json::JsonWriter;
use crate::tap::record::command::Tool;
use crate::tap::record::har::time;
use crate::traffic::Side;
use crate::traffic::explain::{self, ExplainedLine, Remark};
use crate::transport::Endpoint;
use crate::wire::Decision;
use std::time::Duration;

/// Returns the exchange as a line of the list.
pub(super) fn summary_of(kept: &KeptExchange) -> Vec<u8> {
    let mut json = JsonWriter::default();
    summary(&mut json, kept);
    json.into_bytes()
}

fn summary(json: &mut JsonWriter, kept: &KeptExchange) {
    let KeptExchange { id, connection, x, .. } = kept;
    let (sent, received) = (&x.sent, &x.received);
    let response = x.response.as_deref();
    let fault = kept.faults.first().map(|fault| &fault.text);
    let failed = fault.is_some() || kept.done && response.is_none();
    json.object(|json| {
        json.name("id").scalar(id).name("connection").scalar(connection);
        json.name("number").scalar(x.number);
        json.name("method").string(&harmless(x.method().as_bytes()));
        json.name("target").string(&harmless(x.target()));
        json.name("status").scalar(response.map_or(0, |head| head.status()));
        json.name("reason").string(&harmless(response.map_or(b"", |head| head.reason())));
        time(json, "start_ms", sent.began.or(received.began).unwrap_or_default());
        maybe(json, "first_ms", received.began);
        maybe(json, "last_ms", received.last.max(sent.last));
        json.name("sent").scalar(sent.content + sent.tunnel);
        json.name("received").scalar(received.content + received.tunnel);
        let kind = match kept.named_kind(Side::Server) {
            _ if x.is_tunnel() => "upgraded",
            kind => name(kind, "binary"),
        };
        json.name("kind").string(kind);
        let state = match (failed, kept.done) {
            (true, _) => "failed",
            (false, true) => "done",
            (false, false) => "open",
        };
        json.name("state").string(state);
        match fault {
            Some(fault) => json.name("fault").string(fault),
            None => json.name("fault").scalar("null"),
        };
        json.name("version").scalar(kept.version);
    });
}

/// Returns everything about an exchange with `target`. Of its content, it has the pieces from
/// number `after` on.
pub(super) fn detail(kept: &KeptExchange, after: usize, target: &Endpoint) -> Vec<u8> {
    let x = &kept.x;
    let mut json = JsonWriter::default();
    let kinds = [Side::Client, Side::Server].map(|side| content::kind(kept, side));
    json.object(|json| {
        summary(json.name("summary"), kept);
        json.name("messages").array(|json| messages(json, kept, kinds, target));
        let mut count = 0;
        json.name("pieces").array(|json| {
            let mut pieces = PieceWriter::new(json, kinds, after);
            pieces.write(kept);
            count = pieces.count;
        });
        json.name("piece_count").scalar(count);
        json.name("notes").array(|json| {
            if kept.done && x.request.is_some() {
                remark(json, &explain::remark(explain::outcome(x, explain::is_kept(x))));
            }
        });
        json.name("faults").array(|json| {
            kept.faults
                .iter()
                .for_each(|fault| remark(json, &(fault.text.as_str().into(), fault.rule)));
        });
        json.name("timing").object(|json| {
            maybe(json, "start_ms", x.sent.began.or(x.received.began));
            maybe(json, "sent_ms", x.sent.ended.or(x.sent.head_ended));
            maybe(json, "first_ms", x.received.began);
            let last = x.received.last.max(x.sent.last);
            maybe(json, "end_ms", last.filter(|_| kept.done));
        });
        json.name("curl").string(&command(Tool::Curl, kept, target));
        json.name("ucurl").string(&command(Tool::Ucurl, kept, target));
    });
    json.into_bytes()
}

/// Writes the request, interim responses, and the response.
fn messages(
    json: &mut JsonWriter,
    kept: &KeptExchange,
    kinds: [ContentKind; 2],
    target: &Endpoint,
) {
    let x = &kept.x;
    let unix = matches!(target, Endpoint::Unix(_) | Endpoint::Abstract(_));
    if let Some(head) = &x.request {
        let decision = x.sent.decision;
        json.object(|json| {
            lines(json, "request", &explain::request_lines(head, decision, unix));
            framing(json, decision.map(|decision| explain::framing(&decision, None)));
            body(json, kept, Side::Client, kinds[0]);
        });
    }
    for head in &kept.interim {
        json.object(|json| {
            lines(json, "response", &explain::response_lines(head, None));
            framing(json, None);
            json.name("body").scalar("null").name("trailers").array(|_| {});
        });
    }
    if let Some(head) = &x.response {
        let decision = x.received.decision;
        json.object(|json| {
            let rule = decision.map(|Decision { rule, .. }| rule);
            lines(json, "response", &explain::response_lines(head, rule));
            let status = head.status();
            framing(json, decision.map(|decision| explain::framing(&decision, Some(status))));
            body(json, kept, Side::Server, kinds[1]);
        });
    }
}

fn lines(json: &mut JsonWriter, side: &str, lines: &[ExplainedLine<'_>]) {
    json.name("side").string(side);
    json.name("lines").array(|json| {
        for ExplainedLine { line, remarks } in lines {
            json.object(|json| {
                let line = line.strip_suffix(b"\n").unwrap_or(line);
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                json.name("text").string(&harmless(&explain::without_secret(line)));
                json.name("notes").array(|json| {
                    let remarks = remarks.iter().filter(|(text, _)| !text.is_empty());
                    remarks.for_each(|noted| remark(json, noted));
                });
            });
        }
    });
}

fn framing(json: &mut JsonWriter, decision: Option<Remark<'_>>) {
    match decision {
        Some(decision) => remark(json.name("framing"), &decision),
        None => _ = json.name("framing").scalar("null"),
    }
}

fn body(json: &mut JsonWriter, kept: &KeptExchange, side: Side, kind: ContentKind) {
    let message = kept.x.message(side);
    json.name("body").object(|json| {
        json.name("bytes").scalar(message.content + message.tunnel);
        json.name("kept").scalar(kept.kept[side as usize]);
        json.name("kind").string(name(kind, "hex"));
    });
    let trailers = kept.trailers[side as usize].as_ref();
    json.name("trailers").array(|json| {
        for field in trailers.iter().flat_map(|fields| fields.iter()) {
            let line = [field.name().as_bytes(), b": ", field.value()].concat();
            json.object(|json| {
                json.name("text").string(&harmless(&explain::without_secret(&line)));
                json.name("notes").array(|json| remark(json, &explain::remark("trailer field")));
            });
        }
    });
}

fn remark(json: &mut JsonWriter, (text, rule): &Remark<'_>) {
    json.object(|json| _ = json.name("text").string(text).name("rule").string(rule));
}

fn maybe(json: &mut JsonWriter, name: &str, value: Option<Duration>) {
    match value {
        Some(value) => time(json, name, value),
        None => _ = json.name(name).scalar("null"),
    }
}

fn name(kind: ContentKind, binary: &'static str) -> &'static str {
    match kind {
        ContentKind::None => "none",
        ContentKind::Json => "json",
        ContentKind::Frames => "frames",
        ContentKind::Text => "text",
        ContentKind::Binary => binary,
    }
}
