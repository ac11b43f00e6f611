//! The file that a body goes to: its name, and how it is opened.

use crate::args::config::OutputFlags;
use crate::plan::Destination;
use std::ffi::{OsStr, OsString};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind::AlreadyExists, ErrorKind::IsADirectory};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// Returns the file's name; `None` is stdout. `segment` is the last one of the URL's path.
///
/// # Errors
/// Says why the segment cannot be a file's name.
pub fn name(
    destination: &Destination,
    directory: &Path,
    segment: &[u8],
) -> Result<Option<PathBuf>, &'static str> {
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

/// Opens the file. `--create-dirs` makes its directories; with `--no-clobber` it is a new file:
/// `name`, or `name.1` to `name.99`.
pub fn open(name: &Path, flags: &OutputFlags) -> io::Result<(File, PathBuf)> {
    let parent = name.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent.filter(|_| flags.create_dirs) {
        DirBuilder::new().recursive(true).mode(0o750).create(parent)?;
    }
    if !flags.no_clobber {
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
