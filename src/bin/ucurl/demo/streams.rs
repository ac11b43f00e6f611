//! Output in `/logs`, and on connections that stop being HTTP: `/attach` and `/exec/{id}/start`.

use super::api::*;
use super::containers::launch;
use std::io::Read;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use unix_http::connection::{ReadHalf, Upgraded};
use unix_http::docker::{FrameStream, encode_frame};

/// The time between the head and the first frame. docker-py loses output that comes with the head,
/// and a real engine is never that fast.
const BREATH: Duration = Duration::from_millis(40);

/// A client that is attached to a container or an exec.
struct Attached {
    task: Arc<Task>,
    /// Whether output comes without frames.
    raw: bool,
    /// Whether the client sees standard output and standard error.
    wants: [bool; 2],
    /// The next record to send, and the index after the last one, if it is known.
    next: Arc<AtomicUsize>,
    to: Option<usize>,
    /// Whether the client's bytes are input, and whether their end closes the input.
    stdin: bool,
    close_stdin: bool,
    /// The keys that detach the client.
    keys: Vec<u8>,
}

/// `/logs`: sends past output, and follows it.
pub fn logs(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    ensure!(!call.truth("timestamps"), "absent", "timestamps in logs");
    let task = call.container(name)?;
    let wants = [call.truth("stdout"), call.truth("stderr")];
    ensure!(wants != [false; 2], "attach-nothing");
    let (since, until) = (call.time("since")?, call.time("until")?);
    let (from, to, ends) = {
        let run = task.process.run.get();
        let follows = call.truth("follow") && run.status == Status::Running;
        let tail = call.parameter("tail").parse().map_or(0, |lines| run.tail(lines));
        let is_past = |record: &Record| since.is_some_and(|since| record.time < since);
        let is_later = |record: &Record| until.is_some_and(|until| record.time > until);
        let end = run.output.iter().position(is_later);
        let end = end.or((!follows).then_some(run.output.len()));
        (run.output.partition_point(is_past).max(tail), end, run.ends)
    };
    let (raw, stdin, close_stdin, keys) = (task.process.tty, false, false, Vec::new());
    let next = Arc::new(AtomicUsize::new(from));
    let view = Attached { task, raw, wants, next, to, stdin, close_stdin, keys };
    let mut body = call.stream(stream_type(call, !raw))?;
    body.flush()?;
    view.write(&mut body, ends, || call.request.is_gone())?;
    Ok(Reply::Sent(body.finish()?))
}

/// Returns the media type of output. Since 1.42 it differs for frames.
fn stream_type(call: &Call<'_, '_>, framed: bool) -> &'static str {
    match framed && call.since(42) {
        true => "application/vnd.docker.multiplexed-stream",
        false => "application/vnd.docker.raw-stream",
    }
}

pub fn attach(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    call.request.bytes(CONTENT)?;
    let task = call.container(name)?;
    let (view, tty, stream) = (task.view(), task.process.tty, call.truth("stream"));
    let end = task.process.run.get().output.len();
    call.state().emit_task(&task, "attach", &[]);
    let attached = Attached {
        task,
        raw: tty,
        wants: [call.truth("stdout"), call.truth("stderr")],
        next: Arc::new(AtomicUsize::new(if call.truth("logs") { 0 } else { end })),
        to: (!stream).then_some(end),
        stdin: call.truth("stdin") && stream && flag(&view, "/Config/OpenStdin"),
        close_stdin: flag(&view, "/Config/StdinOnce") && !tty,
        keys: detach_keys(call.parameter("detachKeys"))?,
    };
    attached.serve(call)
}

/// `POST /exec/{id}/start`: attaches as well, unless `Detach` is set.
pub fn start_exec(call: &mut Call<'_, '_>, id: &str) -> Outcome {
    let mut asked = template!("exec_start.json");
    overlay(&mut asked, &call.json()?)?;
    let task = call.state().exec(id)?;
    if flag(&asked, "/Detach") {
        launch(call.engine, &task)?;
        return Ok(Reply::Empty(200));
    }
    let view = task.view();
    let attached = Attached {
        close_stdin: !task.process.tty,
        task,
        raw: flag(&asked, "/Tty"),
        wants: ["/Config/AttachStdout", "/Config/AttachStderr"].map(|place| flag(&view, place)),
        next: Arc::default(),
        to: None,
        stdin: flag(&view, "/Config/AttachStdin"),
        keys: detach_keys(text(&view, "/Config/DetachKeys"))?,
    };
    attached.serve(call)
}

impl Attached {
    /// Ends HTTP, starts an exec, and forwards bytes both ways until the process ends.
    fn serve(self, call: &mut Call<'_, '_>) -> Outcome {
        let upgrade = call.request.offers_upgrade("tcp");
        let kind = stream_type(call, upgrade && !self.raw);
        let mut responder = call.responder()?.field("Content-Type", kind);
        if upgrade {
            let upgraded = responder.status(101).reason("UPGRADED").field("Connection", "Upgrade");
            responder = upgraded.field("Upgrade", "tcp");
        }
        if self.task.is_exec() {
            responder = engine_fields(responder, "");
        }
        let ends = self.task.process.run.get().ends;
        self.task.process.run.change(|run| run.readers.push(Arc::downgrade(&self.next)));
        let (connection, sent) = responder.hijack(call.request)?;
        thread::sleep(BREATH);
        let begun = if self.task.is_exec() { launch(call.engine, &self.task) } else { Ok(()) };
        match begun.as_ref().err().and_then(told) {
            // It is too late for a status-code: the stream has the error.
            Some((_, why)) => self.say(&mut connection.split()?.1, why)?,
            None => self.run(connection, ends)?,
        }
        Ok(Reply::Sent(sent))
    }

