//! One try of a transfer: the facts that it collects for `-w`, `-i` and `-D`, and how it handles a
//! response: follows it, refuses it, or delivers it to the output.

use crate::args::exit::Exit;
use crate::fetch::container_ref::ContainerRef;
use crate::fetch::request::Hop;
use crate::fetch::session::{Server, Session};
use crate::output::body_stages::BodyStages;
use crate::output::messages::Failure;
use crate::output::meter::Monitor;
use crate::output::sink::Sink;
use crate::output::writeout::TransferInfo;
use crate::plan::{Operation, Source};
use std::fs::File;
use std::io::{self, BufRead, IsTerminal as _, Read as _, Write as _};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use unix_http::base::sync::lock;
use unix_http::base::text::harmless_lines;
use unix_http::client::ClientEvent;
use unix_http::docker::{error_message, is_framed};
use unix_http::wire::{Decision, Fields, Framing, ParseErrorKind, Version, framing};
use unix_http::{Error, Response, Timeouts};

/// How long `-f` waits for the daemon's reason.
const PATIENCE: Duration = Duration::from_millis(500);
/// The size limit of an error response that is read for its reason.
const REASON_LIMIT: u64 = 64 << 10;

/// The step after a response.
pub enum Next {
    Done,
    /// A request to this Location.
    Redirect(Vec<u8>),
    /// After a 417, the same request without Expect.
    WithoutExpect,
}

pub struct Attempt<'t> {
    pub session: &'t Session,
    pub operation: &'t Operation,
    pub source: &'t Source,
    pub server: Rc<Server>,
    /// The request before any redirect.
    pub first: Hop,
    /// The file of `-D`.
    pub heads: Option<&'t File>,
    pub sink: Sink<'t>,
    pub monitor: Monitor<'t>,
    pub start: Instant,
    pub info: TransferInfo,
    /// Whether the connection of the last response can be reused.
    pub kept: bool,
}

