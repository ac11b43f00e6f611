//! One exchange: sends the request and waits for the head of the response.

use super::body::Content;
use super::observer::ClientEvent;
use super::pool::{Pool, Settings, Wire};
use super::request::RequestBuilder;
use super::response::{Answered, Response};
use super::upload::{Upload, UploadSink};
use crate::connection::Watch;
use crate::error::Error;
use crate::transport::{self, Clock, Stream};
use crate::wire::encode::encode_request_line;
use crate::wire::field::encode_field;
use crate::wire::framing::ResponseTo;
use crate::wire::grammar::list;
use crate::wire::target::not_a_host;
use crate::wire::{
    BodyDecoder, Decision, EncodeError, Fields, Framing, Version, Violation, encode_chunk,
    encode_last_chunk, framing,
};
use std::fmt::Display;
use std::io::Write;
use std::net::Shutdown;
use std::sync::Arc;

/// Content up to this size leaves in one write with the head. It fits into a socket's buffer, so
/// the write cannot block on a peer that answers before it reads.
const INLINE: usize = 64 * 1024;

const USER_AGENT: &str = concat!("unix-http/", env!("CARGO_PKG_VERSION"));

/// An exchange without a response.
struct Failed {
    error: Error,
    /// Whether the request may be sent once more, on a new connection.
    again: bool,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed { error, again: false }
    }
}

impl RequestBuilder<'_> {
    /// Sends the request and waits for the head of the response.
    ///
    /// Uses a kept connection if there is one. If the peer had closed it, the request is sent once
    /// more on a new one, provided that this is safe (`RFC 9110 §9.2.2`).
    ///
    /// # Errors
    /// Every [`Error`] that means there is no response.
    pub fn send(mut self) -> Result<Response, Error> {
        match self.refused.take() {
            Some(error) => Err(error),
            None => exchange(&mut self),
        }
    }
}

fn exchange(request: &mut RequestBuilder<'_>) -> Result<Response, Error> {
    let pool = Arc::clone(request.pool);
    let clock = Clock::start(&request.timeouts.unwrap_or(pool.settings.timeouts));
    let mut kept = pool.take();
    let memory = kept.as_mut().map(|wire| std::mem::take(&mut wire.out));
    let encoded = match encode(request, &pool.settings, memory.unwrap_or_default()) {
        Ok(encoded) => encoded,
        Err(error) => {
            kept.into_iter().for_each(|wire| pool.keep(wire));
            return Err(error);
        }
    };
    loop {
        let mut wire = match kept.take() {
            Some(wire) => wire,
            None => connect(&pool, &clock)?,
        };
        match attempt(request, &mut wire, &encoded, &clock) {
            Ok(exchange) => {
                wire.out = encoded.bytes;
                return Ok(Response::begin(pool, wire, exchange));
            }
            Err(Failed { again: true, .. }) => {
                pool.settings.tell(ClientEvent::Stale(wire.number));
                pool.close(wire);
            }
            Err(_) if request.is_cancelled() => {
                pool.close(wire);
                return Err(Error::Cancelled);
            }
            Err(Failed { error, .. }) => {
                let ours = matches!(
                    error,
                    Error::IncompleteHead { received: 0 } | Error::Send(_) | Error::Receive(_)
                );
                // A program in between that failed says more than the end of its output.
                let failure = wire.connection.stream().failure().filter(|_| ours);
                pool.close(wire);
                return Err(failure.map_or(error, Error::Connect));
            }
        }
    }
}

fn connect(pool: &Pool, clock: &Clock) -> Result<Wire, Error> {
    let settings = &pool.settings;
    settings.tell(ClientEvent::Connecting(&settings.endpoint));
    let limit = clock.connect_limit();
    let stream = transport::connect(&settings.endpoint, limit.map(|(left, _)| left))
        .map_err(|error| error.limited_by(limit.map(|(_, timeout)| timeout)))?;
    let wire = pool.wrap(stream);
    settings.tell(ClientEvent::Connected(wire.number));
    Ok(wire)
}

/// The request as it is sent.
struct Encoded {
    /// The head, and the content if it is short.
    bytes: Vec<u8>,
    /// The length of the head.
    head: usize,
    /// The framing of content that the upload thread sends.
    rest: Option<Framing>,
}

