//! The command line of a verb, read by the verb's section of the table of flags.

use super::flags::{Flag, Section};
use super::options;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;

/// The flags, operands and command that follow a verb.
#[derive(Debug)]
pub struct Given {
    pub verb: Section,
    /// Each flag, whether it is on, and its value.
    flags: Vec<(Flag, bool, OsString)>,
    pub operands: Vec<OsString>,
    /// The arguments after `--`.
    pub command: Option<Vec<OsString>>,
}

impl Given {
    fn all(&self, name: &str) -> impl DoubleEndedIterator<Item = &(Flag, bool, OsString)> {
        debug_assert!(self.verb.flags().any(|flag| flag.long() == name), "no flag --{name}");
        self.flags.iter().filter(move |(flag, ..)| flag.long() == name)
    }

    pub fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// Returns whether a flag was last turned on, or `default` if it was not given.
    pub fn is_on(&self, name: &str, default: bool) -> bool {
        self.all(name).next_back().map_or(default, |(_, on, _)| *on)
    }

    /// Returns the last value of a flag.
    pub fn value(&self, name: &str) -> Option<&OsStr> {
        self.values(name).next_back()
    }

    pub fn values(&self, name: &str) -> impl DoubleEndedIterator<Item = &OsStr> {
        self.all(name).map(|(_, _, value)| value.as_os_str())
    }
}

/// Reads the arguments after a verb.
pub fn read(verb: Section, args: &[Vec<u8>]) -> Result<Given, String> {
    let mut given = Given { verb, flags: Vec::new(), operands: Vec::new(), command: None };
    let owned = |arg: &[u8]| OsString::from_vec(arg.to_vec());
    let mut args = args.iter().map(Vec::as_slice);
    while let Some(arg) = args.next() {
        if arg == b"--" {
            given.command = Some(args.map(owned).collect());
            break;
        }
        if !arg.starts_with(b"-") || arg == b"-" {
            given.operands.push(owned(arg));
            continue;
        }
        let next = args.clone().next();
        let used_next = options::read(verb, arg, next, &mut |flag, on, value| {
            given.flags.push((flag, on, owned(value.unwrap_or_default())));
            Ok(())
        });
        if used_next.map_err(|wrong| wrong.of(arg).line())? {
            args.next();
        }
    }
    Ok(given)
}
