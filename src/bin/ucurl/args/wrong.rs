//! Why a command line is not run: an error in it, or a request for help.

use super::exit::Exit;

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

impl Wrong {
    /// Returns the reason without the option's name.
    pub fn why(self) -> String {
        match self {
            Wrong::Why(why, _) => why.to_owned(),
            Wrong::Refused(why) => why,
            Wrong::Ends(_) => "cannot be used here".to_owned(),
        }
    }

    /// Returns how the option ends the run.
    pub fn of(self, option: Vec<u8>) -> NoTransfer {
        match self {
            Wrong::Ends(stop) => stop,
            Wrong::Why(_, exit) => NoTransfer::Bad { option, why: self.why(), exit },
            Wrong::Refused(why) => NoTransfer::Bad { option, why, exit: Exit::Usage },
        }
    }
}
