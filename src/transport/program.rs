//! A child process at the other end of a socket pair, as a trait.
//!
//! TLS, ssh and a user's own proxy command are programs whose standard input and output are the
//! connection. Starting them, reading their standard error and reaping them is the same for all.

use super::cause::Cause;
use std::ffi::OsString;
use std::fmt;
use std::process::ExitStatus;
use std::time::Duration;

/// A program that carries a connection. Its [`Display`](fmt::Display) names the endpoint in errors.
pub trait Program: fmt::Debug + fmt::Display + Send + Sync {
    /// Returns the program and its arguments; `limit` is the time limit for connecting.
    fn words(&self, limit: Option<Duration>) -> Vec<OsString>;

    /// Checks what it can before the program is started, to name a fault more clearly than it
    /// would.
    fn check(&self) -> Result<(), Cause> {
        Ok(())
    }

    /// Returns how to tell that the connection is made; `None` if the program is not waited for.
    fn ready(&self) -> Option<Ready> {
        None
    }

    /// Returns why the program cannot half-close; `None` if it can.
    fn no_half_close(&self) -> Option<&'static str> {
        None
    }

    /// Explains a failure by the end of standard error; `None` quotes the program itself.
    fn explain(&self, _status: ExitStatus, _said: &str) -> Option<Cause> {
        None
    }

    /// Returns the server's `host:port` for the Host field, where it is known.
    fn authority(&self) -> Option<String> {
        None
    }
}

/// How a program tells that its connection is made.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    /// What it prints on standard error then.
    pub says: &'static str,
    /// What a timeout probably means.
    pub late: &'static str,
}

/// Two programs are the same endpoint when they are called the same and run the same words.
impl PartialEq for dyn Program {
    fn eq(&self, other: &Self) -> bool {
        self.words(None) == other.words(None) && self.to_string() == other.to_string()
    }
}

impl Eq for dyn Program {}
