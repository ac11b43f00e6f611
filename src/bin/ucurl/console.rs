//! Output outside of transfers.

use crate::args::exit::Exit;
use std::io::{self, Write as _};

/// Prints a text to stdout.
pub fn print(text: &str) -> Exit {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => Exit::Ok,
        Err(_) => Exit::Write,
    }
}

/// Writes one line to stderr, even with `-s`.
pub fn say(text: &str) {
    _ = io::stderr().write_all(["ucurl: ", text, "\n"].concat().as_bytes());
}
