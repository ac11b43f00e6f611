//! Docker over ssh: one `ssh … docker system dial-stdio` per connection, like the docker CLI. ssh
//! handles keys, agents, jump hosts and host keys.
//!
//! ```abnf
//! ssh = "ssh://" [ user "@" ] host [ ":" port ] [ path ]
//! ```
//!
//! Rejected, as by the docker CLI: a password, which every user of the machine could read; a query
//! or fragment; a user or host that ssh, or the remote shell, could interpret as an option or a
//! command.

use crate::base::percent;
use crate::base::text::{visible, visible_path};
use crate::transport::{
    Carrier, Cause, ConnectErrorKind as Kind, Endpoint, EndpointError, Program,
};
use crate::transport::{authority, check_host, refuse};
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

/// The default limit for connecting in seconds, as in the docker CLI.
const CONNECT_TIMEOUT: u64 = 30;

#[derive(Debug)]
struct Ssh {
    user: Option<String>,
    host: String,
    port: Option<u16>,
    socket: Option<PathBuf>,
}

impl Endpoint {
    /// Returns the Docker daemon on `host` through the system's `ssh`, on its default socket or on
    /// `socket`. Its time limit for connecting is that of
    /// [`connect`](crate::transport::connect()), 30 s without one.
    ///
    /// # Errors
    /// [`EndpointError`] for a user or a host that ssh or a shell could misread.
    pub fn ssh(
        user: Option<&str>,
        host: &str,
        port: Option<u16>,
        socket: Option<PathBuf>,
    ) -> Result<Self, EndpointError> {
        let ssh = Ssh { user: user.map(str::to_owned), host: host.to_owned(), port, socket };
        match check_user(user).and_then(|()| check_host(host)) {
            Ok(()) => Ok(Self::Program(Carrier(Arc::new(ssh)))),
            Err(error) => Err(error.about(ssh.to_string().as_bytes())),
        }
    }
}

fn check_user(user: Option<&str>) -> Result<(), EndpointError> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "'\"`$\\;&<>|(){}/:".contains(c);
    match user {
        Some("") => refuse("the user is empty"),
        Some(user) if user.starts_with('-') => {
            refuse("the user begins with `-`, as an option would")
        }
        Some(user) if user.contains(odd) => {
            refuse("the user holds a character that no user name has")
        }
        _ => Ok(()),
    }
}

/// Splits `place [ path ]`.
pub(super) fn place_and_path(text: &str) -> Result<(&str, &str), EndpointError> {
    if text.contains(['?', '#']) {
        return refuse("a query or fragment has no meaning here");
    }
    Ok(text.split_at(text.find('/').unwrap_or(text.len())))
}

/// Parses the part after `ssh://`.
pub(super) fn parse(text: &str) -> Result<Endpoint, EndpointError> {
    let (place, path) = place_and_path(text)?;
    let (user, place) = match place.rsplit_once('@') {
        Some((user, _)) if user.contains(':') => {
            return refuse("a password does not belong here; ssh has keys");
        }
        Some((user, place)) => (decode(user)?, place),
        None => (String::new(), place),
    };
    let (host, port) = authority(place)?;
    let user = Some(user.as_str()).filter(|user| !user.is_empty());
    let socket = Some(decode(path)?).filter(|path| !path.trim_matches('/').is_empty());
    Endpoint::ssh(user, host, port, socket.map(PathBuf::from))
}

fn decode(text: &str) -> Result<String, EndpointError> {
    let decoded = percent::decode(text.as_bytes()).and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.ok_or_else(|| {
        EndpointError::new("a % stands before two hexadecimal digits, which encode UTF-8")
    })
}

impl Program for Ssh {
    fn words(&self, limit: Option<Duration>) -> Vec<OsString> {
        let seconds = limit.map_or(CONNECT_TIMEOUT, |limit| limit.as_secs().max(1));
        let timeout = format!("ConnectTimeout={seconds}");
        let mut words: Vec<OsString> = vec!["ssh".into(), "-o".into(), timeout.into(), "-T".into()];
        if let Some(user) = &self.user {
            words.extend(["-l".into(), user.into()]);
        }
        if let Some(port) = self.port {
            words.extend(["-p".into(), port.to_string().into()]);
        }
        words.extend(["--".into(), OsString::from(&self.host), "docker".into()]);
        if let Some(socket) = &self.socket {
            let host = [b"unix://", socket.as_os_str().as_bytes()].concat();
            words.extend(["--host".into(), OsString::from_vec(quoted(&host))]);
        }
        words.extend(["system".into(), "dial-stdio".into()]);
        words
    }

    /// ssh(1) exits with the status of the remote command, or with 255 for an error of its own.
    fn explain(&self, status: ExitStatus, said: &str) -> Option<Cause> {
        let host = &self.host;
        if status.code() == Some(127) {
            let why = "there is no `docker` command on that host; install it there";
            return Some(Cause::new(Kind::Other, why));
        }
        if status.code() != Some(255) {
            return None;
        }
        let known = [
            ("Could not resolve", Kind::UnknownHost, "the host name cannot be resolved".into()),
            ("refused", Kind::NobodyListens, "no ssh server listens there".into()),
            ("timed out", Kind::TimedOut, "the ssh server does not answer".into()),
            (
                "Host key verification failed",
                Kind::PermissionDenied,
                format!("its host key is not known; run `ssh {host}` once and check the key"),
            ),
            (
                "Permission denied",
                Kind::PermissionDenied,
                format!("the ssh server refuses this user; see that `ssh {host} true` works"),
            ),
        ];
        let (_, kind, why) = known.into_iter().find(|(words, ..)| said.contains(words))?;
        Some(Cause::new(kind, why))
    }
}

/// Quotes a word of a remote command, which ssh passes to a remote shell.
fn quoted(word: &[u8]) -> Vec<u8> {
    if word.iter().all(|b| b.is_ascii_alphanumeric() || b"/:._-@+,=".contains(b)) {
        return word.to_vec();
    }
    let mut quoted = vec![b'\''];
    for &byte in word {
        if byte == b'\'' { quoted.extend(b"'\\''") } else { quoted.push(byte) }
    }
    quoted.push(b'\'');
    quoted
}

impl fmt::Display for Ssh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.user.iter().map(|user| format!("{user}@")).collect::<String>();
        let host = &self.host;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let port = self.port.iter().map(|port| format!(":{port}")).collect::<String>();
        write!(f, "ssh://{}", visible([user, host, port].concat().as_bytes()))?;
        self.socket.iter().try_for_each(|path| f.write_str(&visible_path(path)))
    }
}
