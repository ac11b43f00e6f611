//! A program that runs, or did: its output, its input, its end.

use super::engine::{Engine, State};
use super::shell::{self, Machine, Stop};
use super::time;
use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// How much output is kept for those who ask for it later.
const KEPT: usize = 8 << 20;
/// How many bytes are written at once, and how often a reader may lag behind by that.
const PIECE: usize = 32 << 10;
const LAG: u64 = 32;
/// How much input may wait for a program.
const INPUT: usize = 1 << 20;
/// The longest wait without a look around.
pub const TICK: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Created,
    Running,
    Exited(i64),
}

pub struct Process {
    pub status: Status,
    pub pid: u64,
    pub started: Option<SystemTime>,
    pub finished: Option<SystemTime>,
    /// How often it has ended: a container can be started again.
    pub ends: u64,
    pub tty: bool,
    output: VecDeque<Record>,
    /// The number of the first record that is kept.
    first: u64,
    kept: usize,
    /// Those who must not miss a record: their name, and the next record's number.
    readers: Vec<(u64, u64)>,
    input: Vec<u8>,
    pub input_open: bool,
    /// The status that a signal ends it with.
    signal: Option<i64>,
    /// What it belonged to is gone.
    pub orphan: bool,
}

/// Something that was written at once.
#[derive(Clone)]
pub struct Record {
    pub error: bool,
    pub time: SystemTime,
    pub data: Arc<[u8]>,
}

impl Process {
    pub const NONE: Process = Process {
        status: Status::Created,
        pid: 0,
        started: None,
        finished: None,
        ends: 0,
        tty: false,
        output: VecDeque::new(),
        first: 0,
        kept: 0,
        readers: Vec::new(),
        input: Vec::new(),
        input_open: false,
        signal: None,
        orphan: false,
    };

    pub fn new(tty: bool) -> Process {
        Process { tty, ..Process::NONE }
    }

    /// The exit status; 0 as long as there is none.
    pub fn code(&self) -> i64 {
        if let Status::Exited(code) = self.status { code } else { 0 }
    }

    pub fn is_over(&self) -> bool {
        matches!(self.status, Status::Exited(_))
    }

    /// Whether anybody may still ask for it.
    pub fn is_wanted(&self) -> bool {
        !self.orphan || !self.readers.is_empty() || self.status == Status::Running
    }

    /// The record of that number, or the first one after it that is kept, with its number.
    pub fn record(&self, number: u64) -> Option<(u64, &Record)> {
        let number = number.max(self.first);
        Some((number, self.output.get(usize::try_from(number - self.first).ok()?)?))
    }

    /// The number of the next record to come.
    pub fn end(&self) -> u64 {
        self.first + self.output.len() as u64
    }

    /// From now on no record from that number on is forgotten before [`advance`](Process::advance)
    /// allows it.
    pub fn follow(&mut self, from: u64) -> u64 {
        let name = self.readers.iter().map(|(name, _)| name + 1).max().unwrap_or_default();
        self.readers.push((name, from.max(self.first)));
        name
    }

    pub fn advance(&mut self, reader: u64, to: u64) {
        self.readers
            .iter_mut()
            .filter(|(name, _)| *name == reader)
            .for_each(|(_, next)| *next = to);
    }

    pub fn unfollow(&mut self, reader: u64) {
        self.readers.retain(|(name, _)| *name != reader);
    }

    pub fn kill(&mut self, signal: i64) {
        self.signal = Some(128 + signal);
    }

    fn push(&mut self, error: bool, data: &[u8]) {
        self.kept += data.len();
        self.output.push_back(Record {
            error: error && !self.tty,
            time: SystemTime::now(),
            data: data.into(),
        });
        while self.kept > KEPT && self.readers.iter().all(|(_, next)| *next > self.first) {
            let Some(old) = self.output.pop_front() else { return };
            self.kept -= old.data.len();
            self.first += 1;
        }
    }
}

/// Gives a process input, as fast as it takes it; whether it still takes any.
pub fn feed(engine: &Engine, process: u64, bytes: &[u8]) -> bool {
    let mut state = engine.lock();
    loop {
        match state.processes.get_mut(&process) {
            Some(process) if process.input_open && !process.is_over() => {
                if process.input.len() < INPUT {
                    process.input.extend_from_slice(bytes);
                    engine.notify();
                    return true;
                }
            }
            _ => return false,
        }
        state = engine.wait(state, TICK);
    }
}

