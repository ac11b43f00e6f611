//! The reasons not to run a command line: an error in it, or a request for help.

use super::exit::Exit;
use std::borrow::Cow;
use std::io;
use unix_http::base::text::harmless;

#[derive(Debug)]
pub enum NoTransfer {
    /// A text to print: help, a version, a manual.
    Print(String),
    /// `ucurl: option OPTION: WHY`. The reader of the option fills in its name.
    Bad { option: Vec<u8>, why: Cow<'static, str>, exit: Exit },
}

/// Returns the error of an option.
pub const fn wrong(why: &'static str) -> NoTransfer {
    NoTransfer::Bad { option: Vec::new(), why: Cow::Borrowed(why), exit: Exit::Usage }
}

impl NoTransfer {
    /// Returns the error for a file that cannot be read.
    pub fn unreadable(name: &[u8], error: &io::Error) -> NoTransfer {
        let why = format!("cannot read '{}': {error}", harmless(name)).into();
        NoTransfer::Bad { option: Vec::new(), why, exit: Exit::Read }
    }

    /// Returns the error as one line.
    pub fn line(&self) -> String {
        match self {
            NoTransfer::Bad { option, why, .. } => format!("option {}: {why}", harmless(option)),
            _ => String::new(),
        }
    }

    /// Fills in the option, unless it is known.
    pub fn of(mut self, name: &[u8]) -> NoTransfer {
        if let NoTransfer::Bad { option, .. } = &mut self
            && option.is_empty()
        {
            *option = name.to_vec();
        }
        self
    }
}

impl From<String> for NoTransfer {
    fn from(why: String) -> NoTransfer {
        NoTransfer::Bad { option: Vec::new(), why: Cow::Owned(why), exit: Exit::Usage }
    }
}
