//! One exchange, from the request to the head of its response.

use super::body::Content;
use super::observer::Event;
use super::pool::Wire;
use super::upload::{Coding, Upload};
use super::{Request, Response, Settings};
use crate::base::number::Digits;
use crate::connection::Watch;
use crate::error::Error;
use crate::transport::{self, Clock};
use crate::wire::encode::encode_request_line;
use crate::wire::field::encode_field;
use crate::wire::{
    EncodeError, ErrorKind, Fields, ParseError, Version, chunked, encode_last_chunk, framing,
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
    /// The peer cannot have acted on the request, or may act on it twice.
    again: bool,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed { error, again: false }
    }
}

pub(super) fn send(request: &mut Request<'_>) -> Result<Response, Error> {
    let client = request.client;
    let (settings, pool) = (&client.inner.settings, &client.inner.pool);
    let clock = Clock::start(&request.timeouts.unwrap_or(settings.timeouts));
    let mut memory = None;
    if let Some(mut wire) = pool.take() {
        let sending = encode(request, settings, &mut wire.memory.out)?;
        settings.tell(Event::Reused { connection: wire.number });
        match attempt(request, &mut wire, sending, &clock) {
            Ok(answered) => return Ok(Response::new(request, wire, answered)),
            Err(Failed { error, again: false }) => return Err(error),
            Err(Failed { again: true, .. }) => {
                settings.tell(Event::Stale { connection: wire.number })
            }
        }
        memory = Some(wire.memory);
    }
    let mut memory = memory.unwrap_or_else(|| pool.memory());
    let sending = encode(request, settings, &mut memory.out)?;
    settings.tell(Event::Connecting(&settings.endpoint));
    let stream = transport::connect(&settings.endpoint, clock.connect_limit())?;
    let mut wire = pool.add(stream, memory);
    settings.tell(Event::Connected { connection: wire.number });
    match attempt(request, &mut wire, sending, &clock) {
        Ok(answered) => Ok(Response::new(request, wire, answered)),
        Err(Failed { error, .. }) => {
            let ours = matches!(error, Error::NoResponse | Error::Send(_) | Error::Receive(_));
            Err(match wire.connection.stream().failure() {
                // A program in between has failed: its own words say more than the end of its
                // output.
                Some(failure) if ours => Error::Connect(failure),
                _ => error,
            })
        }
    }
}

impl Settings {
    pub(super) fn tell(&self, event: Event<'_>) {
        if let Some(observer) = &self.observer {
            observer.on(&event);
        }
    }
}

/// What of the request has been encoded, and how the rest is sent.
#[derive(Clone, Copy)]
struct Sending {
    head: usize,
    /// The coding of content that follows from a source; `None` where all there is has been
    /// encoded.
    rest: Option<Coding>,
}

/// Writes the request into `out`: the head, and the content where it is short.
fn encode(request: &Request<'_>, settings: &Settings, out: &mut Vec<u8>) -> Result<Sending, Error> {
    let coding = coding(request)?;
    out.clear();
    let prefixed;
    let target = match settings.prefix.as_str() {
        "" => request.target,
        prefix => {
            prefixed = [prefix.as_bytes(), request.target].concat();
            &prefixed
        }
    };
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
    match (&request.body.0, coding) {
        (Content::None, _) | (_, None) => Ok(Sending { head, rest: None }),
        (Content::Bytes(bytes), Some(coding))
            if bytes.len() <= INLINE && request.expect.is_none() =>
        {
            match coding {
                Coding::Identity(_) => out.extend_from_slice(bytes),
                Coding::Chunked => {
                    chunked::encode_chunk(out, bytes);
                    encode_last_chunk(out, &Fields::new());
                }
            }
            Ok(Sending { head, rest: None })
        }
        (_, coding) => Ok(Sending { head, rest: coding }),
    }
}

/// How the content is delimited: as the caller's fields say, else by its length, else chunked (`RFC
/// 9112 §6.3`).
fn coding(request: &Request<'_>) -> Result<Option<Coding>, Error> {
    // Of two lines one reader takes the first and another the second.
    for name in ["Content-Length", "Transfer-Encoding", "Host"] {
        if request.fields.get_all(name).nth(1).is_some() {
            return Err(Error::Request(
                "Content-Length, Transfer-Encoding or Host is stated twice (RFC 9110 §5.3)",
            ));
        }
    }
    let stated = match request.fields.get("Content-Length") {
        None => None,
        Some(value) => Some(
            crate::base::number::decimal(value)
                .ok_or(Error::Request("Content-Length is no number"))?,
        ),
    };
    let chunked = match request.fields.get("Transfer-Encoding") {
        None => false,
        Some(value) if value.eq_ignore_ascii_case(b"chunked") => true,
        Some(_) => {
            return Err(Error::Request(
                "no Transfer-Encoding but chunked can be sent (RFC 9112 §6.1)",
            ));
        }
    };
    if chunked && stated.is_some() {
        return Err(Error::Request(
            "Content-Length and Transfer-Encoding exclude each other (RFC 9112 §6.2)",
        ));
    }
    if chunked && request.version == Version::Http10 {
        return Err(Error::Request(
            "HTTP/1.0 knows no Transfer-Encoding (RFC 9112 §6.1): state a Content-Length",
        ));
    }
    match (&request.body.0, request.body.length(), stated) {
        (Content::None, _, None | Some(0)) if !chunked => Ok(None),
        (Content::None, ..) => {
            Err(Error::Request("the fields announce content, but there is none"))
        }
        _ if chunked => Ok(Some(Coding::Chunked)),
        (_, Some(length), Some(stated)) if length != stated => {
            Err(Error::Request("Content-Length is not the length of the content"))
        }
        (_, None, None) if request.version == Version::Http10 => Err(Error::Request(
            "HTTP/1.0 cannot send content of unknown length: state a Content-Length",
        )),
        (_, None, None) if request.bare => Err(Error::Request(
            "content of unknown length needs Transfer-Encoding: chunked or a Content-Length",
        )),
        (_, None, None) => Ok(Some(Coding::Chunked)),
        (_, Some(length), _) | (_, None, Some(length)) => Ok(Some(Coding::Identity(length))),
    }
}

