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

    /// Returns all bytes, or `None` if there are more than `limit`.
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

#[cfg(test)]
mod tests {
    use super::{Disk, PART, Spool};

    /// Fills two spools at a time, so that their parts alternate in the file.
    #[test]
    fn a_spool_returns_its_bytes() {
        let mut disk = Disk::default();
        for length in [0, 1, PART - 1, PART, PART + 1, 3 * PART + 2] {
            let bytes: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let mut spools = [Spool::default(), Spool::default()];
            for part in bytes.chunks(1000) {
                spools.iter_mut().for_each(|spool| disk.push(spool, part).unwrap());
            }
            for spool in spools {
                assert_eq!(spool.length, length);
                assert!(disk.all(&spool, length).unwrap() == bytes, "{length}");
            }
        }
    }
}
