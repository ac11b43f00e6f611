//! Shows an observer only some of the exchanges.

use super::glob::Glob;
use super::record::raw::Recording;
use crate::base::sync::lock;
use crate::docker::without_version;
use crate::traffic::{Event, Exchange, Fault, Observer, Side};
use crate::wire::{Fields, ResponseHead};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Mutex;
use std::time::Duration;

/// How many bytes of requests are held until their status is known. Observers do not see content
/// beyond this.
const HELD_LIMIT: usize = 1 << 20;

/// Which exchanges are shown: those that meet every condition.
///
/// ```
/// use unix_http::tap::Selection;
///
/// let starts = Selection::default().request("POST /containers/*/start")?.status("4xx")?;
/// assert!(Selection::default().status("four").is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Selection {
    connection: Option<u64>,
    request: Option<(String, Glob)>,
    status: Option<String>,
}

impl Selection {
    /// Selects one connection.
    #[must_use]
    pub fn connection(self, number: u64) -> Selection {
        Selection { connection: Some(number), ..self }
    }

    /// Selects requests: `POST /containers/*` or a path alone, without API version and query.
    ///
    /// # Errors
    /// Fails if the path has an invalid escape.
    pub fn request(self, pattern: &str) -> Result<Selection, String> {
        let (method, path) = pattern.split_once(' ').unwrap_or(("", pattern));
        Ok(Selection { request: Some((method.into(), Glob::parse(path)?)), ..self })
    }

    /// Selects exchanges by their status: `404` or `4xx`. Their requests are held, up to a limit,
    /// until their responses come.
    ///
    /// # Errors
    /// Fails for anything else.
    pub fn status(self, pattern: &str) -> Result<Selection, String> {
        let digits = pattern.trim_end_matches('x');
        match pattern.len() == 3 && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
        {
            true => Ok(Selection { status: Some(digits.into()), ..self }),
            false => Err(format!("{pattern}: write 404 or 4xx")),
        }
    }

    /// Returns whether it may select only some exchanges of a connection.
    fn is_partial(&self) -> bool {
        self.request.is_some() || self.status.is_some()
    }

    /// Shows the selected events of a relay to `observer`. If only some exchanges of a connection
    /// are selected, it shows only their events.
    pub fn of<O: Observer>(&self, observer: O) -> impl Observer + use<O> {
        Selected { selection: self.clone(), observer, held: Mutex::default() }
    }

    /// Shows the selected exchanges of a recording to a recorder, with all bytes and ends of their
    /// connections. Returns the recorder's error.
    ///
    /// # Errors
    /// Fails if a file of the recording cannot be read.
    pub fn record(
        &self,
        recording: &Recording,
        cover: bool,
        recorder: &dyn Observer,
    ) -> io::Result<Option<String>> {
        if !self.is_partial() {
            return recording.show(cover, &self.of(recorder));
        }
        let found = Found::default();
        recording.show(cover, &self.of(&found))?;
        let exchanges = std::mem::take(&mut *lock(&found.0));
        recording.show(cover, &Chosen { exchanges, recorder })
    }

    fn has_request(&self, x: &Exchange) -> bool {
        self.request.as_ref().is_none_or(|(method, glob)| {
            let path = x.target().split(|&b| b == b'?').next().unwrap_or_default();
            let path = String::from_utf8_lossy(without_version(path));
            (method.is_empty() || method == x.method()) && glob.matches(&path)
        })
    }

    fn has_status(&self, x: &Exchange) -> bool {
        let status = x.response.as_ref().map(|head| head.status().to_string());
        let fits = |digits: &String| status.is_some_and(|status| status.starts_with(digits));
        self.status.as_ref().is_none_or(fits)
    }
}

/// An observer of selected events.
struct Selected<O> {
    selection: Selection,
    observer: O,
    held: Mutex<HeldEvents>,
}

impl<O: Observer> Observer for Selected<O> {
    fn see(&self, connection: u64, at: Duration, event: &Event<'_>) {
        let selection = &self.selection;
        if selection.connection.is_some_and(|only| only != connection) {
            return;
        }
        let Some(x) = event.exchange() else {
            if !selection.is_partial() {
                self.observer.see(connection, at, event);
            }
            return;
        };
        if !selection.has_request(x) {
            return;
        }
        let key = (connection, x.number);
        if selection.status.is_some() && x.response.is_none() && !matches!(event, Event::Done(_)) {
            return lock(&self.held).hold(key, at, x, event);
        }
        let held = lock(&self.held).release(key);
        if selection.has_status(x) {
            for held in held {
                self.observer.see(connection, held.at, &held.event());
            }
            self.observer.see(connection, at, event);
        }
    }

