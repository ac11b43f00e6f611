//! One exchange: sends the request and waits for the head of the response.

use super::body::Content;
use super::observer::ClientEvent;
use super::pool::Wire;
use super::request::RequestBuilder;
use super::response::{FinalHead, Response};
use super::settings::Settings;
use super::upload::{Upload, UploadSink};
use crate::base::number::Digits;
use crate::connection::Watch;
use crate::error::Error;
use crate::transport::{self, Clock};
use crate::wire::encode::encode_request_line;
use crate::wire::field::encode_field;
use crate::wire::framing::ResponseTo;
use crate::wire::grammar::list;
use crate::wire::target::not_a_host;
use crate::wire::{
    EncodeError, Field, Fields, Framing, Version, Violation, encode_chunk, encode_last_chunk,
    framing,
};
use std::io::Write;
use std::net::Shutdown;
use std::sync::Arc;

/// Content up to this size leaves in one write with the head. It fits into a socket's buffer, so
/// the write cannot block on a peer that answers before it reads.
const INLINE: usize = 64 * 1024;

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
    let inner = Arc::clone(request.inner);
    let (settings, pool) = (&inner.settings, &inner.pool);
    let clock = Clock::start(&request.timeouts.unwrap_or(settings.timeouts));
    let mut kept = inner.take();
    loop {
        let (mut wire, sending);
        if let Some(taken) = kept.take() {
            wire = taken;
            settings.tell(match wire.reused {
                true => ClientEvent::Reused(wire.number),
                false => ClientEvent::Connected(wire.number),
            });
            sending = match encode(request, settings, &mut wire.memory.out) {
                Ok(sending) => sending,
                Err(error) => {
                    inner.keep(wire);
                    return Err(error);
                }
            };
        } else {
            let mut memory = pool.memory();
            sending = encode(request, settings, &mut memory.out)?;
            settings.tell(ClientEvent::Connecting(&settings.endpoint));
            let limit = clock.connect_limit();
            let stream = transport::connect(&settings.endpoint, limit.map(|(left, _)| left))
                .map_err(|error| error.limited_by(limit.map(|(_, timeout)| timeout)))?;
            wire = pool.add(stream, memory);
            settings.tell(ClientEvent::Connected(wire.number));
        }
        match attempt(request, &mut wire, sending, &clock) {
            Ok(head) => return Ok(Response::begin(inner, wire, head, request.raw)),
            Err(Failed { again: true, .. }) => {
                settings.tell(ClientEvent::Stale(wire.number));
                inner.close(wire);
            }
            Err(_) if request.is_cancelled() => {
                inner.close(wire);
                return Err(Error::Cancelled);
            }
            Err(Failed { error, .. }) => {
                let ours = matches!(
                    error,
                    Error::IncompleteHead { received: 0 } | Error::Send(_) | Error::Receive(_)
                );
                // A program in between that failed says more than the end of its output.
                let failure = wire.connection.stream().failure().filter(|_| ours);
                inner.close(wire);
                return Err(failure.map_or(error, Error::Connect));
            }
        }
    }
}

/// The length of the encoded head, and the framing of content that the upload thread sends.
#[derive(Clone, Copy)]
struct Sending {
    head: usize,
    rest: Option<Framing>,
}

/// Writes the request to `out`: the head, and the content if it is short.
fn encode(
    request: &RequestBuilder<'_>,
    settings: &Settings,
    out: &mut Vec<u8>,
) -> Result<Sending, Error> {
    let framing = content_framing(request)?;
    out.clear();
    let prefixed = [settings.prefix.as_bytes(), &request.target];
    let prefixed = (!settings.prefix.is_empty()).then(|| prefixed.concat());
    let target = prefixed.as_deref().unwrap_or(&request.target);
    encode_request_line(out, request.method, target, request.version)?;
    if !request.bare {
        let opening = settings.opening.as_ref().map_err(|error| *error)?;
        if request.fields.is_empty() {
            opening.encode(out);
        } else {
            let absent = |field: &Field<'_>| request.fields.get(field.name()).is_none();
            for field in opening.iter().filter(absent) {
                encode_field(out, field.name(), field.value())?;
            }
        }
    }
    request.fields.encode(out);
    if !request.bare {
        closing_fields(request, framing, out)?;
    }
    out.extend_from_slice(b"\r\n");
    let head = out.len();
    let content = match &request.body.0 {
        Content::None => &[],
        Content::Bytes(bytes) if bytes.len() <= INLINE && request.expect.is_none() => &bytes[..],
        _ => return Ok(Sending { head, rest: Some(framing) }),
    };
    if framing == Framing::Chunked {
        encode_chunk(out, content);
        encode_last_chunk(out, &Fields::new());
    } else {
        out.extend_from_slice(content);
    }
    Ok(Sending { head, rest: None })
}

