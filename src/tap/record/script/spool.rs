//! Bytes to be written later, held in a file without a name.

use crate::transport::PrivateDir;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};

/// The longest part that is read at once.
const PART: u64 = 32 * 1024;

/// The file, created when needed, and its length. All spools share it.
#[derive(Debug, Default)]
pub(super) struct Disk {
    file: Option<File>,
    end: u64,
}

/// The position of some bytes in the file: the offset and length of each part.
#[derive(Debug, Default)]
pub(super) struct Spool {
    pub length: u64,
    parts: Vec<(u64, u64)>,
}

impl Disk {
    /// Appends bytes to a spool.
    pub(super) fn push(&mut self, spool: &mut Spool, bytes: &[u8]) -> io::Result<()> {
        let length = bytes.len() as u64;
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(nameless()?),
        };
        file.write_all_at(bytes, self.end)?;
        match spool.parts.last_mut() {
            Some((start, part)) if *start + *part == self.end => *part += length,
            _ => spool.parts.push((self.end, length)),
        }
        spool.length += length;
        self.end += length;
        Ok(())
    }

    /// Passes all bytes to `take`, part by part.
    pub(super) fn read(
        &self,
        spool: &Spool,
        mut take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut buffer = Vec::new();
        for &(start, length) in &spool.parts {
            let file = self.file.as_ref().ok_or(io::ErrorKind::UnexpectedEof)?;
            for offset in (0..length).step_by(PART as usize) {
                buffer.resize(PART.min(length - offset) as usize, 0);
                file.read_exact_at(&mut buffer, start + offset)?;
                take(&buffer)?;
            }
        }
        Ok(())
    }

    /// Returns all bytes, or none if there are more than `limit`.
    pub(super) fn all(&self, spool: &Spool, limit: u64) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        if spool.length <= limit {
            self.read(spool, |part| {
                all.extend_from_slice(part);
                Ok(())
            })?;
        }
        Ok(all)
    }
}

/// Returns a private file that disappears with this process.
fn nameless() -> io::Result<File> {
    let directory = PrivateDir::new_in(std::env::temp_dir())?;
    let path = directory.path().join("body");
    let file =
        OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}
