//! Keeps the last exchanges for the page.
//!
//! The store is an observer like any other: it copies a bounded part of the traffic and returns.
//! Pages read it under a lock that is never held during I/O.
//!
//! Each change of an exchange gets a *version*. A page asks for the exchanges that changed after
//! the last version that it has received, and gets each of them once, in its latest state.
//! Therefore a slow page needs no queue. A change gets no new version if no page has read the last
//! one.

use super::detail::summary_of;
use super::kept::{KeptExchange, KeptFault};
use crate::base::sync::Watched;
use crate::traffic::{Event, Exchange, Observer};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How many exchanges are kept.
const EXCHANGE_LIMIT: usize = 10_000;
/// The approximate number of bytes that are kept of heads and bodies.
const BYTE_LIMIT: usize = 32 << 20;
/// How many changed exchanges are read at a time.
const BATCH: usize = 100;

/// The last exchanges.
#[derive(Debug, Default)]
pub(super) struct Store(Watched<State>);

#[derive(Debug, Default)]
struct State {
    /// Exchanges with consecutive ids.
    kept: VecDeque<KeptExchange>,
    /// The exchanges that are not over: connection and number, and the id.
    open: BTreeMap<(u64, u64), u64>,
    /// The id of the exchange that got each version.
    changes: BTreeMap<u64, u64>,
    /// The latest version.
    version: u64,
    /// The latest version that a page has read.
    read: u64,
    dropped: u64,
    bytes: usize,
    /// Whether the traffic has ended.
    over: bool,
    stopping: bool,
    /// How many pages wait for changes.
    waiting: usize,
}

/// The state that a page has received.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub version: u64,
    pub dropped: u64,
    pub over: bool,
}

/// The changes that a page has not received.
pub(super) struct Changes {
    /// Versions in order, and the summaries of the exchanges that got them.
    pub summaries: Vec<(u64, Vec<u8>)>,
    /// Whether there may be more of them.
    pub more: bool,
    pub stopping: bool,
}

impl Store {
    /// Returns the changes since `seen`. If there are none, waits for some, up to `wait`.
    pub fn changes(&self, seen: &mut Seen, wait: Duration) -> Changes {
        self.0.get().waiting += 1;
        let mut state = self.0.wait_while(wait, |state| {
            let news = state.version > seen.version || state.dropped > seen.dropped;
            !(news || state.stopping || state.over && !seen.over)
        });
        state.waiting -= 1;
        let State { dropped, over, stopping, .. } = *state;
        let after = state.changes.range(seen.version + 1..).take(BATCH);
        let kept = after.filter_map(|(version, id)| Some((*version, state.get(*id)?)));
        let summaries: Vec<_> = kept.map(|(version, kept)| (version, summary_of(kept))).collect();
        let more = summaries.len() == BATCH;
        seen.version = summaries.last().map_or(seen.version, |(version, _)| *version);
        (seen.dropped, seen.over) = (dropped, over && !more);
        state.read = state.read.max(seen.version);
        Changes { summaries, more, stopping }
    }

    /// Returns an exchange. Its last piece no longer grows: later bytes begin a new one.
    pub fn exchange(&self, id: u64) -> Option<KeptExchange> {
        let mut state = self.0.get();
        let kept = state.get_mut(id)?;
        kept.sealed = true;
        Some(kept.clone())
    }

    /// Returns the ids of the exchanges that are kept.
    pub fn ids(&self) -> Vec<u64> {
        self.0.get().kept.iter().map(|kept| kept.id).collect()
    }

    /// Waits for this time, or until the pages have to end.
    pub fn pause(&self, time: Duration) {
        drop(self.0.wait_while(time, |state| !state.stopping));
    }

    /// Wakes all pages and tells them to end.
    pub fn stop(&self) {
        self.0.change(|state| state.stopping = true);
    }
}

impl Observer for Store {
    fn see(&self, connection: u64, at: Duration, event: &Event<'_>) {
        match (event, event.exchange()) {
            (Event::Bytes(..) | Event::Framing(..), _) => {}
            (_, Some(x)) => self.0.get().see(connection, at, x, event),
            (Event::Refused(why), None) => {
                let fault = KeptFault::new(&format!("the client was rejected: {why}"), None);
                self.0.get().fault(connection, at, fault);
            }
            (Event::Fault(_, side, fault), None) => {
                self.0.get().fault(connection, at, KeptFault::seen(*side, *fault));
            }
            _ => {}
        }
    }

    fn flush(&self) -> Option<String> {
        if self.0.get().waiting > 0 {
            self.0.change(|_| {});
        }
        None
    }

    fn finish(&self) -> Option<String> {
        self.0.change(|state| state.over = true);
        None
    }
}

impl State {
    fn get(&self, id: u64) -> Option<&KeptExchange> {
        self.kept.get(usize::try_from(id.checked_sub(self.dropped + 1)?).ok()?)
    }

    fn get_mut(&mut self, id: u64) -> Option<&mut KeptExchange> {
        self.kept.get_mut(usize::try_from(id.checked_sub(self.dropped + 1)?).ok()?)
    }

    fn see(&mut self, connection: u64, at: Duration, x: &Exchange, event: &Event<'_>) {
        let key = (connection, x.number);
        let begins = matches!(event, Event::Request(_)) || x.request.is_none();
        let id = match self.open.get(&key) {
            Some(id) => *id,
            None if begins => self.begin(connection, x),
            // It was dropped.
            None => return,
        };
        let Some(kept) = self.get_mut(id) else { return };
        let before = kept.weight;
        kept.see(at, x, event);
        let grown = kept.weight - before;
        if kept.done {
            self.open.remove(&key);
        }
        self.note(id, grown);
    }

    /// Keeps a fault that belongs to no exchange, as an exchange without messages.
    fn fault(&mut self, connection: u64, at: Duration, fault: KeptFault) {
        let mut x = Exchange::default();
        x.sent.began = Some(at);
        let id = self.begin(connection, &x);
        self.open.remove(&(connection, x.number));
        if let Some(kept) = self.get_mut(id) {
            (kept.x, kept.done) = (x, true);
            kept.faults.push(fault);
        }
        self.note(id, 0);
    }

    fn begin(&mut self, connection: u64, x: &Exchange) -> u64 {
        let id = self.dropped + self.kept.len() as u64 + 1;
        let kept = KeptExchange::new(id, connection);
        self.bytes += kept.weight;
        self.kept.push_back(kept);
        self.open.insert((connection, x.number), id);
        id
    }

    /// Notes that an exchange has changed, and drops the oldest ones above the limits.
    fn note(&mut self, id: u64, grown: usize) {
        self.bytes += grown;
        let (read, next) = (self.read, self.version + 1);
        if let Some(kept) = self.get_mut(id)
            && kept.version <= read
        {
            let old = std::mem::replace(&mut kept.version, next);
            self.version = next;
            self.changes.remove(&old);
            self.changes.insert(next, id);
        }
        while self.kept.len() > EXCHANGE_LIMIT || self.bytes > BYTE_LIMIT && self.kept.len() > 1 {
            let Some(oldest) = self.kept.pop_front() else { return };
            self.dropped += 1;
            self.bytes -= oldest.weight;
            self.changes.remove(&oldest.version);
            self.open.remove(&(oldest.connection, oldest.x.number));
        }
    }
}