/// The fields that stand before the caller's, unless the caller set them.
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

/// The fields that stand behind the caller's: what the request is, and where its content ends.
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

/// What decides about the body, how much of the budget is spent, and what is still being sent.
type Answered = (framing::Decision, usize, Option<Upload>);

/// Sends the request on `wire` and waits for the final head.
fn attempt(
    request: &mut Request<'_>,
    wire: &mut Wire,
    sending: Sending,
    clock: &Clock,
) -> Result<Answered, Failed> {
    let settings = &request.client.inner.settings;
    let observer = settings.observer.clone();
    let watcher = observer.clone().filter(|o| o.wants_bodies());
    wire.connection
        .set_watch(watcher.map(|o| Watch::new(move |bytes| o.on(&Event::ResponseBody(bytes)))));
    let (connection, memory) = (&mut wire.connection, &mut wire.memory);
    connection.stream_mut().set_clock(clock.clone()).map_err(Error::Send)?;

    // A first write that fails has sent nothing: the peer had closed before it, and can have acted
    // on nothing.
    let mut unsent = false;
    let sent = match connection.stream_mut().write(&memory.out) {
        Ok(n) => connection.write_all(&memory.out[n..]),
        Err(error) => {
            unsent = true;
            Err(Error::send(error))
        }
    };
    if sent.is_ok() {
        settings.tell(Event::RequestHead(&memory.out[..sending.head]));
        if memory.out.len() > sending.head {
            settings.tell(Event::RequestBody(&memory.out[sending.head..]));
        }
    }
    let replayable = request.is_replayable();
    let mut upload = None;
    match sending.rest {
        Some(coding) if sent.is_ok() => {
            let stream = connection.stream().try_clone().map_err(Error::Send)?;
            let content = request.body.take_or_copy(wire.reused);
            upload = Some(Upload::start(
                stream,
                content,
                coding,
                request.expect,
                clock.clone(),
                observer,
            )?);
        }
        _ => clock.request_sent(),
    }

    let answer = final_head(request, wire, &mut upload);
    let error = match answer {
        Ok(answer) => {
            clock.head_received();
            return Ok((answer.0, answer.1, upload));
        }
        Err(error) => error,
    };
    let silent = matches!(error, Error::NoResponse)
        || matches!(error, Error::Receive(_)) && !wire.connection.has_buffered();
    // A source that was read from cannot be read again; one that was not is still whole.
    let again = wire.reused
        && silent
        && (replayable || upload.is_none())
        && (unsent || request.is_idempotent());
    let why_unsent = match (sent, upload) {
        (Err(error), _) => Some(error),
        (Ok(()), Some(mut upload)) => {
            let _ = wire.connection.stream().shutdown(Shutdown::Both);
            upload.failure()
        }
        (Ok(()), None) => None,
    };
    // That the request could not be sent, or its content not be read, is why nothing came back.
    Err(Failed { error: if silent { why_unsent.unwrap_or(error) } else { error }, again })
}

/// Reads heads up to the final one; what decides about its body, and how much of the budget is
/// spent.
fn final_head(
    request: &Request<'_>,
    wire: &mut Wire,
    upload: &mut Option<Upload>,
) -> Result<(framing::Decision, usize), Error> {
    let settings = &request.client.inner.settings;
    let decoder = &mut wire.memory.decoder;
    let mut spent = 0;
    loop {
        decoder.reset(settings.limit.saturating_sub(spent));
        let len = wire.connection.read_head(decoder)?.ok_or(Error::NoResponse)?;
        spent += len;
        let head = decoder.head();
        if head.status() == 101
            && request.upgrade.is_none()
            && !request.fields.has_token("Connection", "upgrade")
        {
            return Err(ParseError { kind: ErrorKind::UnexpectedUpgrade, offset: 9 }.into());
        }
        if head.class() == 1 && head.status() != 101 {
            settings.tell(Event::Interim(head));
            if let (100, Some(upload)) = (head.status(), &mut *upload) {
                upload.go();
            }
            continue;
        }
        if let Some(upload) = upload {
            upload.hold();
        }
        let decision = framing::response(request.method, head);
        let mut decision =
            decision.inspect_err(|error| settings.tell(Event::Refused(head, *error)))?;
        if request.ignore_length && matches!(decision.framing, framing::Framing::Length(_)) {
            decision.framing = framing::Framing::UntilClose;
            decision.persistent = false;
        }
        if !request.fields.is_empty() && request.fields.has_token("Connection", "close") {
            decision.persistent = false;
        }
        settings.tell(Event::ResponseHead(head, decision));
        return Ok((decision, spent));
    }
}

impl Response {
    fn new(
        request: &Request<'_>,
        wire: Box<Wire>,
        (decision, spent, upload): Answered,
    ) -> Response {
        let inner = Arc::clone(&request.client.inner);
        Response::begin(inner, wire, decision, spent, request.raw, upload)
    }
}
