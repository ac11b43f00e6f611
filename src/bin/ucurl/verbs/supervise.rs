//! Serves a command, or clients until Ctrl-C, and cleans up afterwards. The standard library cannot
//! catch signals, and a relay that dies of one leaves its socket file, unfinished recordings and a
//! command without a server. Therefore a second process, the *back*, does the work in a process
//! group of its own, which signals of the terminal do not reach. The first process, the *front*,
//! becomes a shell that traps signals:
//!
//! ```text
//!   terminal ── SIGINT ──▶ front (sh: trap)     ◀── the process that the user's shell waits for
//!                   │          │ ▲
//!                   │     stop ▼ │ exit code      a socket between the two
//!                   │        back: the relay, the recordings, the socket file
//!                   ▼          │ starts, waits for
//!                 command ◀────┘                  in the front's process group, with the terminal
//! ```
//!
//! * Serving until Ctrl-C: on SIGINT, SIGTERM and SIGHUP the front asks the back to stop and ends
//!   with 0.
//! * Serving a command: the command gets SIGINT and SIGQUIT from the terminal; the front passes
//!   SIGTERM and SIGHUP on to it. The back ends after the command, the front with its exit code.
//! * SIGKILL of the front closes its end of the socket: the back stops, the command gets SIGTERM.
//! * A back that is asked to stop and cannot, because an output of it blocks, ends after a moment.
//! * Without a `sh` the front waits itself. A signal kills it, and the back stops.
//!
//! SIGKILL of the back leaves a socket file, which the next listener there replaces, and may cut
//! the last milliseconds of traffic from the view and the recordings.

use super::listen::private_listener;
use crate::args::given::Given;
use crate::console::say;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::panic::resume_unwind;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use unix_http::base::random::random_token;
use unix_http::base::sync::Watched;
use unix_http::tap::TapStopper;
use unix_http::transport::{Endpoint, Listener, connect};

/// Tells the back where to meet the front.
const VARIABLE: &str = "UCURL_BACK";

/// The front of a verb that serves until Ctrl-C, and of one that serves a command.
const SERVE: &str = include_str!("front_serve.sh");
const COMMAND: &str = include_str!("front_command.sh");

/// The time that exchanges in progress have to finish at the end.
pub const GRACE: Duration = Duration::from_millis(300);
/// The time that the back has to end on request. One of its outputs may block.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same before it serves, when it has nothing to finish.
const NO_PATIENCE: Duration = Duration::from_millis(100);

/// The front, as the back sees it.
pub struct Front {
    socket: UnixStream,
    group: Option<i32>,
    wishes: Watched<Wishes>,
}

#[derive(Default)]
struct Wishes {
    /// Whether the front waits for the ID of a command.
    waits: bool,
    /// Whether the back serves.
    serves: bool,
    /// Whether the back should stop.
    stop: bool,
    /// The id of the command that runs.
    command: Option<u32>,
}

/// Does the work in the back and tells the front its exit code. `args` is the whole command line,
/// `command` whether a command is served.
pub fn run(
    args: &[Vec<u8>],
    command: bool,
    work: impl FnOnce(&Front) -> Result<i32, String>,
) -> Result<i32, String> {
    let Some(mark) = std::env::var_os(VARIABLE) else {
        return front(args, command).map_err(|error| format!("cannot start: {error}"));
    };
    let Some(front) = meet(&mark.into_vec(), command).map(Arc::new) else { return Ok(1) };
    let watched = Arc::clone(&front);
    thread::spawn(move || watched.watch());
    let code = work(&front);
    front.end(*code.as_ref().unwrap_or(&2));
    code
}

