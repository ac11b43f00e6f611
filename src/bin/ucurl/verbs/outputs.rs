//! The output files of a tap. They are private, and each has one purpose.

use crate::args::given::Given;
use crate::console::{say, unbuffered};
use std::ffi::OsStr;
use std::fmt::Display;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};

/// The options that name a file of a recorder, with its mode.
const RECORDERS: [(&str, u32); 4] =
    [("script", 0o700), ("har", 0o600), ("pcap", 0o600), ("rules", 0o600)];

/// The open files.
#[derive(Default)]
pub struct Outputs<'a> {
    /// The output of the view, if there is one.
    pub view: Option<File>,
    /// The options of the recorders, each with its file name.
    pub recorders: Vec<(&'static str, &'a OsStr, File)>,
    /// The device and inode of each file.
    open: Vec<(u64, u64)>,
}

impl<'a> Outputs<'a> {
    /// Opens all files that the options name. Waits for the reader of a pipe.
    pub fn open(given: &'a Given) -> Result<Outputs<'a>, String> {
        let mut outputs = Outputs::default();
        let mut stdout_is_taken = given.command.is_some();
        for (option, mode) in RECORDERS {
            for name in given.values(option) {
                if name == "-" && given.command.is_some() {
                    return Err(format!("--{option} -: the command has stdout; name a file"));
                }
                stdout_is_taken |= name == "-";
                let file = outputs.create(name, mode)?;
                outputs.recorders.push((option, name, file));
            }
        }
        let shown = !given.has("web") || given.has("output");
        if shown && !given.has("quiet") {
            outputs.view = Some(match given.value("output") {
                Some(name) => outputs.create(name, 0o600)?,
                None if stdout_is_taken => unbuffered(io::stderr())
                    .map_err(|error| format!("the view's output: {error}"))?,
                None => outputs.create(OsStr::new("-"), 0o600)?,
            });
        }
        Ok(outputs)
    }

    /// Opens a file for writing; `-` is stdout.
    fn create(&mut self, name: &OsStr, mode: u32) -> Result<File, String> {
        let wrong = |error: io::Error| failed(name, &error);
        let file = if name == "-" {
            unbuffered(io::stdout())
        } else {
            if fs::metadata(name).is_ok_and(|file| file.file_type().is_fifo()) {
                say(&format!("tap: waiting for a reader of {}", name.display()));
            }
            File::options().write(true).create(true).truncate(false).mode(mode).open(name)
        };
        let file = file.map_err(wrong)?;
        let metadata = file.metadata().map_err(wrong)?;
        let place = (metadata.dev(), metadata.ino());
        if !metadata.file_type().is_char_device() {
            if self.open.contains(&place) {
                return Err(failed(name, &"one file cannot have two outputs"));
            }
            self.open.push(place);
        }
        if metadata.is_file() && name != "-" {
            file.set_permissions(Permissions::from_mode(mode)).map_err(wrong)?;
            file.set_len(0).map_err(wrong)?;
        }
        Ok(file)
    }
}

pub fn failed(name: &OsStr, error: &dyn Display) -> String {
    format!("{}: {error}", name.display())
}
