//! A program as a connection: its standard input and output are one end of a socket pair, we hold the other.
//!
//! A socket pair and not two pipes, so that everything a Unix socket can (time limits, half-close, splice) works here
//! too. What the program says on its standard error is kept, the last of it, and told when the program fails.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, Read};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{self, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::error::{ConnectError, ConnectErrorKind};

/// How long a child may take to end after its input ended, before it is killed.
const GRACE: Duration = Duration::from_millis(250);
/// How long [`Child::failure`] waits for a child whose output has ended.
const ENDING: Duration = Duration::from_secs(1);
/// How much of a child's standard error is kept, in bytes.
const KEPT: usize = 4096;

pub(super) struct Child {
    socket: UnixStream,
    process: Mutex<process::Child>,
    said: Arc<Said>,
    words: Vec<OsString>,
}

/// The last bytes of a standard error, and whether it ended.
#[derive(Default)]
struct Said {
    tail: Mutex<(VecDeque<u8>, bool)>,
    ended: Condvar,
}

impl Child {
    /// Starts `words[0]` with the other words as its arguments.
    pub(super) fn spawn(words: &[OsString]) -> io::Result<Self> {
        let Some((program, arguments)) = words.split_first() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no program is named"));
        };
        let (socket, theirs) = UnixStream::pair()?;
        let (stdin, stdout) = (OwnedFd::from(theirs.try_clone()?), OwnedFd::from(theirs));
        // The command, and with it our copy of the child's end, goes at the end of this statement: were it kept, the
        // end of the child's output would never be seen.
        let mut process = Command::new(program)
            .args(arguments)
            .stdin(Stdio::from(stdin))
            .stdout(Stdio::from(stdout))
            .stderr(Stdio::piped())
            .spawn()?;
        let said = Arc::<Said>::default();
        let stderr = process.stderr.take();
        let child = Self { socket, process: Mutex::new(process), said: Arc::clone(&said), words: words.to_vec() };
        let listen = move || said.listen(stderr);
        // On an error `child` is dropped and so reaped.
        thread::Builder::new().name("child-stderr".into()).spawn(listen)?;
        Ok(child)
    }

    pub(super) fn socket(&self) -> &UnixStream {
        &self.socket
    }

    pub(super) fn failure(&self) -> Option<ConnectError> {
        let status = wait_up_to(&mut lock(&self.process), ENDING)?;
        if status.success() {
            return None;
        }
        Some(ConnectError::of_child(&self.words, &describe(status), &self.said.lines()))
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

/// Polls: the standard library has no wait with a limit. Most children have ended at the first look or within 1 ms.
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

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit status {code}"),
        (_, Some(signal)) => format!("was killed by signal {signal}"),
        _ => "ended in an unknown way".into(),
    }
}

impl Said {
    fn listen(&self, stderr: Option<ChildStderr>) {
        let mut buffer = [0; 1024];
        if let Some(mut stderr) = stderr {
            loop {
                match stderr.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(n) => {
                        let tail = &mut lock(&self.tail).0;
                        tail.extend(&buffer[..n]);
                        let over = tail.len().saturating_sub(KEPT);
                        tail.drain(..over);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
        }
        lock(&self.tail).1 = true;
        self.ended.notify_all();
    }

    /// What was said, once it ended; a grandchild that holds it open is not waited for.
    fn lines(&self) -> String {
        let guard = lock(&self.tail);
        let (guard, _) =
            self.ended.wait_timeout_while(guard, GRACE, |(_, ended)| !*ended).unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = guard.0.iter().copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// A thread that panicked has left nothing half-done here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ConnectError {
    /// A program that could not be run.
    pub(super) fn of_program(words: &[OsString], error: io::Error) -> Self {
        let program = words.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
        let (kind, why) = match error.kind() {
            io::ErrorKind::NotFound => (
                ConnectErrorKind::NoProgram,
                format!("the program `{program}` was not found; install it or give its path"),
            ),
            io::ErrorKind::PermissionDenied => {
                (ConnectErrorKind::NoProgram, format!("`{program}` may not be run: it is not executable for this user"))
            }
            _ => (ConnectErrorKind::Other, format!("`{program}` could not be started: {error}")),
        };
        Self::new(super::Endpoint::Command(words.to_vec()), kind, why, Some(error))
    }

    fn of_child(words: &[OsString], status: &str, said: &str) -> Self {
        let last: Vec<_> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let last = last[last.len().saturating_sub(4)..].join(" / ");
        let why = match last.as_str() {
            "" => format!("the program {status} and said nothing"),
            last => format!("the program {status} and said: {}", super::endpoint::printable(last.as_bytes())),
        };
        Self::new(super::Endpoint::Command(words.to_vec()), ConnectErrorKind::Child, why, None)
    }
}
