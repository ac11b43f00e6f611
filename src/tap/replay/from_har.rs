//! Responses from a HAR, whichever program wrote it.

use super::answers::{Digest, Part, RecordedAnswer, RequestKey, Source};
use crate::base::base64;
use crate::base::number::decimal;
use crate::base::time::parse_rfc3339;
use crate::json::Value;
use crate::traffic::secrets::{BodyMask, mask_target};
use crate::wire::{Fields, Version, encode_chunk, encode_last_chunk, encode_response};
use std::io;
use std::time::{Duration, UNIX_EPOCH};

pub(super) fn read(text: &[u8]) -> io::Result<Vec<RecordedAnswer>> {
    let invalid = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let har = Value::parse(text).map_err(|error| invalid(format!("no HAR: {error}")))?;
    let entries = har.get("log").and_then(|log| log.get("entries"));
    let entries = entries.ok_or_else(|| invalid("no HAR: it has no log.entries".into()))?;
    let mut answers = Vec::new();
    for (n, entry) in entries.elements().iter().enumerate() {
        let lacks = || invalid(format!("entry {n} of the HAR lacks a method, a URL or a status"));
        answers.push(answer(entry).ok_or_else(lacks)?);
    }
    answers.sort_by_key(|answer| answer.began);
    Ok(answers)
}

fn answer(entry: &Value) -> Option<RecordedAnswer> {
    let (request, response) = (entry.get("request")?, entry.get("response")?);
    let method = request.get("method")?.as_str()?.to_owned();
    // Requests are masked before they are compared. Masked values stay as they are.
    let mut target = target(request.get("url")?.as_str()?, &method);
    mask_target(&mut target);
    let status = u16::try_from(response.get("status")?.as_i64()?).ok()?;
    let mut body = Digest::default();
    if let Some(post) = request.get("postData") {
        let mut bytes = bytes(post, "_encoding")?;
        let mut fields = Fields::new();
        for field in request.get("headers").map_or(&[][..], Value::elements) {
            let text = |name| field.get(name).and_then(Value::as_str).unwrap_or_default();
            // One that cannot be sent does not decide what is masked.
            _ = fields.push(text("name"), text("value"));
        }
        BodyMask::of(&target, &fields).run(&mut bytes);
        body.add(&bytes);
    }
    let none = method == "HEAD" || matches!(status, 100 | 102..=199 | 204 | 304);
    let content = response.get("content");
    let content_bytes = content.map_or(Some(Vec::new()), |content| bytes(content, "encoding"))?;
    let size = content.and_then(|content| content.get("size")?.as_i64());
    let unfit = match size {
        _ if status == 0 => Some("there was no response".to_owned()),
        Some(size) if size > content_bytes.len() as i64 && !none => {
            Some(format!("the HAR has the first {} of its {size} bytes", content_bytes.len()))
        }
        _ => None,
    };
    let timings = entry.get("timings");
    let timing = |name| timings.and_then(|timings| milliseconds(timings.get(name)?));
    let [send, wait, receive] =
        ["send", "wait", "receive"].map(|name| timing(name).unwrap_or_default());
    let began = entry
        .get("startedDateTime")
        .and_then(|date| parse_rfc3339(date.as_str()?)?.duration_since(UNIX_EPOCH).ok())
        .unwrap_or_default();
    // A HAR may say any number.
    let answered = began.saturating_add(send).saturating_add(wait);
    let ended = answered.saturating_add(receive);
    let (head, content, close) = message(status, response, &content_bytes, none)?;
    let parts = [(answered, wait, head), (ended, receive, content)];
    let part = |(at, after, bytes)| Part { at, after, heard: 0, bytes: Source::Memory(bytes) };
    Some(RecordedAnswer {
        connection: entry.get("connection").and_then(|n| decimal(n.as_str()?.as_bytes())),
        request: RequestKey { method, target, body },
        began,
        ended,
        parts: parts.map(part).into(),
        interim: false,
        close,
        unfit,
    })
}

/// Returns a response's head, its framed content, and whether the connection ends after them.
/// `none` says that it cannot have content.
fn message(
    status: u16,
    response: &Value,
    content: &[u8],
    none: bool,
) -> Option<(Vec<u8>, Vec<u8>, bool)> {
    let mut fields = Fields::new();
    for field in response.get("headers").map_or(&[][..], Value::elements) {
        let (name, value) = (field.get("name")?.as_str()?, field.get("value")?.as_str()?);
        // Content in a HAR is decoded. HTTP/2 names begin with a colon.
        if !name.starts_with(':') && !name.eq_ignore_ascii_case("Content-Encoding") {
            fields.push(name, value).ok()?;
        }
    }
    let chunked = fields.get("Transfer-Encoding").is_some();
    let length = !none && fields.remove("Content-Length") > 0 && !chunked;
    if length {
        fields.push_length(content.len() as u64);
    }
    let reason = response.get("statusText").and_then(Value::as_str).unwrap_or_default();
    let old = response.get("httpVersion").and_then(Value::as_str) == Some("HTTP/1.0");
    let version = if old { Version::Http10 } else { Version::Http11 };
    // A reader treats an invalid status-code as a 5xx (RFC 9110 §15).
    let code = if (100..=599).contains(&status) { status } else { 500 };
    let (mut head, mut body) = (Vec::new(), Vec::new());
    encode_response(&mut head, version, code, reason, &fields).ok()?;
    match (none, chunked) {
        (true, _) => {}
        (false, true) => {
            content.chunks(32 * 1024).for_each(|part| encode_chunk(&mut body, part));
            encode_last_chunk(&mut body, &Fields::new());
        }
        (false, false) => body.extend_from_slice(content),
    }
    let until_close = !none && !chunked && !length;
    Some((head, body, until_close || code == 101 || fields.has_token("Connection", "close")))
}

/// The member `text`, decoded if the member `encoding` says base64.
fn bytes(value: &Value, encoding: &str) -> Option<Vec<u8>> {
    let text = value.get("text").and_then(Value::as_str).unwrap_or_default();
    match value.get(encoding).and_then(Value::as_str) {
        Some("base64") => base64::decode(text),
        _ => Some(text.as_bytes().to_vec()),
    }
}

/// The request-target of a URL: all after the authority, or the authority for CONNECT.
fn target(url: &str, method: &str) -> Vec<u8> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split('#').next().unwrap_or_default();
    match rest.find(['/', '?']) {
        _ if method == "CONNECT" => rest.as_bytes().to_vec(),
        Some(at) if rest[at..].starts_with('/') => rest.as_bytes()[at..].to_vec(),
        Some(at) => format!("/{}", &rest[at..]).into_bytes(),
        None => b"/".to_vec(),
    }
}

/// A number of milliseconds, with or without a fraction.
fn milliseconds(value: &Value) -> Option<Duration> {
    match value {
        Value::Number(text) => Duration::try_from_secs_f64(text.parse::<f64>().ok()? / 1000.0).ok(),
        _ => None,
    }
}