    fn run(&self, connection: Upgraded, ends: u64) -> io::Result<()> {
        let (mut from_client, mut to_client) = connection.split()?;
        let detached = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                detached.store(self.input(&mut from_client, ends), Ordering::Release);
                self.task.process.run.change(|_| {});
            });
            let is_detached = || detached.load(Ordering::Acquire);
            let mut outcome = self.write(&mut to_client, ends, is_detached);
            if self.task.is_exec() && is_detached() {
                let why = "exec attach failed: error on attach stdin: read escape sequence";
                outcome = self.say(&mut to_client, why);
            }
            // Ends the reading thread, too. Fails if the client has already closed.
            let _ = to_client.stream().shutdown(Shutdown::Both);
            outcome
        })
    }

    fn say(&self, client: &mut impl Write, why: &str) -> io::Result<()> {
        client.write_all(&self.frame(false, format!("{why}\r\n").as_bytes()))
    }

    /// Sends output until the process has ended more than `ends` times.
    fn write(
        &self,
        client: &mut impl Write,
        ends: u64,
        mut is_over: impl FnMut() -> bool,
    ) -> io::Result<()> {
        loop {
            let next = self.next.load(Ordering::Acquire);
            let records = self.task.process.run.wait(TICK, |run| {
                let end = self.to.unwrap_or(run.output.len()).min(next + 256);
                let new = run.output.get(next..end).unwrap_or_default().to_vec();
                let ended = run.ends > ends || run.removed || self.to.is_some() || is_over();
                (!new.is_empty() || ended).then_some(new)
            });
            let Some(records) = records else { continue };
            if records.is_empty() {
                return Ok(());
            }
            let wanted = records.iter().filter(|record| self.wants[usize::from(record.error)]);
            let frames = wanted.flat_map(|record| self.frame(record.error, &record.data));
            client.write_all(&frames.collect::<Vec<u8>>())?;
            client.flush()?;
            self.next.store(next + records.len(), Ordering::Release);
            self.task.process.run.change(|_| {});
        }
    }

    fn frame(&self, error: bool, data: &[u8]) -> Vec<u8> {
        if self.raw {
            return data.to_vec();
        }
        let (mut out, stream) = (Vec::new(), [FrameStream::Stdout, FrameStream::Stderr]);
        encode_frame(&mut out, stream[usize::from(error)], data);
        out
    }

    /// Forwards the client's bytes to the process. Returns whether the client detaches.
    fn input(&self, from: &mut ReadHalf, ends: u64) -> bool {
        let (process, mut terminal) = (&self.task.process, Terminal::default());
        // A client may send before the container starts.
        let begin = || {
            process.run.wait(ALWAYS, |run| {
                (run.status == Status::Running || run.ends > ends || run.removed).then_some(())
            })
        };
        let mut buffer = vec![0; 32 << 10];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            if !self.stdin {
                continue;
            }
            begin();
            match process.tty {
                true if terminal.pass(&buffer[..n], &self.keys, process) => return true,
                true => {}
                false => process.feed(&buffer[..n]),
            }
        }
        if self.stdin && self.close_stdin {
            begin();
            process.close_input();
        }
        false
    }
}

/// Reads detach keys such as `ctrl-p,ctrl-q`, which is the default, or `a`.
fn detach_keys(text: &str) -> io::Result<Vec<u8>> {
    let key = |name: &str| match (name.strip_prefix("ctrl-"), name.as_bytes()) {
        (Some(name), _) if name.len() == 1 => Ok(name.as_bytes()[0].to_ascii_uppercase() & 31),
        (None, [key]) => Ok(*key),
        _ => Err(refusal!("detach-keys", text)),
    };
    let text = if text.is_empty() { "ctrl-p,ctrl-q" } else { text };
    text.split(',').map(key).collect()
}

/// Handles typed input as a terminal does: lines, signals and detach keys.
#[derive(Default)]
struct Terminal {
    /// Typed bytes that may be the beginning of the detach keys.
    held: Vec<u8>,
    line: Vec<u8>,
}

impl Terminal {
    /// Echoes input and passes lines on. Returns whether the client detaches.
    fn pass(&mut self, bytes: &[u8], keys: &[u8], process: &Process) -> bool {
        for &byte in bytes {
            self.held.push(byte);
            if self.held == keys {
                return true;
            }
            if !keys.starts_with(&self.held) {
                // They are input.
                std::mem::take(&mut self.held).iter().for_each(|&byte| self.put(byte, process));
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
            // Ctrl-D on an empty line ends the input.
            4 if self.line.is_empty() => process.close_input(),
            4 => process.feed(&std::mem::take(&mut self.line)),
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
