//! Writes HAR 1.2, the HTTP Archive format of browsers' developer tools and many other programs.

use super::gunzip::gunzip;
use crate::base::time::rfc3339;
use crate::base::{base64, percent};
use crate::json::JsonWriter;
use crate::tap::recorder::Recorder;
use crate::traffic::secrets::BodyMask;
use crate::traffic::until_error::UntilError;
use crate::traffic::{Event, Exchange, Observer, Side};
use crate::wire::{Fields, Version};
use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::time::{Duration, SystemTime};

/// How much of each body is kept by default.
const BODY_LIMIT: usize = 1 << 20;

/// The member with the coding of content that is not decoded.
pub(crate) const CODING: &str = "_coding";

/// The end of a complete file.
const END: &[u8] = b"\n]}}\n";

struct Har<W> {
    out: W,
    started: SystemTime,
    /// How much of each body is kept.
    limit: usize,
    /// Whether secrets are masked in content that is decoded.
    cover: bool,
    /// The bytes before the next entry.
    separator: &'static [u8],
    /// Where the end of a complete file begins; `None` in a pipe.
    end: Option<u64>,
    /// The bodies of open exchanges.
    open: BTreeMap<(u64, u64), Bodies>,
}

#[derive(Debug, Default)]
struct Bodies {
    sent: Vec<u8>,
    received: Vec<u8>,
    /// The received content without its content coding, if that is known.
    decoded: Option<Vec<u8>>,
    /// The client's bytes after an upgrade.
    tunnel: Vec<u8>,
    faults: Vec<String>,
}

/// Returns an observer that writes exchanges to an empty file as an HTTP archive (HAR 1.2). It
/// keeps 1 MiB of each body. Times count from `started`; `cover` masks secrets in decoded gzip.
///
/// ```text
/// { "log": { "version": "1.2", "creator": …, "entries": [ entry, … ] } }
/// ; http://www.softwareishard.com/blog/har-12-spec/
/// ```
///
/// One entry is one exchange. Conventions:
///
/// * the host of a URL: the Host field, or `localhost`;
/// * a body that is not UTF-8: base64, with `encoding` in a response and `_encoding` in a request;
/// * a body over 1 MiB: its beginning, and a `comment`;
/// * an upgraded connection: the server's bytes are the content, the client's are in `_sent`;
/// * a response with the content coding gzip: gzip(1) decodes its content, up to 8 MiB;
/// * another content coding, broken gzip, or a system without gzip(1): the bytes are unchanged, no
///   secret in them is masked, and `_coding` names the coding;
/// * no response: status 0, as in browsers, and the reason in `_error`.
///
/// The file is complete after each entry, even if the disk is full: the next entry overwrites its
/// end. A pipe receives the end when the recorder finishes.
///
/// # Errors
/// Fails if writing to `out` fails.
pub fn har<W: Write + Seek + Send>(
    out: W,
    started: SystemTime,
    cover: bool,
) -> io::Result<impl Observer> {
    with_limit(out, started, cover, BODY_LIMIT)
}

