//! Bytes that wait to be written: in memory while they are few, then in a file that has no name.

use crate::base::sync::lock;
use crate::transport::PrivateDir;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::{Arc, Mutex};

/// How many stay in memory.
const MEMORY: usize = 32 * 1024;

/// The file, one for all: however many bodies are large, they take one descriptor.
#[derive(Debug, Default)]
pub(super) struct Disk(Mutex<Option<(File, u64)>>);

impl Disk {
    /// Writes at its end; where that was.
    fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        let mut disk = lock(&self.0);
        let (file, end) = match &mut *disk {
            Some(disk) => disk,
            None => disk.insert((nameless()?, 0)),
        };
        file.write_all_at(bytes, *end)?;
        let start = *end;
        *end += bytes.len() as u64;
        Ok(start)
    }

    fn read(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        match &*lock(&self.0) {
            Some((file, _)) => file.read_exact_at(bytes, at),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

#[derive(Debug)]
pub(super) struct Spool {
    memory: Vec<u8>,
    disk: Arc<Disk>,
    /// Where what has no room in memory is on the disk: start and length.
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
        let at = self.disk.append(bytes)?;
        match self.parts.last_mut() {
            Some((start, length)) if *start + *length as u64 == at => *length += bytes.len(),
            _ => self.parts.push((at, bytes.len())),
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.memory.is_empty() && self.parts.is_empty()
    }

    /// All of it, where it is in memory.
    pub(super) fn memory(&self) -> Option<&[u8]> {
        self.parts.is_empty().then_some(&self.memory[..])
    }

    /// Hands all of it to `take`, in parts of a length that 3 divides but for the last.
    pub(super) fn read(&self, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut held = self.memory.clone();
        for (start, length) in &self.parts {
            let mut read = 0;
            while read < *length {
                let (old, room) = (held.len(), MEMORY.min(*length - read));
                held.resize(old + room, 0);
                self.disk.read(&mut held[old..], *start + read as u64)?;
                read += room;
                let whole = held.len() / 3 * 3;
                take(&held[..whole])?;
                held.drain(..whole);
            }
        }
        take(&held)
    }
}

/// A file that only this process has, and that is gone with it.
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

    /// Two at a time, so that their parts lie between each other's.
    #[test]
    fn what_goes_in_comes_out() {
        let disk = Arc::<Disk>::default();
        for length in [0, 1, MEMORY - 1, MEMORY, MEMORY + 1, 3 * MEMORY + 2] {
            let bytes: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let mut spools = [Spool::new(&disk), Spool::new(&disk)];
            for part in bytes.chunks(1000) {
                spools.iter_mut().for_each(|spool| spool.push(part).unwrap());
            }
            for spool in spools {
                assert_eq!(
                    (spool.is_empty(), spool.memory().is_some()),
                    (length == 0, length <= MEMORY)
                );
                let (mut all, mut parts) = (Vec::new(), Vec::new());
                let take = |part: &[u8]| {
                    all.extend_from_slice(part);
                    parts.push(part.len());
                    Ok(())
                };
                spool.read(take).unwrap();
                assert!(all == bytes, "{length}");
                parts.pop();
                assert!(parts.iter().all(|length| length % 3 == 0), "{parts:?}");
            }
        }
    }
}