/// Decides how the content is delimited: as the caller's fields say, else by its length, else
/// chunked (`RFC 9112 §6.3`).
fn content_framing(request: &RequestBuilder<'_>) -> Result<Framing, Error> {
    let (fields, refuse) = (&request.fields, |why| Err(Error::Request(why)));
    // Of two lines or elements one reader takes the first and another the second.
    let lengths = fields.get_all("Content-Length").flat_map(|field| list(field.value())).count();
    let twice = |name: &&str| fields.get_all(name).nth(1).is_some();
    if lengths > 1 || ["Transfer-Encoding", "Host"].iter().any(twice) {
        let why = "Content-Length, Transfer-Encoding or Host is stated twice (RFC 9110 §5.3)";
        return refuse(why);
    }
    if let Some(offset) = fields.get("Host").and_then(not_a_host) {
        return Err(EncodeError { violation: Violation::Host, offset }.into());
    }
    if let (Content::Borrowed { .. }, Some(_)) = (&request.body.0, request.expect) {
        return refuse("borrowed content is sent at once and cannot wait for 100 (Continue)");
    }
    // A server will read the fields by the same rules.
    let stated = framing::request_fields(fields, request.version)
        .map_err(|error| Error::Request(error.violation.text()))?;
    match (&request.body.0, request.body.length(), stated.framing) {
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
    let absent = |name: &str| request.fields.get(name).is_none();
    if let Some(protocol) = request.upgrade {
        encode_field(out, "Connection", b"Upgrade")?;
        encode_field(out, "Upgrade", protocol.as_bytes())?;
    }
    // Without content there is nothing to hold back (`RFC 9110 §10.1.1`).
    if request.expect.is_some()
        && !matches!(framing, Framing::NoBody | Framing::Length(0))
        && absent("Expect")
    {
        encode_field(out, "Expect", b"100-continue")?;
    }
    if request.json && absent("Content-Type") {
        encode_field(out, "Content-Type", b"application/json")?;
    }
    match framing {
        Framing::Chunked if absent("Transfer-Encoding") => {
            encode_field(out, "Transfer-Encoding", b"chunked")
        }
        Framing::Length(length) if absent("Content-Length") => {
            encode_field(out, "Content-Length", Digits::of(length).as_bytes())
        }
        // A method that usually has content says so when it has none (`RFC 9110 §8.6`).
        Framing::NoBody
            if matches!(request.method, "POST" | "PUT" | "PATCH") && absent("Content-Length") =>
        {
            encode_field(out, "Content-Length", b"0")
        }
        _ => Ok(()),
    }
}

/// Sends the request on `wire` and waits for the final head.
fn attempt(
    request: &mut RequestBuilder<'_>,
    wire: &mut Wire,
    sending: Sending,
    clock: &Clock,
) -> Result<FinalHead, Failed> {
    let settings = &request.inner.settings;
    let observer = settings.observer.clone();
    let watcher = observer.clone().filter(|_| settings.observes_bodies);
    wire.connection.set_watch(watcher.map(|observer| -> Watch {
        Box::new(move |bytes| (observer.0)(&ClientEvent::ResponseBody(bytes)))
    }));
    wire.connection.stream_mut().set_clock(clock.clone()).map_err(Error::Send)?;
    let watched = request.canceller.as_ref().map(|it| it.watch(wire.connection.stream()));
    let cancellable = watched.transpose()?;
    let written = write(wire, sending.head, settings);
    let unsent = matches!(written, Err((_, false)));
    let replayable = request.is_replayable();
    let mut upload = None;
    match sending.rest {
        Some(framing) if written.is_ok() => {
            let stream = wire.connection.stream().try_clone().map_err(Error::Send)?;
            let sink = UploadSink::new(stream, clock.clone(), observer);
            upload = Some(if let Content::Borrowed { .. } = request.body.0 {
                Upload::send_now(sink, std::mem::take(&mut request.body.0), framing)
            } else {
                let content = request.body.take_or_copy(wire.reused);
                Upload::start(sink, content, framing, request.expect)?
            });
        }
        _ => clock.request_sent(),
    }

    let error = match final_head(request, wire, upload.as_ref()) {
        Err(error) => error,
        Ok((decision, spent)) => {
            clock.head_received();
            return Ok(FinalHead { decision, spent, upload, cancellable });
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

/// Writes what was encoded; the first `head` bytes are the head. An error says whether the peer may
/// have got a part of it.
fn write(wire: &mut Wire, head: usize, settings: &Settings) -> Result<(), (Error, bool)> {
    let (stream, out) = (wire.connection.stream_mut(), &wire.memory.out);
    let n = stream.write(out).map_err(|error| (Error::send(error), false))?;
    stream.write_all(&out[n..]).map_err(|error| (Error::send(error), true))?;
    settings.tell(ClientEvent::RequestHead(&out[..head]));
    if out.len() > head {
        settings.tell(ClientEvent::RequestBody(&out[head..]));
    }
    Ok(())
}

/// Reads heads up to the final one. Returns its decision, and how much of the budget is spent.
fn final_head(
    request: &RequestBuilder<'_>,
    wire: &mut Wire,
    upload: Option<&Upload>,
) -> Result<(framing::Decision, usize), Error> {
    let settings = &request.inner.settings;
    let decoder = &mut wire.memory.decoder;
    let asked = ResponseTo {
        method: request.method,
        fields: &request.fields,
        upgrade: request.upgrade,
        ignore_length: request.ignore_length,
    };
    let mut spent = 0;
    loop {
        decoder.reset(settings.limit.saturating_sub(spent));
        spent +=
            wire.connection.read_head(decoder)?.ok_or(Error::IncompleteHead { received: 0 })?;
        let head = decoder.head();
        let decision = asked.check_upgrade(head).and_then(|()| asked.decide(head));
        // The observer hears of a head before the upload acts on it.
        settings.tell(ClientEvent::ResponseHead(head, decision));
        let is_interim = matches!(decision, Ok(None));
        if let Some(upload) = upload.filter(|_| !is_interim || head.status() == 100) {
            upload.decide(is_interim);
        }
        if let Some(decision) = decision? {
            return Ok((decision, spent));
        }
    }
}
