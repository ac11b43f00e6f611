//! The commands beside transfers: `demo`, `tap`, `replay` and `sockets`.
//!
//! They are the Cargo feature `commands`. Without it ucurl is curl's command line and nothing else,
//! a third smaller, for where each kilobyte is carried along; what it then lacks it refuses by
//! name.

#[cfg(feature = "commands")]
mod replay;
#[cfg(feature = "commands")]
pub mod serve;
#[cfg(feature = "commands")]
mod sockets;
#[cfg(feature = "commands")]
pub mod supervise;
#[cfg(feature = "commands")]
mod tap;
#[cfg(feature = "commands")]
pub mod verb;

/// Runs the verb with this name and returns its exit code; `None` if there is no such verb, so that
/// curl's command line begins here.
#[cfg(feature = "commands")]
pub fn run(name: &[u8], args: &[Vec<u8>]) -> Option<i32> {
    match name {
        b"demo" => Some(crate::demo::main(args)),
        b"tap" => Some(tap::main(args)),
        b"replay" => Some(replay::main(args)),
        b"sockets" => Some(sockets::main(args)),
        _ => None,
    }
}

/// Refuses the verbs by name.
#[cfg(not(feature = "commands"))]
pub fn run(name: &[u8], _: &[Vec<u8>]) -> Option<i32> {
    use crate::args::{config::ABSENT, exit::Exit};
    let is_verb = matches!(name, b"demo" | b"tap" | b"replay" | b"sockets");
    is_verb
        .then(|| crate::usage(b"", &[name, b": ", ABSENT.as_bytes()].concat(), Exit::Usage) as i32)
}
