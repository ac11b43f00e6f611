//! Responses from a HAR of any program.

use super::answers::{
    Digest, OTHER_KEY, Part, RecordedAnswer, RequestKey, Source, WEBSOCKET_ACCEPT,
};
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

/// Reads all responses. An unusable entry is left out, with a remark that gives the reason.
pub(super) fn read(text: &[u8]) -> io::Result<Answers> {
    let mut answers = Vec::new();
    let remarks = entries(text, |entry, _| {
        answers.push(answer(entry));
        Ok(())
    })?;
    answers.sort_by_key(|answer| answer.began);
    Ok(Answers { answers, covered: true, remarks })
}

/// One exchange of a HAR.
pub(super) struct HarEntry<'a> {
    pub request: &'a Value,
    pub comment: Option<&'a str>,
    pub method: String,
    pub target: Vec<u8>,
    pub body: Vec<u8>,
    /// The response, or the reason why there is none.
    pub response: Result<Encoded, String>,
    pub connection: Option<u64>,
    /// When the request began and ended, and the response: since 1970.
    pub times: [Duration; 4],
    /// The client's bytes after the head that ended HTTP. Only our own HARs have them.
    pub tunnel: Vec<u8>,
}

/// Passes each entry to `take` and returns the remarks. Fails if no entry is usable.
pub(super) fn entries(
    text: &[u8],
    mut take: impl FnMut(HarEntry<'_>, &mut Vec<String>) -> Result<(), String>,
) -> io::Result<Vec<String>> {
    let invalid = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    // The specification asks readers to ignore a byte order mark.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let har = Value::parse(text).map_err(|error| invalid(format!("no HAR: {error}")))?;
    let entries = har.get("log").and_then(|log| log.get("entries"));
    let entries = entries.ok_or_else(|| invalid("no HAR: it has no log.entries".into()))?;
    let (mut all, mut usable) = (Vec::new(), false);
    for (n, value) in entries.elements().iter().enumerate() {
        let mut remarks = Vec::new();
        match entry(value, &mut remarks).and_then(|entry| take(entry, &mut remarks)) {
            Ok(()) => usable = true,
            Err(why) => remarks.push(format!("{why}; it is left out")),
        }
        all.extend(remarks.iter().map(|why| format!("entry {n} of the HAR: {why}")));
    }
    match all.first() {
        Some(why) if !usable => Err(invalid(why.clone())),
        _ => Ok(all),
    }
}

fn entry<'a>(entry: &'a Value, remarks: &mut Vec<String>) -> Result<HarEntry<'a>, String> {
    let request = entry.get("request").ok_or("it has no request")?;
    let method = text(request, "method").ok_or("its request has no method")?.to_owned();
    let target = target(text(request, "url").ok_or("its request has no URL")?, &method);
    let body =
        request.get("postData").map_or(Ok(Vec::new()), |post| bytes(post, "text", "_encoding"));
    let body = body.unwrap_or_else(|why| {
        remarks.push(format!("the body of its request: {why}"));
        Vec::new()
    });
    let response = encode(entry.get("response"), &method, remarks);
    let timing = |name| milliseconds(entry.get("timings")?.get(name)?);
    let began = text(entry, "startedDateTime").and_then(parse_rfc3339);
    let began = began.and_then(|began| began.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    // A HAR may contain any number.
    let after = |at: Duration, name| at.saturating_add(timing(name).unwrap_or_default());
    let sent = after(began, "send");
    let answered = after(sent, "wait");
    let times = [began, sent, answered, after(answered, "receive")];
    let connection = entry.get("connection").and_then(|n| decimal(n.as_str()?.as_bytes()));
    let tunnel = bytes(entry, "_sent", "_sentEncoding").unwrap_or_default();
    Ok(HarEntry {
        request,
        comment: text(entry, "comment"),
        method,
        target,
        body,
        response,
        connection,
        times,
        tunnel,
    })
}

