//! Output: `/logs`, and connections that stop being HTTP, `/attach` and `/exec/{id}/start`.

use super::api::{CONTENT, Call, Outcome, Reply, engine_fields};
use super::containers::TICK;
use super::prelude::*;
use super::process::{ALWAYS, Process, Record, Run, Status};
use std::io::Read;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use unix_http::connection::{ReadHalf, Upgraded};
use unix_http::docker::{FrameStream, encode_frame};

/// Between the head and the first frame. docker-py loses what comes together with the head, and a
/// real engine is never that fast.
const BREATH: Duration = Duration::from_millis(40);

/// A client of a process: what it sees of the output, and what its bytes mean.
#[derive(Default)]
pub struct Attached {
    pub process: Arc<Process>,
    pub is_exec: bool,
    /// Whether output comes without frames.
    pub raw: bool,
    /// Whether it sees standard output, and standard error.
    pub wants: [bool; 2],
    /// The first record that it sees, and the one after the last, if that is known.
    pub from: usize,
    pub to: Option<usize>,
    /// The times of what it sees, and whether it sees them.
    pub times: [Option<SystemTime>; 2],
    pub timestamps: bool,
    /// Whether its bytes are the process's input, and whether the input ends with them.
    pub stdin: bool,
    pub close_stdin: bool,
    /// The keys that detach it.
    pub keys: Vec<u8>,
}

/// `/logs`: output of the past, and as it comes.
pub fn logs(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let process = Arc::clone(&call.engine.container(name)?.process);
    let wants = [call.truth("stdout"), call.truth("stderr")];
    ensure!(wants != [false; 2], 400, "Bad parameters: you must choose at least one stream");
    let (times, timestamps) =
        ([call.time("since")?, call.time("until")?], call.truth("timestamps"));
    let (from, to, ends) = {
        let run = process.run.get();
        let follows = call.truth("follow") && run.status == Status::Running;
        let from = call.parameter("tail").parse().map_or(0, |lines| run.tail(lines));
        (from, (!follows).then_some(run.output.len()), run.ends)
    };
    let mut body = call.stream(call.stream_type(!process.tty))?;
    body.flush()?;
    let raw = process.tty;
    let view = Attached { process, raw, wants, from, to, times, timestamps, ..<_>::default() };
    view.write(&mut body, ends, || call.request.is_gone())?;
    Ok(Reply::Sent(body.finish()?))
}

pub fn attach(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    call.request.bytes(CONTENT)?;
    let container = call.engine.container(name)?;
    let process = Arc::clone(&container.process);
    let (end, stream) = (process.run.get().output.len(), call.truth("stream"));
    let attached = Attached {
        raw: process.tty,
        wants: [call.truth("stdout"), call.truth("stderr")],
        from: if call.truth("logs") { 0 } else { end },
        to: (!stream).then_some(end),
        stdin: call.truth("stdin") && stream && flag(&container.config, "OpenStdin"),
        close_stdin: flag(&container.config, "StdinOnce") && !process.tty,
        keys: detach_keys(call.parameter("detachKeys"))?,
        process,
        ..Attached::default()
    };
    call.engine.emit(&container, "attach", &[]);
    attached.serve(call, || Ok(()))
}

impl Attached {
    /// Ends HTTP, begins the process, and moves bytes both ways until it has ended.
    pub fn serve(
        self,
        call: &mut Call<'_, '_>,
        begin: impl FnOnce() -> Result<(), String>,
    ) -> Outcome {
        let upgrade = call.request.offers_upgrade("tcp");
        let kind = call.stream_type(upgrade && !self.raw);
        let mut responder = call.responder()?.field("Content-Type", kind);
        if upgrade {
            let upgraded = responder.status(101).reason("UPGRADED").field("Connection", "Upgrade");
            responder = upgraded.field("Upgrade", "tcp");
        }
        if self.is_exec {
            responder = engine_fields(responder, "");
        }
        let ends = self.process.run.get().ends;
        let (connection, sent) = responder.hijack(call.request)?;
        thread::sleep(BREATH);
        match begin() {
            Ok(()) => self.run(connection, ends)?,
            // It is too late for a status-code: an exec that fails says so in its stream.
            Err(why) => connection.split()?.1.write_all(&self.frame(false, why.as_bytes()))?,
        }
        Ok(Reply::Sent(sent))
    }

