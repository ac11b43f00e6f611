//! The commands beside transfers: `demo`, `tap`, `guard`, `replay` and `sockets`.
//!
//! `args/verbs.txt` has their options. They are the Cargo feature `commands`.

mod demo;
mod guard;
mod listen;
mod outputs;
mod replay;
mod sockets;
mod supervise;
mod tap;
mod web;

use crate::args::{flags, given, manual};
pub use demo::start_demo;

/// Runs a verb and returns the exit code. `args` is the whole command line.
pub fn run(name: &str, args: &[Vec<u8>]) -> Result<i32, String> {
    let section = flags::verbs().find(|verb| verb.name() == name).ok_or("has no options")?;
    let given = given::read(section, &args[1..]).map_err(|why| format!("{why}; -h helps"))?;
    if given.has("help") {
        return Ok(crate::console::print(&manual::of_verb(section)) as i32);
    }
    if given.has("version") {
        return Ok(crate::console::print(&manual::version()) as i32);
    }
    check_operands(&given, section.usage)?;
    let serve = match name {
        "demo" => demo::serve,
        "tap" => tap::serve,
        "guard" => guard::serve,
        "replay" => replay::serve,
        _ => return sockets::run(&given),
    };
    supervise::run(args, given.command.is_some(), |front| serve(&given, front))
}

/// Checks the operands and the command against the usage of the verb.
fn check_operands(given: &given::Given, usage: &str) -> Result<(), String> {
    let operand = ["recording", "rule-file"].into_iter().find(|name| usage.contains(name));
    let takes_command = usage.contains("[-- command");
    let takes_name = usage.ends_with("[name]");
    Err(match (&given.operands[..], given.command.as_deref()) {
        (_, Some([])) if takes_command => "no command after --".into(),
        (_, Some(_)) if !takes_command => "takes no command".into(),
        (operands, _) if operands.len() == operand.iter().len() => return Ok(()),
        ([_], None) if takes_name => return Ok(()),
        _ if operand.is_some() => format!("needs one {}", operand.unwrap_or_default()),
        ([operand, ..], _) if takes_command => {
            format!("{}: a command stands after --", operand.display())
        }
        _ if takes_name => "takes one name".into(),
        _ => "takes no operands".into(),
    })
}