/// Encodes the request into `out`, whose memory an earlier one has used.
fn encode(
    request: &RequestBuilder<'_>,
    settings: &Settings,
    mut out: Vec<u8>,
) -> Result<Encoded, Error> {
    let framing = content_framing(request, &settings.host)?;
    out.clear();
    let prefixed = [settings.prefix.as_bytes(), &request.target];
    let prefixed = (!settings.prefix.is_empty()).then(|| prefixed.concat());
    let target = prefixed.as_deref().unwrap_or(&request.target);
    encode_request_line(&mut out, request.method, target, request.version)?;
    if !request.bare {
        let opening = [("Host", settings.host.as_str()), ("User-Agent", USER_AGENT)];
        for (name, value) in opening {
            if request.fields.get(name).is_none() {
                encode_field(&mut out, name, value.as_bytes())?;
            }
        }
    }
    request.fields.encode(&mut out);
    if !request.bare {
        closing_fields(request, framing, &mut out)?;
    }
    out.extend_from_slice(b"\r\n");
    let head = out.len();
    match &request.body.content {
        Content::None => {}
        Content::Bytes(bytes) if bytes.len() <= INLINE && request.expect.is_none() => {
            if framing == Framing::Chunked {
                encode_chunk(&mut out, bytes);
                encode_last_chunk(&mut out, &Fields::new());
            } else {
                out.extend_from_slice(bytes);
            }
        }
        _ => return Ok(Encoded { bytes: out, head, rest: Some(framing) }),
    }
    Ok(Encoded { bytes: out, head, rest: None })
}

/// Decides how the content is delimited: as the caller's fields say, else by its length, else
/// chunked (`RFC 9112 §6.3`).
fn content_framing(request: &RequestBuilder<'_>, host: &str) -> Result<Framing, Error> {
    let (fields, refuse) = (&request.fields, |why| Err(Error::Request(why)));
    // Of two lines or elements one reader takes the first and another the second.
    let lengths = fields.get_all("Content-Length").flat_map(|field| list(field.value())).count();
    let twice = |name: &&str| fields.get_all(name).nth(1).is_some();
    if lengths > 1 || ["Transfer-Encoding", "Host"].iter().any(twice) {
        let why = "Content-Length, Transfer-Encoding or Host is stated twice (RFC 9110 §5.3)";
        return refuse(why);
    }
    let host = fields.get("Host").or((!request.bare).then_some(host.as_bytes()));
    if let Some(offset) = host.and_then(not_a_host) {
        return Err(EncodeError { violation: Violation::Host, offset }.into());
    }
    if let (Content::Borrowed(_), Some(_)) = (&request.body.content, request.expect) {
        return refuse("borrowed content is sent at once and cannot wait for 100 (Continue)");
    }
    // A server will read the fields by the same rules.
    let stated = framing::request_fields(fields, request.version)
        .map_err(|error| Error::Request(error.violation.text()))?;
    match (&request.body.content, request.body.length, stated.framing) {
        (Content::None, _, Framing::NoBody | Framing::Length(0)) => Ok(Framing::NoBody),
        (Content::None, ..) => refuse("the fields announce content, but there is none"),
        (.., Framing::Chunked) => Ok(Framing::Chunked),
        (_, Some(length), Framing::Length(stated)) if length != stated => {
            refuse("Content-Length is not the length of the content")
        }
        (.., Framing::Length(length)) | (_, Some(length), _) => Ok(Framing::Length(length)),
        _ if request.version == Version::Http10 => {
            refuse("HTTP/1.0 cannot send content of unknown length: state a Content-Length")
        }
        _ if request.bare => {
            let why = "content of unknown length needs Transfer-Encoding: chunked \
                       or a Content-Length";
            refuse(why)
        }
        _ => Ok(Framing::Chunked),
    }
}

/// Writes the fields that follow the caller's.
fn closing_fields(
    request: &RequestBuilder<'_>,
    framing: Framing,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    if let Some(protocol) = request.upgrade {
        encode_field(out, "Connection", b"Upgrade")?;
        encode_field(out, "Upgrade", protocol.as_bytes())?;
    }
    // Without content there is nothing to hold back (`RFC 9110 §10.1.1`).
    let expects =
        request.expect.is_some() && !matches!(framing, Framing::NoBody | Framing::Length(0));
    let length = match (framing, request.method) {
        (Framing::Length(length), _) => Some(length),
        // A method that usually has content says so when it has none (`RFC 9110 §8.6`).
        (Framing::NoBody, "POST" | "PUT" | "PATCH") => Some(0),
        _ => None,
    };
    let fields: [(&str, Option<&dyn Display>); 4] = [
        ("Expect", expects.then_some(&"100-continue")),
        ("Content-Type", request.json.then_some(&"application/json")),
        ("Transfer-Encoding", (framing == Framing::Chunked).then_some(&"chunked")),
        ("Content-Length", length.as_ref().map(|length| length as _)),
    ];
    for (name, value) in fields {
        if let Some(value) = value.filter(|_| request.fields.get(name).is_none()) {
            // Memory takes everything.
            let _ = write!(out, "{name}: {value}\r\n");
        }
    }
    Ok(())
}

