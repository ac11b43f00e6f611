//! The commands beside transfers: `demo`, `tap`, `replay`, `sockets`.
//!
//! They are the Cargo feature `commands`. Without it ucurl is curl's command line and nothing else,
//! a third smaller, for where each kilobyte is carried along; what it then lacks it refuses by
//! name.

#[cfg(feature = "commands")]
use crate::demo;
#[cfg(feature = "commands")]
use crate::verbs::{replay, sockets, tap};

/// The exit code of the command with this name; `None` is no command, so that curl's command line
/// begins here.
#[cfg(feature = "commands")]
pub fn run(name: &[u8], args: &[Vec<u8>]) -> Option<i32> {
    match name {
        b"demo" => Some(demo::main(args)),
        b"tap" => Some(tap::main(args)),
        b"replay" => Some(replay::main(args)),
        b"sockets" => Some(sockets::main(args)),
        _ => None,
    }
}

#[cfg(not(feature = "commands"))]
pub use absent::{demo, run};

#[cfg(feature = "commands")]
pub use demo::start as demo;

#[cfg(not(feature = "commands"))]
mod absent {
    use crate::args::config::{ABSENT, Socket};
    use crate::args::exit::Exit;
    use std::io;

    pub fn run(name: &[u8], _: &[Vec<u8>]) -> Option<i32> {
        let is_command = matches!(name, b"demo" | b"tap" | b"replay" | b"sockets");
        is_command.then(|| {
            crate::usage(b"", &[name, b": ", ABSENT.as_bytes()].concat(), Exit::Usage) as i32
        })
    }

    /// What `--demo` cannot have.
    pub enum Demo {}

    impl Demo {
        pub fn socket(&self) -> Socket {
            match *self {}
        }
    }

    pub fn demo() -> io::Result<Demo> {
        Err(io::Error::new(io::ErrorKind::Unsupported, ABSENT))
    }
}
