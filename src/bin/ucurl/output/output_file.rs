//! The file that a body goes to: its name, and how it is opened.

use crate::plan::Destination;
use std::ffi::{OsStr, OsString};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind::{AlreadyExists, IsADirectory};
use std::io::Result;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// Returns the file's name; `None` is stdout. `segment` is the last one of the URL's path. The error
/// says why it cannot be the name of a file.
pub fn name(
    destination: &Destination,
    directory: &Path,
    segment: &[u8],
) -> std::result::Result<Option<PathBuf>, &'static str> {
    let name = match destination {
        Destination::Stdout { .. } => return Ok(None),
        Destination::File(name) => name.as_os_str(),
        Destination::UrlName => match segment {
            b"" => return Err("the URL has no file name for -O"),
            // `-O` never leaves the directory.
            b"." | b".." => {
                return Err("the URL ends in a directory, which is no file name for -O");
            }
            name => OsStr::from_bytes(name),
        },
    };
    // The directory stands before a name that begins with a slash too.
    let mut whole = directory.as_os_str().to_owned();
    whole.push(if whole.is_empty() { "" } else { "/" });
    whole.push(name);
    Ok(Some(whole.into()))
}

/// `--create-dirs`: makes the directories before the file's name.
pub fn create_dirs(name: &Path) -> Result<()> {
    let parent = name.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.map_or(Ok(()), |parent| DirBuilder::new().recursive(true).mode(0o750).create(parent))
}

/// Opens the file. With `no_clobber` it is a new one: `name`, or `name.1` to `name.99`.
pub fn open(name: &Path, no_clobber: bool) -> Result<(File, PathBuf)> {
    if !no_clobber {
        return Ok((File::create(name)?, name.to_owned()));
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let (mut given, mut number) = (name.to_owned(), 0);
    loop {
        match options.open(&given) {
            Ok(file) => return Ok((file, given)),
            Err(error) if number < 99 && matches!(error.kind(), AlreadyExists | IsADirectory) => {}
            Err(error) => return Err(error),
        }
        number += 1;
        let mut next = OsString::from(name);
        next.push(format!(".{number}"));
        given = next.into();
    }
}