    fn run(&self, connection: Upgraded, ends: u64) -> io::Result<()> {
        let (mut from_client, mut to_client) = connection.split()?;
        let detached = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                detached.store(self.input(&mut from_client, ends), Ordering::Release);
                self.process.run.change(|_| {});
            });
            let mut outcome = self.write(&mut to_client, ends, || detached.load(Ordering::Acquire));
            if self.is_exec && detached.load(Ordering::Acquire) {
                let why = b"exec attach failed: error on attach stdin: read escape sequence\r\n";
                outcome = to_client.write_all(&self.frame(false, why));
            }
            // Ends the thread that reads, too. It fails where the client has closed already.
            let _ = to_client.stream().shutdown(Shutdown::Both);
            outcome
        })
    }

    /// Passes on what the client sends; whether it detaches.
    fn input(&self, from: &mut ReadHalf, ends: u64) -> bool {
        let (process, mut terminal) = (&self.process, Terminal::default());
        // A client may send before the container is started.
        let started = |run: &mut Run| {
            (run.status == Status::Running || run.ends > ends || run.removed).then_some(())
        };
        let mut buffer = vec![0; 32 << 10];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            if !self.stdin {
                continue;
            }
            process.run.wait(ALWAYS, started);
            match process.tty {
                _ if !process.is_running() => {}
                true if terminal.pass(&buffer[..n], &self.keys, process) => return true,
                true => {}
                false => drop(process.feed(&buffer[..n])),
            }
        }
        if self.stdin && self.close_stdin {
            process.run.wait(ALWAYS, started);
            process.run.change(|run| run.input_open = false);
        }
        false
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
            let records = self.process.run.wait(TICK, |run| {
                let new = run.output.iter().take(self.to.unwrap_or(usize::MAX)).skip(next);
                let new: Vec<Record> = new.take(256).cloned().collect();
                let ended = run.ends > ends || run.removed || self.to.is_some() || is_over();
                (!new.is_empty() || ended).then_some(new)
            });
            let Some(records) = records else { continue };
            if records.is_empty() {
                return Ok(());
            }
            next += records.len();
            let mut out = Vec::new();
            for Record { error, time, data } in records {
                let [since, until] = self.times.map(|bound| bound.unwrap_or(time));
                let begins = &mut line_begins[usize::from(error)];
                let is_stamped = self.timestamps && *begins;
                let stamp = if is_stamped { rfc3339(time, 9) + " " } else { String::new() };
                *begins = data.ends_with(b"\n");
                if self.wants[usize::from(error)] && since <= time && time <= until {
                    out.extend(self.frame(error, &[stamp.as_bytes(), &data].concat()));
                }
            }
            client.write_all(&out)?;
            client.flush()?;
        }
    }

    fn frame(&self, error: bool, data: &[u8]) -> Vec<u8> {
        let (mut out, stream) = (Vec::new(), [FrameStream::Stdout, FrameStream::Stderr]);
        if self.raw {
            return data.to_vec();
        }
        encode_frame(&mut out, stream[usize::from(error)], data);
        out
    }
}

/// The keys of `ctrl-p,ctrl-q`, which is the default, or `a`.
pub fn detach_keys(text: &str) -> io::Result<Vec<u8>> {
    let key = |name: &str| match (name.strip_prefix("ctrl-"), name.as_bytes()) {
        (Some(name), _) if name.len() == 1 => Ok(name.as_bytes()[0].to_ascii_uppercase() & 31),
        (None, [key]) => Ok(*key),
        _ => Err(refusal!(400, "Invalid detach keys ({text}) provided")),
    };
    let text = if text.is_empty() { "ctrl-p,ctrl-q" } else { text };
    text.split(',').map(key).collect()
}

/// Handles typed input as a terminal does: lines, signals, and the keys that detach.
#[derive(Default)]
struct Terminal {
    /// How many of these keys have been typed.
    typed: usize,
    line: Vec<u8>,
}

impl Terminal {
    /// Echoes input and passes lines on. Returns whether the client detaches.
    fn pass(&mut self, bytes: &[u8], keys: &[u8], process: &Process) -> bool {
        for &byte in bytes {
            if byte != keys[self.typed] {
                // They were input.
                keys[..std::mem::take(&mut self.typed)].iter().for_each(|&k| self.put(k, process));
            }
            if byte == keys[self.typed] {
                self.typed += 1;
            } else {
                self.put(byte, process);
            }
            if self.typed == keys.len() {
                return true;
            }
        }
        false
    }

    fn put(&mut self, byte: u8, process: &Process) {
        match byte {
            3 => {
                process.write(false, b"^C\n");
                self.line.clear();
                process.kill(2);
            }
            // Ctrl-D: the end of input on an empty line.
            4 if self.line.is_empty() => process.run.change(|run| run.input_open = false),
            4 => drop(process.feed(&std::mem::take(&mut self.line))),
            b'\r' | b'\n' => {
                process.write(false, b"\n");
                self.line.push(b'\n');
                process.feed(&std::mem::take(&mut self.line));
            }
            8 | 0x7f if self.line.pop().is_some() => process.write(false, b"\x08 \x08"),
            8 | 0x7f => {}
            byte => {
                process.write(false, &[byte]);
                self.line.push(byte);
            }
        }
    }
}
