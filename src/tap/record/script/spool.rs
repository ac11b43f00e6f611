//! Bytes that wait to be written: a few in memory, the rest in a file without a name.

use crate::base::sync::lock;
use crate::transport::PrivateDir;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::{Arc, Mutex};

/// How many bytes stay in memory, and the longest part that is read at once.
const MEMORY: usize = 32 * 1024;

/// The file, created when needed, and its length. All spools share it, and its descriptor.
#[derive(Debug, Default)]
pub(super) struct Disk(Mutex<Option<(File, u64)>>);

impl Disk {
    /// Appends bytes and returns their offset.
    fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        let mut disk = lock(&self.0);
        let (file, end) = match &mut *disk {
            Some(disk) => disk,
            None => disk.insert((nameless()?, 0)),
        };
        let start = *end;
        file.write_all_at(bytes, start)?;
        *end += bytes.len() as u64;
        Ok(start)
    }

    fn read(&self, at: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        match &*lock(&self.0) {
            Some((file, _)) => file.read_exact_at(&mut bytes, at)?,
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
        Ok(bytes)
    }
}

#[derive(Debug)]
pub(super) struct Spool {
    memory: Vec<u8>,
    disk: Arc<Disk>,
    /// The offset and length of each part in the file.
    parts: Vec<(u64, usize)>,
}

impl Spool {
    pub(super) fn new(disk: &Arc<Disk>) -> Spool {
        Spool { memory: Vec::new(), disk: Arc::clone(disk), parts: Vec::new() }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.parts.is_empty() && self.memory.len() + bytes.len() <= MEMORY {
            self.memory.extend_from_slice(bytes);
            return Ok(());
        }
        for bytes in bytes.chunks(MEMORY) {
            let at = self.disk.append(bytes)?;
            match self.parts.last_mut() {
                Some((start, length))
                    if *start + *length as u64 == at && *length + bytes.len() <= MEMORY =>
                {
                    *length += bytes.len();
                }
                _ => self.parts.push((at, bytes.len())),
            }
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.memory.is_empty() && self.parts.is_empty()
    }

    /// Returns all bytes, if they are in memory.
    pub(super) fn memory(&self) -> Option<&[u8]> {
        self.parts.is_empty().then_some(&self.memory[..])
    }

    /// Passes all bytes to `take`, a part at a time.
    pub(super) fn read(&self, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        take(&self.memory)?;
        self.parts.iter().try_for_each(|(at, length)| take(&self.disk.read(*at, *length)?))
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
    use super::{Disk, MEMORY, Spool};
    use std::sync::Arc;

    /// Two at a time, so that their parts alternate in the file.
    #[test]
    fn a_spool_returns_its_bytes() {
        let disk = Arc::<Disk>::default();
        for length in [0, 1, MEMORY - 1, MEMORY, MEMORY + 1, 3 * MEMORY + 2] {
            let bytes: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let mut spools = [Spool::new(&disk), Spool::new(&disk)];
            for part in bytes.chunks(1000) {
                spools.iter_mut().for_each(|spool| spool.push(part).unwrap());
            }
            for spool in spools {
                assert_eq!(spool.is_empty(), length == 0);
                assert_eq!(spool.memory().is_some(), length <= MEMORY);
                let mut all = Vec::new();
                let take = |part: &[u8]| {
                    assert!(part.len() <= MEMORY);
                    all.extend_from_slice(part);
                    Ok(())
                };
                spool.read(take).unwrap();
                assert!(all == bytes, "{length}");
            }
        }
    }
}
