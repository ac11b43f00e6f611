//! Output: `/logs`, and connections that stop being HTTP, `/attach` and `/exec/{id}/start`.

use super::api::{CONTENT, Call, Outcome, Reply, engine_fields};
use super::containers::TICK;
use super::json::flag;
use super::names::told;
use super::process::{Process, Record, Run, Status};
use super::watched::ALWAYS;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};
use unix_http::base::time::rfc3339;
use unix_http::client::ReadHalf;
use unix_http::docker::{FrameStream, encode_frame};
use unix_http::server::Upgraded;

/// Between the head and the first frame. docker-py loses what comes together with the head, and a
/// real engine is never that fast.
const BREATH: Duration = Duration::from_millis(40);
/// How often a client that sends nothing is looked at once the program has ended.
const LINGER: Duration = Duration::from_millis(200);

/// What a client sees of the output of a process.
pub struct View {
    process: Arc<Process>,
    pub raw: bool,
    wants: [bool; 2],
    /// The first record, and the one after the last.
    from: usize,
    to: usize,
    since: Option<SystemTime>,
    until: Option<SystemTime>,
    timestamps: bool,
}

impl View {
    pub fn new(process: &Arc<Process>, wants: [bool; 2]) -> View {
        let (process, raw) = (Arc::clone(process), process.tty);
        let (from, to, since, until, timestamps) = (0, usize::MAX, None, None, false);
        View { process, raw, wants, from, to, since, until, timestamps }
    }

    /// Writes output as it comes, until the process has ended more often than `ends` times.
    fn write(
        &self,
        client: &mut impl Write,
        ends: u64,
        mut is_over: impl FnMut() -> bool,
    ) -> io::Result<()> {
        let (mut next, mut line_begins) = (self.from, [true; 2]);
        loop {
            let records = self.process.run.wait_for(TICK, |run| {
                let new = run.output.iter().take(self.to).skip(next).take(256);
                let records: Vec<Record> = new.cloned().collect();
                let ended = run.ends > ends || run.removed || self.to < usize::MAX || is_over();
                (!records.is_empty() || ended).then_some(records)
            });
            let Some(records) = records else { continue };
            if records.is_empty() {
                return Ok(());
            }
            next += records.len();
            let mut out = Vec::new();
            for record in records.iter().filter(|record| self.has(record)) {
                let begins = &mut line_begins[usize::from(record.error)];
                let is_stamped = self.timestamps && *begins;
                let stamp = if is_stamped { rfc3339(record.time, 9) + " " } else { String::new() };
                let data = [stamp.as_bytes(), &record.data].concat();
                self.frame(&mut out, record.error, &data);
                *begins = data.ends_with(b"\n");
            }
            client.write_all(&out)?;
            client.flush()?;
        }
    }

    fn has(&self, record: &Record) -> bool {
        self.wants[usize::from(record.error)]
            && self.since.is_none_or(|since| record.time >= since)
            && self.until.is_none_or(|until| record.time <= until)
    }

    fn frame(&self, out: &mut Vec<u8>, error: bool, data: &[u8]) {
        let stream = if error { FrameStream::Stderr } else { FrameStream::Stdout };
        match self.raw {
            true => out.extend_from_slice(data),
            false => encode_frame(out, stream, data),
        }
    }

    fn tell(&self, client: &mut impl Write, why: &str) -> io::Result<()> {
        let mut out = Vec::new();
        self.frame(&mut out, false, format!("{why}\r\n").as_bytes());
        client.write_all(&out)
    }
}

/// `/logs`: output of the past, and as it comes.
pub fn logs(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let process = Arc::clone(&call.engine.container(name)?.process);
    let wants = [call.truth("stdout"), call.truth("stderr")];
    if wants == [false, false] {
        return told!(400, "Bad parameters: you must choose at least one stream");
    }
    let mut view = View::new(&process, wants);
    view.timestamps = call.truth("timestamps");
    (view.since, view.until) = (call.time("since")?, call.time("until")?);
    let run = process.run.get();
    let follows = call.truth("follow") && run.status == Status::Running;
    view.to = if follows { usize::MAX } else { run.output.len() };
    view.from = call.parameter("tail").parse().map_or(0, |lines| run.tail(lines));
    let ends = run.ends;
    drop(run);
    let mut body = call.stream(call.stream_type(!process.tty))?;
    body.flush()?;
    view.write(&mut body, ends, || call.request.is_gone())?;
    Ok(Reply::Sent(body.finish()?))
}

pub struct Attached {
    pub view: View,
    /// Whether the client's bytes are the process's input, and whether the input ends with them.
    pub stdin: bool,
    pub close_stdin: bool,
    pub keys: Keys,
    pub is_exec: bool,
}

pub fn attach(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    call.request.bytes(CONTENT)?;
    let keys = Keys::parse(call.parameter("detachKeys"))?;
    let (logs, stream) = (call.truth("logs"), call.truth("stream"));
    let container = call.engine.container(name)?;
    let process = &container.process;
    let mut view = View::new(process, [call.truth("stdout"), call.truth("stderr")]);
    let end = process.run.get().output.len();
    (view.from, view.to) = (if logs { 0 } else { end }, if stream { usize::MAX } else { end });
    let stdin = call.truth("stdin") && stream && flag(&container.config, "OpenStdin");
    let close_stdin = flag(&container.config, "StdinOnce") && !process.tty;
    call.engine.emit(&container, "attach", &[]);
    Attached { view, stdin, close_stdin, keys, is_exec: false }.serve(call, || Ok(()))
}

