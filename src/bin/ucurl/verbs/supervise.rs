//! Ending well. The standard library cannot catch signals, and a relay that Ctrl-C kills leaves its
//! socket file behind, its recordings unfinished and the command it serves without a server. So a
//! second process, the *back*, does the work, in a process group of its own, which the terminal's
//! signals do not reach. The process that was started, the *front*, becomes a shell that traps
//! signals:
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
//! * The front is killed with SIGKILL: its end of the socket closes, and the back stops as if it
//!   had been asked to. The command gets SIGTERM.
//! * There is no `sh`: the front waits by itself. A signal kills it, and the back stops.
//!
//! A back that is killed with SIGKILL leaves a socket file, which the next listener there replaces.
//! The last milliseconds of traffic may then be missing from what it showed and recorded.

use std::cell::Cell;
use std::ffi::OsStr;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use unix_http::transport::{Endpoint, Listener, PrivateDir, connect};

/// Names the socket between front and back to the back.
const VARIABLE: &str = "UCURL_BACK";

const SERVE: &str = r#"
stop() { woken=1; echo stop; }
trap stop INT TERM HUP
echo ready
until read -r code; do [ "$woken" ] || exit 1; woken=; done
read -r over
(:)
exit "$code"
"#;

const COMMAND: &str = r#"
trap '' INT QUIT
trap 'got=TERM' TERM
trap 'got=HUP' HUP
echo ready
until read -r pid; do [ "$got" ] || exit 1; done
pass() { woken=1; kill "-$1" "$pid"; }
trap 'pass TERM' TERM
trap 'pass HUP' HUP
[ -z "$got" ] || pass "$got"
until read -r code; do [ "$woken" ] || exit 1; woken=; done
read -r over
(:)
exit "$code"
"#;

/// The front, as the back sees it.
pub struct Front {
    socket: UnixStream,
    group: Option<i32>,
    /// Whether it still waits to hear of a command.
    waits: Cell<bool>,
}

/// Where sockets and directories of this user's processes belong.
pub fn runtime_dir() -> PathBuf {
    match std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from) {
        Some(dir) if dir.is_dir() => dir,
        _ => std::env::temp_dir(),
    }
}

/// Divides this process, does the work in the back and tells the front its exit code. `args` is the
/// whole command line, `command` whether a command is served.
///
/// # Errors
/// What the work says, and why this process cannot be divided: a socket, a process.
pub fn run(
    args: &[Vec<u8>],
    command: bool,
    work: impl FnOnce(&Front) -> Result<i32, String>,
) -> Result<i32, String> {
    let Some(mark) = std::env::var_os(VARIABLE) else {
        return front(args, command).map_err(|error| format!("cannot start: {error}"));
    };
    // A front that has gone already has nothing for us to do.
    let Some(front) = meet(&mark.into_vec(), command) else { return Ok(1) };
    let code = work(&front);
    front.end(*code.as_ref().unwrap_or(&2));
    code
}

/// Starts the back and becomes the shell that waits for it. Only where there is no shell does this
/// return the exit code.
fn front(args: &[Vec<u8>], command: bool) -> io::Result<i32> {
    let (_directory, listener) = private_listener("ucurl")?;
    let token = random();
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

/// Starts the same program in a process group of its own, where `VARIABLE` makes it the back.
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

/// Waits for the back, which says the token first: any process can connect to an abstract name.
fn await_back(listener: &Listener, token: &[u8]) -> io::Result<Option<UnixStream>> {
    while let Some(stream) = listener.accept()? {
        let stream = stream.as_unix().ok_or(io::ErrorKind::Unsupported)?.try_clone()?;
        let mut said = vec![0; token.len()];
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        if (&stream).read_exact(&mut said).is_ok() && said == token {
            stream.set_read_timeout(None)?;
            return Ok(Some(stream));
        }
    }
    Ok(None)
}

/// A listener for this process's own use. On Linux it has an abstract name, which leaves nothing
/// behind whenever this process is killed; elsewhere it is in a private directory.
pub fn private_listener(name: &str) -> io::Result<(Option<PrivateDir>, Listener)> {
    if cfg!(any(target_os = "linux", target_os = "android")) {
        let name = format!("{name}-{}", random()).into_bytes();
        return Ok((None, Listener::bind(&Endpoint::Abstract(name)).map_err(io::Error::other)?));
    }
    let directory = PrivateDir::new_in(runtime_dir())?;
    let endpoint = Endpoint::Unix(directory.path().join("docker.sock"));
    Ok((Some(directory), Listener::bind(&endpoint).map_err(io::Error::other)?))
}

/// The back's side of the meeting.
fn meet(mark: &[u8], command: bool) -> Option<Front> {
    let mut parts = std::str::from_utf8(mark).ok()?.splitn(3, ' ');
    let (group, token, place) = (parts.next()?.parse().ok(), parts.next()?, parts.next()?);
    let stream = connect(&Endpoint::parse(place).ok()?, None).ok()?;
    (&stream).write_all(token.as_bytes()).ok()?;
    // From here on a signal to the front ends both.
    (&stream).read_exact(&mut [0; 6]).ok()?;
    let socket = stream.as_unix()?.try_clone().ok()?;
    Some(Front { socket, group, waits: Cell::new(command) })
}

/// 128 bits that nobody can guess, in hexadecimal: the keys of a new hasher are the system's
/// randomness.
fn random() -> String {
    let bits = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", bits(), bits())
}

/// This process's group, the fifth field of proc(5)'s `stat`; the second, the name, may hold
/// anything but ends in `)`.
fn own_group() -> Option<i32> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(2)?.parse().ok()
}

impl Front {
    /// Starts a command in the front's process group, which has the terminal, and tells the front
    /// to pass its signals on.
    pub fn start(&self, command: &mut Command) -> io::Result<Child> {
        // It may be a tap again, with halves of its own.
        command.env_remove(VARIABLE);
        if let Some(group) = self.group {
            command.process_group(group);
        }
        let child = command.spawn()?;
        self.waits.set(false);
        self.tell(&child.id().to_string());
        Ok(child)
    }

    /// Waits for the command. If the front ends first, the command is asked to end.
    pub fn wait(&self, child: &mut Child) -> io::Result<ExitStatus> {
        let (mut socket, pid) = (self.socket.try_clone()?, child.id().to_string());
        let over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&over);
        // It ends with this process.
        thread::spawn(move || {
            // The front says nothing: whatever this gives is its end.
            let _ = socket.read(&mut [0]);
            if !ended.load(Ordering::Acquire) {
                let _ = Command::new("/bin/sh").args(["-c", "kill -TERM \"$0\"", &pid]).status();
            }
        });
        let status = child.wait();
        over.store(true, Ordering::Release);
        status
    }

    /// Waits until the front asks to stop, or is no more.
    pub fn wait_for_stop(&self) {
        let _ = (&self.socket).read(&mut [0; 16]);
    }

    /// Tells the front what to end with.
    fn end(&self, code: i32) {
        if self.waits.get() {
            self.tell("none");
        }
        self.tell(&code.to_string());
    }

    /// Sends a line, in one write: a shell that a signal interrupts forgets what it had read of a
    /// line.
    fn tell(&self, line: &str) {
        // A front that is gone needs no telling.
        let _ = (&self.socket).write_all(format!("{line}\n").as_bytes());
    }
}
