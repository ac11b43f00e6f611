//! A directory that only this user can enter.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A new directory with mode 0700. Dropping it removes the directory if it is empty.
#[derive(Debug)]
pub struct PrivateDir(PathBuf);

impl PrivateDir {
    /// Creates a directory inside `parent`. mkdir(2) fails if the name exists, even as a symbolic
    /// link, so the directory never belongs to another user. Fails as mkdir(2) does.
    pub fn new_in(parent: impl AsRef<Path>) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        loop {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let unlikely = now.as_nanos() as u64
                ^ u64::from(std::process::id()).rotate_left(40)
                ^ u64::from(COUNT.fetch_add(1, Ordering::Relaxed)).rotate_left(56);
            let path = parent.as_ref().join(format!(".ucurl-{unlikely:016x}"));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns its path.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for PrivateDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}