impl Attached {
    /// Ends HTTP, begins the process, and moves bytes both ways until it has ended.
    pub fn serve(
        self,
        call: &mut Call<'_, '_>,
        begin: impl FnOnce() -> Result<(), String>,
    ) -> Outcome {
        let upgrade = call.request.offers_upgrade("tcp");
        let kind = call.stream_type(upgrade && !self.view.raw);
        let mut responder = call.responder()?.field("Content-Type", kind);
        if upgrade {
            let upgraded = responder.reason("UPGRADED").field("Connection", "Upgrade");
            responder = upgraded.field("Upgrade", "tcp");
        }
        if self.is_exec {
            responder = engine_fields(responder, "");
        }
        let ends = self.view.process.run.get().ends;
        let (connection, sent) = match upgrade {
            true => responder.upgrade(call.request, "tcp"),
            false => responder.hijack(call.request),
        }?;
        thread::sleep(BREATH);
        match begin() {
            Ok(()) => self.run(connection, ends)?,
            // It is too late for a status-code: an exec that fails says so in its stream.
            Err(why) => self.view.tell(&mut connection.split()?.1, &why)?,
        }
        Ok(Reply::Sent(sent))
    }

    fn run(&self, connection: Upgraded, ends: u64) -> io::Result<()> {
        let (mut from_client, mut to_client) = connection.split()?;
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let _ = self.input(&mut from_client, ends, &over);
                self.view.process.run.change(|_| {});
            });
            let mut outcome =
                self.view.write(&mut to_client, ends, || over.load(Ordering::Acquire));
            let is_detached = over.swap(true, Ordering::AcqRel);
            if self.is_exec && is_detached {
                let why = "exec attach failed: error on attach stdin: read escape sequence";
                outcome = self.view.tell(&mut to_client, why);
            }
            // It fails where the client has closed already.
            let _ = to_client.stream().shutdown(Shutdown::Write);
            outcome
        })
    }

    /// Passes on what the client sends, and sets `over` when it detaches. After the end it reads
    /// what is on the way, so that no reset overtakes the last output.
    fn input(&self, from: &mut ReadHalf, ends: u64, over: &AtomicBool) -> io::Result<()> {
        let (mut keys, mut terminal) = (self.keys.clone(), Terminal::default());
        let (mut buffer, mut wanted) = (vec![0; 32 << 10], self.stdin);
        let process = &self.view.process;
        let started = |run: &mut Run| {
            (run.status == Status::Running || run.ends > ends || run.removed).then_some(())
        };
        from.stream().set_read_timeout(Some(LINGER))?;
        loop {
            let n = match from.read(&mut buffer) {
                Ok(n @ 1..) => n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                Ok(_) | Err(_) => break,
            };
            if n == 0 && over.load(Ordering::Acquire) {
                return Ok(());
            }
            if n == 0 || !wanted {
                continue;
            }
            // A client may send before the container is started.
            process.run.wait_for(ALWAYS, started);
            wanted = match process.tty.then(|| keys.pass(&buffer[..n])) {
                None => process.feed(&buffer[..n]),
                Some(Some(typed)) => terminal.pass(&typed, process),
                Some(None) => {
                    over.store(true, Ordering::Release);
                    return Ok(());
                }
            };
        }
        if self.stdin && self.close_stdin {
            process.run.wait_for(ALWAYS, started);
            process.run.change(|run| run.input_open = false);
        }
        Ok(())
    }
}

/// The keys that detach a client: by default Ctrl-P Ctrl-Q.
#[derive(Clone)]
pub struct Keys {
    keys: Vec<u8>,
    typed: usize,
}

impl Keys {
    /// `ctrl-p,ctrl-q`, `a`
    pub fn parse(text: &str) -> io::Result<Keys> {
        let key = |name: &str| match (name.strip_prefix("ctrl-"), name.as_bytes()) {
            (Some(name), _) if name.len() == 1 => Ok(name.as_bytes()[0].to_ascii_uppercase() & 31),
            (None, [key]) => Ok(*key),
            _ => told!(400, "Invalid detach keys ({text}) provided"),
        };
        let text = if text.is_empty() { "ctrl-p,ctrl-q" } else { text };
        Ok(Keys { keys: text.split(',').map(key).collect::<io::Result<_>>()?, typed: 0 })
    }

    /// What of it the process gets; `None` once the keys are complete.
    pub fn pass(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut passed = Vec::new();
        for &byte in bytes {
            if byte != self.keys[self.typed] {
                passed.extend_from_slice(&self.keys[..self.typed]);
                self.typed = 0;
            }
            if byte == self.keys[self.typed] {
                self.typed += 1;
            } else {
                passed.push(byte);
            }
            if self.typed == self.keys.len() {
                return None;
            }
        }
        Some(passed)
    }
}

#[derive(Default)]
pub struct Terminal(Vec<u8>);

impl Terminal {
    /// Echoes what is typed, and gives the process a line at its end; whether it takes any.
    pub fn pass(&mut self, bytes: &[u8], process: &Process) -> bool {
        for &byte in bytes {
            match byte {
                3 => {
                    process.write(false, b"^C\n");
                    self.0.clear();
                    process.kill(2);
                }
                // Ctrl-D: the end of input on an empty line.
                4 if self.0.is_empty() => process.run.change(|run| run.input_open = false),
                4 => drop(process.feed(&std::mem::take(&mut self.0))),
                b'\r' | b'\n' => {
                    process.write(false, b"\n");
                    self.0.push(b'\n');
                    if !process.feed(&std::mem::take(&mut self.0)) {
                        return false;
                    }
                }
                8 | 0x7f => {
                    if self.0.pop().is_some() {
                        process.write(false, b"\x08 \x08");
                    }
                }
                byte => {
                    process.write(false, &[byte]);
                    self.0.push(byte);
                }
            }
        }
        true
    }
}
