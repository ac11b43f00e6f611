//! Ending well. The standard library cannot catch signals, and a relay that a Ctrl-C kills leaves its socket file behind,
//! its recordings unfinished and, worse, the command it serves without its server. So the work is done by a second
//! process, the *back*, in a process group of its own, where a terminal's signals do not reach it, and the process that
//! was started becomes a shell that knows what to do with signals, the *front*:
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
//! * Serving until Ctrl-C: SIGINT, SIGTERM and SIGHUP make the front ask the back to stop; it ends with 0.
//! * Serving a command: SIGINT and SIGQUIT are the command's, which gets them from the terminal itself; SIGTERM and SIGHUP
//!   are passed on to it. The back ends after the command, and the front with the command's exit code.
//! * The front is killed (SIGKILL): its end of the socket closes, and the back stops as if it had been asked to.
//! * There is no `sh`: the front waits itself. A signal kills it, and the back stops.
//!
//! What is left when the back itself is killed with SIGKILL: a socket file, which the next listener on it replaces.

use std::cell::Cell;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use unix_http::transport::{Endpoint, Listener, PrivateDir, connect};

/// Names the socket between front and back to the back.
const VARIABLE: &str = "UCURL_BACK";

const SERVE: &str = r#"
stop() { woken=1; echo stop; }
trap stop INT TERM HUP
until read -r code; do [ "$woken" ] || exit 1; woken=; done
read -r over
(:)
exit "$code"
"#;

const COMMAND: &str = r#"
trap '' INT QUIT
read -r pid || exit 1
trap 'woken=1; kill -TERM "$pid"' TERM
trap 'woken=1; kill -HUP "$pid"' HUP
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

/// Which half this process is.
pub enum Half {
    /// The back, with the front to talk to.
    Back(Front),
    /// What the front ends with.
    Front(i32),
}

/// Where sockets and directories of this user's processes belong.
pub fn runtime_dir() -> PathBuf {
    match std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from) {
        Some(dir) if dir.is_dir() => dir,
        _ => std::env::temp_dir(),
    }
}

/// Divides this process. `args` is its whole command line, `command` whether it serves one.
///
/// # Errors
/// That of whatever was needed for it: a socket, a process.
pub fn divide(args: &[Vec<u8>], command: bool) -> io::Result<Half> {
    if let Some(place) = std::env::var_os(VARIABLE) {
        let place = place.into_vec();
        let colon = place.iter().position(|&b| b == b':').ok_or(io::ErrorKind::InvalidInput)?;
        let stream = connect(&Endpoint::Unix(OsString::from_vec(place[colon + 1..].to_vec()).into()), None);
        let stream = stream.map_err(io::Error::other)?;
        let socket = stream.as_unix().ok_or(io::ErrorKind::Unsupported)?.try_clone()?;
        let group = std::str::from_utf8(&place[..colon]).ok().and_then(|group| group.parse().ok());
        return Ok(Half::Back(Front { socket, group, waits: Cell::new(command) }));
    }
    let directory = PrivateDir::new_in(runtime_dir())?;
    let path = directory.path().join("s");
    let listener = Listener::bind(&Endpoint::Unix(path.clone())).map_err(io::Error::other)?;
    let group = own_group();
    let mut place = OsString::from(group.map_or(String::new(), |group| group.to_string()) + ":");
    place.push(path);
    let mut back = Command::new(std::env::current_exe()?);
    back.args(args.iter().map(|arg| OsString::from_vec(arg.clone()))).env(VARIABLE, place);
    if group.is_some() {
        back.process_group(0);
    }
    let mut back = back.spawn()?;
    let stopper = listener.stopper()?;
    // Should it end before it connects, nobody would come.
    let waiting = thread::spawn(move || {
        let status = back.wait();
        stopper.stop();
        status
    });
    let Some(stream) = listener.accept()? else {
        let status = waiting.join().map_err(|_| io::ErrorKind::Other)??;
        return Ok(Half::Front(status.code().unwrap_or(1)));
    };
    let stream = stream.as_unix().ok_or(io::ErrorKind::Unsupported)?.try_clone()?;
    drop((listener, directory));
    let end = || stream.try_clone().map(OwnedFd::from).map(Stdio::from);
    let script = if command { COMMAND } else { SERVE };
    // Only where there is no shell does this return.
    let _ = Command::new("/bin/sh").args(["-c", script, "ucurl"]).stdin(end()?).stdout(end()?).exec();
    let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
    let code = if command { lines.nth(1) } else { lines.next() };
    let _ = waiting.join();
    Ok(Half::Front(code.and_then(|code| code.parse().ok()).unwrap_or(1)))
}

/// This process's group, the fifth field of proc(5)'s `stat`; the second, the name, may hold anything but ends in `)`.
fn own_group() -> Option<i32> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(2)?.parse().ok()
}

impl Front {
    /// Starts a command in the front's process group, which has the terminal, and tells the front to pass its signals on.
    ///
    /// # Errors
    /// That of starting it.
    pub fn start(&self, command: &mut Command) -> io::Result<Child> {
        // It may be a tap again, with halves of its own.
        command.env_remove(VARIABLE);
        if let Some(group) = self.group {
            command.process_group(group);
        }
        let child = command.spawn()?;
        self.waits.set(false);
        // A front that is gone needs no telling, here and below.
        let _ = writeln!(&self.socket, "{}", child.id());
        Ok(child)
    }

    /// Waits until the front asks to stop, or is no more.
    pub fn wait_for_stop(&self) {
        let _ = (&self.socket).read(&mut [0; 16]);
    }

    /// Tells the front what to end with.
    pub fn end(&self, code: i32) {
        if self.waits.get() {
            let _ = writeln!(&self.socket, "none");
        }
        let _ = writeln!(&self.socket, "{code}");
    }
}
