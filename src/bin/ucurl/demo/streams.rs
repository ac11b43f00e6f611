//! Output: `/logs`, and connections that stop being HTTP, `/attach` and `/exec/{id}/start`.

use super::api::{CONTENT, Call, Outcome, Reply, engine_fields};
use super::containers::TICK;
use super::json::flag;
use super::names::told;
use super::process::{Process, Record, Run, Status};
use super::terminal::{Keys, Terminal};
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use unix_http::base::time::rfc3339;
use unix_http::client::ReadHalf;
use unix_http::docker::{FrameStream, encode_frame};
use unix_http::server::Upgraded;

/// Between the head and the first frame. docker-py loses what comes together with the head, and a
/// real engine is never that fast.
const BREATH: Duration = Duration::from_millis(40);
/// How often a client that sends nothing is looked at once the program has ended.
const LINGER: Duration = Duration::from_millis(200);

/// A client at the standard streams of a process.
pub struct Attached {
    pub process: Arc<Process>,
    /// Whether output goes out as it is, without frames.
    pub raw: bool,
    /// Whether standard output and standard error are sent.
    pub wants: [bool; 2],
    /// Whether the client's bytes are the process's input, and whether the input ends with them.
    pub stdin: bool,
    pub close_stdin: bool,
    pub keys: Keys,
    /// From which record to which.
    pub from: usize,
    pub to: usize,
    pub is_exec: bool,
}

pub fn attach(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    call.request.bytes(CONTENT)?;
    let keys = Keys::parse(call.parameter("detachKeys"))?;
    let (logs, stream) = (call.truth("logs"), call.truth("stream"));
    let container = call.engine.container(name)?;
    let process = Arc::clone(&container.process);
    let end = process.run().output.len();
    let attached = Attached {
        raw: process.tty,
        wants: [call.truth("stdout"), call.truth("stderr")],
        stdin: call.truth("stdin") && stream && flag(&container.config, "OpenStdin"),
        close_stdin: flag(&container.config, "StdinOnce") && !process.tty,
        keys,
        from: if logs { 0 } else { end },
        to: if stream { usize::MAX } else { end },
        is_exec: false,
        process,
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
            let upgraded = responder.reason("UPGRADED").field("Connection", "Upgrade");
            responder = upgraded.field("Upgrade", "tcp");
        }
        if self.is_exec {
            responder = engine_fields(responder, "");
        }
        let ends = self.process.run().ends;
        let (connection, sent) = match upgrade {
            true => responder.upgrade(call.request, "tcp"),
            false => responder.hijack(call.request),
        }?;
        thread::sleep(BREATH);
        match begin() {
            Ok(()) => self.run(connection, ends)?,
            // It is too late for a status-code: an exec that fails says so in its stream.
            Err(why) => self.tell(&mut connection.split()?.1, &why)?,
        }
        Ok(Reply::Sent(sent))
    }

    fn tell(&self, to: &mut impl Write, why: &str) -> io::Result<()> {
        let mut out = Vec::new();
        frame(&mut out, self.raw, false, format!("{why}\r\n").as_bytes());
        to.write_all(&out)
    }

    fn run(&self, connection: Upgraded, ends: u64) -> io::Result<()> {
        let (mut from_client, mut to_client) = connection.split()?;
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let _ = self.input(&mut from_client, ends, &over);
                self.process.change(|_| {});
            });
            let outcome = self.output(&mut to_client, ends, &over);
            over.store(true, Ordering::Release);
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
        let started = |run: &mut Run| {
            (run.status == Status::Running || run.ends > ends || run.removed).then_some(())
        };
        from.stream().set_read_timeout(Some(LINGER))?;
        loop {
            let n = match from.read(&mut buffer) {
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    match over.load(Ordering::Acquire) {
                        true => return Ok(()),
                        false => continue,
                    }
                }
                Ok(n @ 1..) => n,
                Ok(_) | Err(_) => break,
            };
            if !wanted {
                continue;
            }
            // A client may send before the container is started.
            self.process.wait(started);
            wanted = match self.process.tty.then(|| keys.pass(&buffer[..n])) {
                None => self.process.feed(&buffer[..n]),
                Some(Some(typed)) => terminal.pass(&typed, &self.process),
                Some(None) => {
                    over.store(true, Ordering::Release);
                    return Ok(());
                }
            };
        }
        if self.stdin && self.close_stdin {
            self.process.wait(started);
            self.process.change(|run| run.input_open = false);
        }
        Ok(())
    }

    fn output(&self, to: &mut impl Write, ends: u64, over: &AtomicBool) -> io::Result<()> {
        let (mut next, mut out) = (self.from, Vec::new());
        loop {
            let records = self.process.wait(|run| {
                let new = run.output.iter().take(self.to).skip(next).take(64);
                let records: Vec<Record> = new.cloned().collect();
                let ended = run.ends > ends || run.removed || self.to < usize::MAX;
                (!records.is_empty() || ended || over.load(Ordering::Acquire)).then_some(records)
            });
            if records.is_empty() {
                break;
            }
            next += records.len();
            for record in records.iter().filter(|record| self.wants[usize::from(record.error)]) {
                frame(&mut out, self.raw, record.error, &record.data);
            }
            to.write_all(&out)?;
            out.clear();
        }
        match self.is_exec && over.load(Ordering::Acquire) {
            true => {
                self.tell(to, "exec attach failed: error on attach stdin: read escape sequence")
            }
            false => Ok(()),
        }
    }
}

