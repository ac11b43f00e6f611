//! Writes the script: the requests in their recorded order and overlap.

use super::entry::Entry;
use super::ids::{self, Id, Piece};
use super::spool::{Disk, Spool};
use crate::base::base64;
use crate::base::text::visible;
use crate::docker::FrameDecoder;
use crate::tap::record::command::{RepeatedRequest, Tool, is_inline, printed, quoted, quoted_word};
use std::io::{self, Write};
use std::time::Duration;

/// The longest text body in a command line.
const INLINE: u64 = 4096;
/// Stops the script if an id is empty.
const MISSING: &str = ":?is not in the answer";
/// The number of bytes in a line of base64.
const LINE: usize = 57;

pub(super) struct ScriptWriter<'a> {
    pub tool: Tool,
    /// The requests, in the order in which they began.
    pub entries: &'a [Entry],
    pub disk: &'a Disk,
}

impl ScriptWriter<'_> {
    pub(super) fn write(&self, out: &mut impl Write, endpoint: &str) -> io::Result<()> {
        let head = include_str!("head.sh").replace("$ENDPOINT", &quoted(endpoint.as_bytes()));
        out.write_all(head.as_bytes())?;
        out.write_all(match self.tool {
            Tool::Ucurl => include_bytes!("ask_ucurl.sh"),
            Tool::Curl => include_bytes!("ask_curl.sh"),
        })?;
        let ids = ids::find(self.entries, self.disk)?;
        let mut requests = Vec::new();
        for (n, entry) in self.entries.iter().enumerate() {
            let typed = hijacks(entry, self.tool) && !entry.typed.is_empty();
            let aside = (is_overlapped(entry, self.entries) || typed && entry.stays_open())
                && ids.iter().all(|id| id.source != n);
            let inline = Some(self.disk.all(&entry.body, INLINE)?).filter(|body| is_inline(body));
            requests.push(Request { script: self, entry, ids: &ids, n, aside, inline });
        }
        if requests.iter().any(|request| request.is_long() || request.entry.tunnel) {
            writeln!(out, "tmp=$(mktemp -d)\ntrap 'rm -rf \"$tmp\"' EXIT")?;
        }
        let mut running = Vec::new();
        let mut clock = Duration::ZERO;
        for (at, n, typed) in self.steps() {
            self.settle(out, &mut running, Some(at), &mut clock)?;
            if let Some(text) = typed {
                pause(out, at, &mut clock)?;
                writeln!(out, "printf {} 1<>\"$tmp/{n}.in\"", printed(text))?;
                continue;
            }
            requests[n].write(out)?;
            clock = clock.max(at);
            match requests[n].aside {
                true => running.push(n),
                false => clock = clock.max(requests[n].entry.ended.unwrap_or(at)),
            }
        }
        self.settle(out, &mut running, None, &mut clock)
    }

    /// The steps of the script in order of time: requests, and input of terminal sessions.
    fn steps(&self) -> Vec<(Duration, usize, Option<&[u8]>)> {
        let mut steps = Vec::new();
        for (n, entry) in self.entries.iter().enumerate() {
            steps.push((entry.began, n, None));
            if hijacks(entry, self.tool) && entry.stays_open() {
                steps.extend(entry.typed.iter().map(|(at, text)| (*at, n, Some(&text[..]))));
            }
        }
        steps.sort_by_key(|(at, ..)| *at);
        steps
    }

    /// Ends the requests that had ended at this time: waits for them, or kills the interrupted
    /// ones. At the end of the script these are all remaining requests.
    fn settle(
        &self,
        out: &mut impl Write,
        running: &mut Vec<usize>,
        now: Option<Duration>,
        clock: &mut Duration,
    ) -> io::Result<()> {
        let end = |n: &usize| self.entries[*n].ended.or(self.entries[*n].left);
        let over = |n: &usize| now.is_none_or(|now| end(n).is_some_and(|end| end <= now));
        for n in running.extract_if(.., |n| over(n)) {
            writeln!(out)?;
            if self.entries[n].ended.is_some() {
                writeln!(out, "wait \"$job{n}\"")?;
                continue;
            }
            pause(out, end(&n).unwrap_or_default(), clock)?;
            // A shell reports a job that was killed.
            writeln!(out, "kill \"$job{n}\" 2>/dev/null || :\nwait \"$job{n}\" 2>/dev/null || :")?;
        }
        Ok(())
    }

    fn here_document(&self, out: &mut impl Write, file: &str, bytes: &Spool) -> io::Result<()> {
        writeln!(out, "base64 -d >\"{file}\" <<'END'")?;
        let mut rest = Vec::new();
        self.disk.read(bytes, |part| {
            rest.extend_from_slice(part);
            let whole = rest.len() - rest.len() % LINE;
            let lines = rest.chunks(LINE).take(whole / LINE);
            lines.map(base64::encode).try_for_each(|line| writeln!(out, "{line}"))?;
            rest.drain(..whole);
            Ok(())
        })?;
        if !rest.is_empty() {
            writeln!(out, "{}", base64::encode(&rest))?;
        }
        writeln!(out, "END")
    }
}

/// Returns whether another request began before this one had its response, or it had none.
fn is_overlapped(entry: &Entry, entries: &[Entry]) -> bool {
    let Some(ended) = entry.ended else { return true };
    entries.iter().any(|other| other.began > entry.began && other.began < ended)
}

fn hijacks(entry: &Entry, tool: Tool) -> bool {
    entry.tunnel && tool == Tool::Ucurl
}

/// Waits as long as the client did.
fn pause(out: &mut impl Write, until: Duration, clock: &mut Duration) -> io::Result<()> {
    let pause = until.saturating_sub(*clock).as_secs_f64();
    *clock = until.max(*clock);
    if pause < 0.05 { Ok(()) } else { writeln!(out, "sleep {pause:.1}") }
}

