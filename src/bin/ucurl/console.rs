//! The standard streams, and output that belongs to no transfer.

use crate::args::exit::Exit;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use unix_http::base::text::harmless;

/// Prints a text to stdout.
pub fn print(text: &str) -> Exit {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => Exit::Ok,
        Err(_) => Exit::Write,
    }
}

/// Writes one line to stderr, even with `-s`, and escapes untrusted bytes.
pub fn say(text: &str) {
    let line = format!("ucurl: {}\n", harmless(text.as_bytes()));
    _ = io::stderr().write_all(line.as_bytes());
}

/// Returns a standard stream as a file, without the buffer of the standard library.
pub fn unbuffered(stream: impl AsFd) -> io::Result<File> {
    stream.as_fd().try_clone_to_owned().map(File::from)
}
