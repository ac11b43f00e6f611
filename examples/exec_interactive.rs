//! # Attach: a connection that stops being HTTP
//!
//! `docker exec -i` begins as a request, with `Upgrade: tcp`. The answer is 101, and from its empty
//! line on the connection carries what the program in the container reads and writes, both at once.
//! The end of stdin travels as a half-close: this side says that it will send no more, and goes on
//! to listen.
//!
//! ```console engine
//! $ ucurl -s "/containers/create?name=mypy" -o "$TMPDIR/created" \
//!     --json '{"Image":"busybox","Cmd":["sleep","60"],"HostConfig":{"NetworkMode":"none"}}'
//! $ ucurl -sX POST "/containers/mypy/start"
//! $ echo hello | cargo run -q --example exec_interactive -- mypy sh -c 'cat; echo the end'
//! hello
//! the end
//! $ cargo run -q --example exec_interactive -- mypy sh -c 'echo out; echo err >&2; exit 7' 2>/dev/null; echo "exit code $?"
//! out
//! exit code 7
//! ```
//!
//! Arguments: a container and a command. On a terminal try `exec_interactive mypy sh`: then the
//! exec gets a terminal too, and this one passes on every key as it is, Ctrl-C included. The engine
//! is the one that the docker command would ask.
//!
//! Read with it: RFC 9110 §7.8 (Upgrade), §15.2.2 (101), Docker Engine API v1.41 `POST
//! /exec/{id}/start`.
//!
//! Exercise: leave out `to.close()`. Why does `the end` never come? Then leave out
//! `.upgrade("tcp")`: the daemon answers 200 without a length, and all works the same. What would a
//! proxy on the way do with each?

use std::error::Error;
use std::fs::File;
use std::io::{self, BufReader, IsTerminal, Read, stderr, stdin, stdout};
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
    let container = args.next().ok_or("in which container?")?;
    let command = Value::from(args.collect::<Vec<_>>());
    let tty = stdin().is_terminal() && stdout().is_terminal();

    let options = format!(
        r#"{{"AttachStdin":true,"AttachStdout":true,"AttachStderr":true,"Tty":{tty},"Cmd":{command}}}"#
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
    // Whoever writes all of stdin before reading would wait for a container that waits to be read.
    thread::spawn(move || {
        let _ = io::copy(&mut stdin(), &mut to);
        let _ = to.close();
    });
    if tty {
        // Not `stdout()`, which keeps a line to itself until its end has come: a prompt has none.
        io::copy(&mut from, &mut File::from(stdout().as_fd().try_clone_to_owned()?))?;
    } else {
        Demux::new(BufReader::new(from)).copy_to(&mut stdout(), &mut stderr())?;
    }
    drop(terminal);

    let inspected = docker::ok(client.get(&format!("/exec/{id}/json")).send()?)?.json()?;
    let code =
        inspected.get("ExitCode").and_then(Value::as_i64).ok_or("no ExitCode: it still runs")?;
    Ok(u8::try_from(code)?)
}

/// The terminal passes on every key, until this is dropped or this process ends, in whatever way: a
/// shell has set it, waits for the end of its input, which the kernel sees to, and puts back what
/// was.
struct Terminal {
    shell: Child,
}

/// fd 2 is the terminal. In the background only who ignores TTOU may set one.
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

    /// Rows and columns.
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