/// Returns an observer that keeps `limit` bytes of each body.
pub(in crate::tap) fn with_limit<W: Write + Seek + Send>(
    mut out: W,
    started: SystemTime,
    cover: bool,
    limit: usize,
) -> io::Result<impl Observer> {
    let creator = concat!(r#"{"name":"ucurl tap","version":""#, env!("CARGO_PKG_VERSION"), r#""}"#);
    write!(out, "{{\"log\":{{\"version\":\"1.2\",\"creator\":{creator},\"entries\":[")?;
    let end = out.stream_position().ok();
    if end.is_some() {
        out.write_all(END)?;
    }
    out.flush()?;
    let (separator, open) = (b"\n", BTreeMap::new());
    Ok(UntilError::new("the HAR", Har { out, started, limit, cover, separator, end, open }))
}

impl<W: Write + Seek + Send> Recorder for Har<W> {
    fn see(&mut self, connection: u64, _: Duration, event: &Event<'_>) -> io::Result<()> {
        let Some(x) = event.exchange() else { return Ok(()) };
        let key = (connection, x.number);
        if let Event::Done(_) = event {
            let mut bodies = self.open.remove(&key).unwrap_or_default();
            let left = "the client left in the middle of the response";
            bodies.faults.extend(x.left.map(|_| left.to_owned()));
            match decoded(x, &bodies.received, self.limit.saturating_mul(8), self.cover) {
                Ok(content) => bodies.decoded = content,
                Err(error) => bodies.faults.push(format!(
                    "the content stays coded, and no secret in it is masked: {error}"
                )),
            }
            return self.append(&entry(connection, x, &bodies, self.started));
        }
        let bodies = self.open.entry(key).or_default();
        let (body, bytes) = match event {
            Event::Content(_, Side::Client, bytes) => (&mut bodies.sent, bytes),
            Event::Tunnel(_, Side::Client, bytes) => (&mut bodies.tunnel, bytes),
            Event::Content(_, _, bytes) | Event::Tunnel(_, _, bytes) => {
                (&mut bodies.received, bytes)
            }
            Event::Fault(_, side, fault) => {
                bodies.faults.push(format!("{side}: {fault}"));
                return Ok(());
            }
            _ => return Ok(()),
        };
        let room = self.limit.saturating_sub(body.len());
        body.extend_from_slice(&bytes[..bytes.len().min(room)]);
        Ok(())
    }

    fn finish(&mut self, failed: bool) -> io::Result<()> {
        if failed || self.end.is_some() {
            return Ok(());
        }
        self.out.write_all(END)?;
        self.out.flush()
    }
}

impl<W: Write + Seek> Har<W> {
    /// Writes an entry over the end of the file, and a new end.
    fn append(&mut self, entry: &[u8]) -> io::Result<()> {
        let entry = [std::mem::replace(&mut self.separator, b",\n"), entry].concat();
        let Some(end) = self.end else { return self.out.write_all(&entry) };
        self.out.seek(SeekFrom::Start(end))?;
        let written = self.out.write_all(&entry).and_then(|()| self.out.write_all(END));
        let written = written.and_then(|()| self.out.flush());
        match written {
            Ok(()) => self.end = Some(end + entry.len() as u64),
            Err(_) => self.restore(end)?,
        }
        written
    }

    /// Restores the end at its earlier place, where the disk has room. Spaces replace the rest.
    fn restore(&mut self, end: u64) -> io::Result<()> {
        let length = self.out.seek(SeekFrom::End(0))?;
        self.out.seek(SeekFrom::Start(end))?;
        self.out.write_all(END)?;
        let rest = length.saturating_sub(end + END.len() as u64);
        io::copy(&mut io::repeat(b' ').take(rest), &mut self.out)?;
        self.out.flush()
    }
}

/// Decodes the content of a response, if its coding is gzip and all of it was kept.
fn decoded(x: &Exchange, bytes: &[u8], limit: usize, cover: bool) -> io::Result<Option<Vec<u8>>> {
    let Some(fields) = x.fields(Side::Server) else { return Ok(None) };
    let coding = fields.get("Content-Encoding").unwrap_or_default().to_ascii_lowercase();
    if !matches!(&coding[..], b"gzip" | b"x-gzip") || (bytes.len() as u64) < x.received.content {
        return Ok(None);
    }
    let mut content = gunzip(bytes, limit)?;
    if cover {
        let mut fields = fields.clone();
        fields.remove("Content-Encoding");
        BodyMask::of(b"", &fields).run(&mut content);
    }
    Ok(Some(content))
}

/// Writes a member that is a number of milliseconds.
pub(in crate::tap) fn time(json: &mut JsonWriter, name: &str, value: Duration) {
    let micros = value.as_micros() as u64;
    json.name(name).scalar(format_args!("{}.{:03}", micros / 1000, micros % 1000));
}

/// Writes a member with `bytes` as text, or as base64 with a member `encoding`.
fn content(json: &mut JsonWriter, name: &str, encoding: &str, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => json.name(name).string(text),
        Err(_) => json.name(name).string(&base64::encode(bytes)).name(encoding).string("base64"),
    };
}

fn entry(connection: u64, x: &Exchange, bodies: &Bodies, started: SystemTime) -> Vec<u8> {
    let began = x.sent.began.or(x.received.began).unwrap_or_default();
    let sent = x.sent.ended.or(x.sent.last).unwrap_or(began);
    let answered = x.received.began.unwrap_or(sent).max(sent);
    let ended = x.received.last.unwrap_or(answered).max(answered);
    let mut json = JsonWriter::default();
    json.object(|json| {
        json.name("startedDateTime").string(&rfc3339(started + began, 6));
        time(json, "time", ended.saturating_sub(began));
        json.name("request").object(|json| request(json, x, bodies));
        json.name("response").object(|json| response(json, x, bodies));
        json.name("cache").object(|_| {});
        json.name("timings").object(|json| {
            time(json, "send", sent.saturating_sub(began));
            time(json, "wait", answered - sent);
            time(json, "receive", ended - answered);
        });
        json.name("connection").string(&connection.to_string());
        if !bodies.tunnel.is_empty() {
            content(json, "_sent", "_sentEncoding", &bodies.tunnel);
        }
        if !bodies.faults.is_empty() {
            json.name("comment").string(&bodies.faults.join("; "));
        }
    });
    json.into_bytes()
}

