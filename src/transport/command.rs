//! A user's command as a connection. A shell command uses the notation of `ProxyCommand` in
//! ssh_config(5): `%h` is the host, `%p` the port, `%%` a percent sign.

use super::cause::{Cause, ConnectErrorKind};
use super::endpoint::{Endpoint, EndpointError, check_host, refuse};
use super::program::{Carrier, Program};
use crate::base::text::visible;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::ErrorKind;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::Arc;
use std::time::Duration;

/// A command line, or `None` for a stream that the caller has connected.
#[derive(Debug)]
struct Words(Option<Vec<OsString>>);

impl Program for Words {
    fn words(&self, _: Option<Duration>) -> Vec<OsString> {
        self.0.clone().unwrap_or_default()
    }

    fn check(&self) -> Result<(), Cause> {
        let cause = |why| Cause::new(ConnectErrorKind::Other, why);
        match &self.0 {
            None => {
                Err(cause("its one connection is used up; connect again and make another client"))
            }
            Some(words) if words.is_empty() => {
                Err(cause("no program is named").from(ErrorKind::InvalidInput.into()))
            }
            Some(_) => Ok(()),
        }
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("a stream of the caller's"),
            Some(words) => write!(f, "`{}`", visible(words.join(OsStr::new(" ")).as_bytes())),
        }
    }
}

impl Endpoint {
    /// Returns the endpoint at the other end of a program. The first word is its name or path.
    pub fn command(words: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self::words(Some(words.into_iter().map(Into::into).collect()))
    }

    /// Returns the endpoint of a stream that the caller has connected.
    pub(crate) fn of_the_caller() -> Self {
        Self::words(None)
    }

    fn words(words: Option<Vec<OsString>>) -> Self {
        Self::Program(Carrier(Arc::new(Words(words))))
    }

    /// Returns the endpoint `host` and `port`, reached through a shell command.
    ///
    /// `sh -c` runs the command. A command of one program replaces the shell (`exec`). A host with
    /// characters that are special in a shell is rejected (CVE-2023-51385).
    ///
    /// # Errors
    /// [`EndpointError`] for an empty command, an unknown `%` sequence or a malformed host.
    pub fn proxy_command(
        command: impl AsRef<OsStr>,
        host: &str,
        port: u16,
    ) -> Result<Self, EndpointError> {
        let command = command.as_ref().as_bytes();
        let line = check_host(host).and_then(|()| expand(command, host, port));
        let line = line.map_err(|error| error.about(command))?;
        Ok(Self::command(["sh".into(), "-c".into(), line]))
    }
}

fn expand(command: &[u8], host: &str, port: u16) -> Result<OsString, EndpointError> {
    if command.trim_ascii().is_empty() {
        return refuse("the proxy command is empty");
    }
    if command.contains(&0) {
        return refuse("a command cannot contain a NUL byte");
    }
    let mut line = if is_one_program(command) { b"exec ".to_vec() } else { Vec::new() };
    let mut bytes = command.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'%' {
            line.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'h') => line.extend(host.as_bytes()),
            Some(b'p') => line.extend(port.to_string().as_bytes()),
            Some(b'%') => line.push(b'%'),
            _ => return refuse("a % must be followed by h (host), p (port) or another %"),
        }
    }
    Ok(OsString::from_vec(line))
}

/// Returns whether `exec` may precede the command: it has no operator, not even a quoted one, and
/// no assignment before the program.
fn is_one_program(command: &[u8]) -> bool {
    let first =
        command.trim_ascii_start().split(u8::is_ascii_whitespace).next().unwrap_or_default();
    !first.contains(&b'=') && !command.iter().any(|byte| b";&|(){}!\n".contains(byte))
}
