//! Decompresses gzip, the content coding of `RFC 9110 §8.4.1.3`, with the system's gzip(1).

use std::io::{self, Read, Write};
use std::process::{Command, Stdio};
use std::thread;

/// Returns the content of the file `bytes`.
///
/// # Errors
/// Fails if gzip(1) cannot start, if it rejects the file, and if the content is longer than
/// `limit`.
pub(super) fn gunzip(bytes: &[u8], limit: usize) -> io::Result<Vec<u8>> {
    let mut gzip = Command::new("gzip");
    gzip.arg("-dc").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let failed =
        |error: io::Error| io::Error::new(error.kind(), format!("cannot run gzip: {error}"));
    let mut gzip = gzip.spawn().map_err(failed)?;
    let (input, output) = (gzip.stdin.take(), gzip.stdout.take());
    let mut content = Vec::new();
    let read = thread::scope(|scope| {
        // gzip stops reading early if it rejects the file, or if its output is long enough.
        let write = || input.map(|mut input| input.write_all(bytes));
        thread::Builder::new().spawn_scoped(scope, write)?;
        output.map_or(Ok(0), |output| output.take(limit as u64 + 1).read_to_end(&mut content))
    });
    let status = gzip.wait()?;
    match read {
        Ok(_) if status.success() && content.len() <= limit => Ok(content),
        Ok(_) if content.len() > limit => Err(invalid("the content is too long")),
        Ok(_) => Err(invalid("it is not valid gzip")),
        Err(error) => Err(error),
    }
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
