//! The output of a transfer: stdout, or a file that is opened with the first byte.

use crate::args::config::{Destination, Group};
use crate::args::exit::Exit;
use crate::output::messages::Failure;
use std::ffi::{OsStr, OsString};
use std::fs::{DirBuilder, File};
use std::io::{self, ErrorKind::AlreadyExists, ErrorKind::IsADirectory};
use std::io::{IsTerminal as _, Seek as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use unix_http::base::text::harmless_lines;

/// The destination of one transfer's body.
pub struct Sink<'s> {
    flags: &'s Group,
    stdout: &'s File,
    /// `None` is stdout.
    pub name: Option<PathBuf>,
    file: Option<File>,
    pub to_terminal: bool,
    pub refuse_binary: bool,
    styled: bool,
    written: u64,
}

impl<'s> Sink<'s> {
    pub fn new(
        name: Option<PathBuf>,
        destination: &Destination,
        flags: &'s Group,
        stdout: &'s File,
        styled: bool,
    ) -> Sink<'s> {
        let to_terminal = name.is_none() && stdout.is_terminal();
        Sink {
            flags,
            stdout,
            name,
            file: None,
            to_terminal,
            refuse_binary: to_terminal && *destination != Destination::RawStdout,
            styled: to_terminal && styled,
            written: 0,
        }
    }

    fn open(&mut self) -> Result<&File, Failure> {
        let Some(name) = &self.name else { return Ok(self.stdout) };
        if self.file.is_none() {
            let (file, name) = create(name, self.flags).map_err(|error| {
                let name = name.to_string_lossy();
                let text = format!("cannot write to {}: {error}", name.escape_debug());
                Failure::new(Exit::Write, text)
            })?;
            (self.file, self.name) = (Some(file), Some(name));
        }
        Ok(self.file.as_ref().unwrap_or(self.stdout))
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let to_stdout = self.name.is_none();
        let mut file = self.open()?;
        file.write_all(bytes).map_err(|error| Failure::of_writing(&error, to_stdout))?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Writes a head, for `-i`.
    pub fn head(&mut self, head: &[u8]) -> Result<(), Failure> {
        let shown = if self.to_terminal { harmless_lines(head) } else { head.into() };
        let styled = if self.styled { bold(&shown).into() } else { shown };
        self.put(&styled)
    }

    pub fn write(&mut self, content: &[u8]) -> Result<(), Failure> {
        if content.is_empty() {
            return Ok(());
        }
        if self.refuse_binary && self.written < 2000 && content.contains(&0) {
            let text = "the body is binary and would upset the terminal; --demux decodes \
                        Docker's frames, -o - writes it all the same, -o FILE into a file";
            return Err(Failure::new(Exit::Write, text));
        }
        self.put(content)
    }

    /// Creates the file of a successful transfer with an empty body.
    pub fn ensure_file(&mut self) -> Result<(), Failure> {
        self.open().map(|_| ())
    }

    /// Empties the file before another try and returns the number of bytes dropped. A pipe or a
    /// device keeps its bytes.
    pub fn rewind(&mut self) -> io::Result<u64> {
        let Some(mut file) = self.file.as_ref() else { return Ok(0) };
        if !file.metadata()?.is_file() {
            return Ok(0);
        }
        file.set_len(0)?;
        file.rewind()?;
        Ok(std::mem::take(&mut self.written))
    }

    /// `--remove-on-error`: never removes a device, a pipe or a link.
    pub fn remove(&mut self) {
        if let (Some(name), Some(_)) = (&self.name, self.file.take())
            && name.symlink_metadata().is_ok_and(|metadata| metadata.is_file())
        {
            _ = std::fs::remove_file(name);
        }
    }
}

/// Makes the names of a head's fields bold.
fn bold(head: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(head.len() * 2);
    for (number, line) in head.split_inclusive(|&byte| byte == b'\n').enumerate() {
        match line.iter().position(|&byte| byte == b':').filter(|_| number > 0) {
            Some(at) => out.extend([b"\x1b[1m", &line[..at], b"\x1b[0m", &line[at..]].concat()),
            None => out.extend(line),
        }
    }
    out
}

/// Returns the file's name; `None` is stdout. As in curl 8, `-O` takes the last segment of the
/// URL's path that is not empty.
///
/// # Errors
/// Returns why the segment cannot be a file name.
pub fn file_name(
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
    let slash = if directory.as_os_str().is_empty() { "" } else { "/" };
    let whole: OsString = [directory.as_os_str(), slash.as_ref(), name].into_iter().collect();
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
fn create(name: &Path, flags: &Group) -> io::Result<(File, PathBuf)> {
    make_parent(name, flags)?;
    if !flags.no_clobber {
        return Ok((File::create(name)?, name.to_owned()));
    }
    let mut number = 0;
    loop {
        let end = if number > 0 { format!(".{number}") } else { String::new() };
        let name: OsString = [name.as_os_str(), end.as_ref()].into_iter().collect();
        match File::create_new(&name) {
            Err(error) if number < 99 && matches!(error.kind(), AlreadyExists | IsADirectory) => {
                number += 1;
            }
            opened => return Ok((opened?, name.into())),
        }
    }
}
