//! The file that receives a body: chooses its name and opens it.

use crate::args::config::{Destination, Group};
use std::ffi::{OsStr, OsString};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind::AlreadyExists, ErrorKind::IsADirectory};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// Returns the file's name; `None` is stdout. As in curl 8, `-O` takes the last segment of the
/// URL's path that is not empty.
///
/// # Errors
/// Returns why the segment cannot be a file name.
pub fn name(
    destination: &Destination,
    directory: &Path,
    path: &[u8],
) -> Result<Option<PathBuf>, &'static str> {
    let mut segments = path.rsplit(|byte| b"/\\".contains(byte));
    let name = match destination {
        Destination::Stdout | Destination::RawStdout => return Ok(None),
        Destination::File(name) => name.as_os_str(),
        Destination::UrlName => match segments.find(|segment| !segment.is_empty()) {
            None => OsStr::new("curl_response"),
            // `-O` never leaves the directory.
            Some(b"." | b"..") => {
                return Err("the URL ends in a directory, so -O has no file name");
            }
            Some(name) => OsStr::from_bytes(name),
        },
    };
    // The directory also precedes a name that begins with a slash.
    let mut whole = directory.as_os_str().to_owned();
    whole.push(if whole.is_empty() { "" } else { "/" });
    whole.push(name);
    Ok(Some(whole.into()))
}

/// `--create-dirs` makes the directories of a file.
pub fn make_parent(name: &Path, flags: &Group) -> io::Result<()> {
    match name.parent().filter(|parent| flags.create_dirs && !parent.as_os_str().is_empty()) {
        Some(parent) => DirBuilder::new().recursive(true).mode(0o750).create(parent),
        None => Ok(()),
    }
}

/// Opens the file. With `--no-clobber` it is a new one: `name`, or `name.1` to `name.99`.
pub fn open(name: &Path, flags: &Group) -> io::Result<(File, PathBuf)> {
    make_parent(name, flags)?;
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
