//! One exchange: sends the request and waits for the head of its response.

use super::body::Content;
use super::observer::ClientEvent;
use super::pool::Wire;
use super::request::Request;
use super::response::{FinalHead, Response};
use super::settings::Settings;
use super::upload::{Coding, Upload, UploadSink};
use crate::base::number::{Digits, decimal};
use crate::connection::Watch;
use crate::error::Error;
use crate::transport::{self, Clock};
use crate::wire::encode::encode_request_line;
use crate::wire::field::encode_field;
use crate::wire::{
    EncodeError, ErrorKind, Fields, Framing, ParseError, Version, encode_chunk, encode_last_chunk,
    framing,
};
use std::io::Write;
use std::net::Shutdown;
use std::sync::Arc;

/// Content up to this size leaves in one write with the head. It fits into the buffer of a socket,
/// so the write cannot block on a peer that answers before it reads.
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

impl Request<'_> {
    /// Sends the request and waits for the head of the response.
    ///
    /// Uses a kept connection if there is one. If the peer turns out to have closed it, the request
    /// is sent once more on a new one, provided that the peer cannot have acted on it.
    ///
    /// # Errors
    /// Every [`Error`] that means there is no response. A 4xx or 5xx is a response.
    pub fn send(mut self) -> Result<Response, Error> {
        match self.refused.take() {
            Some(error) => Err(error),
            None => exchange(&mut self),
        }
    }
}

fn exchange(request: &mut Request<'_>) -> Result<Response, Error> {
    let inner = Arc::clone(request.inner);
    let (settings, pool) = (&inner.settings, &inner.pool);
    let clock = Clock::start(&request.timeouts.unwrap_or(settings.timeouts));
    let mut kept = pool.take();
    let mut memory = None;
    loop {
        let (mut wire, sending);
        if let Some(taken) = kept.take() {
            wire = taken;
            sending = encode(request, settings, &mut wire.memory.out)?;
            settings.tell(ClientEvent::Reused { connection: wire.number });
        } else {
            let mut memory = memory.take().unwrap_or_else(|| pool.memory());
            sending = encode(request, settings, &mut memory.out)?;
            settings.tell(ClientEvent::Connecting(&settings.endpoint));
            let stream = transport::connect(&settings.endpoint, clock.connect_limit())?;
            wire = pool.add(stream, memory);
            settings.tell(ClientEvent::Connected { connection: wire.number });
        }
        match attempt(request, &mut wire, sending, &clock) {
            Ok(head) => return Ok(Response::begin(inner, wire, head, request.raw)),
            Err(Failed { again: true, .. }) => {
                settings.tell(ClientEvent::Stale { connection: wire.number });
                memory = Some(wire.memory);
            }
            Err(Failed { error, .. }) => {
                let ours = matches!(error, Error::NoResponse | Error::Send(_) | Error::Receive(_));
                // If a program in between failed, its own words say more than the end of its
                // output.
                let failure = wire.connection.stream().failure().filter(|_| ours);
                return Err(failure.map_or(error, Error::Connect));
            }
        }
    }
}

/// What was encoded, and what follows.
#[derive(Clone, Copy)]
struct Sending {
    /// The length of the head.
    head: usize,
    /// How content is coded that the upload thread sends; `None` if everything was encoded.
    rest: Option<Coding>,
}

/// Writes the request to `out`: the head, and the content if it is short.
fn encode(request: &Request<'_>, settings: &Settings, out: &mut Vec<u8>) -> Result<Sending, Error> {
    let coding = coding(request)?;
    out.clear();
    let prefixed = [settings.prefix.as_bytes(), request.target];
    let prefixed = (!settings.prefix.is_empty()).then(|| prefixed.concat());
    let target = prefixed.as_deref().unwrap_or(request.target);
    encode_request_line(out, request.method, target, request.version)?;
    if !request.bare {
        opening_fields(request, settings, out)?;
    }
    request.fields.encode(out);
    if !request.bare {
        closing_fields(request, coding, out)?;
    }
    out.extend_from_slice(b"\r\n");
    let head = out.len();
    let rest = match (&request.body.0, coding) {
        (Content::None, _) => None,
        (Content::Bytes(bytes), Some(coding))
            if bytes.len() <= INLINE && request.expect.is_none() =>
        {
            match coding {
                Coding::Identity(_) => out.extend_from_slice(bytes),
                Coding::Chunked => {
                    encode_chunk(out, bytes);
                    encode_last_chunk(out, &Fields::new());
                }
            }
            None
        }
        (_, coding) => coding,
    };
    Ok(Sending { head, rest })
}