fn answer(entry: HarEntry<'_>) -> RecordedAnswer {
    let HarEntry { method, mut target, body: mut bytes, times, .. } = entry;
    let [began, sent, answered, ended] = times;
    // Requests are masked before they are compared. Masked values do not change.
    mask_target(&mut target);
    // A field that cannot be sent does not affect masking.
    BodyMask::of(&target, &fields(entry.request, true, &mut Vec::new())).run(&mut bytes);
    let mut body = Digest::default();
    body.add(&bytes);
    let (encoded, unfit) = match entry.response {
        Ok(Encoded { cut: Some(why), .. }) | Err(why) => (Encoded::default(), Some(why)),
        Ok(encoded) => (encoded, None),
    };
    let Encoded { head, content, close, tunnel, .. } = encoded;
    // A client may wait for the output of a tunnel, but a HAR does not contain its times.
    let content_at = if tunnel { answered } else { ended };
    let bytes = |bytes| Some(Source::Memory(bytes));
    let mut parts = vec![
        Part { at: answered, after: answered - sent, bytes: bytes(head), ..Part::default() },
        Part { at: content_at, after: ended - answered, bytes: bytes(content), ..Part::default() },
    ];
    parts[1].after_head = close;
    parts.extend(close.then(|| Part { at: ended, ..Part::default() }));
    let request = RequestKey { method, target, body };
    let connection = entry.connection;
    RecordedAnswer { connection, request, began, parts, close, unfit, ..RecordedAnswer::default() }
}

/// A response: its head, its framed content, and whether the connection ends after them.
#[derive(Default)]
pub(super) struct Encoded {
    pub head: Vec<u8>,
    pub content: Vec<u8>,
    pub close: bool,
    pub tunnel: bool,
    /// A remark if the HAR does not contain the whole content.
    pub cut: Option<String>,
}

/// Encodes a response again. Fails with the reason if it cannot be replayed.
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
        Some(content) => (bytes(content, "text", "encoding")?, content.get("size")),
        None => (Vec::new(), None),
    };
    let size = size.and_then(Value::as_i64).filter(|&size| size > content.len() as i64 && !none);
    let cut =
        size.map(|size| format!("the HAR has the first {} of its {size} bytes", content.len()));
    let coded = response.get("content").is_some_and(|content| content.get(CODING).is_some());
    let mut fields = fields(response, coded, remarks);
    remarks.extend(fields.get(WEBSOCKET_ACCEPT).map(|_| OTHER_KEY.to_owned()));
    let chunked = fields.get("Transfer-Encoding").is_some();
    let length = !none && fields.get("Content-Length").is_some() && !chunked;
    if length {
        set_length(&mut fields, size.map_or(content.len() as u64, |size| size as u64));
    } else if !none {
        fields.remove("Content-Length");
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
            if cut.is_none() {
                encode_last_chunk(&mut body, &Fields::new());
            }
        }
        (false, false) => body.extend_from_slice(&content),
    }
    let until_close = !none && !chunked && !length;
    let close =
        until_close || code == 101 || cut.is_some() || fields.has_token("Connection", "close");
    Ok(Encoded { head, content: body, close, tunnel: code == 101, cut })
}

/// Returns the fields of a message. Its body is either `coded` as they state, or decoded. Leaves
/// out fields that cannot be sent.
pub(super) fn fields(message: &Value, coded: bool, remarks: &mut Vec<String>) -> Fields {
    let mut fields = Fields::new();
    for field in message.get("headers").map_or(&[][..], Value::elements) {
        let (name, value) = (text(field, "name"), text(field, "value"));
        let (Some(name), Some(value)) = (name, value) else {
            remarks.push(format!("a field without a value is left out: {}", name.unwrap_or("?")));
            continue;
        };
        // Content in a HAR is decoded, unless we wrote it. HTTP/2 names begin with a colon.
        if name.starts_with(':') || !coded && name.eq_ignore_ascii_case("Content-Encoding") {
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

/// Sets Content-Length. A correct one stays in its place.
pub(super) fn set_length(fields: &mut Fields, length: u64) {
    let stated = fields.get_all("Content-Length").map(|field| decimal(field.value()));
    if !stated.eq([Some(length)]) {
        fields.remove("Content-Length");
        fields.push_length(length);
    }
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// Returns the member `name`, decoded if the member `encoding` is base64.
fn bytes(value: &Value, name: &str, encoding: &str) -> Result<Vec<u8>, String> {
    let content = text(value, name).unwrap_or_default();
    if text(value, encoding) != Some("base64") {
        return Ok(content.as_bytes().to_vec());
    }
    // Some programs break lines and omit the padding.
    let mut digits: String = content.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let padding = digits.trim_end_matches('=').len().next_multiple_of(4);
    digits.extend(std::iter::repeat_n('=', padding.saturating_sub(digits.len())));
    base64::decode(&digits).ok_or_else(|| "its content is not base64".into())
}

/// Returns the request-target of a URL: everything after the authority, or for CONNECT the
/// authority.
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

/// Parses a number of milliseconds, with or without a fraction.
fn milliseconds(value: &Value) -> Option<Duration> {
    Duration::try_from_secs_f64(value.as_f64()? / 1000.0).ok()
}
