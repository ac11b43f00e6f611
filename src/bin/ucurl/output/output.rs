//! Where a body goes: stdout, or a file that is opened when the first byte comes.

use crate::args::config::{Group, Node};
use crate::fetch::url::{Url, file_name};
use std::ffi::OsStr;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

/// The file that a node's body goes to; `None` is stdout. An error says what is wrong with the
/// name.
pub fn name(node: &Node, group: &Group, url: &Url) -> Result<Option<Vec<u8>>, &'static str> {
    let name = match (&node.output, node.remote_name) {
        (Some(name), _) if name == b"-" => return Ok(None),
        (Some(name), _) => name.clone(),
        (None, false) => return Ok(None),
        (None, true) => match file_name(&url.path) {
            b"" => return Err("the URL has no file name for -O"),
            // What `-O` writes stays in the directory.
            b"." | b".." => {
                return Err("the URL ends in a directory, which is no file name for -O");
            }
            name => name.to_vec(),
        },
    };
    match &group.output_dir {
        Some(directory) if !directory.is_empty() => {
            Ok(Some([&directory[..], b"/", &name].concat()))
        }
        _ => Ok(Some(name)),
    }
}

pub fn path(name: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(name))
}

/// `--create-dirs`: the directories before the file's name.
pub fn create_dirs(name: &[u8]) -> io::Result<()> {
    match path(name).parent() {
        Some(parent) if !parent.as_os_str().is_empty() => {
            DirBuilder::new().recursive(true).mode(0o750).create(parent)
        }
        _ => Ok(()),
    }
}

/// Opens the file, and tells the name that it got with `--no-clobber`.
pub fn open(name: &[u8], no_clobber: bool) -> io::Result<(File, Vec<u8>)> {
    if !no_clobber {
        return Ok((File::create(path(name))?, name.to_vec()));
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let mut given = name.to_vec();
    for number in 1..=100 {
        match options.open(path(&given)) {
            Ok(file) => return Ok((file, given)),
            Err(error)
                if number == 100
                    || !matches!(
                        error.kind(),
                        io::ErrorKind::AlreadyExists | io::ErrorKind::IsADirectory
                    ) =>
            {
                return Err(error);
            }
            Err(_) => given = [name, format!(".{number}").as_bytes()].concat(),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
