//! What was given to a verb, read by the verb's section of the table of flags.

use super::flags::{Flag, Section};
use super::options::{self, Used};
use super::wrong::Wrong;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use unix_http::base::text::harmless;

/// The flags, operands and command that follow a verb.
#[derive(Debug)]
pub struct Given {
    verb: Section,
    flags: Vec<(Flag, bool, OsString)>,
    /// The arguments that are no flags.
    pub operands: Vec<OsString>,
    /// The arguments after `--`, if that was there.
    pub command: Option<Vec<OsString>>,
}

impl Given {
    /// The verb that this was given to.
    pub fn verb(&self) -> &'static str {
        self.verb.name()
    }

    fn all<'g>(&'g self, name: &str) -> impl DoubleEndedIterator<Item = (bool, &'g OsStr)> {
        debug_assert!(self.verb.flags().any(|flag| flag.long() == name), "no flag --{name}");
        let flags = self.flags.iter().filter(move |(flag, ..)| flag.long() == name);
        flags.map(|(_, on, value)| (*on, value.as_os_str()))
    }

    /// Whether a flag was given.
    pub fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// Whether a flag is on: the last one counts, and `default` where there is none.
    pub fn is_on(&self, name: &str, default: bool) -> bool {
        self.all(name).next_back().map_or(default, |(on, _)| on)
    }

    /// The value of a flag, the last one where it was given more than once.
    pub fn value(&self, name: &str) -> Option<&OsStr> {
        self.values(name).next_back()
    }

    /// All values of a flag.
    pub fn values<'g>(&'g self, name: &str) -> impl DoubleEndedIterator<Item = &'g OsStr> {
        self.all(name).map(|(_, value)| value)
    }
}

/// Reads the arguments after a verb.
///
/// # Errors
/// What is wrong, in one line.
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
        let used = options::read(verb, arg, next, &mut |flag, on, value| {
            given.flags.push((flag, on, owned(value.unwrap_or_default())));
            Ok(())
        });
        match used {
            Ok(Used::Alone) => {}
            Ok(Used::Argument) => _ = args.next(),
            Err(wrong) => return Err(why(arg, wrong)),
        }
    }
    Ok(given)
}

fn why(option: &[u8], wrong: Wrong) -> String {
    let why = match wrong {
        Wrong::Why(why, _) => why.to_owned(),
        Wrong::Refused(why) => why,
        Wrong::Ends(_) => "cannot be used here".to_owned(),
    };
    format!("option {}: {why}", harmless(option))
}
