//! A container or an exec: its settings, and the input, output and end of its process.

use super::files::Files;
use super::prelude::*;
use std::sync::Weak;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The size limit of a program's input and output together. A program that exceeds it fails.
const KEPT: usize = 128 << 20;
/// Docker's notation for a time that has not come.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// A container or an exec: settings and a process.
#[derive(Default)]
pub struct Task {
    pub id: String,
    /// The ID of the container; of an exec, that of its container.
    pub container: String,
    /// Everything to show that does not depend on the process.
    pub shown: Mutex<Value>,
    pub argv: Vec<String>,
    pub env: Vec<String>,
    pub directory: String,
    pub tty: bool,
    pub has_input: bool,
    pub files: Arc<Mutex<Files>>,
    pub run: Watched<Run>,
}

#[derive(Default)]
pub struct Run {
    pub running: bool,
    pub started: Option<SystemTime>,
    /// The time of the last end.
    pub finished: Option<SystemTime>,
    /// The exit status; 0 before the end.
    pub code: i64,
    /// The number of its ends: a container can start again.
    pub ends: u64,
    /// The reason that it could not start.
    pub error: String,
    pub removed: bool,
    pub output: Vec<Record>,
    /// For each attached client, the next record to send.
    pub readers: Vec<Weak<AtomicUsize>>,
    size: usize,
    input: Vec<u8>,
    input_open: bool,
    /// The line that is being typed on a terminal.
    line: Vec<u8>,
    /// The exit status after a signal.
    killed: Option<i64>,
}

/// A line of output, or a part of one.
#[derive(Clone)]
pub struct Record {
    pub error: bool,
    pub time: SystemTime,
    pub data: Arc<[u8]>,
}

impl Run {
    /// Returns the exit status of a process that has to end.
    fn killed(&self) -> Option<i64> {
        self.killed.or((self.size > KEPT).then_some(1))
    }

    /// Returns whether no start was tried yet.
    pub fn is_new(&self) -> bool {
        self.started.or(self.finished).is_none()
    }

    /// Returns whether the run that a client follows is over. `ends` counts the runs before it.
    pub fn is_over(&self, ends: u64) -> bool {
        self.ends > ends || self.removed
    }

    /// Returns the index of the record where the last `lines` lines begin.
    pub fn tail(&self, lines: usize) -> usize {
        let begins = |&at: &usize| at == 0 || self.output[at - 1].data.ends_with(b"\n");
        let mut all = (0..self.output.len()).rev().filter(begins);
        lines.checked_sub(1).map_or(self.output.len(), |before| all.nth(before).unwrap_or_default())
    }
}

impl Task {
    /// Returns everything that lists, filters and inspect can show now. `View` has the values
    /// that inspect leaves out.
    pub fn view(&self) -> Value {
        let (run, mut view) = (self.run.get(), lock(&self.shown).clone());
        let moment = |time: Option<SystemTime>| time.map_or(NEVER.to_owned(), |t| rfc3339(t, 9));
        let seconds = |time: Option<SystemTime>| {
            time.and_then(|time| time.elapsed().ok()).unwrap_or_default().as_secs()
        };
        let (state, status) = match (run.running, run.finished) {
            (true, _) => ("running", format!("Up {} seconds", seconds(run.started))),
            (false, None) => ("created", "Created".to_owned()),
            (false, Some(_)) => {
                fill!(view, View.ExitCode: run.code);
                ("exited", format!("Exited ({}) {} seconds ago", run.code, seconds(run.finished)))
            }
        };
        fill!(view, State.Status: state, State.Running: run.running, State.ExitCode: run.code,
            State.Pid: i64::from(run.running), State.Error: &run.error, View.Status: status,
            State.StartedAt: moment(run.started), State.FinishedAt: moment(run.finished));
        view
    }

    pub fn is_exec(&self) -> bool {
        self.id != self.container
    }

