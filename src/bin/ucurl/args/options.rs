//! One option as it is written, read by a section of the table of flags.
//!
//! ```text
//! -sSfo FILE   letters in a row; the first that takes a value takes the rest, or the next argument
//! --long V     a whole name, or the beginning of one of curl's names (flags.rs)
//! --no-long    turns off what can be turned off
//! --long=V     for a verb, and for ucurl's own --explain=bytes; curl 7.88 knows no such thing
//! ```

use super::exit::Exit;
use super::flags::{Flag, FlagKind, Found, Section, TRANSFERS};
use super::wrong::Wrong;

/// How much of the command line an option used.
#[derive(PartialEq, Eq, Debug)]
pub enum Used {
    /// The option alone.
    Alone,
    /// The option and the argument after it.
    Argument,
}

/// Takes a flag: whether it is on, and the value that was given with it.
pub type Take<'t> = &'t mut dyn FnMut(Flag, bool, Option<&[u8]>) -> Result<(), Wrong>;

const UNKNOWN: Wrong = Wrong::Why("is unknown", Exit::Usage);
const NEEDS_A_VALUE: Wrong = Wrong::Why("needs a value", Exit::Usage);

/// Reads one option, with or without dashes in front of a long name. `next` is the argument that
/// may be its value.
pub fn read(
    section: Section,
    option: &[u8],
    next: Option<&[u8]>,
    take: Take,
) -> Result<Used, Wrong> {
    let mut take = |flag: Flag, on: bool, value: Option<&[u8]>| {
        check_choice(flag, value)?;
        take(flag, on, value)
    };
    match option {
        [b'-', b'-', name @ ..] => long(section, name, next, &mut take),
        [b'-', letters @ ..] => short(section, letters, next, &mut take),
        name => long(section, name, next, &mut take),
    }
}

fn long(section: Section, name: &[u8], next: Option<&[u8]>, take: Take) -> Result<Used, Wrong> {
    let equals = name.iter().position(|&byte| byte == b'=').unwrap_or(name.len());
    let (name, attached) = (&name[..equals], name.get(equals + 1..));
    let (name, on) = match name.strip_prefix(b"no-") {
        Some(rest) => (rest, false),
        None => (name, true),
    };
    let flag = match section.long(name, !on) {
        Found::One(flag) => flag,
        Found::Ambiguous => return Err(Wrong::Why("is ambiguous", Exit::Usage)),
        Found::Unknown => {
            return Err(section.nearest(name).map_or(UNKNOWN, |flag| {
                Wrong::Refused(format!("is unknown; did you mean --{}?", flag.written()))
            }));
        }
    };
    let why = match (flag.kind(), attached) {
        (FlagKind::Bool, None) => return take(flag, on, None).map(|()| Used::Alone),
        (kind, _) if !on && kind != FlagKind::Bool => "cannot be turned off with --no-",
        (FlagKind::Text | FlagKind::File, None) => {
            let value = next.ok_or(NEEDS_A_VALUE)?;
            return take(flag, on, Some(value)).map(|()| Used::Argument);
        }
        (FlagKind::None | FlagKind::Maybe, None) | (FlagKind::Maybe, Some(_)) => {
            return take(flag, on, attached).map(|()| Used::Alone);
        }
        (_, Some(_)) if section == TRANSFERS => {
            "is unknown; a value is an argument of its own: --name value"
        }
        (FlagKind::Text | FlagKind::File, _) => {
            return take(flag, on, attached).map(|()| Used::Alone);
        }
        _ => "takes no value",
    };
    Err(Wrong::Why(why, Exit::Usage))
}

fn short(section: Section, letters: &[u8], next: Option<&[u8]>, take: Take) -> Result<Used, Wrong> {
    if letters.is_empty() {
        return Err(UNKNOWN);
    }
    for (at, &letter) in letters.iter().enumerate() {
        let flag = section.short(letter).ok_or(UNKNOWN)?;
        if matches!(flag.kind(), FlagKind::Text | FlagKind::File) {
            let rest = &letters[at + 1..];
            if !rest.is_empty() {
                return take(flag, true, Some(rest)).map(|()| Used::Alone);
            }
            return take(flag, true, Some(next.ok_or(NEEDS_A_VALUE)?)).map(|()| Used::Argument);
        }
        // `-N` is the short form of the negative name that people know.
        take(flag, !flag.written().starts_with("no-"), None)?;
    }
    Ok(Used::Alone)
}

/// Refuses a value that is not among those that the table names.
fn check_choice(flag: Flag, value: Option<&[u8]>) -> Result<(), Wrong> {
    let (Some(choices), Some(value)) = (flag.choices(), value) else { return Ok(()) };
    if choices.split('|').any(|choice| choice.as_bytes() == value) {
        return Ok(());
    }
    Err(Wrong::Refused(match flag.kind() {
        FlagKind::Maybe => format!("takes nothing or ={choices}"),
        _ => format!("takes one of {}", choices.replace('|', ", ")),
    }))
}
