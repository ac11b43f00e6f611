//! Interaction with a running child process.

use super::child::Ended;
use super::temp::TempDir;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The longest wait for a process.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running process. Dropping it kills and reaps the process.
pub struct Live {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Heard,
    stderr: Heard,
}

/// One output of a process, as it arrives.
pub struct Heard {
    said: Arc<(Mutex<Vec<u8>>, Condvar)>,
    /// How many bytes of it earlier waits have matched.
    seen: usize,
    thread: Option<JoinHandle<()>>,
}

impl Live {
    #[track_caller]
    pub fn start(command: &mut Command) -> Live {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        Live { child, stdin, stdout: Heard::listen(stdout), stderr: Heard::listen(stderr) }
    }

    /// Starts ucurl, and waits for the head of the final response.
    #[track_caller]
    pub fn start_ucurl(command: &mut Command) -> Live {
        let dir = TempDir::new();
        let head = dir.join("head");
        let mut live = Live::start(command.arg("-D").arg(&head));
        let end = Instant::now() + PATIENCE;
        while !fs::read(&head).is_ok_and(|head| head.ends_with(b"\r\n\r\n")) {
            let ended = live.child.try_wait().expect("a child").is_some();
            assert!(!ended && Instant::now() < end, "no head: {}", live.stderr.text());
            thread::sleep(Duration::from_millis(2));
        }
        live
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes to its stdin.
    #[track_caller]
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let stdin = self.stdin.as_mut().expect("its stdin is open");
        stdin.write_all(bytes.as_ref()).expect("it reads");
    }

    /// Closes its stdin.
    pub fn close(&mut self) -> &mut Live {
        self.stdin = None;
        self
    }

    /// Takes its stdin, so that another thread can write to it.
    pub fn stdin(&mut self) -> ChildStdin {
        self.stdin.take().expect("its stdin is open")
    }

    /// Waits for this text on its stdout, after the text of the last wait. Returns the output up to
    /// its end.
    #[track_caller]
    pub fn says(&mut self, text: &str) -> String {
        self.stdout.until(text)
    }

    /// Does the same on its stderr.
    #[track_caller]
    pub fn complains(&mut self, text: &str) -> String {
        self.stderr.until(text)
    }

    /// Waits until the process ends by itself.
    #[track_caller]
    pub fn end(mut self) -> Ended {
        let end = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait().expect("a child") {
                Some(status) => break status,
                None => assert!(
                    Instant::now() < end,
                    "it still runs: {} {}",
                    self.stdout.text(),
                    self.stderr.text()
                ),
            }
            thread::sleep(Duration::from_millis(2));
        };
        let code =
            status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1);
        Ended { code, stdout: self.stdout.all(), stderr: self.stderr.all(), peak_kib: 0 }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Heard {
    fn listen(pipe: Option<impl Read + Send + 'static>) -> Heard {
        let said = Arc::<(Mutex<Vec<u8>>, Condvar)>::default();
        let mine = Arc::clone(&said);
        let work = move || {
            let (mut pipe, mut piece) = (pipe.expect("a pipe"), [0; 65536]);
            while let Ok(n @ 1..) = pipe.read(&mut piece) {
                mine.0
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend_from_slice(&piece[..n]);
                mine.1.notify_all();
            }
        };
        Heard { said, seen: 0, thread: Some(thread::spawn(work)) }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.said.0.lock().unwrap_or_else(PoisonError::into_inner))
            .into_owned()
    }

    #[track_caller]
    fn until(&mut self, text: &str) -> String {
        let said = self.said.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = self.seen;
        let find =
            |said: &[u8]| said[seen..].windows(text.len()).position(|part| part == text.as_bytes());
        let waited = self.said.1.wait_timeout_while(said, PATIENCE, |said| find(said).is_none());
        let (said, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let Some(at) = find(&said) else {
            panic!("{text:?} did not come: {:?}", String::from_utf8_lossy(&said[seen..]));
        };
        self.seen = seen + at + text.len();
        String::from_utf8_lossy(&said[seen..self.seen]).into_owned()
    }

    fn all(&mut self) -> Vec<u8> {
        let _ = self.thread.take().map(JoinHandle::join);
        std::mem::take(&mut *self.said.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
