//! Docker over ssh: the docker CLI of another machine is asked to pass bytes to its daemon.
//!
//! ```abnf
//! ssh = "ssh://" [ user "@" ] host [ ":" port ] [ path ]
//! ```
//!
//! Declined, as by the docker CLI: a password, which every user of the machine could read; a query or fragment. And a
//! host that begins with a hyphen: no host does, but programs that stand in for ssh could take it for an option.
//!
//! ```
//! use unix_http::docker::{Address, Host};
//!
//! let Address::Ssh(ssh) = Host::parse("ssh://me@far.example:2222/run/user/1000/docker.sock")?.address else { panic!() };
//! let words = ssh.command();
//! assert_eq!(
//!     words.join(" "),
//!     "ssh -o ConnectTimeout=30 -T -l me -p 2222 -- far.example \
//!      docker --host=unix:///run/user/1000/docker.sock system dial-stdio"
//! );
//! # Ok::<(), unix_http::docker::HostError>(())
//! ```

use super::host::{Refused, refused};
use super::uri;
use std::fmt;

/// What an `ssh://` host says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    /// The user there; ssh's own choice when there is none.
    pub user: Option<String>,
    /// The host, an alias of ssh's configuration, or an IPv6 address without its brackets.
    pub host: String,
    /// The port; ssh's own choice when there is none.
    pub port: Option<u16>,
    /// The daemon's socket there; the docker CLI's own choice there when there is none.
    pub socket: Option<String>,
}

impl Ssh {
    /// What stands after `ssh://`.
    pub(super) fn parse(text: &str) -> Result<Ssh, Refused> {
        if text.contains(['?', '#']) {
            return refused("a query or fragment has no meaning here");
        }
        let (authority, path) = text.split_at(text.find('/').unwrap_or(text.len()));
        let (user, authority) = match authority.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => return refused("a password does not belong here; ssh has keys"),
            Some((user, authority)) => (Some(uri::decode(user)?).filter(|user| !user.is_empty()), authority),
            None => (None, authority),
        };
        let (host, port) = uri::authority(authority)?;
        if host.is_empty() || host.starts_with('-') {
            return refused("ssh needs a host");
        }
        let socket = Some(uri::decode(path)?).filter(|path| !path.trim_matches('/').is_empty());
        Ok(Ssh { user, host: host.to_owned(), port, socket })
    }

    /// The program and its arguments that make a connection of their standard input and output: one process for each.
    pub fn command(&self) -> Vec<String> {
        // -T: no terminal, which would change bytes. --: what follows is a host, whatever it looks like.
        let mut words: Vec<String> = ["ssh", "-o", "ConnectTimeout=30", "-T"].map(String::from).into();
        words.extend(self.user.iter().flat_map(|user| ["-l".to_owned(), user.clone()]));
        words.extend(self.port.iter().flat_map(|port| ["-p".to_owned(), port.to_string()]));
        words.extend(["--".to_owned(), self.host.clone(), "docker".to_owned()]);
        words.extend(self.socket.iter().map(|socket| shell_word(&format!("--host=unix://{socket}"))));
        words.extend(["system", "dial-stdio"].map(String::from));
        words
    }
}

/// As it stands after `ssh://`.
impl fmt::Display for Ssh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?
        } else {
            f.write_str(&self.host)?
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(self.socket.as_deref().unwrap_or_default())
    }
}

/// What a shell reads as this one word: ssh gives the remote command to one (POSIX, Shell Command Language §2.2.2).
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