/// The place of an entry in the script.
struct Request<'a> {
    script: &'a ScriptWriter<'a>,
    entry: &'a Entry,
    ids: &'a [Id],
    n: usize,
    /// Whether it runs in the background.
    aside: bool,
    /// Its body, if it is empty or fits into the command line.
    inline: Option<Vec<u8>>,
}

impl Request<'_> {
    /// Whether its body is in a file.
    fn is_long(&self) -> bool {
        self.entry.body.length > INLINE || self.inline.is_none()
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let (n, tool, entry) = (self.n, self.script.tool, self.entry);
        let broken_off = if entry.ended.is_none() { ", broken off" } else { "" };
        let target = visible(&entry.target);
        let Entry { name, method, status, .. } = entry;
        writeln!(out, "\n# {name} {method} {target}, {status}{broken_off}")?;
        let hijack = hijacks(entry, tool);
        if !hijack && entry.stdin.length > 0 {
            out.write_all(
                b"# What was said after the upgrade is left out: curl has no way to say it.\n",
            )?;
        }
        let command = self.command(hijack)?;
        if self.is_long() {
            self.script.here_document(out, &format!("$tmp/{n}.body"), &entry.body)?;
        }
        if hijack && entry.stays_open() {
            writeln!(out, "mkfifo \"$tmp/{n}.in\"")?;
        } else if hijack && entry.stdin.length > 0 {
            self.script.here_document(out, &format!("$tmp/{n}.stdin"), &entry.stdin)?;
        }
        let mine: Vec<&Id> = self.ids.iter().filter(|id| id.source == n).collect();
        match &mine[..] {
            // Waits a moment, so that it has started when the next one begins. A request that will
            // be killed replaces its shell: otherwise only the shell would end.
            [] if self.aside => {
                let run = if entry.ended.is_none() { "run=exec " } else { "" };
                writeln!(out, "{run}{command} &\njob{n}=$!\nsleep 1")
            }
            [] => writeln!(out, "{command}"),
            [Id { variable, .. }] if tool == Tool::Ucurl => {
                writeln!(
                    out,
                    "{variable}=$({command})\nprintf '%s\\n' \"${{{variable}{MISSING}}}\""
                )
            }
            several => {
                writeln!(out, "reply=$({command})\nprintf '%s\\n' \"$reply\"")?;
                several.iter().try_for_each(|Id { variable, member, nth, .. }| {
                    let member = quoted(format!("\"{member}\" *: *\"[^\"]*\"").as_bytes());
                    let pick = format!("{}s/.*\"\\(.*\\)\"$/\\1/p", nth + 1);
                    write!(out, "{variable}=$(printf '%s\\n' \"$reply\" | ")?;
                    writeln!(out, "grep -o {member} | sed -n '{pick}')")?;
                    writeln!(out, ": \"${{{variable}{MISSING}}}\"")
                })
            }
        }
    }

    fn command(&self, hijack: bool) -> io::Result<String> {
        let (n, tool, entry) = (self.n, self.script.tool, self.entry);
        let reply = self.script.disk.all(&entry.reply, u64::MAX)?;
        let options = [
            ("-f", (200..400).contains(&entry.status)),
            ("--hijack", hijack),
            ("--demux", tool == Tool::Ucurl && is_framed(&reply)),
        ];
        let mut words = vec!["ask".to_owned()];
        words.extend(options.iter().filter(|(_, on)| *on).map(|(option, _)| (*option).to_owned()));
        let mut mine = self.ids.iter().filter(|id| id.source == n);
        if let (Some(id), None, Tool::Ucurl) = (mine.next(), mine.next(), tool) {
            words.push(format!("--select {}", quoted_word(id.pointer.as_bytes())));
        }
        let body = match &self.inline {
            _ if entry.body.length == 0 => None,
            Some(body) if !self.is_long() => Some(self.word(body)),
            _ => Some(format!("@\"$tmp/{n}.body\"")),
        };
        let request = RepeatedRequest {
            method: &entry.method,
            target: &entry.target,
            fields: &entry.fields,
            body,
            origin: if tool == Tool::Curl { "http://localhost" } else { "" },
        };
        words.extend(request.words(&|text| self.word(text)));
        match (hijack, entry.stays_open(), entry.stdin.length) {
            (false, ..) => {}
            (true, true, _) => words.push(format!("<>\"$tmp/{n}.in\"")),
            (true, false, 0) => words.push("</dev/null".into()),
            (true, false, _) => words.push(format!("<\"$tmp/{n}.stdin\"")),
        }
        Ok(wrapped(&words))
    }

    fn word(&self, text: &[u8]) -> String {
        let word = |piece: &Piece<'_>| match piece {
            Piece::Text(text) => quoted(text),
            Piece::Variable(name) => format!("\"${name}\""),
        };
        ids::pieces(text, self.ids, self.n).iter().map(word).collect()
    }
}

/// Returns whether a response consists of Docker's frames. The last one may be incomplete.
fn is_framed(mut reply: &[u8]) -> bool {
    let mut decoder = FrameDecoder::new();
    let mut any = false;
    loop {
        match decoder.next(&mut reply) {
            Ok(Some(_)) => any = true,
            Ok(None) => return any,
            Err(_) => return false,
        }
    }
}

/// Joins words into lines of a readable length.
fn wrapped(words: &[String]) -> String {
    let (mut text, mut column) = (String::new(), 0);
    for word in words {
        if column > 0 && column + word.len() > 110 {
            text.push_str(" \\\n  ");
            column = 2;
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += word.len();
    }
    text
}
