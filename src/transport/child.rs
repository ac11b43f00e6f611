//! A program as a connection: its standard input and output are one end of a socket pair, we hold
//! the other.
//!
//! A socket pair and not two pipes, so that everything a Unix socket can (time limits, half-close)
//! works here too. What the program says on its standard error is kept, the last of it, and
//! told when the program fails.

use crate::base::sync::lock;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{self, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Endpoint;
use super::error::ConnectError;
use super::timeouts::{Limit, Timeout};

/// How long a child may take to end after its input ended, before it is killed.
const GRACE: Duration = Duration::from_millis(250);
/// How long a child may take to end after it closed its input and output, before it counts as
/// running.
const ENDING: Duration = Duration::from_secs(1);
/// How much of a child's standard error is kept, in bytes.
const KEPT: usize = 8192;

/// A running program, reaped when dropped.
pub(super) struct Child {
    socket: UnixStream,
    process: Mutex<process::Child>,
    said: Arc<Said>,
    endpoint: Endpoint,
}

impl Child {
    /// Starts `words[0]`, with the other words as its arguments, to reach `endpoint`.
    pub(super) fn spawn(endpoint: &Endpoint, words: &[OsString]) -> Result<Self, ConnectError> {
        let (socket, mut process) =
            start(words).map_err(|error| ConnectError::of_program(endpoint, words, error))?;
        let (said, stderr) = (Arc::<Said>::default(), process.stderr.take());
        let child = Self {
            socket,
            process: Mutex::new(process),
            said: Arc::clone(&said),
            endpoint: endpoint.clone(),
        };
        let listener = thread::Builder::new().name("child-stderr".into());
        match listener.spawn(move || said.listen(stderr)) {
            Ok(_) => Ok(child),
            // The child is dropped, and so reaped.
            Err(error) => Err(ConnectError::of_program(endpoint, words, error)),
        }
    }

    pub(super) fn socket(&self) -> &UnixStream {
        &self.socket
    }

    /// Whether the end of the program's input is passed on, with its output still open.
    pub(super) fn can_half_close(&self) -> bool {
        !matches!(self.endpoint, Endpoint::Tls(_))
    }

    /// Waits until the program has said `words`.
    pub(super) fn until_it_says(
        &self,
        words: &str,
        limit: Option<Duration>,
    ) -> Result<(), ConnectError> {
        let start = Instant::now();
        let mut heard = lock(&self.said.heard);
        loop {
            if heard.text().contains(words) {
                return Ok(());
            }
            if heard.ended {
                break;
            }
            let left = limit.map(|limit| limit.saturating_sub(start.elapsed()));
            heard = match (left, limit) {
                (Some(Duration::ZERO), Some(after)) => {
                    let _ = lock(&self.process).kill();
                    let timeout = Timeout { limit: Limit::Connect, after };
                    return Err(ConnectError::explain(&self.endpoint, timeout.into()));
                }
                (Some(left), _) => {
                    self.said
                        .more
                        .wait_timeout(heard, left)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
                (None, _) => self.said.more.wait(heard).unwrap_or_else(PoisonError::into_inner),
            };
        }
        drop(heard);
        match wait_up_to(&mut lock(&self.process), ENDING) {
            Some(status) => Err(self.explain(status)),
            None => Ok(()),
        }
    }

    /// Why the program failed, if it has ended and did. One that has closed both its ends is about
    /// to end.
    pub(super) fn failure(&self) -> Option<ConnectError> {
        let limit = if self.has_closed_both() { ENDING } else { Duration::ZERO };
        let status = wait_up_to(&mut lock(&self.process), limit)?;
        (!status.success()).then(|| self.explain(status))
    }

    /// A write is refused (EPIPE), even one of no bytes, when the other end is closed or shut down
    /// for reading. An end that was only shut down for writing, by a program that still reads,
    /// takes it.
    fn has_closed_both(&self) -> bool {
        matches!((&self.socket).write(&[]), Err(error) if error.kind() == ErrorKind::BrokenPipe)
    }

    fn explain(&self, status: ExitStatus) -> ConnectError {
        let said = self.said.all();
        ConnectError::of_child(&self.endpoint, status, &said)
    }
}

/// Half-closes, waits a short while, then kills: never a zombie, never a hang.
impl Drop for Child {
    fn drop(&mut self) {
        let process = self.process.get_mut().unwrap_or_else(PoisonError::into_inner);
        // The errors mean that there is nothing left to end.
        let _ = self.socket.shutdown(Shutdown::Write);
        if wait_up_to(process, GRACE).is_none() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// When this returns, the command is gone and with it our copy of the child's end: were it kept,
/// the end of the child's output would never be seen.
fn start(words: &[OsString]) -> io::Result<(UnixStream, process::Child)> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(io::Error::new(ErrorKind::InvalidInput, "no program is named"));
    };
    let (ours, theirs) = UnixStream::pair()?;
    let stdin = Stdio::from(OwnedFd::from(theirs.try_clone()?));
    let stdout = Stdio::from(OwnedFd::from(theirs));
    let process = Command::new(program)
        .args(arguments)
        .stdin(stdin)
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn()?;
    Ok((ours, process))
}

/// Polls: the standard library has no wait with a limit. Most children have ended at the first look
/// or within 1 ms.
fn wait_up_to(process: &mut process::Child, limit: Duration) -> Option<ExitStatus> {
    let start = Instant::now();
    let mut pause = Duration::from_micros(100);
    loop {
        match process.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if start.elapsed() < limit => thread::sleep(pause),
            Ok(None) | Err(_) => return None,
        }
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

/// A standard error, listened to by a thread until it ends.
#[derive(Default)]
struct Said {
    heard: Mutex<Heard>,
    more: Condvar,
}

/// The last bytes of it, and whether it ended.
#[derive(Default)]
struct Heard {
    tail: Vec<u8>,
    ended: bool,
}

impl Heard {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.tail).into_owned()
    }
}

impl Said {
    fn listen(&self, stderr: Option<ChildStderr>) {
        let mut buffer = [0; 1024];
        let mut read = |stderr: &mut ChildStderr| match stderr.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => Some(Vec::new()),
            Ok(0) | Err(_) => None,
            Ok(n) => Some(buffer[..n].to_vec()),
        };
        if let Some(mut stderr) = stderr {
            while let Some(bytes) = read(&mut stderr) {
                let tail = &mut lock(&self.heard).tail;
                tail.extend(bytes);
                let over = tail.len().saturating_sub(KEPT);
                tail.drain(..over);
                self.more.notify_all();
            }
        }
        lock(&self.heard).ended = true;
        self.more.notify_all();
    }

    /// What was said when it ended; a grandchild that holds it open is not waited for.
    fn all(&self) -> String {
        let heard = lock(&self.heard);
        let ended = self.more.wait_timeout_while(heard, GRACE, |heard| !heard.ended);
        ended.unwrap_or_else(PoisonError::into_inner).0.text()
    }
}
