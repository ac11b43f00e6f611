//! An observer of a relay that reads requests as a guard does.

use super::request::BODY_LIMIT;
use super::rules::AllowList;
use crate::tap::gate::Denied;
use crate::traffic::until_error::UntilError;
use crate::traffic::{Event, Exchange, Observer, Side};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::time::Duration;

/// What has come of each body, by connection and exchange.
type Bodies = BTreeMap<(u64, u64), Vec<u8>>;
/// Receives a request that a guard would refuse, and why.
type Report = dyn FnMut(&Exchange, &Denied) -> io::Result<()> + Send;

/// Reports the requests that a guard would refuse.
pub struct RequestWatch {
    rules: AllowList,
    state: UntilError<(Bodies, Box<Report>)>,
}

impl RequestWatch {
    /// Calls `report` for each until it fails.
    pub fn new(
        rules: AllowList,
        report: impl FnMut(&Exchange, &Denied) -> io::Result<()> + Send + 'static,
    ) -> RequestWatch {
        let state = (BTreeMap::new(), Box::new(report) as Box<Report>);
        RequestWatch { rules, state: UntilError::new("the rules".into(), state) }
    }

    /// Writes the rule that each request needs, once.
    pub fn needed_rules(mut out: impl Write + Send + 'static) -> RequestWatch {
        let mut written = BTreeSet::new();
        RequestWatch::new(AllowList::default(), move |x, denied| {
            let comment = || format!("# {} {}: {denied}", x.method(), x.target().escape_ascii());
            let line = denied.needed.clone().unwrap_or_else(comment) + "\n";
            if written.insert(line.clone()) { out.write_all(line.as_bytes()) } else { Ok(()) }
        })
    }
}

impl Observer for RequestWatch {
    fn see(&self, connection: u64, _at: Duration, event: &Event<'_>) {
        self.state.write(|(bodies, report)| match event {
            Event::Content(x, Side::Client, bytes) => {
                let body = bodies.entry((connection, x.number)).or_default();
                let room = (BODY_LIMIT + 1).saturating_sub(body.len());
                body.extend_from_slice(&bytes[..bytes.len().min(room)]);
                Ok(())
            }
            Event::End(x, Side::Client, _) => {
                let body = bodies.remove(&(connection, x.number)).unwrap_or_default();
                let head = x.request.as_ref();
                let denied = head.and_then(|head| self.rules.admit(head, Some(&body)).err());
                denied.map_or(Ok(()), |denied| report(x, &denied))
            }
            Event::Closed => {
                bodies.retain(|(of, _), _| *of != connection);
                Ok(())
            }
            _ => Ok(()),
        });
    }

    fn finish(&self) -> Option<String> {
        self.state.error()
    }

    fn error(&self) -> Option<String> {
        self.state.error()
    }
}