    fn flush(&self) -> Option<String> {
        self.observer.flush()
    }

    fn finish(&self) -> Option<String> {
        self.observer.finish()
    }
}

/// The events of exchanges whose status is not known yet.
#[derive(Debug, Default)]
struct HeldEvents {
    exchanges: BTreeMap<(u64, u64), Vec<HeldEvent>>,
    size: usize,
}

impl HeldEvents {
    fn hold(&mut self, key: (u64, u64), at: Duration, x: &Exchange, event: &Event<'_>) {
        let what = match event {
            Event::Interim(_, head) => BeforeStatus::Interim((*head).clone()),
            Event::Content(_, _, bytes) => BeforeStatus::Content(bytes.to_vec()),
            Event::Framing(_, _, bytes) => BeforeStatus::Framing(bytes.to_vec()),
            Event::Tunnel(_, _, bytes) => BeforeStatus::Tunnel(bytes.to_vec()),
            Event::End(_, _, trailers) => BeforeStatus::End(trailers.cloned()),
            Event::Fault(_, side, fault) => BeforeStatus::Fault(*side, *fault),
            _ => BeforeStatus::Request,
        };
        let held = HeldEvent { at, exchange: x.clone(), what };
        if self.size + held.size() <= HELD_LIMIT || matches!(event, Event::Request(_)) {
            self.size += held.size();
            self.exchanges.entry(key).or_default().push(held);
        }
    }

    fn release(&mut self, key: (u64, u64)) -> Vec<HeldEvent> {
        let held = self.exchanges.remove(&key).unwrap_or_default();
        self.size -= held.iter().map(HeldEvent::size).sum::<usize>();
        held
    }
}

#[derive(Debug)]
struct HeldEvent {
    at: Duration,
    exchange: Exchange,
    what: BeforeStatus,
}

/// An event before the response. All except a fault come from the client.
#[derive(Debug)]
enum BeforeStatus {
    Request,
    Interim(ResponseHead),
    Content(Vec<u8>),
    Framing(Vec<u8>),
    Tunnel(Vec<u8>),
    End(Option<Fields>),
    Fault(Side, Fault),
}

impl HeldEvent {
    fn event(&self) -> Event<'_> {
        let (x, client) = (&self.exchange, Side::Client);
        match &self.what {
            BeforeStatus::Request => Event::Request(x),
            BeforeStatus::Interim(head) => Event::Interim(x, head),
            BeforeStatus::Content(bytes) => Event::Content(x, client, bytes),
            BeforeStatus::Framing(bytes) => Event::Framing(x, client, bytes),
            BeforeStatus::Tunnel(bytes) => Event::Tunnel(x, client, bytes),
            BeforeStatus::End(trailers) => Event::End(x, client, trailers.as_ref()),
            BeforeStatus::Fault(side, fault) => Event::Fault(Some(x), *side, *fault),
        }
    }

    fn size(&self) -> usize {
        let bytes = match &self.what {
            BeforeStatus::Interim(head) => head.as_bytes().len(),
            BeforeStatus::Content(bytes)
            | BeforeStatus::Framing(bytes)
            | BeforeStatus::Tunnel(bytes) => bytes.len(),
            _ => 0,
        };
        size_of::<HeldEvent>() + bytes
    }
}

/// Collects the connections and numbers of the exchanges that it sees.
#[derive(Default)]
struct Found(Mutex<BTreeSet<(u64, u64)>>);

impl Observer for Found {
    fn see(&self, connection: u64, _: Duration, event: &Event<'_>) {
        lock(&self.0).extend(event.exchange().map(|x| (connection, x.number)));
    }
}

/// Shows the collected exchanges to a recorder.
struct Chosen<'a> {
    exchanges: BTreeSet<(u64, u64)>,
    recorder: &'a dyn Observer,
}

impl Observer for Chosen<'_> {
    fn see(&self, connection: u64, at: Duration, event: &Event<'_>) {
        let number = event.exchange().map(|x| x.number);
        let (first, last) = number.map_or((0, u64::MAX), |number| (number, number));
        if self.exchanges.range((connection, first)..=(connection, last)).next().is_some() {
            self.recorder.see(connection, at, event);
        }
    }

    fn finish(&self) -> Option<String> {
        self.recorder.finish()
    }
}