/// `/logs`: output line by line, of the past and as it comes.
pub fn logs(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let process = Arc::clone(&call.engine.container(name)?.process);
    let wants = [call.truth("stdout"), call.truth("stderr")];
    if wants == [false, false] {
        return told!(400, "Bad parameters: you must choose at least one stream");
    }
    let (follow, timestamps) = (call.truth("follow"), call.truth("timestamps"));
    let (since, until) = (call.time("since")?, call.time("until")?);
    let mut tail = call.parameter("tail").parse().ok();
    let kind = call.stream_type(!process.tty);
    let mut body = call.stream(kind)?;
    body.flush()?;
    let (mut next, mut begun, mut over) = (0, [Vec::new(), Vec::new()], false);
    while !over && !call.request.is_gone() {
        let more = process.wait_for(TICK, |run| {
            let records: Vec<Record> = run.output.iter().skip(next).cloned().collect();
            let over = !follow || run.status != Status::Running;
            (!records.is_empty() || over).then_some((records, over))
        });
        let Some((records, at_end)) = more else { continue };
        (next, over) = (next + records.len(), at_end);
        let mut lines = Vec::new();
        for Record { error, time, data } in records {
            let in_time =
                since.is_none_or(|since| time >= since) && until.is_none_or(|until| time <= until);
            let pieces = data.split_inclusive(|&b| b == b'\n');
            for piece in pieces.filter(|_| in_time && wants[usize::from(error)]) {
                let line: &mut Vec<u8> = &mut begun[usize::from(error)];
                if timestamps && line.is_empty() {
                    line.extend_from_slice((rfc3339(time, 9) + " ").as_bytes());
                }
                line.extend_from_slice(piece);
                if piece.ends_with(b"\n") {
                    lines.push((error, std::mem::take(line)));
                }
            }
        }
        for (line, error) in
            begun.iter_mut().zip([false, true]).filter(|(line, _)| over && !line.is_empty())
        {
            lines.push((error, std::mem::take(line)));
        }
        let skipped = lines.len().saturating_sub(tail.take().unwrap_or(usize::MAX));
        for (error, line) in &lines[skipped..] {
            let mut out = Vec::new();
            frame(&mut out, process.tty, *error, line);
            body.write_all(&out)?;
            body.flush()?;
        }
    }
    Ok(Reply::Sent(body.finish()?))
}

fn frame(out: &mut Vec<u8>, raw: bool, error: bool, data: &[u8]) {
    match raw {
        true => out.extend_from_slice(data),
        false => {
            encode_frame(out, if error { FrameStream::Stderr } else { FrameStream::Stdout }, data)
        }
    }
}
