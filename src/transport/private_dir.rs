//! A directory that only this user can enter.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A new directory with mode 0700, removed when dropped if it is empty then.
#[derive(Debug)]
pub struct PrivateDir(PathBuf);

impl PrivateDir {
    /// Makes a directory inside `parent`. mkdir(2) sets the mode as it makes the directory, and
    /// fails where the name is taken, even by a symbolic link, so it is never another user's.
    ///
    /// # Errors
    /// That of mkdir(2).
    pub fn new_in(parent: impl AsRef<Path>) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        loop {
            let now =
                SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let unlikely = now
                ^ u64::from(std::process::id()).rotate_left(40)
                ^ u64::from(count).rotate_left(56);
            let path = parent.as_ref().join(format!(".ucurl-{unlikely:016x}"));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for PrivateDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}
