//! Docker over ssh: `ssh … docker system dial-stdio`, one process per connection, as the docker CLI
//! itself reaches `ssh://` hosts. Keys, agents, jump hosts and host keys are ssh's own business.
//!
//! ```abnf
//! ssh = "ssh://" [ user "@" ] host [ ":" port ] [ path ]
//! ```
//!
//! Declined, as by the docker CLI: a password, which every user of the machine could read; a query
//! or fragment. Also a user or host that ssh, or the shell behind it, could take for an option or a
//! command.

use crate::base::percent;
use crate::base::text::visible;
use crate::transport::{Cause, ConnectErrorKind as Kind, Endpoint, EndpointError, Program};
use crate::transport::{authority, check_host, refuse};
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

/// Seconds that ssh may take to connect if no limit was set, as in the docker CLI.
const CONNECT_TIMEOUT: u64 = 30;

#[derive(Debug)]
struct Ssh {
    user: Option<String>,
    host: String,
    port: Option<u16>,
    socket: Option<PathBuf>,
}

impl Endpoint {
    /// The Docker daemon of another machine, through the system's `ssh`: the daemon on `host`, on
    /// its default socket or on `socket`. ssh is not waited for; its time limit for connecting is
    /// that of [`connect`](crate::transport::connect()), 30 s without one.
    ///
    /// ```
    /// use unix_http::Endpoint;
    ///
    /// let socket = Some("/run/docker.sock".into());
    /// let endpoint = Endpoint::ssh(Some("me"), "server.example", None, socket)?;
    /// assert_eq!(endpoint.to_string(), "ssh://me@server.example/run/docker.sock");
    /// assert!(Endpoint::ssh(None, "-oProxyCommand=reboot", None, None).is_err());
    /// # Ok::<(), unix_http::transport::EndpointError>(())
    /// ```
    ///
    /// # Errors
    /// [`EndpointError`] for a user or a host that ssh or the shell behind it could take for
    /// something else.
    pub fn ssh(
        user: Option<&str>,
        host: &str,
        port: Option<u16>,
        socket: Option<PathBuf>,
    ) -> Result<Self, EndpointError> {
        let ssh = Ssh { user: user.map(str::to_owned), host: host.to_owned(), port, socket };
        match check_user(user).and_then(|()| check_host(host)) {
            Ok(()) => Ok(Self::Program(Arc::new(ssh))),
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

/// Reads what stands after `ssh://`.
pub(super) fn parse(text: &str) -> Result<Endpoint, EndpointError> {
    if text.contains(['?', '#']) {
        return refuse("a query or fragment has no meaning here");
    }
    let (place, path) = text.split_at(text.find('/').unwrap_or(text.len()));
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
            return Some(Cause::new(Kind::Child, why));
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

/// Quotes what is not plain: ssh joins the words of a remote command with spaces and gives them to
/// a shell there.
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

/// As a Docker host is written.
impl fmt::Display for Ssh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.user.iter().map(|user| format!("{user}@")).collect::<String>();
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let port = self.port.iter().map(|port| format!(":{port}")).collect::<String>();
        let socket = self.socket.iter().map(|path| path.as_os_str().as_bytes());
        f.write_str("ssh://")?;
        f.write_str(&visible([user, host, port].concat().as_bytes()))?;
        socket.clone().try_for_each(|path| f.write_str(&visible(path)))
    }
}
