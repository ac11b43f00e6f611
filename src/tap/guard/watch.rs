//! An observer of a tap that reads requests as a guard does.

use super::request::{ApiRequest, BODY_LIMIT};
use super::rules::AllowList;
use crate::base::sync::lock;
use crate::traffic::{Event, Observer, Side};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::Mutex;
use std::time::Duration;

/// Writes a line for requests of a relay: the rule that a request needs, or why a guard would
/// refuse it.
pub struct RequestWatch {
    /// `None` writes every rule that is needed, once.
    rules: Option<AllowList>,
    state: Mutex<WatchState>,
}

struct WatchState {
    out: Box<dyn Write + Send>,
    /// Bodies that have begun.
    begun: BTreeMap<(u64, u64), Vec<u8>>,
    written: BTreeSet<String>,
    failed: Option<io::Error>,
}

impl RequestWatch {
    /// Writes the rules that the requests need.
    pub fn needed_rules(out: impl Write + Send + 'static) -> RequestWatch {
        RequestWatch::new(None, out)
    }

    /// Writes what a guard with these rules would refuse.
    pub fn refusals(rules: AllowList, out: impl Write + Send + 'static) -> RequestWatch {
        RequestWatch::new(Some(rules), out)
    }

    fn new(rules: Option<AllowList>, out: impl Write + Send + 'static) -> RequestWatch {
        let (begun, written) = Default::default();
        let state = WatchState { out: Box::new(out), begun, written, failed: None };
        RequestWatch { rules, state: Mutex::new(state) }
    }

    /// The line for a request, if there is one.
    fn line(&self, read: Result<ApiRequest, String>, name: &str) -> Option<String> {
        match (&self.rules, read) {
            (None, Ok(request)) => Some(request.needed_rule()),
            (None, Err(why)) => Some(format!("# {name}: a guard refuses {why}")),
            (Some(rules), read) => {
                let why = read.and_then(|request| rules.check(&request)).err()?;
                Some(format!("would refuse {name}: {why}"))
            }
        }
    }
}

impl Observer for RequestWatch {
    fn see(&self, connection: u64, _at: Duration, event: &Event<'_>) {
        let state = &mut *lock(&self.state);
        match event {
            Event::Content(x, Side::Client, bytes) => {
                let body = state.begun.entry((connection, x.number)).or_default();
                let room = (BODY_LIMIT + 1).saturating_sub(body.len());
                body.extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
            Event::End(x, Side::Client, _) => {
                let body = state.begun.remove(&(connection, x.number)).unwrap_or_default();
                let Some(head) = &x.request else { return };
                let read = ApiRequest::read(head).and_then(|mut request| {
                    let first = body.trim_ascii_start().first();
                    request.archive = body.len() > BODY_LIMIT || first.is_some_and(|b| *b != b'{');
                    if request.archive { Ok(()) } else { request.read_body(&body) }?;
                    Ok(request)
                });
                let name = format!("{} {}", x.method(), x.target().escape_ascii());
                let line = self.line(read, &name).filter(|line| !state.written.contains(line));
                let Some(line) = line else { return };
                let written = writeln!(state.out, "{line}");
                state.failed = state.failed.take().or(written.err());
                if self.rules.is_none() {
                    state.written.insert(line);
                }
            }
            Event::Closed => state.begun.retain(|(of, _), _| *of != connection),
            _ => {}
        }
    }

    fn finish(&self) -> Option<String> {
        let state = &mut *lock(&self.state);
        let error = state.out.flush().err().or(state.failed.take())?;
        Some(format!("the rules stopped: {error}"))
    }
}

impl std::fmt::Debug for RequestWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestWatch").field("rules", &self.rules).finish_non_exhaustive()
    }
}
