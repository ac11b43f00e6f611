//! # Lesson 11: a connection that stops being HTTP
//!
//! Goal: turn an HTTP connection into the terminal of a program in a container.
//!
//! `docker exec -i` begins as a request with `Upgrade: tcp`. The response is 101. After its empty
//! line, the connection carries the input and the output of the program in the container, both at
//! once. The end of the input is a half-close, as in lesson 1.
//!
//! ```console engine
//! $ D=$(mktemp -d)
//! $ ucurl -s '/containers/create?name=exec-target' -o $D/created \
//!     --json '{"Image":"busybox","Cmd":["sleep","600"],"HostConfig":{"NetworkMode":"none"}}'
//! $ ucurl -s -X POST /containers/exec-target/start
//! $ echo hello | cargo run -q --example exec_interactive -- exec-target sh -c 'cat; echo the end'
//! hello
//! the end
//! $ cargo run -q --example exec_interactive -- exec-target \
//!     sh -c 'echo out; echo err >&2; exit 7' 2>/dev/null; echo "exit code $?"
//! out
//! exit code 7
//! $ ucurl -s -X DELETE '/containers/exec-target?force=1'; rm -r $D
//! ```
//!
//! Arguments: a container and a command. In a terminal, try `exec_interactive exec-target sh`
//! before the last command. The program in the container then gets a terminal as well, and every
//! key goes to it, Ctrl-C included. The engine needs the image `busybox` (`docker pull busybox`).
//!
//! Look at:
//!
//! 1. `.upgrade("tcp")`: the request to change the protocol. `into_upgraded` succeeds after a 101.
//! 2. `upgraded.split()`: one handle to read, one handle to write, for two threads.
//! 3. `to.shutdown(Shutdown::Write)`: the half-close. The program in the container reads the end of
//!    its input.
//!
//! Read: RFC 9110 §7.8 (Upgrade), §15.2.2 (101), Docker Engine API v1.41 `POST /exec/{id}/start`.
//!
//! Exercise: remove `to.shutdown(Shutdown::Write)`. Why does `the end` never appear?
//!
//! Hint: `cat` stops at the end of its input. How does it learn about the end of yours?

use std::error::Error;
use std::fs::File;
use std::io::{self, BufReader, IsTerminal, Read, stderr, stdin, stdout};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use unix_http::docker::{self, Demux, Engine};
use unix_http::json::Value;

fn main() -> ExitCode {
    match exec() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("exec_interactive: {error}");
            ExitCode::FAILURE
        }
    }
}

fn exec() -> Result<u8, Box<dyn Error>> {
    let engine = Engine::from_env()?;
    let client = engine.client();
    let mut args = std::env::args().skip(1);
    let container = args.next().ok_or("usage: exec_interactive CONTAINER COMMAND...")?;
    let command = Value::from(args.collect::<Vec<_>>());
    let tty = stdin().is_terminal() && stdout().is_terminal();

    let options = format!(
        r#"{{"AttachStdin":true,"AttachStdout":true,"AttachStderr":true,
            "Tty":{tty},"Cmd":{command}}}"#
    );
    let created = client.post(&format!("/containers/{container}/exec")).json(options).send()?;
    let created = docker::ok(created)?.json()?;
    let id = created.get("Id").and_then(Value::as_str).ok_or("no Id")?;

    let start = format!("/exec/{id}/start");
    let options = format!(r#"{{"Detach":false,"Tty":{tty}}}"#);
    let started = docker::ok(client.post(&start).json(options).upgrade("tcp").send()?)?;
    let upgraded = started.into_upgraded().map_err(|_| "the connection stays HTTP")?;
    let (mut from, mut to) = upgraded.split()?;

    let terminal = if tty { Some(Terminal::raw()?) } else { None };
    if let Some((rows, columns)) = terminal.as_ref().and_then(|_| Terminal::size()) {
        drop(client.post(&format!("/exec/{id}/resize?h={rows}&w={columns}")).send()?);
    }
    // Both directions at once: a program may stop reading until its output has been read.
    thread::spawn(move || {
        let _ = io::copy(&mut stdin(), &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    if tty {
        // Not `stdout()`: it holds back a line until it is complete, and a prompt never is.
        io::copy(&mut from, &mut File::from(stdout().as_fd().try_clone_to_owned()?))?;
    } else {
        Demux::new(BufReader::new(from)).copy_to(&mut stdout(), &mut stderr())?;
    }
    drop(terminal);

    let inspected = docker::ok(client.get(&format!("/exec/{id}/json")).send()?)?.json()?;
    let code = inspected
        .get("ExitCode")
        .and_then(Value::as_i64)
        .ok_or("no ExitCode: the program still runs")?;
    Ok(u8::try_from(code)?)
}

/// A terminal in raw mode: it passes every key on. A shell sets the mode, waits for the end of its
/// input, and restores the old mode. The kernel ends that input when this is dropped, and when this
/// process is killed.
struct Terminal {
    shell: Child,
}

/// fd 2 is the terminal. A process in the background may set it only if it ignores TTOU.
const TERMINAL: &str = r#"trap '' HUP INT QUIT TERM PIPE TTOU
was=$(stty -g <&2) && stty raw -echo <&2 || exit
{ echo ready; } 2>/dev/null
while read -r _; do :; done
stty "$was" <&2"#;

impl Terminal {
    fn raw() -> io::Result<Terminal> {
        let terminal = stdin().as_fd().try_clone_to_owned()?;
        let mut shell = Command::new("sh");
        shell.args(["-c", TERMINAL]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(terminal);
        let mut terminal = Terminal { shell: shell.spawn()? };
        if let Some(mut says) = terminal.shell.stdout.take() {
            says.read_exact(&mut [0; "ready".len()])?;
        }
        Ok(terminal)
    }

    /// Returns rows and columns.
    fn size() -> Option<(u16, u16)> {
        let output = Command::new("stty").arg("size").stdin(Stdio::inherit()).output().ok()?;
        let size = String::from_utf8(output.stdout).ok()?;
        let (rows, columns) = size.trim().split_once(' ')?;
        Some((rows.parse().ok()?, columns.parse().ok()?))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}
