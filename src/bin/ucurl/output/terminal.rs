//! Raw mode of the terminal through stty, restored even after a kill; the size of its window.
//!
//! ```text
//!   ucurl ── a pipe without content ───▶ sh: holds the old settings, waits for the pipe to end
//!         ◀── "33 77": rows and columns ─── now, and with each SIGWINCH
//! ```
//!
//! The pipe ends when ucurl is done or killed; then the child restores the terminal. It is in
//! our process group, so that it gets SIGWINCH. After a kill that is no longer the terminal's
//! foreground group: SIGTTOU would stop stty (termios(3)) if it were not ignored.

use crate::args::exit::Exit;
use crate::console::unbuffered;
use crate::output::messages::Failure;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::iter;
use std::process::{Child, Command, Stdio};

/// Raw mode of the terminal, until it is dropped: every key goes to the container, also Ctrl-C.
pub struct Raw(Child);

impl Raw {
    /// Sets the terminal that is our stdin to raw mode. Also returns the rows and columns of its
    /// window: now, and after each change.
    pub fn enter() -> Result<(Raw, impl Iterator<Item = (u16, u16)>), Failure> {
        let fails = |error: io::Error| {
            Failure::new(Exit::Read, format!("cannot set the terminal's mode: {error}"))
        };
        let terminal = unbuffered(io::stdin()).map_err(fails)?;
        let mut sh = Command::new("sh");
        sh.args(["-c", include_str!("raw_mode.sh")]).stderr(terminal);
        sh.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut raw = Raw(sh.spawn().map_err(fails)?);
        let failed = || fails(io::Error::other("stty failed"));
        let mut lines = BufReader::new(raw.0.stdout.take().ok_or_else(failed)?).lines();
        let Some(Ok(now)) = lines.next() else { return Err(failed()) };
        let lines = iter::once(now).chain(lines.map_while(Result::ok));
        Ok((raw, lines.filter_map(|line| size(&line))))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        _ = self.0.wait();
    }
}

/// Reads `rows columns`; `None` for a window without a size.
fn size(line: &str) -> Option<(u16, u16)> {
    let (rows, columns) = line.split_once(' ')?;
    let size = (rows.parse().ok()?, columns.parse().ok()?);
    (size != (0, 0)).then_some(size)
}

/// Returns the width of a terminal.
pub fn columns(terminal: &File) -> Option<usize> {
    let stdin = terminal.is_terminal().then(|| terminal.try_clone().ok()).flatten()?;
    let answer = Command::new("stty").arg("size").stdin(stdin).output().ok()?;
    let (_, columns) = size(str::from_utf8(&answer.stdout).ok()?.trim_end())?;
    Some(columns.into())
}

/// Asks for a password on the terminal, without echo, or else on stdin.
pub fn ask_password(prompt: &[u8]) -> Vec<u8> {
    let terminal = File::open("/dev/tty").ok();
    let quiet = |terminal: &File, how: &str| {
        let stdin = terminal.try_clone().map(Stdio::from);
        _ = stdin.and_then(|stdin| Command::new("stty").arg(how).stdin(stdin).status());
    };
    _ = io::stderr().write_all(prompt);
    let mut line = Vec::new();
    match terminal {
        Some(terminal) => {
            quiet(&terminal, "-echo");
            _ = BufReader::new(&terminal).read_until(b'\n', &mut line);
            quiet(&terminal, "echo");
        }
        None => _ = io::stdin().lock().read_until(b'\n', &mut line),
    }
    _ = io::stderr().write_all(b"\n");
    line.trim_ascii_end().to_vec()
}
