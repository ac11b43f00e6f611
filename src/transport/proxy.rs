//! A shell command as a connection, written as for ssh_config(5) `ProxyCommand`: `%h` is the host,
//! `%p` the port, `%%` a percent sign.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::endpoint::check_host;
use super::{Endpoint, EndpointError};

impl Endpoint {
    /// The connection that a shell command makes to `host` and `port`.
    ///
    /// The command is run by `sh -c`, and may be all that a shell takes. A single program takes the
    /// shell's place (`exec`), so that nothing stands between us and it. A host that would mean
    /// something to a shell is refused (CVE-2023-51385).
    ///
    /// ```
    /// use unix_http::transport::Endpoint;
    ///
    /// let endpoint = Endpoint::proxy_command("nc -x proxy:1080 %h %p", "example.com", 80)?;
    /// assert_eq!(endpoint.to_string(), "`sh -c exec nc -x proxy:1080 example.com 80`");
    /// # Ok::<(), unix_http::transport::EndpointError>(())
    /// ```
    ///
    /// # Errors
    /// [`EndpointError`] for an empty command, an unknown `%` or a host that is not one.
    pub fn proxy_command(
        command: impl AsRef<OsStr>,
        host: &str,
        port: u16,
    ) -> Result<Self, EndpointError> {
        let command = command.as_ref().as_bytes();
        let line = check_host(host).and_then(|()| expand(command, host, port));
        match line {
            Ok(line) => Ok(Self::Command(vec!["sh".into(), "-c".into(), line])),
            Err(why) => Err(EndpointError::new(command, why)),
        }
    }
}

fn expand(command: &[u8], host: &str, port: u16) -> Result<OsString, String> {
    if command.trim_ascii().is_empty() {
        return Err("the proxy command is empty".into());
    }
    if command.contains(&0) {
        return Err("holds a NUL byte, which no command can".into());
    }
    let mut line = if is_one_program(command) { b"exec ".to_vec() } else { Vec::new() };
    let mut bytes = command.iter();
    while let Some(&byte) = bytes.next() {
        match (byte, if byte == b'%' { bytes.next() } else { None }) {
            (b'%', Some(b'h')) => line.extend(host.as_bytes()),
            (b'%', Some(b'p')) => line.extend(port.to_string().as_bytes()),
            (b'%', Some(b'%')) => line.push(b'%'),
            (b'%', _) => {
                return Err("after a % stands h (the host), p (the port) or another %".into());
            }
            (byte, _) => line.push(byte),
        }
    }
    Ok(OsString::from_vec(line))
}

/// No operator, not even a quoted one, and no assignment before the program: then `exec` may stand
/// in front.
fn is_one_program(command: &[u8]) -> bool {
    let first =
        command.trim_ascii_start().split(u8::is_ascii_whitespace).next().unwrap_or_default();
    !first.contains(&b'=') && !command.iter().any(|byte| b";&|(){}!\n".contains(byte))
}
