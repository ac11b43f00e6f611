//! Reads a command line as curl 7.88 does: options, URLs, and `--`, which ends the options.

use super::actions;
use super::config::Config;
use super::draft::{Draft, Read};
use super::flags::{FlagKind, TRANSFERS};
use super::generate;
use super::help;
use super::manual;
use super::options::{self, Argument};
use super::rcfile::{self, OptionLine};
use super::wrong::{NoTransfer, wrong};

/// How deep `-K` files may be nested: a file that names itself must not loop forever.
const MAX_DEPTH: usize = 16;

/// Reads a command line, without the program's name. Files are read through `read`.
pub fn parse<'a>(
    args: impl Iterator<Item = &'a [u8]>,
    read: Read,
) -> (Config, Result<(), NoTransfer>) {
    let mut draft = Draft::new(read);
    let result = all(&mut draft, args);
    (draft.finish(), result)
}

fn all<'a>(draft: &mut Draft, args: impl Iterator<Item = &'a [u8]>) -> Result<(), NoTransfer> {
    let mut args = args.peekable();
    let mut options = true;
    while let Some(arg) = args.next() {
        if !options || !arg.starts_with(b"-") {
            draft.url(arg);
        } else if arg == b"--" {
            options = false;
        } else {
            let used_next = option(draft, 0, arg, args.peek().copied());
            if used_next.map_err(|wrong| wrong.of(arg))? {
                args.next();
            }
        }
    }
    Ok(())
}

/// Reads one option; `depth` counts the nested `-K` files.
fn option(
    draft: &mut Draft,
    depth: usize,
    option: &[u8],
    next: Argument,
) -> Result<bool, NoTransfer> {
    options::read(TRANSFERS, option, next, &mut |flag, on, value| {
        let value = value.unwrap_or_default();
        let is_file = flag.kind() == FlagKind::File && !flag.is_out();
        if is_file && matches!(value, [b'-', _, ..]) {
            draft.warn(&[b"The file name '", value, b"' looks like an option"]);
        }
        Err(match flag.written() {
            "config" => return read_file(draft, depth, value),
            "generate" => NoTransfer::Print(generate::generate(value)),
            "help" if on => NoTransfer::Print(help::help(next)),
            "manual" if on => NoTransfer::Print(manual::manual(false)),
            "version" if on => NoTransfer::Print(help::version()),
            _ => return actions::apply(draft, flag, on, value),
        })
    })
}

/// `-K`: reads options from a file, `-` for stdin, at its place on the command line.
fn read_file(draft: &mut Draft, depth: usize, name: &[u8]) -> Result<(), NoTransfer> {
    if depth == MAX_DEPTH {
        return Err(wrong("is nested too deeply: a file names itself"));
    }
    let text = draft.file(name)?;
    let shown: &[u8] = if name == b"-" { b"<stdin>" } else { name };
    rcfile::lines(&text).try_for_each(|line| {
        let at = [shown, b":", line.number.to_string().as_bytes(), b": ", line.option].concat();
        file_line(draft, depth + 1, &line).map_err(|wrong| wrong.of(&at))
    })
}

fn file_line(draft: &mut Draft, depth: usize, line: &OptionLine) -> Result<(), NoTransfer> {
    if line.has_more {
        return Err(wrong("has text after its value; put a value with white space in quotes"));
    }
    let value = line.value.as_deref();
    let used = option(draft, depth, line.option, value)? || value.is_none_or(<[u8]>::is_empty);
    if used { Ok(()) } else { Err(wrong("takes no value")) }
}
