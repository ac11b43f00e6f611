//! Bytes that wait to be written: in memory while they are few, then in a file that has no name.

use crate::transport::PrivateDir;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;

/// How many stay in memory.
const MEMORY: usize = 32 * 1024;

#[derive(Debug, Default)]
pub(super) struct Spool {
    memory: Vec<u8>,
    file: Option<File>,
}

impl Spool {
    pub(super) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.file.is_none() && self.memory.len() + bytes.len() <= MEMORY {
            self.memory.extend_from_slice(bytes);
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(nameless()?),
        };
        file.write_all(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.memory.is_empty() && self.file.is_none()
    }

    /// All of it, where it is in memory.
    pub(super) fn memory(&self) -> Option<&[u8]> {
        self.file.is_none().then_some(&self.memory[..])
    }

    /// Hands all of it to `take`, in parts of a length that 3 divides but for the last.
    pub(super) fn read(&mut self, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut part = std::mem::take(&mut self.memory);
        let mut ended = self.file.is_none();
        if let Some(file) = &mut self.file {
            file.seek(SeekFrom::Start(0))?;
        }
        loop {
            if let (Some(file), false) = (&mut self.file, ended) {
                let n = (&*file).take(MEMORY as u64).read_to_end(&mut part)?;
                ended = n < MEMORY;
            }
            let whole = if ended { part.len() } else { part.len() / 3 * 3 };
            take(&part[..whole])?;
            part.drain(..whole);
            if ended {
                return Ok(());
            }
        }
    }
}

/// A file that only this process has, and that is gone with it.
fn nameless() -> io::Result<File> {
    let directory = PrivateDir::new_in(std::env::temp_dir())?;
    let path = directory.path().join("body");
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::{MEMORY, Spool};

    #[test]
    fn what_goes_in_comes_out() {
        for length in [0, 1, MEMORY - 1, MEMORY, MEMORY + 1, 3 * MEMORY + 2] {
            let bytes: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let mut spool = Spool::default();
            bytes.chunks(1000).for_each(|part| spool.push(part).unwrap());
            assert_eq!((spool.is_empty(), spool.memory().is_some()), (length == 0, length <= MEMORY));
            let (mut all, mut parts) = (Vec::new(), Vec::new());
            spool
                .read(|part| {
                    all.extend_from_slice(part);
                    parts.push(part.len());
                    Ok(())
                })
                .unwrap();
            assert_eq!(all, bytes);
            parts.pop();
            assert!(parts.iter().all(|length| length % 3 == 0), "{parts:?}");
        }
    }
}
