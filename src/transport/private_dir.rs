//! A directory that only this user can enter.

use crate::base::random::random_token;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// A new directory with mode 0700. Dropping it removes the directory if it is empty.
#[derive(Debug)]
pub struct PrivateDir(PathBuf);

impl PrivateDir {
    /// Creates a directory inside `parent`. mkdir(2) fails if the name exists, even as a symbolic
    /// link, so the directory never belongs to another user. Fails as mkdir(2) does.
    pub fn new_in(parent: impl AsRef<Path>) -> io::Result<Self> {
        // 64 unpredictable bits: the path has to fit into a socket address.
        let path = parent.as_ref().join(format!(".ucurl-{:.16}", random_token()));
        DirBuilder::new().mode(0o700).create(&path).map(|()| Self(path))
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
