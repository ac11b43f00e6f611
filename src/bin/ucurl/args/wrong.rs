//! Why a command line is not run: an error in it, or a request for help.

use super::exit::Exit;

/// Why there is nothing to transfer.
#[derive(Debug)]
pub enum NoTransfer {
    Help(Option<Vec<u8>>),
    Manual,
    Version,
    Generate(Vec<u8>),
    /// `ucurl: option OPTION: WHY`.
    Bad {
        option: Vec<u8>,
        why: String,
        exit: Exit,
    },
}

/// What is wrong with one option.
#[derive(Debug)]
pub enum Wrong {
    Ends(NoTransfer),
    /// An error that a `-K` file may contain: there, curl warns and goes on.
    Why(&'static str, Exit),
    /// An error that ends the run wherever the option stands.
    Refused(String),
}
