//! A process: what it has written, what it may read, and how it ends.

use super::files::Files;
use super::prelude::*;
use std::sync::{Condvar, MutexGuard};

/// How much output is kept for logs. A program that writes more fails.
const KEPT: usize = 64 << 20;
/// How much input may wait for a program.
const INPUT: usize = 1 << 20;
/// A limit that no wait reaches.
pub const ALWAYS: Duration = Duration::from_secs(1 << 30);

/// A value behind a lock, for threads that wait until it changes.
#[derive(Default)]
pub struct Watched<T>(Mutex<T>, Condvar);

impl<T> Watched<T> {
    pub fn get(&self) -> MutexGuard<'_, T> {
        lock(&self.0)
    }

    pub fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let result = change(&mut self.get());
        self.1.notify_all();
        result
    }

    /// Waits until `ready` returns something, for `limit` at most. `ready` may change the value.
    pub fn wait<R>(
        &self,
        limit: Duration,
        mut ready: impl FnMut(&mut T) -> Option<R>,
    ) -> Option<R> {
        let mut result = None;
        drop(self.1.wait_timeout_while(self.get(), limit, |value| {
            result = ready(value);
            result.is_none()
        }));
        self.1.notify_all();
        result
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    #[default]
    Created,
    Running,
    Exited(i64),
}

#[derive(Default)]
pub struct Process {
    pub tty: bool,
    pub files: Arc<Mutex<Files>>,
    pub run: Watched<Run>,
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

impl Run {
    pub fn start(&mut self, input_open: bool) {
        (self.status, self.killed, self.input_open) = (Status::Running, None, input_open);
        (self.started, self.finished) = (Some(SystemTime::now()), None);
        self.error.clear();
        self.input.clear();
    }

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

    pub fn is_running(&self) -> bool {
        self.run.get().status == Status::Running
    }

    /// Waits for its end; whether it has come within `limit`.
    pub fn ends_within(&self, limit: Duration) -> bool {
        self.run.wait(limit, |run| (run.status != Status::Running).then_some(())).is_some()
    }

    pub fn kill(&self, signal: i64) {
        self.run.change(|run| run.killed = Some(128 + signal));
    }

    pub fn finish(&self, code: i64) {
        self.run.change(|run| {
            (run.status, run.finished) = (Status::Exited(code), Some(SystemTime::now()));
            run.ends += 1;
        });
    }

    /// Gives it input, as fast as it takes it; whether it still takes any.
    pub fn feed(&self, bytes: &[u8]) -> bool {
        let fed = self.run.wait(ALWAYS, |run| {
            let takes = run.status == Status::Running && run.input_open;
            let is_full = takes && run.input.len() >= INPUT;
            run.input.extend_from_slice(if takes && !is_full { bytes } else { b"" });
            (!is_full).then_some(takes)
        });
        fed.unwrap_or_default()
    }

    /// Writes output. A terminal has one stream only, and makes CR LF of each LF.
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

    /// Waits until `ready` returns something or the time is over.
    ///
    /// # Errors
    /// Fails with the exit status of a process that is to end.
    pub fn until<T>(
        &self,
        limit: Duration,
        mut ready: impl FnMut(&mut Run) -> Option<T>,
    ) -> Result<Option<T>, i64> {
        let found = self.run.wait(limit, |run| match run.killed {
            Some(status) => Some(Err(status)),
            None if run.size > KEPT => Some(Err(1)),
            None => ready(run).map(Ok),
        });
        found.transpose()
    }

    /// What comes on standard input, or the next line of it; `None` at the end.
    pub fn read(&self, line: bool) -> Result<Option<Vec<u8>>, i64> {
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
}