/// Decides how the content is delimited: as the caller's fields say, else by its length, else
/// chunked (`RFC 9112 §6.3`).
fn coding(request: &Request<'_>) -> Result<Option<Coding>, Error> {
    let (fields, refuse) = (&request.fields, |why| Err(Error::Request(why)));
    // Of two lines one reader takes the first and another the second.
    let twice = |name: &&str| fields.get_all(name).nth(1).is_some();
    if ["Content-Length", "Transfer-Encoding", "Host"].iter().any(twice) {
        let why = "Content-Length, Transfer-Encoding or Host is stated twice (RFC 9110 §5.3)";
        return refuse(why);
    }
    let stated = match fields.get("Content-Length").map(decimal) {
        Some(None) => return refuse("Content-Length is no number"),
        stated => stated.flatten(),
    };
    let chunked = match fields.get("Transfer-Encoding") {
        Some(value) if !value.eq_ignore_ascii_case(b"chunked") => {
            return refuse("no Transfer-Encoding but chunked can be sent (RFC 9112 §6.1)");
        }
        coding => coding.is_some(),
    };
    let http10 = request.version == Version::Http10;
    if chunked && stated.is_some() {
        return refuse("Content-Length and Transfer-Encoding exclude each other (RFC 9112 §6.2)");
    }
    if chunked && http10 {
        let why = "HTTP/1.0 knows no Transfer-Encoding (RFC 9112 §6.1): state a Content-Length";
        return refuse(why);
    }
    match (&request.body.0, request.body.length(), stated) {
        (Content::None, _, None | Some(0)) if !chunked => Ok(None),
        (Content::None, ..) => refuse("the fields announce content, but there is none"),
        _ if chunked => Ok(Some(Coding::Chunked)),
        (_, Some(length), Some(stated)) if length != stated => {
            refuse("Content-Length is not the length of the content")
        }
        (_, Some(length), _) | (_, None, Some(length)) => Ok(Some(Coding::Identity(length))),
        _ if http10 => {
            refuse("HTTP/1.0 cannot send content of unknown length: state a Content-Length")
        }
        _ if request.bare => {
            let why = "content of unknown length needs Transfer-Encoding: chunked \
                       or a Content-Length";
            refuse(why)
        }
        _ => Ok(Some(Coding::Chunked)),
    }
}

/// Writes the fields that stand before the caller's, unless the caller set them.
fn opening_fields(
    request: &Request<'_>,
    settings: &Settings,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let opening = settings.opening.as_ref().map_err(|error| *error)?;
    if request.fields.is_empty() {
        out.extend_from_slice(&opening.encoded);
        return Ok(());
    }
    for field in opening.fields.iter().filter(|field| request.fields.get(field.name()).is_none()) {
        encode_field(out, field.name(), field.value())?;
    }
    Ok(())
}

/// Writes the fields that stand behind the caller's: what the request is, and where it ends.
fn closing_fields(
    request: &Request<'_>,
    coding: Option<Coding>,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let absent = |name: &str| request.fields.get(name).is_none();
    if let Some(protocol) = request.upgrade {
        encode_field(out, "Connection", b"Upgrade")?;
        encode_field(out, "Upgrade", protocol.as_bytes())?;
    }
    // Without content there is nothing to hold back (`RFC 9110 §10.1.1`).
    if request.expect.is_some()
        && coding.is_some_and(|c| !matches!(c, Coding::Identity(0)))
        && absent("Expect")
    {
        encode_field(out, "Expect", b"100-continue")?;
    }
    if request.json && absent("Content-Type") {
        encode_field(out, "Content-Type", b"application/json")?;
    }
    match coding {
        Some(Coding::Chunked) if absent("Transfer-Encoding") => {
            encode_field(out, "Transfer-Encoding", b"chunked")
        }
        Some(Coding::Identity(length)) if absent("Content-Length") => {
            encode_field(out, "Content-Length", Digits::of(length).as_bytes())
        }
        // A method that usually has content says so when it has none (`RFC 9110 §8.6`).
        None if matches!(request.method, "POST" | "PUT" | "PATCH") && absent("Content-Length") => {
            encode_field(out, "Content-Length", b"0")
        }
        _ => Ok(()),
    }
}

