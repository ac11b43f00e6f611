//! The commands beside transfers: `demo`, `tap`, `replay` and `sockets`.
//!
//! They are the Cargo feature `commands`. Without it ucurl is curl's command line and nothing else,
//! a third smaller, for where each kilobyte is carried along; what it then lacks it refuses by
//! name. `args/verbs.txt` has their options.

#[cfg(feature = "commands")]
pub mod demo;
#[cfg(feature = "commands")]
mod replay;
#[cfg(feature = "commands")]
mod serve;
#[cfg(feature = "commands")]
mod sockets;
#[cfg(feature = "commands")]
mod supervise;
#[cfg(feature = "commands")]
mod tap;

use crate::args::exit::Exit;
#[cfg(feature = "commands")]
use crate::args::{flags, given, help};

const NAMES: [&str; 4] = ["demo", "tap", "replay", "sockets"];

/// Runs the verb with this name and returns the exit code; `None` if there is no such verb, so that
/// curl's command line begins here. `args` is the whole command line.
pub fn run(name: &[u8], args: &[Vec<u8>]) -> Option<i32> {
    let verb = NAMES.into_iter().find(|verb| verb.as_bytes() == name)?;
    Some(verb_or_why(verb, args).unwrap_or_else(|why| {
        crate::console::say(&format!("{verb}: {why}"));
        Exit::Usage as i32
    }))
}

#[cfg(not(feature = "commands"))]
fn verb_or_why(_: &str, _: &[Vec<u8>]) -> Result<i32, String> {
    Err(crate::args::config::ABSENT.to_owned())
}

#[cfg(feature = "commands")]
fn verb_or_why(name: &str, args: &[Vec<u8>]) -> Result<i32, String> {
    let section = flags::verbs().find(|verb| verb.name() == name).ok_or("has no options")?;
    let given = given::read(section, &args[1..]).map_err(|why| format!("{why}; -h helps"))?;
    if given.has("help") {
        return Ok(crate::console::print(&help::of_verb(section)) as i32);
    }
    check_operands(&given, section.usage())?;
    match name {
        "demo" => serve::supervised(args, &given, demo::serve),
        "tap" => serve::supervised(args, &given, tap::serve),
        "replay" => serve::supervised(args, &given, replay::serve),
        _ => sockets::run(&given),
    }
}

/// Checks what is no option against the way the verb is called.
#[cfg(feature = "commands")]
fn check_operands(given: &given::Given, usage: &str) -> Result<(), String> {
    let wants_recording = usage.contains(" recording");
    let takes_command = usage.contains("[-- command");
    match (&given.operands[..], &given.command) {
        (_, Some(command)) if takes_command && command.is_empty() => {
            Err("no command after --".into())
        }
        (_, Some(_)) if !takes_command => Err("takes no command".into()),
        ([_], _) if wants_recording => Ok(()),
        _ if wants_recording => Err("needs one recording".into()),
        ([operand, ..], _) if takes_command => {
            Err(format!("{}: a command stands after --", operand.display()))
        }
        ([_, ..], _) => Err("takes no operands".into()),
        ([], _) => Ok(()),
    }
}
