//! Responses from a HAR, whichever program wrote it.

use super::answers::{Digest, Part, RecordedAnswer, RequestKey, Source};
use super::from_recording::Answers;
use crate::base::base64;
use crate::base::number::decimal;
use crate::base::time::parse_rfc3339;
use crate::json::Value;
use crate::tap::record::har::CODING;
use crate::traffic::secrets::{BodyMask, mask_target};
use crate::wire::{Fields, Version, encode_chunk, encode_last_chunk, encode_response};
use std::io;
use std::time::{Duration, UNIX_EPOCH};

/// Reads all responses. An entry that cannot be used is left out, and a remark says why.
pub(super) fn read(text: &[u8]) -> io::Result<Answers> {
    let invalid = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    // The specification asks readers to ignore a byte order mark.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let har = Value::parse(text).map_err(|error| invalid(format!("no HAR: {error}")))?;
    let entries = har.get("log").and_then(|log| log.get("entries"));
    let entries = entries.ok_or_else(|| invalid("no HAR: it has no log.entries".into()))?;
    let mut all = Answers { covered: true, ..Answers::default() };
    for (n, entry) in entries.elements().iter().enumerate() {
        let mut remarks = Vec::new();
        match answer(entry, &mut remarks) {
            Ok(answer) => all.answers.push(answer),
            Err(why) => remarks.push(format!("{why}; it is left out")),
        }
        all.remarks.extend(remarks.iter().map(|why| format!("entry {n} of the HAR: {why}")));
    }
    match all.remarks.first() {
        Some(why) if all.answers.is_empty() => return Err(invalid(why.clone())),
        _ => all.answers.sort_by_key(|answer| answer.began),
    }
    Ok(all)
}