impl Attempt<'_> {
    /// Returns the time limits of the next request. The total is that of the whole try.
    pub fn limits(&self) -> Result<Timeouts, Failure> {
        let limits = self.operation.timeouts;
        let Some(total) = self.operation.flags.max_time else { return Ok(limits) };
        match total.checked_sub(self.start.elapsed()).filter(|left| !left.is_zero()) {
            Some(left) => Ok(limits.total(left)),
            None => Err(Failure::new(Exit::Timeout, format!("not finished within {total:?}"))),
        }
    }

    /// Records the head of a response.
    fn note_head(&mut self, response: &Response) {
        let head = response.head();
        self.server.http10.set(self.server.http10.get() || head.version() == Version::Http10);
        self.kept = response.decision().persistent;
        self.info.response_code = head.status();
        self.info.http_version = Some(head.version());
        self.info.size_header += head.as_bytes().len() as u64;
        if let Some(value) = response.field("Content-Type").filter(|value| !value.is_empty()) {
            self.info.content_type = Some(value.to_vec());
        }
        self.info.headers = head.fields().clone();
        if self.operation.flags.write_out.is_some()
            && let Some((local, remote)) = response.addresses()
        {
            let info = &mut self.info;
            (info.local_ip, info.local_port) = (local.ip().to_string(), local.port());
            (info.remote_ip, info.remote_port) = (remote.ip().to_string(), remote.port());
        }
    }

    /// Shows the heads of this hop (`-i`, `-D`), those of 1xx responses first.
    fn show_heads(&mut self, response: &Response) -> Result<(), Failure> {
        let interim = lock(&self.session.tracer).facts.interim.clone();
        self.info.size_header += interim.iter().map(|head| head.len() as u64).sum::<u64>();
        interim.iter().try_for_each(|head| self.show(head))?;
        self.show(response.head().as_bytes())
    }

    /// Shows the trailer section: as in curl, `-i` and `-D` include it.
    fn show_trailers(&mut self, response: &Response) -> Result<(), Failure> {
        for field in response.trailers().into_iter().flat_map(Fields::iter) {
            let line = [field.name().as_bytes(), b": ", field.value(), b"\r\n"].concat();
            lock(&self.session.tracer).head(&line, true);
            self.show(&line)?;
        }
        Ok(())
    }

    fn show(&mut self, head: &[u8]) -> Result<(), Failure> {
        if let Some(mut file) = self.heads {
            let shown = if file.is_terminal() { harmless_lines(head) } else { head.into() };
            file.write_all(&shown).map_err(|error| Failure::of_writing(&error, false))?;
        }
        if self.operation.flags.include { self.sink.head(head) } else { Ok(()) }
    }

    /// Handles a response as the flags say.
    pub fn receive(
        &mut self,
        mut response: Response,
        hop: &Hop,
        expecting: bool,
    ) -> Result<Next, Failure> {
        let flags = &self.operation.flags;
        self.note_head(&response);
        self.show_heads(&response)?;
        // Without the upgrade, no program reads stdin.
        if (flags.fail || flags.hijack) && response.status() >= 400 {
            return Err(refusal(response));
        }
        let next = self.next(&response, hop, expecting)?;
        if flags.head {
            self.check_announced(&response)?;
            return Ok(next);
        }
        if !matches!(next, Next::Done) {
            // Reads the body to its end, so that the connection can be reused.
            if response.decision().persistent {
                io::copy(&mut response, &mut io::sink()).map_err(Failure::of_body)?;
            }
            return Ok(next);
        }
        self.monitor.size(match response.decision().framing {
            Framing::Length(length) => Some(length),
            _ => None,
        })?;
        self.deliver(response, hop).map(|()| Next::Done)
    }

    fn next(&mut self, response: &Response, hop: &Hop, expecting: bool) -> Result<Next, Failure> {
        let status = response.status();
        let values = response.fields().get_all("Location").map(|field| field.value());
        let mut locations = values.filter(|to| !to.is_empty());
        let Some(location) = locations.next().filter(|_| (300..400).contains(&status)) else {
            return Ok(if status == 417 && expecting { Next::WithoutExpect } else { Next::Done });
        };
        if !self.operation.flags.location {
            let target = hop.url.redirect(location);
            let shown = target.map_or(location.to_vec(), |url| url.to_bytes());
            self.info.redirect_url = Some(shown);
            return Ok(Next::Done);
        }
        if locations.any(|other| other != location) {
            let text = "the redirect has two different Location fields";
            return Err(Failure::new(Exit::WeirdReply, text));
        }
        Ok(Next::Redirect(location.to_vec()))
    }

    /// Checks Content-Length and `--max-filesize` after a HEAD: a script may ask for the length
    /// before it fetches.
    fn check_announced(&self, response: &Response) -> Result<(), Failure> {
        match framing::response("GET", response.head()) {
            Err(error) if error.kind() != ParseErrorKind::TransferEncoding => {
                Err(Error::Parse(error).into())
            }
            Ok(Decision { framing: Framing::Length(length), .. }) => {
                self.monitor.within_max(length)
            }
            _ => Ok(()),
        }
    }

    /// Sends the content through its stages to the output.
    fn deliver(&mut self, mut response: Response, hop: &Hop) -> Result<(), Failure> {
        let (flags, status) = (&self.operation.flags, response.status());
        let ended = matches!(response.decision().framing, Framing::Tunnel | Framing::UntilClose);
        let raw = ended && status < 300 && (flags.hijack || status == 101);
        let path = String::from_utf8_lossy(&hop.url.path);
        let query = String::from_utf8_lossy(hop.url.query.as_deref().unwrap_or_default());
        let mut container = ContainerRef::of(&path, &query);
        let frames = is_framed(response.field("Content-Type"));
        if let Some(container) = &mut container {
            self.inspect(container, frames, raw)?;
        }
        let tty = container.as_ref().is_some_and(|container| container.terminal == Some(true));
        let framed = flags.demux && status < 300 && frames != Some(false) && !tty;
        let mut stages = BodyStages::new(self.operation, &self.session.messages.out, framed);
        if raw {
            return self.join(response, container, stages);
        }
        if status >= 400 && self.operation.selects() {
            let (failure, body) = failure_of(response);
            self.info.size_download = body.len() as u64;
            let arrived = stages.feed(&body, &mut self.sink);
            return match stages.finish(arrived, &mut self.sink) {
                Err(other) if other.exit != Exit::Write => Err(failure),
                result => result,
            };
        }
        let arrived = self.copy(&mut response, &mut stages, false);
        stages.finish(arrived, &mut self.sink)?;
        if !flags.raw {
            self.show_trailers(&response)?;
        }
        match response.upload_error() {
            Some(error) if status < 300 => Err(Failure::new(Exit::Send, error.to_string())),
            _ => Ok(()),
        }
    }

    /// Passes on the content as it arrives. The client no longer observes that of a raw connection,
    /// so it is shown here.
    pub fn copy(
        &mut self,
        mut from: impl BufRead,
        stages: &mut BodyStages,
        raw: bool,
    ) -> Result<(), Failure> {
        let failure = if raw { Failure::of_raw } else { Failure::of_body };
        loop {
            let content = from.fill_buf().map_err(failure)?;
            if content.is_empty() {
                return Ok(());
            }
            if raw {
                lock(&self.session.tracer).on(&ClientEvent::ResponseBody(content));
            }
            let length = content.len();
            self.info.size_download += length as u64;
            self.monitor.received(self.info.size_download)?;
            stages.feed(content, &mut self.sink)?;
            from.consume(length);
        }
    }

    /// Asks the engine about the other end, if that matters and the response does not state it.
    fn inspect(
        &self,
        container: &mut ContainerRef,
        frames: Option<bool>,
        raw: bool,
    ) -> Result<(), Failure> {
        let open = (raw || self.operation.flags.demux) && frames.is_none();
        if open || (raw && container.is_exec) {
            let why = "asks whether the other end has a terminal: without one, its output comes \
                       in frames";
            lock(&self.session.tracer).explain(why, "Docker Engine API v1.41 attach");
            container.inspect(self.server.engine.client(), self.limits()?);
            container.terminal = container.terminal.filter(|_| frames != Some(true));
        }
        Ok(())
    }
}

/// Returns the failure of a response that `-f` rejects. Does not wait for a body that does not
/// arrive with the head, because it only contains the daemon's reason.
fn refusal(response: Response) -> Failure {
    let status = response.status();
    let (send, failure) = mpsc::channel();
    let work = move || send.send(failure_of(response).0);
    let started = thread::Builder::new().name("reason".into()).spawn(work);
    started.ok().and_then(|_| failure.recv_timeout(PATIENCE).ok()).unwrap_or_else(|| {
        Failure::new(Exit::HttpError, format!("The requested URL returned error: {status}"))
    })
}

/// Returns the failure of an error response, with the daemon's reason, and its body if it is whole.
fn failure_of(response: Response) -> (Failure, Vec<u8>) {
    let status = response.status();
    let kind = response.field("Content-Type").map(<[u8]>::to_vec);
    let mut body = Vec::new();
    if response.take(REASON_LIMIT).read_to_end(&mut body).is_err() {
        body.clear();
    }
    let message = error_message(kind.as_deref(), &body);
    let reason = message.map_or(String::new(), |message| format!(": {message}"));
    let text = format!("The requested URL returned error: {status}{reason}");
    (Failure::new(Exit::HttpError, text), body)
}