/// Sends the request on `wire` and waits for the final head.
fn attempt(
    request: &mut RequestBuilder<'_>,
    wire: &mut Wire,
    encoded: &Encoded,
    clock: &Clock,
) -> Result<Answered, Failed> {
    let settings = &request.pool.settings;
    let observer = settings.observer.clone();
    let watcher = observer.clone().filter(|_| settings.observes_bodies);
    wire.connection.set_watch(watcher.map(|observer| -> Watch {
        Box::new(move |bytes| (observer.0)(&ClientEvent::ResponseBody(bytes)))
    }));
    wire.connection.stream_mut().set_clock(clock.clone()).map_err(Error::Send)?;
    let watched = request.canceller.as_ref().map(|it| it.watch(wire.connection.stream()));
    let cancellable = watched.transpose()?;
    let written = write(wire.connection.stream_mut(), encoded, settings);
    let unsent = matches!(written, Err((_, false)));
    let replayable = request.is_replayable();
    let mut upload = None;
    match encoded.rest {
        Some(framing) if written.is_ok() => {
            let stream = wire.connection.stream().try_clone().map_err(Error::Send)?;
            let sink = UploadSink::new(stream, clock.clone(), observer);
            upload = Some(if let Content::Borrowed(_) = request.body.content {
                Upload::send_now(sink, std::mem::take(&mut request.body.content), framing)
            } else {
                let content = request.body.take_or_copy(wire.reused);
                Upload::start(sink, content, framing, request.expect)?
            });
        }
        _ => clock.request_sent(),
    }

    let error = match final_head(request, wire, upload.as_ref()) {
        Err(error) => error,
        Ok((decision, body)) => {
            clock.head_received();
            return Ok(Answered { decision, body, upload, cancellable });
        }
    };
    let silent = match error {
        Error::IncompleteHead { received: 0 } => true,
        Error::Receive(_) => !wire.connection.has_buffered(),
        _ => false,
    } && !request.is_cancelled();
    // A source that was read from cannot be read again.
    let whole = replayable || upload.is_none();
    let again = wire.reused && silent && whole && (unsent || request.is_idempotent());
    let cause = match upload {
        Some(upload) => {
            let _ = wire.connection.stream().shutdown(Shutdown::Both);
            silent.then(|| upload.failure()).flatten()
        }
        None => written.err().map(|(error, _)| error),
    };
    // The failed write is the cause of the missing response.
    Err(Failed { error: cause.filter(|_| silent).unwrap_or(error), again })
}

/// Writes the encoded request. An error says whether the peer may have received part of it.
fn write(stream: &mut Stream, encoded: &Encoded, settings: &Settings) -> Result<(), (Error, bool)> {
    let n = stream.write(&encoded.bytes).map_err(|error| (Error::send(error), false))?;
    stream.write_all(&encoded.bytes[n..]).map_err(|error| (Error::send(error), true))?;
    let (head, content) = encoded.bytes.split_at(encoded.head);
    settings.tell(ClientEvent::RequestHead(head));
    if !content.is_empty() {
        settings.tell(ClientEvent::RequestBody(content));
    }
    Ok(())
}

/// Reads heads up to the final one, and decides where its body ends.
fn final_head(
    request: &RequestBuilder<'_>,
    wire: &mut Wire,
    upload: Option<&Upload>,
) -> Result<(Decision, BodyDecoder), Error> {
    let settings = &request.pool.settings;
    let asked = ResponseTo {
        method: request.method,
        fields: &request.fields,
        upgrade: request.upgrade,
        ignore_length: request.ignore_length,
    };
    let mut budget = settings.limit;
    loop {
        wire.decoder.reset(budget);
        let read = wire.connection.read_head(&mut wire.decoder)?;
        let len = read.ok_or(Error::IncompleteHead { received: 0 })?;
        budget = budget.saturating_sub(len);
        let head = wire.decoder.head();
        let decision = asked.check_upgrade(head).and_then(|()| asked.decide(head));
        // The observer hears of a head before the upload acts on it.
        settings.tell(ClientEvent::ResponseHead(head, decision));
        let is_interim = matches!(decision, Ok(None));
        if let Some(upload) = upload.filter(|_| !is_interim || head.status() == 100) {
            upload.decide(is_interim);
        }
        if let Some(decision) = decision? {
            let mut body = BodyDecoder::new(decision.framing, len as u64, budget);
            if request.raw {
                body.keep_framing();
            }
            return Ok((decision, body));
        }
    }
}
