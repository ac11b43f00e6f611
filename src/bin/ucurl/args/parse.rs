//! The command line, read as curl 7.88 reads it: options, URLs, and `--`, which ends the options.

use super::actions::{ACTIONS, Action};
use super::config::Config;
use super::draft::{Draft, Read};
use super::exit::Exit;
use super::flags::{Flag, FlagKind, TRANSFERS};
use super::options::{self, Used};
use super::rcfile::{self, OptionLine};
use super::wrong::{NoTransfer, Wrong};

/// How deep `-K` files may be nested: one that names itself must come to an end.
const MAX_DEPTH: usize = 16;

/// Reads a command line, without the program's name. Files are read through `read`.
pub fn parse<'a>(
    args: impl Iterator<Item = &'a [u8]>,
    read: Read,
) -> (Config, Result<(), NoTransfer>) {
    let mut draft = Draft::new(read);
    let result = arguments(&mut draft, args);
    (draft.finish(), result)
}

fn arguments<'a>(
    draft: &mut Draft,
    args: impl Iterator<Item = &'a [u8]>,
) -> Result<(), NoTransfer> {
    let mut args = args.peekable();
    let mut options = true;
    while let Some(arg) = args.next() {
        if !options || arg.first() != Some(&b'-') {
            draft.url(arg);
        } else if arg == b"--" {
            options = false;
        } else {
            let (why, exit) = match option(draft, 0, arg, args.peek().copied()) {
                Ok(Used::Alone) => continue,
                Ok(Used::Argument) => {
                    args.next();
                    continue;
                }
                Err(Wrong::Ends(stop)) => return Err(stop),
                Err(Wrong::Why(why, exit)) => (why.to_owned(), exit),
                Err(Wrong::Refused(why)) => (why, Exit::Usage),
            };
            return Err(NoTransfer::Bad { option: arg.to_vec(), why, exit });
        }
    }
    Ok(())
}

/// One option, and the argument that may be its value; `depth` counts the `-K` files it stands in.
fn option(
    draft: &mut Draft,
    depth: usize,
    option: &[u8],
    next: Option<&[u8]>,
) -> Result<Used, Wrong> {
    options::read(TRANSFERS, option, next, &mut |flag, on, value| {
        let text = value.unwrap_or_default();
        let Some((name, action)) = ACTIONS.get(flag.number()) else {
            // Turning off what is not here, and the proxy that is none, are as they should be.
            let harmless = !on || (flag.long() == "proxy" && text.is_empty());
            let why = || Wrong::Refused(format!("is out: {}", flag.reason()));
            return if harmless { Ok(()) } else { Err(why()) };
        };
        debug_assert_eq!(flag.written(), *name);
        warn_of_flag_as_file(draft, flag, text);
        match action {
            Action::ReadFile => read_file(draft, depth, text),
            Action::End(stop) if on => Err(Wrong::Ends(stop(value.or(next)))),
            action => apply(draft, action, on, text),
        }
    })
}

fn warn_of_flag_as_file(draft: &mut Draft, flag: Flag, value: &[u8]) {
    if flag.kind() == FlagKind::File && value.len() > 1 && value[0] == b'-' {
        draft.warn(&[b"The file name '", value, b"' looks like a flag"]);
    }
}

fn apply(draft: &mut Draft, action: &Action, on: bool, value: &[u8]) -> Result<(), Wrong> {
    match action {
        Action::Only(way, why) if *way != on => return Err(Wrong::Refused((*why).to_owned())),
        Action::Always | Action::Only(..) | Action::End(_) | Action::ReadFile => {}
        Action::Switch(field) => *field(draft) = on,
        Action::Negated(field) => *field(draft) = !on,
        Action::Text(field) => *field(draft) = Some(value.to_vec()),
        Action::Number(number, field) => *field(draft) = number(value)?,
        Action::Part(read, separator, field) => {
            let part = read(draft, value)?;
            match field(draft) {
                Some(whole) => whole.extend([separator.as_bytes(), &part].concat()),
                first => *first = Some(part),
            }
        }
        Action::Turn(turn) => return turn(draft, on),
        Action::Value(set) => return set(draft, value),
        Action::Put(put) => put(draft, value),
    }
    Ok(())
}

/// `-K`: reads options from a file, `-` for stdin, at the place where it stands.
fn read_file(draft: &mut Draft, depth: usize, name: &[u8]) -> Result<(), Wrong> {
    let text = draft.file(name).ok().filter(|_| depth < MAX_DEPTH);
    let text = text.ok_or(Wrong::Why("cannot be read", Exit::Read))?;
    let shown: &[u8] = if name == b"-" { b"<stdin>" } else { name };
    rcfile::lines(&text).try_for_each(|line| {
        let place = [shown, b":", line.number.to_string().as_bytes(), b": "].concat();
        file_line(draft, depth + 1, &line, &place)
    })
}

fn file_line(
    draft: &mut Draft,
    depth: usize,
    line: &OptionLine,
    place: &[u8],
) -> Result<(), Wrong> {
    if line.has_more {
        let why = b"' has white space outside quotes; what follows it is not used";
        draft.warn(&[place, b"'", line.option, why]);
    }
    let why = match option(draft, depth, line.option, line.value.as_deref()) {
        Ok(Used::Alone) if line.value.as_ref().is_some_and(|value| !value.is_empty()) => {
            "takes no value"
        }
        Ok(_) => return Ok(()),
        Err(Wrong::Refused(why)) => {
            let option = [place, line.option].concat();
            return Err(Wrong::Ends(NoTransfer::Bad { option, why, exit: Exit::Usage }));
        }
        Err(Wrong::Ends(stop)) => return Err(Wrong::Ends(stop)),
        // curl warns and goes on.
        Err(Wrong::Why(why, _)) => why,
    };
    draft.warn(&[place, b"'", line.option, b"' ", why.as_bytes()]);
    Ok(())
}