fn answer(entry: &Value, remarks: &mut Vec<String>) -> Result<RecordedAnswer, String> {
    let request = entry.get("request").ok_or("it has no request")?;
    let method = text(request, "method").ok_or("its request has no method")?.to_owned();
    let mut target = target(text(request, "url").ok_or("its request has no URL")?, &method);
    // Requests are masked before they are compared. Masked values stay as they are.
    mask_target(&mut target);
    let mut body = Digest::default();
    if let Some(post) = request.get("postData") {
        let mut bytes = bytes(post, "_encoding").unwrap_or_else(|why| {
            remarks.push(format!("the body of its request: {why}"));
            Vec::new()
        });
        // A field that cannot be sent does not decide what is masked.
        let fields = fields(request, &mut Vec::new());
        BodyMask::of(&target, &fields).run(&mut bytes);
        body.add(&bytes);
    }
    let (encoded, unfit) = match encode(entry.get("response"), &method, remarks) {
        Ok(encoded) => (encoded, None),
        Err(why) => (Encoded::default(), Some(why)),
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
    let memory = |bytes| Some(Source::Memory(bytes));
    let Encoded { head, content, close, tunnel } = encoded;
    // A client may wait for the output of a tunnel, whose times a HAR does not tell.
    let content_at = if tunnel { answered } else { ended };
    let mut parts = vec![
        (answered, wait, false, memory(head)),
        (content_at, receive, close, memory(content)),
        (ended, Duration::ZERO, false, None),
    ];
    parts.truncate(if close { 3 } else { 2 });
    let part = |(at, after, after_head, bytes)| Part {
        at,
        after,
        heard: 0,
        client_end: None,
        after_head,
        bytes,
    };
    Ok(RecordedAnswer {
        connection: entry.get("connection").and_then(|n| decimal(n.as_str()?.as_bytes())),
        request: RequestKey { method, target, body },
        began,
        parts: parts.into_iter().map(part).collect(),
        interim: false,
        close,
        unfit,
    })
}

/// A response: its head, its framed content, and whether the connection ends after them.
#[derive(Default)]
struct Encoded {
    head: Vec<u8>,
    content: Vec<u8>,
    close: bool,
    tunnel: bool,
}

/// Encodes a response anew, or says why it cannot be replayed.
fn encode(
    response: Option<&Value>,
    method: &str,
    remarks: &mut Vec<String>,
) -> Result<Encoded, String> {
    let response = response.ok_or("there was no response")?;
    let status = response.get("status").and_then(Value::as_f64);
    let status = match status {
        Some(0.0) => return Err("there was no response".into()),
        Some(status @ 1.0..=65535.0) if status.fract() == 0.0 => status as u16,
        _ => return Err("its status is not a status code".into()),
    };
    let none = method == "HEAD" || matches!(status, 100 | 102..=199 | 204 | 304);
    let (content, size) = match response.get("content") {
        Some(content) => (bytes(content, "encoding")?, content.get("size")),
        None => (Vec::new(), None),
    };
    match size.and_then(Value::as_i64) {
        Some(size) if size > content.len() as i64 && !none => {
            return Err(format!("the HAR has the first {} of its {size} bytes", content.len()));
        }
        _ => {}
    }
    let mut fields = fields(response, remarks);
    let chunked = fields.get("Transfer-Encoding").is_some();
    let length = !none && fields.remove("Content-Length") > 0 && !chunked;
    if length {
        fields.push_length(content.len() as u64);
    }
    let reason = text(response, "statusText").unwrap_or_default();
    let reason = if reason.contains(char::is_control) { "" } else { reason };
    let old = text(response, "httpVersion") == Some("HTTP/1.0");
    let version = if old { Version::Http10 } else { Version::Http11 };
    // A reader treats an invalid status-code as a 5xx (RFC 9110 §15).
    let code = if (100..=599).contains(&status) { status } else { 500 };
    let (mut head, mut body) = (Vec::new(), Vec::new());
    encode_response(&mut head, version, code, reason, &fields)
        .map_err(|error| format!("its response: {error}"))?;
    match (none, chunked) {
        (true, _) => {}
        (false, true) => {
            content.chunks(32 * 1024).for_each(|part| encode_chunk(&mut body, part));
            encode_last_chunk(&mut body, &Fields::new());
        }
        (false, false) => body.extend_from_slice(&content),
    }
    let until_close = !none && !chunked && !length;
    let close = until_close || code == 101 || fields.has_token("Connection", "close");
    Ok(Encoded { head, content: body, close, tunnel: code == 101 })
}

/// The fields of a response. A field that cannot be sent is left out.
fn fields(response: &Value, remarks: &mut Vec<String>) -> Fields {
    let mut fields = Fields::new();
    for field in response.get("headers").map_or(&[][..], Value::elements) {
        let (name, value) = (text(field, "name"), text(field, "value"));
        let (Some(name), Some(value)) = (name, value) else {
            remarks.push(format!("a field without a value is left out: {}", name.unwrap_or("?")));
            continue;
        };
        // Content in a HAR is decoded, unless we wrote it. HTTP/2 names begin with a colon.
        let decoded = response.get("content").is_none_or(|content| content.get(CODING).is_none());
        if name.starts_with(':') || decoded && name.eq_ignore_ascii_case("Content-Encoding") {
            continue;
        }
        // Some programs join several field lines with a line break.
        for value in value.split(['\r', '\n']).filter(|line| !line.is_empty() || value.is_empty()) {
            if let Err(error) = fields.push(name, value) {
                remarks.push(format!("the field {name:?} is left out: {error}"));
            }
        }
    }
    fields
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// The member `text`, decoded if the member `encoding` says base64.
fn bytes(value: &Value, encoding: &str) -> Result<Vec<u8>, String> {
    let content = text(value, "text").unwrap_or_default();
    if text(value, encoding) != Some("base64") {
        return Ok(content.as_bytes().to_vec());
    }
    // Some programs break lines, and leave the padding out.
    let mut digits: String = content.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let padding = digits.trim_end_matches('=').len().next_multiple_of(4);
    digits.extend(std::iter::repeat_n('=', padding.saturating_sub(digits.len())));
    base64::decode(&digits).ok_or_else(|| "its content is not base64".into())
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
    Duration::try_from_secs_f64(value.as_f64()? / 1000.0).ok()
}