    pub fn name(&self) -> String {
        text(&lock(&self.shown), "/Name").trim_start_matches('/').to_owned()
    }

    pub fn is_running(&self) -> bool {
        self.run.get().running
    }

    pub fn start(&self) {
        self.run.change(|run| {
            (run.running, run.started) = (true, Some(SystemTime::now()));
            (run.code, run.killed) = (0, None);
            run.input_open = self.has_input;
            run.input.clear();
            run.line.clear();
        });
    }

    /// Waits until the attached clients have received all output, but not longer than a second. A
    /// client that knows of the end may stop reading.
    pub fn drain(&self) {
        drop(self.run.wait_while(Duration::from_secs(1), |run| {
            let count = run.output.len();
            let is_behind = |next: Arc<AtomicUsize>| next.load(Ordering::Acquire) < count;
            run.readers.retain(|reader| reader.upgrade().is_some_and(is_behind));
            !run.readers.is_empty()
        }));
    }

    pub fn finish(&self, code: i64) {
        self.run.change(|run| {
            (run.running, run.finished, run.code) = (false, Some(SystemTime::now()), code);
            run.input_open = false;
            run.ends += 1;
        });
    }

    pub fn kill(&self, signal: i64) {
        self.run.change(|run| run.killed = Some(128 + signal));
    }

    pub fn feed(&self, bytes: &[u8]) {
        self.run.change(|run| {
            if run.input_open {
                run.size += bytes.len();
                run.input.extend_from_slice(bytes);
            }
        });
    }

    pub fn close_input(&self) {
        self.run.change(|run| run.input_open = false);
    }

    /// Handles a typed byte as a terminal does: echoes it, edits the line, and sends signals.
    pub fn press(&self, byte: u8) {
        let line = || std::mem::take(&mut self.run.get().line);
        match byte {
            3 => {
                self.write(false, b"^C\n");
                line();
                self.kill(2);
            }
            // Ctrl-D on an empty line ends the input.
            4 => match &line()[..] {
                [] => self.close_input(),
                line => self.feed(line),
            },
            b'\r' | b'\n' => {
                self.write(false, b"\n");
                self.feed(&[&line()[..], b"\n"].concat());
            }
            8 | 0x7f => {
                if self.run.get().line.pop().is_some() {
                    self.write(false, b"\x08 \x08");
                }
            }
            byte => {
                self.write(false, &[byte]);
                self.run.get().line.push(byte);
            }
        }
    }

    /// Writes output. A terminal has only one stream and replaces LF by CR LF.
    pub fn write(&self, error: bool, data: &[u8]) {
        let (error, time, mut data) = (error && !self.tty, SystemTime::now(), data.to_vec());
        if self.tty {
            data = data.split(|&b| b == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]);
        }
        let lines = data.split_inclusive(|&b| b == b'\n');
        let records = lines.map(|line| Record { error, time, data: line.into() });
        self.run.change(|run| {
            run.size += data.len();
            run.output.extend(records);
        });
    }

    /// Waits, and returns the exit status 0.
    ///
    /// # Errors
    /// Fails with the exit status of a process that has to end, as [`read`](Task::read) does.
    pub fn sleep(&self, time: Duration) -> Result<i64, i64> {
        self.run.wait(time, |run| run.killed()).map_or(Ok(0), Err)
    }

    /// Reads standard input, or a line of it; `None` at the end.
    pub fn read(&self, line: bool) -> Result<Option<Vec<u8>>, i64> {
        let mut length = 0;
        let mut run = self.run.wait_while(Duration::MAX, |run| {
            let line_end = run.input.iter().position(|&b| b == b'\n').map(|at| at + 1);
            let rest = if line && run.input_open { 0 } else { run.input.len() };
            length = line_end.filter(|_| line).unwrap_or(rest);
            length == 0 && run.input_open && run.killed().is_none()
        });
        run.killed().map_or(Ok(()), Err)?;
        Ok((length > 0).then(|| run.input.drain(..length).collect()))
    }
}