/// Starts the back and becomes the shell that waits for it. Returns only without a shell.
fn front(args: &[Vec<u8>], command: bool) -> io::Result<i32> {
    let (_directory, listener) = private_listener("ucurl")?;
    let token = random_token();
    let mut back = start_back(args, &token, listener.endpoint())?;
    let stopper = listener.stopper()?;
    // If the back ends before it connects, the listener must not wait for it.
    let waiting = thread::spawn(move || {
        let status = back.wait();
        stopper.stop();
        status
    });
    let Some(stream) = await_back(&listener, token.as_bytes())? else {
        let status = waiting.join().map_err(|_| io::ErrorKind::Other)??;
        return Ok(status.code().unwrap_or(1));
    };
    drop(listener);
    let end = || stream.try_clone().map(OwnedFd::from).map(Stdio::from);
    let script = if command { COMMAND } else { SERVE };
    let mut shell = Command::new("/bin/sh");
    _ = shell.args(["-c", script, "ucurl"]).stdin(end()?).stdout(end()?).exec();
    writeln!(&stream, "ready")?;
    let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
    let code = if command { lines.nth(1) } else { lines.next() };
    _ = waiting.join();
    Ok(code.and_then(|code| code.parse().ok()).unwrap_or(1))
}

/// Starts this program again, as the back, in a process group of its own.
fn start_back(args: &[Vec<u8>], token: &str, meeting_place: &Endpoint) -> io::Result<Child> {
    let group = own_group().map_or(String::new(), |group| group.to_string());
    let mut back = Command::new(std::env::current_exe()?);
    back.args(args.iter().map(|arg| OsStr::from_bytes(arg)));
    back.env(VARIABLE, format!("{group} {token} {meeting_place}"));
    if !group.is_empty() {
        back.process_group(0);
    }
    back.spawn()
}

/// Waits for the back, which sends the token first: any process can connect to an abstract name.
fn await_back(listener: &Listener, token: &[u8]) -> io::Result<Option<UnixStream>> {
    while let Some(stream) = listener.accept()? {
        let stream = UnixStream::from(stream.as_fd().try_clone_to_owned()?);
        let mut said = vec![0; token.len()];
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        if (&stream).read_exact(&mut said).is_ok() && said == token {
            stream.set_read_timeout(None)?;
            return Ok(Some(stream));
        }
    }
    Ok(None)
}

/// Meets the front, in the back.
fn meet(mark: &[u8], command: bool) -> Option<Front> {
    let mut parts = std::str::from_utf8(mark).ok()?.splitn(3, ' ');
    let (group, token, place) = (parts.next()?.parse().ok(), parts.next()?, parts.next()?);
    let stream = connect(&Endpoint::parse(place).ok()?, None).ok()?;
    (&stream).write_all(token.as_bytes()).ok()?;
    // From "ready" on a signal to the front ends both.
    (&stream).read_exact(&mut [0; 6]).ok()?;
    let socket = UnixStream::from(stream.as_fd().try_clone_to_owned().ok()?);
    let wishes = Watched::new(Wishes { waits: command, ..Wishes::default() });
    Some(Front { socket, group, wishes })
}

/// Returns the process group: the fifth field of proc(5)'s `stat`, whose second, a name that may
/// contain anything, ends in `)`.
fn own_group() -> Option<i32> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(2)?.parse().ok()
}

