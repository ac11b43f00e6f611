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
    let mut gzip = gzip.spawn()?;
    let (input, output) = (gzip.stdin.take(), gzip.stdout.take());
    let mut content = Vec::new();
    let read = thread::scope(|scope| {
        // gzip stops reading early if it rejects the file, or if its output is long enough.
        scope.spawn(|| input.map(|mut input| input.write_all(bytes)));
        output.map_or(Ok(0), |output| output.take(limit as u64 + 1).read_to_end(&mut content))
    });
    let status = gzip.wait()?;
    match read {
        Ok(_) if status.success() && content.len() <= limit => Ok(content),
        Ok(_) => Err(io::ErrorKind::InvalidData.into()),
        Err(error) => Err(error),
    }
}
