//! Output: `/logs`, `/attach`, and what they share with an exec.

use super::engine::Engine;
use super::process::{self, Process, Record, Status, TICK};
use super::reply::{Call, Fault, Outcome, engine_fields};
use super::time;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};
use unix_http::docker::{Stream, encode_frame};
use unix_http::server::Upgraded;

/// How long a client may take to close its side after the program has ended.
const LINGER: Duration = Duration::from_millis(500);

fn frame(out: &mut Vec<u8>, tty: bool, error: bool, data: &[u8]) {
    match tty {
        true => out.extend_from_slice(data),
        false => encode_frame(out, if error { Stream::Stderr } else { Stream::Stdout }, data),
    }
}

/// Which of the output is asked for.
#[derive(Clone, Copy)]
pub struct Wanted {
    pub stdout: bool,
    pub stderr: bool,
}

impl Wanted {
    fn takes(self, record: &Record) -> bool {
        if record.error { self.stderr } else { self.stdout }
    }
}

/// Puts records together to the lines that `/logs` has.
#[derive(Default)]
struct Lines {
    /// What has no line end yet, for stdout and for stderr.
    begun: [Option<(SystemTime, Vec<u8>)>; 2],
}

impl Lines {
    fn add(&mut self, record: &Record, mut give: impl FnMut(bool, SystemTime, Vec<u8>)) {
        for piece in record.data.split_inclusive(|&b| b == b'\n') {
            let begun = &mut self.begun[usize::from(record.error)];
            let (time, mut line) = begun.take().unwrap_or((record.time, Vec::new()));
            line.extend_from_slice(piece);
            match line.ends_with(b"\n") {
                true => give(record.error, time, line),
                false => *begun = Some((time, line)),
            }
        }
    }

    fn end(self, mut give: impl FnMut(bool, SystemTime, Vec<u8>)) {
        for (error, begun) in [false, true].into_iter().zip(self.begun) {
            if let Some((time, line)) = begun {
                give(error, time, line);
            }
        }
    }
}

pub fn logs(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let engine = call.engine;
    let wanted = Wanted { stdout: call.truth("stdout"), stderr: call.truth("stderr") };
    let (follow, timestamps) = (call.truth("follow"), call.truth("timestamps"));
    let (since, until) =
        (time::parse(call.parameter("since")), time::parse(call.parameter("until")));
    let tail: usize = call.parameter("tail").parse().unwrap_or(usize::MAX);
    let state = engine.lock();
    let at = state.container(name)?;
    if !wanted.stdout && !wanted.stderr {
        return Err(Fault::told(400, &["Bad parameters: you must choose at least one stream"]));
    }
    let (key, tty) = (state.containers[at].process, state.containers[at].tty);
    drop(state);

    let mut frames: Vec<Vec<u8>> = Vec::new();
    let put = |frames: &mut Vec<Vec<u8>>, error: bool, time: SystemTime, line: Vec<u8>| {
        if since.is_some_and(|since| time < since) || until.is_some_and(|until| time > until) {
            return;
        }
        let mut out = Vec::new();
        let line =
            if timestamps { [time::rfc3339(time).as_bytes(), b" ", &line].concat() } else { line };
        frame(&mut out, tty, error, &line);
        frames.push(out);
    };
    let mut body = call.stream(None)?;
    body.flush()?;
    let (mut lines, mut next, mut past, mut over) = (Lines::default(), 0, true, false);
    while !over && !call.request.is_gone() {
        let state = engine.lock();
        let process = state.processes.get(&key);
        while let Some((number, record)) = process.and_then(|process| process.record(next)) {
            next = number + 1;
            if wanted.takes(record) {
                lines.add(record, |error, time, line| put(&mut frames, error, time, line));
            }
        }
        over = !follow || process.is_none_or(Process::is_over);
        if over {
            std::mem::take(&mut lines).end(|error, time, line| put(&mut frames, error, time, line));
        }
        if std::mem::take(&mut past) {
            frames.drain(..frames.len().saturating_sub(tail));
        }
        if frames.is_empty() && !over {
            drop(engine.wait(state, TICK));
            continue;
        }
        drop(state);
        for frame in frames.drain(..) {
            body.write_all(&frame)?;
            body.flush()?;
        }
    }
    Ok(body.finish()?.into())
}

pub fn attach(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let engine = call.engine;
    let wanted = Wanted { stdout: call.truth("stdout"), stderr: call.truth("stderr") };
    let (logs, stream, stdin) = (call.truth("logs"), call.truth("stream"), call.truth("stdin"));
    let mut state = engine.lock();
    let at = state.container(name)?;
    let container = &state.containers[at];
    let (key, once, open) = (container.process, container.stdin_once, container.open_stdin);
    let mut attached = Attached {
        wanted,
        key,
        ends: 0,
        from: 0,
        to: u64::MAX,
        stdin: stdin && open && stream,
        close_stdin: once,
    };
    let process = state.process_of(at);
    attached.ends = process.ends;
    if !logs {
        attached.from = process.end();
    }
    if !stream {
        attached.to = process.end();
    }
    state.emit_container(at, "attach", &[]);
    engine.notify();
    // From here on nothing may be missed, though the client has not heard yet that it is attached.
    let reader = state.processes.get_mut(&key).map(|process| process.follow(attached.from));
    drop(state);
    let responder = call.responder()?.field("Content-Type", "application/vnd.docker.raw-stream");
    let raw = match call.request.offers_upgrade("tcp") {
        true => responder.reason("UPGRADED").upgrade(call.request, "tcp"),
        false => responder.hijack(call.request),
    };
    let outcome = raw.and_then(|(raw, sent)| attached.run(engine, raw, reader).map(|()| sent));
    leave(engine, key, reader);
    Ok(outcome?.into())
}

