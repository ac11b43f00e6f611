//! Output in `/logs`, and on connections that stop being HTTP: `/attach` and `/exec/{id}/start`.

use super::api::*;
use super::containers::launch;
use std::io::Read;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use unix_http::Upgraded;
use unix_http::docker::{FrameStream, encode_frame};

/// The time between the head and the first frame. docker-py loses output that comes with the head,
/// and a real engine is never that fast.
const BREATH: Duration = Duration::from_millis(40);

/// A client that is attached to a container or an exec, or reads its logs.
#[derive(Default)]
struct StreamClient {
    task: Arc<Task>,
    /// Whether output comes without frames.
    raw: bool,
    /// Whether the client sees standard output and standard error.
    wants: [bool; 2],
    /// The next record to send, and the index after the last one, if it is known.
    next: Arc<AtomicUsize>,
    to: Option<usize>,
    /// The number of runs that had ended when the client connected.
    ends: u64,
    /// Whether the client's bytes are input, and whether their end closes the input.
    stdin: bool,
    close_stdin: bool,
    /// The keys that detach the client.
    keys: Vec<u8>,
}

/// `/logs`: sends past output, and follows it.
pub fn logs(call: &mut Call<'_, '_>) -> Outcome {
    ensure!(!call.truth("timestamps"), "absent", "timestamps in logs");
    let mut client = StreamClient::of(call.container()?);
    client.wants = [call.truth("stdout"), call.truth("stderr")];
    ensure!(client.wants != [false; 2], "attach-nothing");
    let (since, until) = (call.time("since")?, call.time("until")?);
    {
        let run = client.task.run.get();
        let tail = call.parameter("tail").parse().map_or(0, |lines| run.tail(lines));
        let is_past = |record: &Record| since.is_some_and(|since| record.time < since);
        let is_later = |record: &Record| until.is_some_and(|until| record.time > until);
        client.next = Arc::new(run.output.partition_point(is_past).max(tail).into());
        let follows = call.truth("follow") && run.running;
        let end = run.output.iter().position(is_later);
        client.to = end.or((!follows).then_some(run.output.len()));
    }
    let mut body = call.stream(stream_type(call, !client.raw))?;
    body.flush()?;
    client.write(&mut body, || call.request.is_gone())?;
    Ok(Reply::Sent(body.finish()?))
}

/// Returns the media type of output. Since 1.42 it differs for frames.
fn stream_type(call: &Call<'_, '_>, framed: bool) -> &'static str {
    match framed && call.since(42) {
        true => "application/vnd.docker.multiplexed-stream",
        false => "application/vnd.docker.raw-stream",
    }
}

pub fn attach(call: &mut Call<'_, '_>) -> Outcome {
    call.request.bytes(CONTENT)?;
    let mut client = StreamClient::of(call.container()?);
    let (view, stream) = (client.task.view(), call.truth("stream"));
    call.state().emit_task(&client.task, "attach", &[]);
    client.wants = [call.truth("stdout"), call.truth("stderr")];
    client.to = (!stream).then_some(client.next.load(Ordering::Acquire));
    if call.truth("logs") {
        client.next = Arc::default();
    }
    client.stdin = call.truth("stdin") && stream && client.task.has_input;
    client.close_stdin = flag(&view, "/Config/StdinOnce") && !client.raw;
    client.keys = detach_keys(call.parameter("detachKeys"))?;
    client.serve(call)
}

/// `POST /exec/{id}/start`: attaches as well, unless `Detach` is set.
pub fn start_exec(call: &mut Call<'_, '_>) -> Outcome {
    let mut asked = object!(Detach: false, Tty: false);
    overlay(&mut asked, &call.json()?)?;
    let task = call.state().exec(&call.name)?;
    if flag(&asked, "/Detach") {
        launch(call.engine, &task)?;
        return Ok(Reply::Empty(200));
    }
    let (view, mut client) = (task.view(), StreamClient::of(task));
    client.close_stdin = !client.task.tty;
    client.raw = flag(&asked, "/Tty");
    client.wants = ["/Config/AttachStdout", "/Config/AttachStderr"].map(|place| flag(&view, place));
    client.stdin = client.task.has_input;
    client.keys = detach_keys(text(&view, "/Config/DetachKeys"))?;
    client.serve(call)
}

impl StreamClient {
    /// Returns a client that receives only output from now on.
    fn of(task: Arc<Task>) -> StreamClient {
        let run = task.run.get();
        let (raw, next, ends) = (task.tty, Arc::new(run.output.len().into()), run.ends);
        drop(run);
        StreamClient { task, raw, next, ends, ..StreamClient::default() }
    }

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
        self.task.run.change(|run| run.readers.push(Arc::downgrade(&self.next)));
        let (connection, sent) = responder.hijack(call.request)?;
        thread::sleep(BREATH);
        let begun = if self.task.is_exec() { launch(call.engine, &self.task) } else { Ok(()) };
        match begun.as_ref().err().and_then(told) {
            // It is too late for a status-code: the stream has the error.
            Some((_, why)) => self.say(&mut connection.stream(), why)?,
            None => self.forward(connection)?,
        }
        Ok(Reply::Sent(sent))
    }

    fn forward(&self, connection: Upgraded) -> io::Result<()> {
        let (mut from_client, mut to_client) = connection.split()?;
        let detached = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                detached.store(self.input(&mut from_client), Ordering::Release);
                self.task.run.change(|_| {});
            });
            let is_detached = || detached.load(Ordering::Acquire);
            let mut outcome = self.write(&mut to_client, is_detached);
            if self.task.is_exec() && is_detached() {
                let why = "exec attach failed: error on attach stdin: read escape sequence";
                outcome = self.say(&mut to_client, why);
            }
            // Ends the reading thread, too. Fails if the client has already closed.
            let _ = to_client.shutdown(Shutdown::Both);
            outcome
        })
    }

    fn say(&self, client: &mut impl Write, why: &str) -> io::Result<()> {
        client.write_all(&self.frame(false, format!("{why}\r\n").as_bytes()))
    }

    /// Sends output until no more follows, or the client has left.
    fn write(&self, client: &mut impl Write, mut has_left: impl FnMut() -> bool) -> io::Result<()> {
        loop {
            let next = self.next.load(Ordering::Acquire);
            let records = self.task.run.wait(TICK, |run| {
                let end = self.to.unwrap_or(run.output.len()).min(next + 256);
                let new = run.output.get(next..end).unwrap_or_default().to_vec();
                let is_last = self.to.is_some() || run.is_over(self.ends) || has_left();
                (!new.is_empty() || is_last).then_some(new)
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
            self.task.run.change(|_| {});
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
    fn input(&self, from: &mut Upgraded) -> bool {
        if self.stdin {
            // A client may send before the container starts.
            let is_before = |run: &mut Run| !run.running && !run.is_over(self.ends);
            drop(self.task.run.wait_while(Duration::MAX, is_before));
        }
        // `held` may be the beginning of the detach keys.
        let (mut buffer, mut held) = (vec![0; 32 << 10], Vec::new());
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            match (self.stdin, self.task.tty) {
                (false, _) => {}
                (true, false) => self.task.feed(&buffer[..n]),
                (true, true) => {
                    for &byte in &buffer[..n] {
                        held.push(byte);
                        if held == self.keys {
                            return true;
                        }
                        if !self.keys.starts_with(&held) {
                            held.drain(..).for_each(|byte| self.task.press(byte));
                        }
                    }
                }
            }
        }
        if self.stdin && self.close_stdin {
            self.task.close_input();
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
