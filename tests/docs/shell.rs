//! Runs one `sh` and sends it command after command, as a reader types the commands of a page.

use super::pages::Step;
use crate::support::pattern;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Some commands compile the program that they run.
const LIMIT: Duration = Duration::from_secs(300);

/// Printed after each command, with its exit status.
const MARK: &str = "-- end of command:";

pub struct Shell {
    child: Child,
    output: Receiver<Vec<u8>>,
}

impl Shell {
    /// Starts the shell, whose directory and environment the caller has set.
    pub fn start(sh: &mut Command) -> io::Result<Shell> {
        let (reader, writer) = io::pipe()?;
        sh.stdin(Stdio::piped()).stdout(writer.try_clone()?).stderr(writer);
        // A process group of its own, so that background jobs end with it.
        let child = sh.process_group(0).spawn()?;
        // The command object still holds the writing end of the pipe: let go of it.
        sh.stdout(Stdio::null()).stderr(Stdio::null());
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut reader = BufReader::new(reader);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
                if sender.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        Ok(Shell { child, output })
    }

    /// Runs one command and compares its output. A command in the background has time to print
    /// what is expected of it.
    pub fn run(&mut self, step: &Step) -> Result<(), String> {
        let stdin = self.child.stdin.as_mut().ok_or("the shell's input is closed")?;
        let script = format!("{{ {}\n}} </dev/null\nprintf '\\n{MARK} %d\\n' $?\n", step.command);
        stdin.write_all(script.as_bytes()).map_err(|error| error.to_string())?;

        let background = step.command.ends_with('&');
        let mut output = String::new();
        let mut status = None;
        let end = Instant::now() + LIMIT;
        loop {
            let compared = pattern::check(&step.expected, &output);
            if status.is_some() && (!background || compared.is_ok()) {
                return match status.as_deref() {
                    Some("0") => compared,
                    other => Err(format!("exit status {}\n{output}", other.unwrap_or("unknown"))),
                };
            }
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => match String::from_utf8_lossy(&line).strip_prefix(MARK) {
                    Some(code) => {
                        status = Some(code.trim().to_owned());
                        // The line end before the mark belongs to the mark.
                        output.truncate(output.len().saturating_sub(1));
                    }
                    None => output += &String::from_utf8_lossy(&line),
                },
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("not done after {LIMIT:?}\n{output}"));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("the shell ended\n{output}"));
                }
            }
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let kill = format!("kill -s TERM -- -{}", self.child.id());
        let _ = Command::new("sh").arg("-c").arg(kill).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}
