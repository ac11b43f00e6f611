//! Reads one option by a section of the table of flags.
//!
//! ```text
//! -sSfo FILE   letters in a row; the first that takes a value takes the rest, or the next argument
//! --long V     a whole name, or the beginning of one of curl's names (flags.rs)
//! --no-long    turns a flag off, if it can be turned off
//! --long=V     as in curl 8
//! ```

use super::exit::{NoTransfer, wrong};
use super::flags::{Flag, Section};

pub type Argument<'a> = Option<&'a [u8]>;

/// Receives a flag, whether it is on, and its value.
pub type Take<'t> = &'t mut dyn FnMut(Flag, bool, Argument) -> Result<(), NoTransfer>;

const UNKNOWN: &str = "is unknown";
const NEEDS_A_VALUE: &str = "needs a value";

/// Reads one option, whose long name may lack its dashes. `next` may be its value; returns
/// whether it is.
pub fn read(
    section: Section,
    option: &[u8],
    next: Argument,
    take: Take,
) -> Result<bool, NoTransfer> {
    let mut take = |flag: Flag, on: bool, value: Argument| {
        check_choice(flag, value)?;
        take(flag, on, value)
    };
    match option {
        [b'-', b'-', name @ ..] => long(section, name, next, &mut take),
        [b'-', letters @ ..] => short(section, letters, next, &mut take),
        name => long(section, name, next, &mut take),
    }
}

fn long(section: Section, name: &[u8], next: Argument, take: Take) -> Result<bool, NoTransfer> {
    let equals = name.iter().position(|&byte| byte == b'=').unwrap_or(name.len());
    let (name, attached) = (&name[..equals], name.get(equals + 1..));
    let (name, on) = match name.strip_prefix(b"no-") {
        Some(rest) => (rest, false),
        None => (name, true),
    };
    let flag = section.long(name, !on)?;
    match (flag.kind, attached) {
        (kind, _) if !on && kind != "bool" => Err(wrong("cannot be turned off with --no-")),
        ("none" | "bool", Some(_)) => Err(wrong("takes no value")),
        ("text" | "file", None) => take(flag, on, Some(next.ok_or(NEEDS_A_VALUE)?)).map(|()| true),
        _ => take(flag, on, attached).map(|()| false),
    }
}

fn short(section: Section, letters: &[u8], next: Argument, take: Take) -> Result<bool, NoTransfer> {
    if letters.is_empty() {
        return Err(wrong(UNKNOWN));
    }
    for (at, &letter) in letters.iter().enumerate() {
        let flag = section.short(letter).ok_or(UNKNOWN)?;
        if flag.takes_value() {
            let (value, used) = match &letters[at + 1..] {
                [] => (next.ok_or(NEEDS_A_VALUE)?, true),
                rest => (rest, false),
            };
            return take(flag, true, Some(value)).map(|()| used);
        }
        // `-N` is the short form of the negative name that people know.
        take(flag, !flag.written().starts_with("no-"), None)?;
    }
    Ok(false)
}

/// Rejects a value that the table does not list.
fn check_choice(flag: Flag, value: Argument) -> Result<(), NoTransfer> {
    let (Some(choices), Some(value)) = (flag.choices(), value) else { return Ok(()) };
    if choices.split('|').any(|choice| choice.as_bytes() == value) {
        return Ok(());
    }
    Err(wrong(match flag.kind {
        "maybe" => format!("takes nothing or ={choices}"),
        _ => format!("takes one of {}", choices.replace('|', ", ")),
    }))
}
