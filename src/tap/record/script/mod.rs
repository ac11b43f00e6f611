//! The script recorder: writes a shell script that repeats the requests.

mod entry;
mod ids;
mod spool;
mod write;

use super::command::Tool;
use crate::tap::recorder::Recorder;
use crate::traffic::until_error::UntilError;
use crate::traffic::{Event, Observer, Side};
use crate::transport::Endpoint;
use entry::Entry;
use spool::Disk;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;
use write::ScriptWriter;

/// How much of a response is searched for ids.
const REPLY_LIMIT: u64 = 256 * 1024;

struct Script<W> {
    out: Option<W>,
    tool: Tool,
    endpoint: String,
    entries: Vec<Entry>,
    open: BTreeMap<(u64, u64), usize>,
    disk: Disk,
}

/// Returns an observer that writes requests to `endpoint` as a shell script for `ucurl`.
/// `DOCKER_HOST` can name another endpoint when it runs.
///
/// ```text
/// # 1.2 POST /v1.41/containers/create, 201
/// id1=$(ask -f --select '/Id' -X POST -H 'Content-Type: application/json' \
///   --data-binary '{"Image":"busy"}' '/v1.41/containers/create')
/// printf '%s\n' "$id1"
///
/// # 2.1 POST /v1.41/containers/3f…/start, 204
/// ask -f -X POST '/v1.41/containers/'"$id1"'/start'
/// ```
///
/// * An id (twelve or more letters and digits in a JSON string) that a later request uses becomes a
///   variable, so that the script works on the objects that it creates.
/// * A request that overlaps others (attach, wait) runs in the background until the point where
///   it ended. An interrupted request is killed where its client left it.
/// * Input of a terminal session is typed again, with the recorded pauses, and stays open.
/// * A request that succeeded must succeed again (`-f`), with the ids that later requests need.
///   Otherwise the script stops.
/// * Bodies are in the script, as text or, if they are binary or long, as base64.
/// * Fields of the connection are left out: Host, Connection, lengths, the user agent. A variable
///   replaces a [masked](crate::traffic#secrets) value.
///
/// Bodies are held in a file without a name. The script is written when the relay ends.
pub fn script<W: Write + Send>(out: W, endpoint: &Endpoint) -> impl Observer + use<W> {
    for_tool(out, endpoint, Tool::Ucurl)
}

/// Returns a [`script`] for `curl`, which prints frames unchanged and cannot send input to a
/// container.
pub fn curl_script<W: Write + Send>(out: W, endpoint: &Endpoint) -> impl Observer + use<W> {
    for_tool(out, endpoint, Tool::Curl)
}

fn for_tool<W: Write + Send>(out: W, endpoint: &Endpoint, tool: Tool) -> UntilError<Script<W>> {
    let (out, endpoint, entries) = (Some(out), endpoint.to_string(), Vec::new());
    let (open, disk) = (BTreeMap::new(), Disk::default());
    UntilError::new("the script", Script { out, tool, endpoint, entries, open, disk })
}

impl<W: Write + Send> Recorder for Script<W> {
    fn see(&mut self, connection: u64, at: Duration, event: &Event<'_>) -> io::Result<()> {
        if let Event::Request(x) = event {
            self.open.insert((connection, x.number), self.entries.len());
            self.entries.push(Entry::new(connection, at, x));
        }
        if let Event::Ended(side, _) = event {
            for (_, n) in self.open.range((connection, 0)..=(connection, u64::MAX)) {
                self.entries[*n].first_end.get_or_insert(*side);
            }
        }
        let Some(x) = event.exchange() else { return Ok(()) };
        let key = (connection, x.number);
        let entry = self.open.get(&key).and_then(|at| self.entries.get_mut(*at));
        let Some(entry) = entry else { return Ok(()) };
        match event {
            Event::Content(_, Side::Client, bytes) => self.disk.push(&mut entry.body, bytes)?,
            Event::Tunnel(_, Side::Client, bytes) => {
                self.disk.push(&mut entry.stdin, bytes)?;
                entry.type_in(at, bytes);
            }
            Event::Content(_, _, bytes) | Event::Tunnel(_, _, bytes) => {
                let room = REPLY_LIMIT.saturating_sub(entry.reply.length) as usize;
                self.disk.push(&mut entry.reply, &bytes[..bytes.len().min(room)])?;
            }
            Event::Response(_) => {
                entry.status = x.response.as_ref().map_or(0, |head| head.status());
                entry.tunnel = x.is_tunnel();
            }
            Event::Done(_) => {
                self.open.remove(&key);
                entry.left = x.left;
                let complete = x.received.complete && x.left.is_none();
                entry.ended = complete.then_some(x.received.last).flatten();
            }
            _ => {}
        }
        Ok(())
    }

    /// Writes the script: after an error, everything before it.
    fn finish(&mut self, _failed: bool) -> io::Result<()> {
        let Some(mut out) = self.out.take() else { return Ok(()) };
        self.entries.sort_by_key(|entry| entry.began);
        let Script { tool, entries, disk, .. } = self;
        ScriptWriter { tool: *tool, entries, disk }.write(&mut out, &self.endpoint)?;
        out.flush()
    }
}
