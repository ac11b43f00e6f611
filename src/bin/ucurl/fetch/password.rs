//! Asks for the password that `-u USER` left out.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

/// Asks on the terminal, or reads a line of stdin where there is none. Nothing that is typed is
/// shown.
pub fn ask(prompt: &[u8]) -> Vec<u8> {
    let terminal = File::open("/dev/tty").ok();
    let quiet = |terminal: &File, how: &str| {
        let stdin = terminal.try_clone().map(Stdio::from);
        _ = stdin.and_then(|stdin| Command::new("stty").arg(how).stdin(stdin).status());
    };
    _ = std::io::stderr().write_all(prompt);
    let mut line = Vec::new();
    match terminal {
        Some(terminal) => {
            quiet(&terminal, "-echo");
            _ = BufReader::new(&terminal).read_until(b'\n', &mut line);
            quiet(&terminal, "echo");
        }
        None => _ = std::io::stdin().lock().read_until(b'\n', &mut line),
    }
    _ = std::io::stderr().write_all(b"\n");
    line.trim_ascii_end().to_vec()
}
