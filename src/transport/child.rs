//! A running [`Program`]. Its standard input and output are one end of a socket pair, because time
//! limits and half-close work on a socket pair and not on two pipes. The last lines of its standard
//! error become the message if the program fails.

use super::cause::{Cause, ConnectErrorKind as Kind};
use super::deadline::{Limit, Timeout, rounded};
use super::endpoint::Endpoint;
use super::error::ConnectError;
use super::program::{Carrier, Program, Ready};
use crate::base::sync::{Watched, lock};
use crate::base::text::visible;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{self, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a child may run after its input ended, before it is killed.
const GRACE: Duration = Duration::from_millis(250);
/// How long to wait for the exit of a child that closed its input and output.
const ENDING: Duration = Duration::from_secs(1);
/// How many bytes of a child's standard error are kept.
const KEPT: usize = 8192;

/// A running program, reaped when dropped.
pub(super) struct Child {
    socket: UnixStream,
    process: Mutex<process::Child>,
    stderr: Arc<Stderr>,
    program: Arc<dyn Program>,
}

impl Child {
    /// Starts a program, waits until it is ready if it reports that, and returns our end of its
    /// socket.
    pub(super) fn connect(
        program: &Arc<dyn Program>,
        limit: Option<Duration>,
    ) -> Result<(UnixStream, Self), Cause> {
        program.check()?;
        let words = program.words(limit);
        let failed = |error| cannot_run(&words, error);
        let (socket, mut process) = start(&words).map_err(failed)?;
        let (stderr, pipe) = (Arc::<Stderr>::default(), process.stderr.take());
        let child = Self {
            socket,
            process: Mutex::new(process),
            stderr: Arc::clone(&stderr),
            program: Arc::clone(program),
        };
        // An error below drops the child, which reaps it.
        let ours = child.socket.try_clone().map_err(failed)?;
        let listener = thread::Builder::new().name("child-stderr".into());
        listener.spawn(move || stderr.listen(pipe)).map_err(failed)?;
        if let Some(ready) = program.ready() {
            child.wait_until_ready(ready, limit)?;
        }
        Ok((ours, child))
    }

    pub(super) fn program(&self) -> &Arc<dyn Program> {
        &self.program
    }

    fn wait_until_ready(&self, ready: Ready, limit: Option<Duration>) -> Result<(), Cause> {
        let words = ready.says.as_bytes();
        let is_said = |tail: &Tail| tail.bytes.windows(words.len()).any(|said| said == words);
        let waiting = |tail: &mut Tail| !tail.ended && !is_said(tail);
        let tail = self.stderr.0.wait_while(limit.unwrap_or(Duration::MAX), waiting);
        match limit {
            _ if is_said(&tail) => Ok(()),
            Some(after) if !tail.ended => {
                _ = lock(&self.process).kill();
                let why = format!("no connection within {:?}: {}", rounded(after), ready.late);
                let timeout = Timeout { limit: Limit::Connect, after };
                Err(Cause::new(Kind::TimedOut, why).from(timeout.into()))
            }
            _ => {
                drop(tail);
                // The program may have closed its standard error and still be running.
                let status = wait_up_to(&mut lock(&self.process), ENDING);
                status.map_or(Ok(()), |status| Err(self.explain(status)))
            }
        }
    }

    /// Returns why the program failed, if it has ended. A program that closed both directions is
    /// about to end.
    pub(super) fn failure(&self) -> Option<ConnectError> {
        let limit = if self.has_closed_both() { ENDING } else { Duration::ZERO };
        let status = wait_up_to(&mut lock(&self.process), limit)?;
        let endpoint = || Endpoint::Program(Carrier(Arc::clone(&self.program)));
        (!status.success()).then(|| ConnectError::new(&endpoint(), self.explain(status)))
    }

    /// Returns whether the other end is closed. Then even a write of no bytes fails with EPIPE; it
    /// succeeds if the other end was only shut down for writing.
    fn has_closed_both(&self) -> bool {
        matches!((&self.socket).write(&[]), Err(error) if error.kind() == ErrorKind::BrokenPipe)
    }

    fn explain(&self, status: ExitStatus) -> Cause {
        let said = self.stderr.all();
        self.program
            .explain(status, &said)
            .unwrap_or_else(|| Cause::new(Kind::Other, in_its_words(status, &said)))
    }
}

/// Half-closes, waits a short while, then kills. Leaves no zombie and never hangs.
impl Drop for Child {
    fn drop(&mut self) {
        let process = self.process.get_mut().unwrap_or_else(PoisonError::into_inner);
        // An error means that the direction has already ended.
        _ = self.socket.shutdown(Shutdown::Write);
        if wait_up_to(process, GRACE).is_none() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Starts the program. Dropping the command also drops our copy of the child's end, which would
/// otherwise hide the end of its output.
fn start(words: &[OsString]) -> io::Result<(UnixStream, process::Child)> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(ErrorKind::InvalidInput.into());
    };
    let (ours, theirs) = UnixStream::pair()?;
    let stdin = Stdio::from(OwnedFd::from(theirs.try_clone()?));
    let stdout = Stdio::from(OwnedFd::from(theirs));
    let mut command = Command::new(program);
    command.args(arguments).stdin(stdin).stdout(stdout).stderr(Stdio::piped());
    Ok((ours, command.spawn()?))
}

fn cannot_run(words: &[OsString], error: io::Error) -> Cause {
    let program = visible(words.first().map_or(b"", |word| word.as_bytes()));
    let why = match error.kind() {
        ErrorKind::NotFound => {
            format!("the program `{program}` was not found; install it or give its path")
        }
        ErrorKind::PermissionDenied => {
            format!("`{program}` is not an executable file for this user")
        }
        _ => format!("`{program}` could not be started: {error}"),
    };
    Cause::new(Kind::Other, why).from(error)
}

fn in_its_words(status: ExitStatus, said: &str) -> String {
    let how = match (status.code(), status.signal()) {
        (Some(127), _) => "ended with exit status 127, command not found".to_owned(),
        (Some(code), _) => format!("ended with exit status {code}"),
        (_, Some(signal)) => format!("was killed by signal {signal}"),
        _ => "ended in an unknown way".to_owned(),
    };
    let lines: Vec<_> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match &lines[lines.len().saturating_sub(4)..] {
        [] => format!("the program {how} and printed no message"),
        last => format!("the program {how}: {}", visible(last.join(" / ").as_bytes())),
    }
}

/// Polls, because the standard library has no wait with a timeout. Most children end within 1 ms.
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

/// The end of a child's standard error, collected by a separate thread.
#[derive(Default)]
struct Stderr(Watched<Tail>);

#[derive(Default)]
struct Tail {
    bytes: Vec<u8>,
    ended: bool,
}

impl Stderr {
    fn listen(&self, mut pipe: Option<ChildStderr>) {
        let mut buffer = [0; 1024];
        while let Some(pipe) = &mut pipe {
            let n = match pipe.read(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Ok(0) | Err(_) => break,
                Ok(n) => n,
            };
            self.0.change(|Tail { bytes, .. }| {
                bytes.extend_from_slice(&buffer[..n]);
                bytes.drain(..bytes.len().saturating_sub(KEPT));
            });
        }
        self.0.change(|tail| tail.ended = true);
    }

    /// Returns the last output. Waits only a short while, because a grandchild may hold the pipe
    /// open.
    fn all(&self) -> String {
        let tail = self.0.wait_while(GRACE, |tail| !tail.ended);
        String::from_utf8_lossy(&tail.bytes).into_owned()
    }
}
