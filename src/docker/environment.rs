//! The variables and files that the rules read, behind a trait for tests.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// The size limit of a settings file: 16 MiB.
const FILE_LIMIT: u64 = 16 << 20;

/// The variables and files of a process.
pub trait Environment {
    /// Returns a variable's value, if it is set.
    fn var(&self, name: &str) -> Option<OsString>;

    /// Returns the user's home directory.
    fn home_dir(&self) -> Option<PathBuf>;

    /// Reads all of a file.
    ///
    /// # Errors
    /// Those of the system: `NotFound` for a missing file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Checks that a file can be opened for reading, without reading it: it may be a private key.
    fn probe(&self, path: &Path) -> io::Result<()>;

    /// Lists the paths in a directory.
    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>>;
}

/// The environment of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn var(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }

    fn home_dir(&self) -> Option<PathBuf> {
        std::env::home_dir()
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        open(path)?.take(FILE_LIMIT + 1).read_to_end(&mut content)?;
        if content.len() as u64 > FILE_LIMIT {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 16 MiB"));
        }
        Ok(content)
    }

    fn probe(&self, path: &Path) -> io::Result<()> {
        open(path).map(drop)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect()
    }
}

/// Opens a file. Nothing would end the wait for the other end of a pipe.
pub(super) fn open(path: &Path) -> io::Result<File> {
    if fs::metadata(path)?.file_type().is_fifo() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a pipe, not a file"));
    }
    File::open(path)
}

/// Returns a variable that is set and not empty.
pub(super) fn set(env: &impl Environment, name: &str) -> Option<OsString> {
    env.var(name).filter(|value| !value.is_empty())
}
