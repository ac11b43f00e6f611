//! What is said beside the body: warnings, errors, notes, on stderr or where `--stderr` says.

use crate::args::config::Global;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::sync::Arc;

/// stderr, and who may say something there.
#[derive(Clone)]
pub struct Messages {
    pub out: Arc<File>,
    pub silent: bool,
    pub show_error: bool,
    pub verbose: bool,
}

impl Messages {
    /// Opens what `--stderr` names; a file that cannot be opened is told of on stderr.
    pub fn new(global: &Global) -> io::Result<Messages> {
        let stderr = || io::stderr().as_fd().try_clone_to_owned().map(File::from);
        let mut trouble = None;
        let out = match global.stderr.as_deref() {
            None => stderr()?,
            Some(b"-") => stdout()?,
            Some(name) => match File::create(crate::output::output::path(name)) {
                Ok(file) => file,
                Err(error) => {
                    trouble = Some(error);
                    stderr()?
                }
            },
        };
        let messages = Messages {
            out: Arc::new(out),
            silent: global.silent,
            show_error: global.show_error,
            verbose: global.trace != crate::args::config::Trace::None,
        };
        if let Some(error) = trouble {
            messages.warn(&format!("Cannot open the file of --stderr: {error}"));
        }
        Ok(messages)
    }

    /// Writes as it is.
    pub fn put(&self, text: &[u8]) {
        _ = (&*self.out).write_all(text);
    }

    /// Unless `-s`.
    pub fn warn(&self, text: &str) {
        if !self.silent {
            self.put(["Warning: ", text, "\n"].concat().as_bytes());
        }
    }

    /// With `-v`, unless `-s`.
    pub fn note(&self, text: &str) {
        if self.verbose && !self.silent {
            self.put(["Note: ", text, "\n"].concat().as_bytes());
        }
    }

    /// Unless `-s` without `-S`.
    pub fn error(&self, exit: crate::args::exit::Exit, text: &str) {
        if !self.silent || self.show_error {
            self.put(format!("ucurl: ({}) {text}\n", exit as u8).as_bytes());
        }
    }
}

/// stdout, without the line buffer that the standard library puts before it.
pub fn stdout() -> io::Result<File> {
    io::stdout().as_fd().try_clone_to_owned().map(File::from)
}
