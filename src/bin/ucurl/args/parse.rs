//! Reads a command line as curl 7.88 does: options, URLs, and `--`, which ends the options.
//!
//! The lines of a `-K` file:
//!
//! ```text
//! line      = OWS ( comment / option [ separator value ] )
//! comment   = first character # / * or nothing
//! option    = "-" … / "--" … / NAME    NAME ends at white space, "=" or ":";
//!                                      with dashes it ends at white space alone
//! value     = DQUOTE *( char / "\" char ) DQUOTE / word
//! ```
//!
//! Unlike in curl, a NUL does not end a line: nothing is dropped silently.

use super::actions::{Draft, Read};
use super::config::Config;
use super::exit::{Exit, NoTransfer, wrong};
use super::flags::transfers;
use super::generate;
use super::manual;
use super::options::{self, Argument};

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
    options::read(transfers(), option, next, &mut |flag, on, value| {
        let value = value.unwrap_or_default();
        let is_file = flag.kind == "file" && !flag.is_out();
        if is_file && matches!(value, [b'-', _, ..]) {
            draft.warn(&[b"The file name '", value, b"' looks like an option"]);
        }
        let text = match flag.written() {
            "config" => return read_file(draft, depth, value),
            "generate" => generate::generate(value),
            "help" if on => manual::help(next),
            "manual" if on => manual::manual(false),
            "version" if on => manual::version(),
            _ => return draft.apply(flag, on, value),
        };
        Err(NoTransfer { exit: Exit::Ok, ..wrong(text) })
    })
}

/// `-K`: reads options from a file, `-` for stdin, at its place on the command line.
fn read_file(draft: &mut Draft, depth: usize, name: &[u8]) -> Result<(), NoTransfer> {
    if depth == MAX_DEPTH {
        return Err(wrong("is nested too deeply: a file names itself"));
    }
    let text = draft.file(name)?;
    let shown: &[u8] = if name == b"-" { b"<stdin>" } else { name };
    for (number, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if matches!(line, [] | [b'#' | b'/' | b'*', ..]) {
            continue;
        }
        let (name, value) = split_option(line);
        let place = [shown, b":", (number + 1).to_string().as_bytes(), b": ", name].concat();
        file_option(draft, depth + 1, name, value).map_err(|wrong| wrong.of(&place))?;
    }
    Ok(())
}

/// Splits the line of an option into its name and the rest.
fn split_option(line: &[u8]) -> (&[u8], &[u8]) {
    let dashed = line[0] == b'-';
    let separates = |byte: &u8| {
        byte.is_ascii_whitespace() || *byte == 0x0b || (!dashed && matches!(byte, b'=' | b':'))
    };
    let end = line.iter().position(separates).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    let start = rest.iter().position(|byte| !separates(byte)).unwrap_or(rest.len());
    (name, &rest[start..])
}

fn file_option(
    draft: &mut Draft,
    depth: usize,
    name: &[u8],
    value: &[u8],
) -> Result<(), NoTransfer> {
    let value = match value {
        [] => None,
        [b'"', quoted @ ..] => Some(unquoted(quoted)),
        word => {
            let end = word.iter().position(u8::is_ascii_whitespace).unwrap_or(word.len());
            let (word, after) = word.split_at(end);
            if !matches!(after.trim_ascii_start(), [] | [b'#', ..]) {
                let why = "has text after its value; put a value with white space in quotes";
                return Err(wrong(why));
            }
            Some(word.to_vec())
        }
    };
    let used = option(draft, depth, name, value.as_deref())?;
    if used || value.is_none_or(|value| value.is_empty()) {
        Ok(())
    } else {
        Err(wrong("takes no value"))
    }
}

/// Returns the text up to the closing quote.
fn unquoted(text: &[u8]) -> Vec<u8> {
    let mut bytes = text.iter().copied();
    let character = || match bytes.next()? {
        b'"' => None,
        b'\\' => Some(match bytes.next()? {
            b't' => b'\t',
            b'n' => b'\n',
            b'r' => b'\r',
            b'v' => 0x0b,
            other => other,
        }),
        other => Some(other),
    };
    std::iter::from_fn(character).collect()
}
