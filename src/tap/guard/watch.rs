//! An observer of a relay that reads requests as a guard does.

use super::request::BODY_LIMIT;
use super::rules::AllowList;
use crate::tap::gate::Denied;
use crate::tap::recorder::Recorder;
use crate::traffic::until_error::UntilError;
use crate::traffic::{Event, Exchange, Observer, Side};
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

struct RequestWatch<F> {
    rules: AllowList,
    /// The body of the current request of each connection.
    bodies: BTreeMap<u64, Vec<u8>>,
    report: F,
}

impl AllowList {
    /// Returns an observer that calls `report` for each request that a guard would refuse, until
    /// it fails.
    pub fn watch<F>(self, report: F) -> impl Observer
    where
        F: FnMut(&Exchange, &Denied) -> io::Result<()> + Send,
    {
        let watch = RequestWatch { rules: self, bodies: BTreeMap::new(), report };
        UntilError::new("the rules", watch)
    }
}

impl<F: FnMut(&Exchange, &Denied) -> io::Result<()> + Send> Recorder for RequestWatch<F> {
    fn see(&mut self, connection: u64, _: Duration, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Content(_, Side::Client, bytes) => {
                let body = self.bodies.entry(connection).or_default();
                body.extend(bytes.iter().take(BODY_LIMIT + 1 - body.len()));
            }
            Event::End(x, Side::Client, _) => {
                let body = self.bodies.remove(&connection).unwrap_or_default();
                let passed = x.request.as_ref().map(|head| self.rules.admit(head, Some(&body)));
                if let Some(Err(denied)) = passed {
                    return (self.report)(x, &denied);
                }
            }
            Event::Closed => drop(self.bodies.remove(&connection)),
            _ => {}
        }
        Ok(())
    }
}