/// The stream of an exec, with its fields, from its beginning.
pub fn exec_stream(
    call: &mut Call<'_, '_>,
    key: u64,
    wanted: Wanted,
    stdin: bool,
    go: impl FnOnce() -> Result<(), Fault>,
) -> Outcome {
    let engine = call.engine;
    let reader = engine.lock().processes.get_mut(&key).map(|process| process.follow(0));
    let responder = call.responder()?.field("Content-Type", "application/vnd.docker.raw-stream");
    let raw = match call.request.offers_upgrade("tcp") {
        true => {
            let responder =
                responder.reason("UPGRADED").field("Connection", "Upgrade").field("Upgrade", "tcp");
            engine_fields(responder, None).upgrade(call.request, "tcp")
        }
        false => engine_fields(responder, None).hijack(call.request),
    };
    let attached =
        Attached { wanted, key, ends: 0, from: 0, to: u64::MAX, stdin, close_stdin: true };
    let outcome = raw.and_then(|(mut raw, sent)| {
        match go() {
            Ok(()) => attached.run(engine, raw, reader)?,
            // It is too late for a status-code: an exec that fails now says so in its stream.
            Err(Fault::Told(_, why)) => raw.write_all([&why, "\r\n"].concat().as_bytes())?,
            Err(_) => {}
        }
        Ok(sent)
    });
    leave(engine, key, reader);
    Ok(outcome?.into())
}

fn leave(engine: &Engine, key: u64, reader: Option<u64>) {
    let mut state = engine.lock();
    if let (Some(process), Some(reader)) = (state.processes.get_mut(&key), reader) {
        process.unfollow(reader);
    }
    state.processes.retain(|_, process| process.is_wanted());
    drop(state);
    engine.notify();
}

/// A client that is attached to a process.
struct Attached {
    wanted: Wanted,
    key: u64,
    /// How often the process had ended when the client came: of one that is not running the next
    /// run is meant.
    ends: u64,
    /// From which record to which.
    from: u64,
    to: u64,
    /// Whether what it sends is the process's input, and whether the input ends with it.
    stdin: bool,
    close_stdin: bool,
}

impl Attached {
    /// Moves bytes both ways until the process has ended.
    fn run(&self, engine: &Arc<Engine>, raw: Upgraded, reader: Option<u64>) -> io::Result<()> {
        let (mut from_client, mut to_client) = raw.split()?;
        thread::scope(|scope| {
            let here = thread::current();
            let input = scope.spawn(move || {
                self.input(engine, &mut from_client);
                here.unpark();
            });
            let outcome = self.output(engine, &mut to_client, reader);
            // The client hears of the end at once. What it still sends is read, so that no reset
            // overtakes that, but not for long.
            let stream = to_client.stream();
            let end = Instant::now() + if outcome.is_ok() { LINGER } else { Duration::ZERO };
            let mut heard = stream.shutdown(Shutdown::Write).is_ok();
            while heard && !input.is_finished() {
                let left = end.saturating_duration_since(Instant::now());
                heard = !left.is_zero();
                thread::park_timeout(left);
            }
            // It fails where the client has closed already.
            let _ = stream.shutdown(Shutdown::Both);
            outcome
        })
    }

    fn input(&self, engine: &Engine, from: &mut impl Read) {
        let mut buffer = vec![0; 32 << 10];
        let mut wanted = self.stdin;
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            // What nobody wants is read all the same: who sends it must not wait for ever.
            wanted = wanted && self.feed_when_started(engine, &buffer[..n]);
        }
        if self.stdin && self.close_stdin {
            let mut state = engine.lock();
            loop {
                match state.processes.get_mut(&self.key) {
                    Some(process) if self.is_to_start(process) => {}
                    Some(process) => {
                        process.input_open = false;
                        break;
                    }
                    None => break,
                }
                state = engine.wait(state, TICK);
            }
            drop(state);
            engine.notify();
        }
    }

    /// A client may send before the container is started.
    fn feed_when_started(&self, engine: &Engine, bytes: &[u8]) -> bool {
        let mut state = engine.lock();
        while state.processes.get(&self.key).is_some_and(|process| self.is_to_start(process)) {
            state = engine.wait(state, TICK);
        }
        drop(state);
        process::feed(engine, self.key, bytes)
    }

    fn output(&self, engine: &Engine, to: &mut impl Write, reader: Option<u64>) -> io::Result<()> {
        let (mut next, mut out) = (self.from, Vec::new());
        let mut state = engine.lock();
        loop {
            let Some(process) = state.processes.get_mut(&self.key) else { return Ok(()) };
            while out.len() < 256 << 10
                && next < self.to
                && let Some((number, record)) = process.record(next)
            {
                next = number + 1;
                if self.wanted.takes(record) {
                    frame(&mut out, process.tty, record.error, &record.data);
                }
            }
            if let Some(reader) = reader {
                process.advance(reader, next);
            }
            let over = next >= self.to || (next >= process.end() && self.has_ended(process));
            if out.is_empty() && !over {
                state = engine.wait(state, TICK);
                continue;
            }
            drop(state);
            engine.notify();
            to.write_all(&out)?;
            out.clear();
            if over {
                return Ok(());
            }
            state = engine.lock();
        }
    }

    fn is_to_start(&self, process: &Process) -> bool {
        process.ends == self.ends && process.status != Status::Running && !process.orphan
    }

    fn has_ended(&self, process: &Process) -> bool {
        process.ends > self.ends || (process.orphan && process.status != Status::Running)
    }
}
