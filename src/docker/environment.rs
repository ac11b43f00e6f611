//! The variables and files that choose a daemon.

use crate::base::text::visible_path;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// The size limit of a settings file: 16 MiB.
const FILE_LIMIT: u64 = 16 << 20;

/// Why the daemon or the version of its API could not be determined, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolveError(pub(super) String);

impl ResolveError {
    pub(super) fn about(path: &Path, why: impl fmt::Display) -> ResolveError {
        ResolveError(format!("{}: {why}", visible_path(path)))
    }
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ResolveError {}

/// Looks up a variable by its name.
#[derive(Clone, Copy)]
pub(super) struct Variables<'a>(pub(super) &'a dyn Fn(&str) -> Option<OsString>);

impl Variables<'_> {
    /// Returns a variable that is set and not empty.
    pub(super) fn get(self, name: &str) -> Option<OsString> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    pub(super) fn config_dir(self) -> Result<PathBuf, ResolveError> {
        let home = || Some(PathBuf::from((self.0)("HOME")?).join(".docker"));
        self.get("DOCKER_CONFIG").map(PathBuf::from).or_else(home).ok_or_else(|| {
            let why = "no home directory to look for .docker in; set DOCKER_CONFIG or HOME";
            ResolveError(why.into())
        })
    }
}

/// Opens a file. Nothing would end the wait for the other end of a pipe.
pub(super) fn open(path: &Path) -> io::Result<File> {
    if fs::metadata(path)?.file_type().is_fifo() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a pipe, not a file"));
    }
    File::open(path)
}

pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    open(path)?.take(FILE_LIMIT + 1).read_to_end(&mut content)?;
    if content.len() as u64 > FILE_LIMIT {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 16 MiB"));
    }
    Ok(content)
}

/// Returns `None` if the file does not exist.
pub(super) fn present<T>(file: io::Result<T>, path: &Path) -> Result<Option<T>, ResolveError> {
    match file {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ResolveError::about(path, error)),
    }
}