impl Front {
    /// Serves a command, or clients until the front asks to stop. Returns the exit code.
    pub fn serve(&self, given: &Given, host: &Endpoint) -> i32 {
        let verb = given.verb.name();
        if let Some([program, arguments @ ..]) = given.command.as_deref() {
            return self.command(Command::new(program).args(arguments), host).unwrap_or_else(
                |error| {
                    say(&format!("{verb}: {}: {error}", program.display()));
                    if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 }
                },
            );
        }
        let how = match host {
            Endpoint::Tcp { .. } | Endpoint::Unix(_) => {
                format!("; use it with: export DOCKER_HOST={host}")
            }
            _ => format!(" on {host}"),
        };
        self.serves();
        _ = writeln!(io::stderr(), "ucurl {verb}: listening{how}");
        self.wait_for_stop();
        0
    }

    /// Serves while `run` runs on another thread, then stops it. Returns the exit code, and the
    /// problems that `run` returns.
    pub fn serve_beside(
        &self,
        given: &Given,
        host: &Endpoint,
        stopper: &TapStopper,
        run: impl FnOnce() -> Vec<String> + Send,
    ) -> (i32, Vec<String>) {
        thread::scope(|scope| {
            let run = scope.spawn(run);
            let code = self.serve(given, host);
            stopper.stop(GRACE);
            (code, run.join().unwrap_or_else(|panic| resume_unwind(panic)))
        })
    }

    /// Runs a command with `DOCKER_HOST` set, in the front's process group, which has the terminal.
    /// It gets SIGTERM if the front ends first. Returns its exit code as a shell does.
    fn command(&self, command: &mut Command, host: &Endpoint) -> io::Result<i32> {
        // podman's remote client reads the second one.
        command.env("DOCKER_HOST", host.to_string()).env("CONTAINER_HOST", host.to_string());
        for variable in ["DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"] {
            command.env_remove(variable);
        }
        // The command may be a tap too, with a back of its own.
        command.env_remove(VARIABLE);
        if let Some(group) = self.group {
            command.process_group(group);
        }
        // The watch must not see the front's end between the two.
        let mut wishes = self.wishes.get();
        if wishes.stop {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let mut child = command.spawn()?;
        *wishes = Wishes { waits: false, serves: true, stop: false, command: Some(child.id()) };
        self.tell(&child.id().to_string());
        drop(wishes);
        let status = child.wait().ok();
        self.wishes.change(|wishes| wishes.command = None);
        let code = status.and_then(|it| it.code().or(it.signal().map(|signal| 128 + signal)));
        Ok(code.unwrap_or(1))
    }

    /// Notes that the back serves, before the user learns it: its end may take longer from then on.
    pub fn serves(&self) {
        self.wishes.get().serves = true;
    }

    /// Waits until the front asks to stop or has ended.
    fn wait_for_stop(&self) {
        drop(self.wishes.wait_while(Duration::MAX, |wishes| !wishes.stop));
    }

    /// Tells the front the exit code of the command, and waits until the front asks to stop. From
    /// then on the front sends no signals to the command, whose id may be another process's.
    pub fn stay(&self, code: i32) {
        if !self.wishes.get().waits {
            self.tell(&code.to_string());
            self.wait_for_stop();
        }
    }

    /// Reads the lines of the front up to its end. Ends the back if it does not end by itself.
    fn watch(self: &Arc<Self>) {
        for line in BufReader::new(&self.socket).lines().map_while(Result::ok) {
            // While a command runs, an interrupt is meant for it.
            if line == "stop" || self.wishes.get().command.is_none() {
                self.stop();
            }
        }
        if let Some(pid) = self.wishes.get().command {
            let kill = ["-c", "kill -TERM \"$0\"", &pid.to_string()];
            _ = Command::new("/bin/sh").args(kill).status();
        }
        self.stop();
    }

    fn stop(self: &Arc<Self>) {
        let (serves, stopped) =
            self.wishes.change(|wishes| (wishes.serves, std::mem::replace(&mut wishes.stop, true)));
        if stopped {
            return;
        }
        let patience = if serves { PATIENCE } else { NO_PATIENCE };
        let front = Arc::clone(self);
        thread::spawn(move || {
            drop(front.wishes.wait_while(Duration::MAX, |wishes| wishes.command.is_some()));
            thread::sleep(patience);
            say("stopped while an output was stuck; it is not complete");
            front.end(1);
            std::process::exit(1);
        });
    }

    /// Tells the front its exit code.
    fn end(&self, code: i32) {
        if self.wishes.get().waits {
            self.tell("none");
        }
        self.tell(&code.to_string());
    }

    /// Sends a line in one write: a shell that a signal interrupts forgets half a line.
    fn tell(&self, line: &str) {
        _ = (&self.socket).write_all(format!("{line}\n").as_bytes());
    }
}