/// Starts a process: on a thread of its own `argv` is run, then `ended` is told the status, under
/// the lock.
pub fn start(
    engine: &Arc<Engine>,
    state: &mut State,
    process: u64,
    (container, argv, env): (String, Vec<String>, Vec<String>),
    ended: impl FnOnce(&mut State, i64) + Send + 'static,
) -> std::io::Result<()> {
    let pid = 1000 + process;
    let variables = env
        .iter()
        .filter_map(|pair| pair.split_once('='))
        .map(|(n, v)| (n.into(), v.into()))
        .collect::<Vec<_>>();
    let for_thread = Arc::clone(engine);
    thread::Builder::new().name("process".into()).spawn(move || {
        let mut running = Running { engine: &for_thread, process, container };
        let outcome = shell::run(&mut running, &argv, &variables);
        let mut state = for_thread.lock();
        let mut code = 0;
        if let Some(process) = state.processes.get_mut(&process) {
            code = outcome.ok().or(process.signal).unwrap_or(137);
            process.status = Status::Exited(code);
            process.finished = Some(SystemTime::now());
            process.ends += 1;
        }
        ended(&mut state, code);
        state.processes.retain(|_, process| process.is_wanted());
        drop(state);
        for_thread.notify();
    })?;
    if let Some(process) = state.processes.get_mut(&process) {
        (process.status, process.pid, process.signal) = (Status::Running, pid, None);
        process.input.clear();
        (process.started, process.finished) = (Some(SystemTime::now()), None);
    }
    Ok(())
}

/// The machine of a process.
struct Running<'a> {
    engine: &'a Engine,
    process: u64,
    container: String,
}

impl Running<'_> {
    /// Waits until `ready` gives something, and no longer than until a signal ends the process.
    fn until<T>(
        &self,
        mut ready: impl FnMut(&mut Process) -> Option<T>,
        limit: Option<Instant>,
    ) -> Result<Option<T>, Stop> {
        let mut state = self.engine.lock();
        loop {
            let process = state.processes.get_mut(&self.process).ok_or(Stop::Killed)?;
            if process.signal.is_some() {
                return Err(Stop::Killed);
            }
            if let Some(value) = ready(process) {
                self.engine.notify();
                return Ok(Some(value));
            }
            let left = limit.map_or(TICK, |limit| limit.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Ok(None);
            }
            state = self.engine.wait(state, left.min(TICK));
        }
    }

    fn files<T>(&self, look: impl FnOnce(&mut super::files::Files) -> T) -> Option<T> {
        let mut state = self.engine.lock();
        let container =
            state.containers.iter_mut().find(|container| container.id == self.container)?;
        Some(look(&mut container.files))
    }
}

impl Machine for Running<'_> {
    fn write(&mut self, error: bool, bytes: &[u8]) -> Result<(), Stop> {
        for piece in bytes.chunks(PIECE) {
            self.until(
                |process| {
                    let end = process.end();
                    let room = process.readers.iter().all(|(_, next)| end - next.min(&end) < LAG);
                    // A terminal makes CR LF of each LF.
                    room.then(|| match process.tty {
                        true => process.push(error, &carriage_returns(piece)),
                        false => process.push(error, piece),
                    })
                },
                None,
            )?;
        }
        Ok(())
    }

    fn sleep(&mut self, time: Duration) -> Result<(), Stop> {
        let end = Instant::now().checked_add(time);
        self.until(|_| None::<()>, end).map(|_| ())
    }

    fn read(&mut self) -> Result<Option<Vec<u8>>, Stop> {
        let take = |process: &mut Process| match process.input.is_empty() {
            false => Some(Some(std::mem::take(&mut process.input))),
            true if !process.input_open => Some(None),
            true => None,
        };
        Ok(self.until(take, None)?.flatten())
    }

    fn file(&mut self, path: &str) -> Option<Vec<u8>> {
        self.files(|files| files.content(path).map(<[u8]>::to_vec)).flatten()
    }

    fn store(&mut self, path: &str, content: &[u8], append: bool) -> bool {
        let now = time::unix(SystemTime::now()).0;
        self.files(|files| files.store(path, content, append, now)).unwrap_or_default()
    }

    fn names(&mut self, path: &str) -> Option<Vec<String>> {
        self.files(|files| files.names(path)).flatten()
    }
}

fn carriage_returns(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 8);
    for &byte in bytes {
        if byte == b'\n' {
            out.push(b'\r');
        }
        out.push(byte);
    }
    out
}