/// Sends the request on `wire` and waits for the final head.
fn attempt(
    request: &mut Request<'_>,
    wire: &mut Wire,
    sending: Sending,
    clock: &Clock,
) -> Result<FinalHead, Failed> {
    let settings = &request.inner.settings;
    let observer = settings.observer.clone();
    let watcher = observer.clone().filter(|observer| observer.wants_bodies());
    wire.connection.set_watch(
        watcher.map(|o| Watch::new(move |bytes| o.on(&ClientEvent::ResponseBody(bytes)))),
    );
    wire.connection.stream_mut().set_clock(clock.clone()).map_err(Error::Send)?;
    let written = write(wire, sending.head, settings);
    let unsent = matches!(written, Err(Unwritten { all: true, .. }));
    let replayable = request.is_replayable();
    let mut upload = None;
    match sending.rest {
        Some(coding) if written.is_ok() => {
            let stream = wire.connection.stream().try_clone().map_err(Error::Send)?;
            let content = request.body.take_or_copy(wire.reused);
            let sink = UploadSink { stream, observer };
            upload = Some(Upload::start(sink, content, coding, request.expect, clock.clone())?);
        }
        _ => clock.request_sent(),
    }

    let error = match final_head(request, wire, upload.as_ref()) {
        Ok((decision, spent)) => {
            clock.head_received();
            return Ok(FinalHead { decision, spent, upload });
        }
        Err(error) => error,
    };
    let silent = matches!(error, Error::NoResponse)
        || matches!(error, Error::Receive(_)) && !wire.connection.has_buffered();
    // A source that was read from cannot be read again.
    let whole = replayable || upload.is_none();
    let again = wire.reused && silent && whole && (unsent || request.is_idempotent());
    let cause = match upload {
        Some(upload) => {
            let _ = wire.connection.stream().shutdown(Shutdown::Both);
            upload.failure()
        }
        None => written.err().map(|unwritten| unwritten.error),
    };
    // If the request could not be sent, or its content not be read, that is why nothing came back.
    Err(Failed { error: cause.filter(|_| silent).unwrap_or(error), again })
}

/// What was encoded could not be written.
struct Unwritten {
    error: Error,
    /// Whether the peer got nothing of it.
    all: bool,
}

/// Writes what was encoded; the first `head` bytes are the head.
fn write(wire: &mut Wire, head: usize, settings: &Settings) -> Result<(), Unwritten> {
    let (connection, out) = (&mut wire.connection, &wire.memory.out);
    // If the first write fails, the peer closed before it, and acted on nothing.
    let first = connection.stream_mut().write(out);
    let n = first.map_err(|error| Unwritten { error: Error::send(error), all: true })?;
    connection.write_all(&out[n..]).map_err(|error| Unwritten { error, all: false })?;
    settings.tell(ClientEvent::RequestHead(&out[..head]));
    if out.len() > head {
        settings.tell(ClientEvent::RequestBody(&out[head..]));
    }
    Ok(())
}

/// Reads heads up to the final one. Returns what it decides about its body, and how much of the
/// budget is spent.
fn final_head(
    request: &Request<'_>,
    wire: &mut Wire,
    upload: Option<&Upload>,
) -> Result<(framing::Decision, usize), Error> {
    let settings = &request.inner.settings;
    let decoder = &mut wire.memory.decoder;
    let mut spent = 0;
    loop {
        decoder.reset(settings.limit.saturating_sub(spent));
        spent += wire.connection.read_head(decoder)?.ok_or(Error::NoResponse)?;
        let head = decoder.head();
        if head.status() == 101
            && request.upgrade.is_none()
            && !request.fields.has_token("Connection", "upgrade")
        {
            return Err(ParseError { kind: ErrorKind::UnexpectedUpgrade, offset: 9 }.into());
        }
        if head.class() == 1 && head.status() != 101 {
            settings.tell(ClientEvent::Interim(head));
            if let (100, Some(upload)) = (head.status(), upload) {
                upload.decide(true);
            }
            continue;
        }
        if let Some(upload) = upload {
            upload.decide(false);
        }
        let mut decision = framing::response(request.method, head)
            .inspect_err(|error| settings.tell(ClientEvent::Refused(head, *error)))?;
        if request.ignore_length && matches!(decision.framing, Framing::Length(_)) {
            decision.framing = Framing::UntilClose;
            decision.persistent = false;
        }
        if request.fields.has_token("Connection", "close") {
            decision.persistent = false;
        }
        settings.tell(ClientEvent::ResponseHead(head, decision));
        return Ok((decision, spent));
    }
}
