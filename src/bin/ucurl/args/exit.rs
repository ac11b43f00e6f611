//! The exit codes of curl that ucurl uses, and the reasons not to run a command line: an error in
//! it, or a request for help.

use std::borrow::Cow;
use unix_http::base::text::harmless;

/// The exit code of the process. `manual.txt` describes each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Exit {
    Ok = 0,
    UnsupportedProtocol = 1,
    Usage = 2,
    Url = 3,
    Resolve = 6,
    Connect = 7,
    WeirdReply = 8,
    Partial = 18,
    HttpError = 22,
    Write = 23,
    Upload = 25,
    Read = 26,
    Timeout = 28,
    TlsConnect = 35,
    Redirects = 47,
    Nothing = 52,
    Send = 55,
    Receive = 56,
    ClientCertificate = 58,
    PeerVerification = 60,
    Encoding = 61,
    FileSize = 63,
    Rewind = 65,
    Login = 67,
    CaFile = 77,
}

/// Why the command line is not run.
#[derive(Debug)]
pub struct NoTransfer {
    /// `Ok` if the text is help, a version or a manual.
    pub exit: Exit,
    pub text: Cow<'static, str>,
    /// The wrong option. The reader of the option fills in its name.
    pub option: Vec<u8>,
}

pub fn wrong(why: impl Into<Cow<'static, str>>) -> NoTransfer {
    NoTransfer { exit: Exit::Usage, text: why.into(), option: Vec::new() }
}

impl From<&'static str> for NoTransfer {
    fn from(why: &'static str) -> NoTransfer {
        wrong(why)
    }
}

impl NoTransfer {
    /// Returns the line for an error.
    pub fn line(&self) -> String {
        format!("option {}: {}", harmless(&self.option), self.text)
    }

    /// Fills in the option, unless it is known.
    pub fn of(mut self, name: &[u8]) -> NoTransfer {
        if self.option.is_empty() {
            self.option = name.to_vec();
        }
        self
    }
}
