//! The Docker daemon of another machine: `ssh … docker system dial-stdio`, one process per
//! connection, as the docker command itself reaches `ssh://` hosts. Keys, agents, jump hosts and
//! host keys are ssh's own business.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::time::Duration;

use super::endpoint::{check_host, printable};
use super::error::ConnectErrorKind;
use super::{Endpoint, EndpointError};

/// Seconds that ssh may take to connect where nothing else was asked for; what docker gives it.
const CONNECT_TIMEOUT: u64 = 30;

/// See [`Endpoint::ssh`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ssh {
    user: Option<String>,
    host: String,
    port: Option<u16>,
    socket: Option<PathBuf>,
}

impl Endpoint {
    /// `ssh://[user@]host[:port][/socket]`: the daemon on `host`, on its default socket or on
    /// `socket`.
    ///
    /// ```
    /// use unix_http::transport::Endpoint;
    ///
    /// let endpoint = Endpoint::ssh(Some("me"), "server.example", None, Some("/run/docker.sock".into()))?;
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
            Ok(()) => Ok(Self::Ssh(ssh)),
            Err(why) => Err(EndpointError::new(ssh.to_string().as_bytes(), why)),
        }
    }
}

fn check_user(user: Option<&str>) -> Result<(), String> {
    match user {
        Some("") => Err("the user is empty".into()),
        Some(user) if user.starts_with('-') => {
            Err("the user begins with `-`, as an option would".into())
        }
        Some(user)
            if user.chars().any(|c| {
                c.is_whitespace() || c.is_control() || "'\"`$\\;&<>|(){}/@:".contains(c)
            }) =>
        {
            Err("the user holds a character that no user name has".into())
        }
        _ => Ok(()),
    }
}

impl Ssh {
    /// The program and its arguments.
    pub(super) fn words(&self, timeout: Option<Duration>) -> Vec<OsString> {
        let seconds = timeout.map_or(CONNECT_TIMEOUT, |limit| limit.as_secs().max(1));
        let mut words: Vec<OsString> = vec![
            "ssh".into(),
            "-o".into(),
            format!("ConnectTimeout={seconds}").into(),
            "-T".into(),
        ];
        if let Some(user) = &self.user {
            words.extend(["-l".into(), user.into()]);
        }
        if let Some(port) = self.port {
            words.extend(["-p".into(), port.to_string().into()]);
        }
        words.extend(["--".into(), OsString::from(&self.host), "docker".into()]);
        if let Some(socket) = &self.socket {
            let mut host = b"unix://".to_vec();
            host.extend(socket.as_os_str().as_bytes());
            words.extend(["--host".into(), OsString::from_vec(quoted(&host))]);
        }
        words.extend(["system".into(), "dial-stdio".into()]);
        words
    }

    /// What ssh(1) means by its exit status and its words.
    pub(super) fn explain(
        &self,
        code: Option<i32>,
        said: &str,
    ) -> Option<(ConnectErrorKind, String)> {
        use ConnectErrorKind as Kind;
        let host = &self.host;
        let (kind, why) = match code {
            Some(127) => (
                Kind::Child,
                "there is no `docker` command on that host; install it there".to_owned(),
            ),
            Some(255) if said.contains("Could not resolve") => {
                (Kind::UnknownHost, "the host name cannot be resolved".into())
            }
            Some(255) if said.contains("refused") => {
                (Kind::NobodyListens, "no ssh server listens there".into())
            }
            Some(255) if said.contains("timed out") => {
                (Kind::TimedOut, "the ssh server does not answer".into())
            }
            Some(255) if said.contains("Host key verification failed") => (
                Kind::PermissionDenied,
                format!("its host key is not known; run `ssh {host}` once and check the key"),
            ),
            Some(255) if said.contains("Permission denied") => (
                Kind::PermissionDenied,
                format!("the ssh server refuses this user; see that `ssh {host} true` works"),
            ),
            _ => return None,
        };
        Some((kind, why))
    }
}

/// ssh joins the words of a remote command with spaces and gives them to a shell there: what is not
/// plain is quoted.
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
        write!(f, "ssh://")?;
        if let Some(user) = &self.user {
            write!(f, "{}@", printable(user.as_bytes()))?;
        }
        let host = printable(self.host.as_bytes());
        if host.contains(':') {
            write!(f, "[{host}]")?
        } else {
            write!(f, "{host}")?
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        match &self.socket {
            Some(socket) => write!(f, "{}", printable(socket.as_os_str().as_bytes())),
            None => Ok(()),
        }
    }
}
