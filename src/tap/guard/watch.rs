//! An observer of a relay that reads requests as a guard does.

use super::request::BODY_LIMIT;
use super::rules::AllowList;
use crate::tap::gate::Denied;
use crate::traffic::until_error::UntilError;
use crate::traffic::{Event, Exchange, Observer, Side};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::time::Duration;

/// Reports the requests that a guard would refuse. Collects one body for each connection.
pub struct RequestWatch<F>(UntilError<(AllowList, BTreeMap<u64, Vec<u8>>, F)>);

impl<F: FnMut(&Exchange, &Denied) -> io::Result<()>> RequestWatch<F> {
    /// Calls `report` for each request until it fails.
    pub fn new(rules: AllowList, report: F) -> RequestWatch<F> {
        RequestWatch(UntilError::new("the rules".into(), (rules, BTreeMap::new(), report)))
    }
}

/// Returns an observer that writes the rule that each request needs, once.
pub fn needed_rules(mut out: impl Write + Send) -> impl Observer {
    let mut written = BTreeSet::new();
    RequestWatch::new(AllowList::default(), move |x, denied| {
        let comment = || format!("# {} {}: {denied}", x.method(), x.target().escape_ascii());
        let line = denied.needed.clone().unwrap_or_else(comment) + "\n";
        if written.insert(line.clone()) { out.write_all(line.as_bytes()) } else { Ok(()) }
    })
}

impl<F: FnMut(&Exchange, &Denied) -> io::Result<()> + Send> Observer for RequestWatch<F> {
    fn see(&self, connection: u64, _at: Duration, event: &Event<'_>) {
        self.0.write(|(rules, bodies, report)| {
            match event {
                Event::Content(_, Side::Client, bytes) => {
                    let body = bodies.entry(connection).or_default();
                    body.extend(bytes.iter().take(BODY_LIMIT + 1 - body.len()));
                }
                Event::End(x, Side::Client, _) => {
                    let body = bodies.remove(&connection).unwrap_or_default();
                    let passed = x.request.as_ref().map(|head| rules.admit(head, Some(&body)));
                    if let Some(Err(denied)) = passed {
                        return report(x, &denied);
                    }
                }
                Event::Closed => drop(bodies.remove(&connection)),
                _ => {}
            }
            Ok(())
        });
    }

    fn error(&self) -> Option<String> {
        self.0.error()
    }
}
