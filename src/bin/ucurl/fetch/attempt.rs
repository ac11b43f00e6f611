//! One try of a transfer: its parts, and the facts that it collects for `-w`, `-i` and `-D`.

use crate::args::exit::Exit;
use crate::fetch::request::Hop;
use crate::fetch::session::{Server, Session};
use crate::output::failure::Failure;
use crate::output::meter::Monitor;
use crate::output::sink::Sink;
use crate::output::writeout::TransferInfo;
use crate::plan::{Operation, Source};
use std::fs::File;
use std::io::{IsTerminal as _, Write as _};
use std::rc::Rc;
use std::time::Instant;
use unix_http::base::text::harmless_lines;
use unix_http::wire::{Fields, Version};
use unix_http::{Response, Timeouts};

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
    pub monitor: Monitor,
    pub start: Instant,
    pub info: TransferInfo,
    /// Whether the connection of the last response can be reused.
    pub kept: bool,
    pub retry_after: Option<Vec<u8>>,
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
    pub fn note_head(&mut self, response: &Response) {
        let head = response.head();
        self.server.http10.set(self.server.http10.get() || head.version() == Version::Http10);
        self.kept = response.decision().persistent;
        self.retry_after = response.field("Retry-After").map(<[u8]>::to_vec);
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
    pub fn show_heads(&mut self, response: &Response) -> Result<(), Failure> {
        let interim = self.session.tracer.facts().interim;
        self.info.size_header += interim.iter().map(|head| head.len() as u64).sum::<u64>();
        interim.iter().try_for_each(|head| self.show(head))?;
        self.show(response.head().as_bytes())
    }

    /// Shows the trailer section: as in curl, `-i` and `-D` include it.
    pub fn show_trailers(&mut self, response: &Response) -> Result<(), Failure> {
        for field in response.trailers().into_iter().flat_map(Fields::iter) {
            let line = [field.name().as_bytes(), b": ", field.value(), b"\r\n"].concat();
            self.session.tracer.trailer(&line);
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
}
