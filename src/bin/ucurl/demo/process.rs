//! A process: what it has written, what it may read, and how it ends.

use super::files::Files;
use super::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, MutexGuard, Weak};

/// How much input and output is kept. A program that gets and writes more fails.
const KEPT: usize = 128 << 20;
/// A limit that no wait reaches.
pub const ALWAYS: Duration = Duration::from_secs(1 << 30);

/// A value behind a lock, for threads that wait until it changes.
#[derive(Default)]
pub struct Watched<T>(Mutex<T>, Condvar);

impl<T> Watched<T> {
    pub fn get(&self) -> MutexGuard<'_, T> {
        lock(&self.0)
    }

    pub fn change(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.get());
        self.1.notify_all();
    }

    /// Waits until `ready` returns something, for `limit` at most.
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
        result
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    #[default]
    Created,
    Running,
    Exited,
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
    /// The exit status.
    pub code: i64,
    /// How often it has ended: a container can be started again.
    pub ends: u64,
    /// Why it could not be started.
    pub error: String,
    pub removed: bool,
    pub output: Vec<Record>,
    /// The next record of each attached client.
    pub readers: Vec<Weak<AtomicUsize>>,
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
    /// The exit status of a process that is to end.
    fn killed(&self) -> Option<i64> {
        self.killed.or((self.size > KEPT).then_some(1))
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

    pub fn start(&self, input_open: bool) {
        self.run.change(|run| {
            (run.status, run.killed, run.code) = (Status::Running, None, 0);
            (run.started, run.finished) = (Some(SystemTime::now()), None);
            run.input_open = input_open;
            run.input.clear();
            run.error.clear();
        });
    }

    pub fn kill(&self, signal: i64) {
        self.run.change(|run| run.killed = Some(128 + signal));
    }

    /// Waits until its clients have taken the output, for a second at most: when they know of its
    /// end, they may stop reading.
    pub fn drain(&self) {
        self.run.wait(Duration::from_secs(1), |run| {
            let count = run.output.len();
            let is_behind = |next: Arc<AtomicUsize>| next.load(Ordering::Acquire) < count;
            run.readers.retain(|reader| reader.upgrade().is_some_and(is_behind));
            run.readers.is_empty().then_some(())
        });
    }

    pub fn finish(&self, code: i64) {
        self.run.change(|run| {
            (run.status, run.code, run.finished) = (Status::Exited, code, Some(SystemTime::now()));
            run.input_open = false;
            run.ends += 1;
        });
    }

    /// Gives it input.
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

    /// Waits: the exit status of a program that does.
    ///
    /// # Errors
    /// Fails with the exit status of a process that is to end, as [`read`](Process::read) does.
    pub fn sleep(&self, time: Duration) -> Result<i64, i64> {
        self.run.wait(time, |run| run.killed()).map_or(Ok(0), Err)
    }

    /// What comes on standard input, or the next line of it; `None` at the end.
    pub fn read(&self, line: bool) -> Result<Option<Vec<u8>>, i64> {
        let found = self.run.wait(ALWAYS, |run| {
            let line_end = run.input.iter().position(|&b| b == b'\n').map(|at| at + 1);
            let end = line_end.filter(|_| line).unwrap_or(run.input.len());
            let is_partial = end == 0 || line && line_end.is_none() && run.input_open;
            match run.killed() {
                Some(status) => Some(Err(status)),
                None if is_partial => (!run.input_open).then_some(Ok(None)),
                None => Some(Ok(Some(run.input.drain(..end).collect()))),
            }
        });
        found.unwrap_or(Ok(None))
    }
}
