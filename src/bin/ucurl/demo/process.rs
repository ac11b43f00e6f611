//! A process: it carries out the steps of a program on a thread of its own.

use super::files::Files;
use super::program::{self, Start, Step};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};
use unix_http::base::sync::lock;

/// How much output is kept, for logs. A program that writes more fails.
const KEPT: usize = 64 << 20;
/// How much input may wait for a program.
const INPUT: usize = 1 << 20;
/// How long a program takes to begin. In no time it would end before its client knows that it has
/// been started.
const STARTUP: Duration = Duration::from_millis(20);
pub const ALWAYS: Duration = Duration::from_secs(1 << 30);

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    #[default]
    Created,
    Running,
    Exited(i64),
}

impl Status {
    pub fn word(self) -> &'static str {
        match self {
            Status::Created => "created",
            Status::Running => "running",
            Status::Exited(_) => "exited",
        }
    }
}

#[derive(Default)]
pub struct Process {
    pub tty: bool,
    pub files: Arc<Mutex<Files>>,
    run: Mutex<Run>,
    changed: Condvar,
}

#[derive(Default)]
pub struct Run {
    pub status: Status,
    pub started: Option<SystemTime>,
    pub finished: Option<SystemTime>,
    /// How often it has ended: a container can be started again.
    pub ends: u64,
    /// Why it could not be started.
    pub error: String,
    pub removed: bool,
    pub output: Vec<Record>,
    size: usize,
    input: Vec<u8>,
    pub input_open: bool,
    /// The exit status that a signal gives it.
    killed: Option<i64>,
}

/// What was written at once, up to the end of a line.
#[derive(Clone)]
pub struct Record {
    pub error: bool,
    pub time: SystemTime,
    pub data: Arc<[u8]>,
}

/// It was killed, and leaves this exit status.
struct Killed(i64);

impl Run {
    /// The exit status; 0 before the end.
    pub fn code(&self) -> i64 {
        if let Status::Exited(code) = self.status { code } else { 0 }
    }

    /// The number of the record with which the last lines begin.
    pub fn tail(&self, lines: usize) -> usize {
        let begins = |&at: &usize| at == 0 || self.output[at - 1].data.ends_with(b"\n");
        let mut all = (0..self.output.len()).rev().filter(begins);
        lines.checked_sub(1).map_or(self.output.len(), |before| all.nth(before).unwrap_or_default())
    }
}

impl Process {
    pub fn new(tty: bool, files: Arc<Mutex<Files>>) -> Arc<Process> {
        Arc::new(Process { tty, files, ..Process::default() })
    }