fn request(json: &mut JsonWriter, x: &Exchange, bodies: &Bodies) {
    let fields = x.fields(Side::Client).unwrap_or(const { &Fields::new() });
    let target = x.target();
    json.name("method").string(x.method());
    json.name("url").string(&url(fields, target));
    headers(json, x.request.as_ref().map(|head| head.version()), fields);
    json.name("queryString").array(|json| {
        let query = target.split(|&b| b == b'?').nth(1).unwrap_or_default();
        for pair in query.split(|&b| b == b'&').filter(|pair| !pair.is_empty()) {
            let equals = pair.iter().position(|&b| b == b'=').unwrap_or(pair.len());
            let value = pair.get(equals + 1..).unwrap_or_default();
            named(json, &form_decoded(&pair[..equals]), &form_decoded(value));
        }
    });
    if x.sent.content > 0 {
        json.name("postData").object(|json| {
            body(json, fields, "_encoding", &bodies.sent, x.sent.content);
        });
    }
    json.name("headersSize").scalar(x.sent.head);
    json.name("bodySize").scalar(x.sent.content + x.sent.framing);
}

fn response(json: &mut JsonWriter, x: &Exchange, bodies: &Bodies) {
    let fields = x.fields(Side::Server).unwrap_or(const { &Fields::new() });
    let head = x.response.as_ref();
    json.name("status").scalar(head.map_or(0, |head| head.status()));
    json.name("statusText").string(&lossy(head.map_or(b"", |head| head.reason())));
    headers(json, head.map(|head| head.version()), fields);
    json.name("content").object(|json| {
        let received = x.received.content + x.received.tunnel;
        let (bytes, size) = match &bodies.decoded {
            Some(decoded) => (decoded, decoded.len() as u64),
            None => (&bodies.received, received),
        };
        json.name("size").scalar(size);
        if bodies.decoded.is_some() {
            json.name("compression").scalar(size as i64 - received as i64);
        } else if let Some(coding) = fields.get("Content-Encoding") {
            json.name(CODING).string(&lossy(coding));
        }
        body(json, fields, "encoding", bytes, size);
    });
    json.name("redirectURL").string(&lossy(fields.get("Location").unwrap_or_default()));
    if head.is_some() {
        json.name("headersSize").scalar(x.received.head);
        json.name("bodySize").scalar(x.received.content + x.received.framing);
    } else {
        json.name("headersSize").scalar(-1).name("bodySize").scalar(-1);
        json.name("_error").string("no response");
    }
}

fn headers(json: &mut JsonWriter, version: Option<Version>, fields: &Fields) {
    json.name("httpVersion").string(version.map_or("", Version::as_str));
    json.name("cookies").array(|_| {});
    json.name("headers").array(|json| {
        for field in fields.iter() {
            named(json, field.name(), &lossy(field.value()));
        }
    });
}

fn named(json: &mut JsonWriter, name: &str, value: &str) {
    json.object(|json| {
        json.name("name").string(name);
        json.name("value").string(value);
    });
}

/// Writes the kept part of a body of `size` bytes.
fn body(json: &mut JsonWriter, fields: &Fields, encoding: &str, bytes: &[u8], size: u64) {
    json.name("mimeType").string(&lossy(fields.get("Content-Type").unwrap_or_default()));
    content(json, "text", encoding, bytes);
    if (bytes.len() as u64) < size {
        json.name("comment").string(&format!("the first {} of {size} bytes", bytes.len()));
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns the requested URL: the target if it is a URL, otherwise the Host and the target.
fn url(fields: &Fields, target: &[u8]) -> String {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b".-_:[]".contains(b);
    let host = fields.get("Host").filter(|host| !host.is_empty() && host.iter().all(plain));
    let host = lossy(host.unwrap_or(b"localhost"));
    let mut url = match target {
        [b'/', ..] => format!("http://{host}"),
        [b'*'] | [] => return format!("http://{host}/"),
        _ if target.starts_with(b"http://") => String::new(),
        _ => "http://".to_owned(),
    }
    .into_bytes();
    let plain = |b| matches!(b, b'!'..=b'~') && !b"\"<>\\^`{|}".contains(&b);
    target.iter().for_each(|&byte| percent::push(&mut url, byte, plain));
    lossy(&url)
}

/// Decodes a name or value of a query string, in which `+` is a space (as in HTML forms).
fn form_decoded(bytes: &[u8]) -> String {
    let spaces: Vec<u8> = bytes.iter().map(|&b| if b == b'+' { b' ' } else { b }).collect();
    lossy(&percent::decode_lenient(&spaces))
}
