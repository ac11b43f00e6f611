//! A child process at the other end of a socket pair, as a trait.
//!
//! TLS, ssh and a user's own proxy command are programs whose standard input and output are the
//! connection. `child` starts them, reads their standard error and reaps them.

use super::cause::Cause;
use std::ffi::OsString;
use std::fmt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

/// A program that carries a connection. Its [`Display`](fmt::Display) names the endpoint in errors.
pub(crate) trait Program: fmt::Debug + fmt::Display + Send + Sync {
    /// Returns the program and its arguments. `limit` is the time limit for connecting.
    fn words(&self, limit: Option<Duration>) -> Vec<OsString>;

    /// Checks the configuration before the program starts, for a clearer error than the program's.
    fn check(&self) -> Result<(), Cause> {
        Ok(())
    }

    /// Returns how the program reports that it is connected, or `None` if it does not.
    fn ready(&self) -> Option<Ready> {
        None
    }

    /// Returns why the program cannot half-close; `None` if it can.
    fn no_half_close(&self) -> Option<&'static str> {
        None
    }

    /// Explains a failure from the end of standard error. `None` quotes that text instead.
    fn explain(&self, _status: ExitStatus, _said: &str) -> Option<Cause> {
        None
    }

    /// Returns the server's `host:port` for the Host field, if it is known.
    fn authority(&self) -> Option<String> {
        None
    }
}

/// How a program reports that it is connected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    /// The text that it then prints on standard error.
    pub says: &'static str,
    /// The probable reason for a timeout.
    pub late: &'static str,
}

/// A program whose standard input and output are the connection: see [`Endpoint::command`].
///
/// [`Endpoint::command`]: super::Endpoint::command
#[derive(Clone, Debug)]
pub struct Carrier(pub(crate) Arc<dyn Program>);

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Compares the name and the command line.
impl PartialEq for Carrier {
    fn eq(&self, other: &Self) -> bool {
        self.0.words(None) == other.0.words(None) && self.to_string() == other.to_string()
    }
}

impl Eq for Carrier {}
