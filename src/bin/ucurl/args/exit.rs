//! The exit codes of curl that ucurl uses, with their texts for the manual, and the reasons not to
//! run a command line: an error in it, or a request for help.

use std::borrow::Cow;
use std::io;
use unix_http::base::text::harmless;

macro_rules! exit_codes {
    ($($name:ident = $code:literal: $text:literal,)*) => {
        /// The exit code of the process.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Exit {
            $(#[doc = $text] $name = $code,)*
        }

        /// The exit codes and their meaning.
        pub static MEANINGS: &[(Exit, &str)] = &[$((Exit::$name, $text),)*];
    };
}

exit_codes! {
    Ok = 0: "the transfer succeeded",
    UnsupportedProtocol = 1: "not http, or the peer does not speak HTTP/1",
    Usage = 2: "the command line is invalid or asks for an unsupported option",
    Url = 3: "the URL is malformed",
    Resolve = 6: "the host name does not resolve",
    Connect = 7: "no connection",
    WeirdReply = 8: "the head of the response is malformed",
    Partial = 18: "the body was cut short",
    HttpError = 22: "a status of 400 or more (-f), --fail-stream, --select or --expect failed",
    Write = 23: "the output cannot be written",
    Upload = 25: "an HTTP/1.0 server cannot take an upload of unknown length",
    Read = 26: "the input cannot be read",
    Timeout = 28: "a time limit was exceeded",
    TlsConnect = 35: "TLS could not be established",
    Redirects = 47: "more redirects than --max-redirs allows",
    Nothing = 52: "the peer closed the connection without a response",
    Send = 55: "sending failed",
    Receive = 56: "receiving failed, or the chunked coding is broken",
    ClientCertificate = 58: "the client certificate is missing, unusable or was refused",
    PeerVerification = 60: "the certificate of the server does not verify",
    Encoding = 61: "the transfer coding is unknown",
    FileSize = 63: "the body is larger than --max-filesize",
    Rewind = 65: "the content cannot be sent a second time",
    Login = 67: "the URL has a user name, with --disallow-username-in-url",
    CaFile = 77: "the file of CA certificates is unusable",
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
