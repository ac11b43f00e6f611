//! The exit codes of curl that ucurl uses, and the reasons not to run a command line: an error in
//! it, or a request for help.

use std::borrow::Cow;
use std::io;
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

#[derive(Debug)]
pub enum NoTransfer {
    /// A text to print: help, a version, a manual.
    Print(String),
    /// `ucurl: option OPTION: WHY`. The reader of the option fills in its name.
    Bad { option: Vec<u8>, why: Cow<'static, str>, exit: Exit },
}

pub const fn wrong(why: &'static str) -> NoTransfer {
    NoTransfer::Bad { option: Vec::new(), why: Cow::Borrowed(why), exit: Exit::Usage }
}

impl NoTransfer {
    pub fn unreadable(name: &[u8], error: &io::Error) -> NoTransfer {
        let why = format!("cannot read '{}': {error}", harmless(name)).into();
        NoTransfer::Bad { option: Vec::new(), why, exit: Exit::Read }
    }

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
