//! Warnings, errors and notes, on stderr or in the file of `--stderr`.

use crate::args::config::{Global, Trace};
use crate::args::exit::Exit;
use crate::output::failure::Failure;
use crate::output::sink::unbuffered;
use crate::plan;
use std::fs::File;
use std::io::{self, Write as _};
use std::sync::Arc;

/// Prints the messages that `-s`, `-S` and `-v` ask for.
pub struct Messages {
    warnings: bool,
    errors: bool,
    notes: bool,
    pub out: Arc<File>,
}

impl Messages {
    /// Opens the file of `--stderr`. If it cannot be opened, a warning on stderr says so.
    pub fn new(global: &Global) -> io::Result<Messages> {
        let (out, trouble) = match global.stderr.as_deref() {
            None => (unbuffered(io::stderr())?, None),
            Some(b"-") => (unbuffered(io::stdout())?, None),
            Some(name) => match File::create(plan::path(name)) {
                Ok(file) => (file, None),
                Err(error) => (unbuffered(io::stderr())?, Some(error)),
            },
        };
        let messages = Messages {
            warnings: !global.silent,
            errors: !global.silent || global.show_error,
            notes: !global.silent && global.trace != Trace::None,
            out: Arc::new(out),
        };
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
        if self.warnings {
            self.put([text, "\n"].concat().as_bytes());
        }
    }

    /// Prints a warning unless `-s` is given.
    pub fn warn(&self, text: &str) {
        self.say(&["Warning: ", text].concat());
    }

    /// Prints a note with `-v`, unless `-s` is given.
    pub fn note(&self, text: &str) {
        if self.notes {
            self.say(&["Note: ", text].concat());
        }
    }

    /// Prints why a transfer failed, and returns whether it did. Without `-S`, `-s` hides all but
    /// errors in the command line.
    pub fn error(&self, failure: &Failure) -> bool {
        let told = (self.errors || failure.exit == Exit::Usage) && !failure.quiet;
        if told {
            self.put(format!("ucurl: ({}) {}\n", failure.exit as u8, failure.text).as_bytes());
        }
        told
    }
}
