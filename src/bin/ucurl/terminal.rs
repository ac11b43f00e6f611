//! Raw mode of the terminal, through stty, and back again whatever happens.
//!
//! A child holds the old settings and waits at the end of a pipe. When the pipe closes, because we are done or because we
//! were killed, it restores them.

use crate::exit::Exit;
use crate::failure::Failure;
use std::io::Read as _;
use std::process::{Child, Command, Stdio};

/// `stty -g` prints what `stty` takes back. Signals of the terminal are for us, not for who has to clean up after us.
const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM TSTP
saved=$(stty -g </dev/tty) || exit 1
stty raw -echo </dev/tty || exit 1
echo
cat
stty "$saved" </dev/tty
"#;

/// The terminal is in raw mode while this lives.
pub struct Raw(Child);

impl Raw {
    /// Every key goes to the container as it is, Ctrl-C among them.
    pub fn enter() -> Result<Raw, Failure> {
        let fails =
            |error: std::io::Error| Failure::new(Exit::Read, format!("cannot set the terminal's mode: {error}"));
        let mut sh = Command::new("sh");
        let mut child = sh.args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(fails)?;
        let mut ready = [0];
        let read = child.stdout.take().map_or(Ok(0), |mut stdout| stdout.read(&mut ready)).map_err(fails)?;
        let raw = Raw(child);
        match read {
            0 => Err(Failure::new(Exit::Read, "cannot set the terminal's mode: stty failed")),
            _ => Ok(raw),
        }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        _ = self.0.wait();
    }
}
