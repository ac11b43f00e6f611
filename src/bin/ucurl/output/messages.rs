//! Warnings, errors and notes, on stderr or in the file of `--stderr`.

use crate::args::exit::Exit;
use crate::output::failure::Failure;
use crate::plan::{Channel, MessagePlan};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::sync::Arc;

/// Prints messages as far as the plan wants them.
pub struct Messages {
    plan: MessagePlan,
    pub out: Arc<File>,
}

impl Messages {
    /// Opens the file of `--stderr`. If it cannot be opened, a warning on stderr says so.
    pub fn new(plan: MessagePlan) -> io::Result<Messages> {
        let stderr = || io::stderr().as_fd().try_clone_to_owned().map(File::from);
        let (out, trouble) = match &plan.to {
            Channel::Stderr => (stderr()?, None),
            Channel::Stdout => (io::stdout().as_fd().try_clone_to_owned()?.into(), None),
            Channel::File(name) => match File::create(name) {
                Ok(file) => (file, None),
                Err(error) => (stderr()?, Some(error)),
            },
        };
        let messages = Messages { plan, out: Arc::new(out) };
        if let Some(error) = trouble {
            messages.warn(&format!("Cannot open the file of --stderr: {error}"));
        }
        Ok(messages)
    }

    /// Writes bytes as they are.
    pub fn put(&self, text: &[u8]) {
        _ = (&*self.out).write_all(text);
    }

    /// Prints a line unless `-s` is given.
    pub fn say(&self, text: &str) {
        if self.plan.warnings {
            self.put([text, "\n"].concat().as_bytes());
        }
    }

    /// Prints a warning unless `-s` is given.
    pub fn warn(&self, text: &str) {
        self.say(&["Warning: ", text].concat());
    }

    /// With `-v`, unless `-s` is given.
    pub fn note(&self, text: &str) {
        if self.plan.notes {
            self.say(&["Note: ", text].concat());
        }
    }

    /// Prints why a transfer failed, unless `-s` is given without `-S`. Returns its exit code.
    pub fn error(&self, failure: &Failure) -> Exit {
        if self.plan.errors && !failure.quiet {
            self.put(format!("ucurl: ({}) {}\n", failure.exit as u8, failure.text).as_bytes());
        }
        failure.exit
    }
}