    pub fn run(&self) -> MutexGuard<'_, Run> {
        lock(&self.run)
    }

    pub fn is_running(&self) -> bool {
        self.run().status == Status::Running
    }

    pub fn change<T>(&self, change: impl FnOnce(&mut Run) -> T) -> T {
        let result = change(&mut self.run());
        self.changed.notify_all();
        result
    }

    /// Waits until `ready` gives something, for `limit` at most.
    pub fn wait_for<T>(
        &self,
        limit: Duration,
        mut ready: impl FnMut(&mut Run) -> Option<T>,
    ) -> Option<T> {
        let end = Instant::now() + limit.min(ALWAYS);
        let mut run = self.run();
        loop {
            if let Some(value) = ready(&mut run) {
                self.changed.notify_all();
                return Some(value);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            run = self.changed.wait_timeout(run, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for its end; whether it has come within `limit`.
    pub fn ends_within(&self, limit: Duration) -> bool {
        self.wait_for(limit, |run| (run.status != Status::Running).then_some(())).is_some()
    }

    pub fn kill(&self, signal: i64) {
        self.change(|run| run.killed = Some(128 + signal));
    }

    pub fn finish(&self, code: i64) {
        self.change(|run| {
            (run.status, run.finished) = (Status::Exited(code), Some(SystemTime::now()));
            run.ends += 1;
        });
    }

    /// Gives it input, as fast as it takes it; whether it still takes any.
    pub fn feed(&self, bytes: &[u8]) -> bool {
        let fed =
            self.wait_for(ALWAYS, |run| match run.status == Status::Running && run.input_open {
                true if run.input.len() >= INPUT => None,
                true => {
                    run.input.extend_from_slice(bytes);
                    Some(true)
                }
                false => Some(false),
            });
        fed.unwrap_or_default()
    }

    /// Writes output. A terminal has one stream only, and makes CR LF of each LF.
    pub fn write(&self, error: bool, data: &[u8]) {
        let data = match self.tty {
            true => data.split(|&b| b == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]),
            false => data.to_vec(),
        };
        self.change(|run| {
            let (error, time) = (error && !self.tty, SystemTime::now());
            run.size += data.len();
            let lines = data.split_inclusive(|&b| b == b'\n');
            run.output.extend(lines.map(|line| Record { error, time, data: line.into() }));
        });
    }

    /// Waits as [`wait_for`](Process::wait_for), and no longer than until it is killed.
    fn until<T>(
        &self,
        limit: Duration,
        mut ready: impl FnMut(&mut Run) -> Option<T>,
    ) -> Result<Option<T>, Killed> {
        let found = self.wait_for(limit, |run| match run.killed {
            Some(status) => Some(Err(Killed(status))),
            None if run.size > KEPT => Some(Err(Killed(1))),
            None => ready(run).map(Ok),
        });
        found.transpose()
    }

    /// What comes on standard input, or the next line of it; `None` at the end.
    fn read(&self, line: bool) -> Result<Option<Vec<u8>>, Killed> {
        let found = self.until(ALWAYS, |run| {
            let line_end = run.input.iter().position(|&b| b == b'\n').map(|at| at + 1);
            let end = line_end.filter(|_| line).unwrap_or(run.input.len());
            match end == 0 || (line && line_end.is_none() && run.input_open) {
                true => (!run.input_open).then_some(None),
                false => Some(Some(run.input.drain(..end).collect())),
            }
        });
        Ok(found?.flatten())
    }

    fn follow(&self, start: &Start) -> Result<i64, Killed> {
        let (steps, status) = program::plan(start, &mut lock(&self.files));
        for step in steps {
            match step {
                Step::Write(error, data) => self.write(error, &data),
                Step::Sleep(time) => drop(self.until(time, |_| None::<()>)?),
                Step::Shell => return self.shell(start),
                Step::Copy(error) => {
                    while let Some(bytes) = self.read(false)? {
                        self.write(error, &bytes);
                    }
                }
            }
        }
        Ok(status)
    }

    fn shell(&self, start: &Start) -> Result<i64, Killed> {
        let mut status = 0;
        let prompt = || {
            if self.tty {
                self.write(false, b"/ # ")
            }
        };
        prompt();
        while let Some(line) = self.read(true)? {
            let line = String::from_utf8_lossy(&line).trim().to_owned();
            let is_exit = line.starts_with("exit");
            let argv = vec!["sh".to_owned(), "-c".to_owned(), line];
            status = self.follow(&Start { argv, ..start.clone() })?;
            if is_exit {
                break;
            }
            prompt();
        }
        Ok(status)
    }
}

/// Starts a process. At its end, `ended` is told its exit status, and has to pass it on to
/// [`finish`](Process::finish).
pub fn start(
    process: &Arc<Process>,
    program: Start,
    ended: impl FnOnce(i64) + Send + 'static,
) -> io::Result<()> {
    process.change(|run| {
        (run.status, run.killed) = (Status::Running, None);
        run.error.clear();
        (run.started, run.finished) = (Some(SystemTime::now()), None);
        run.input.clear();
    });
    let process = Arc::clone(process);
    thread::Builder::new().name("process".into()).spawn(move || {
        thread::sleep(STARTUP);
        let status = process.follow(&program);
        ended(status.unwrap_or_else(|Killed(status)| status));
    })?;
    Ok(())
}
