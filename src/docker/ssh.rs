//! Docker over ssh: the docker CLI of another machine is asked to pass bytes to its daemon.
//!
//! ```abnf
//! ssh = "ssh://" [ user "@" ] host [ ":" port ] [ path ]
//! ```
//!
//! Declined, as by the docker CLI: a password, which every user of the machine could read; a query
//! or fragment. And a host that begins with a hyphen: no host does, but programs that stand in for
//! ssh could take it for an option.
//!
//! ```
//! use unix_http::docker::{Address, Host, Ssh};
//!
//! let socket = Some("/run/user/1000/docker.sock".into());
//! let ssh = Ssh { user: Some("me".into()), host: "far.example".into(), port: Some(2222), socket };
//! let host = Host::parse("ssh://me@far.example:2222/run/user/1000/docker.sock")?;
//! assert_eq!(host.address, Address::Ssh(ssh));
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
            Some((user, _)) if user.contains(':') => {
                return refused("a password does not belong here; ssh has keys");
            }
            Some((user, authority)) => {
                (Some(uri::decode(user)?).filter(|user| !user.is_empty()), authority)
            }
            None => (None, authority),
        };
        let (host, port) = uri::authority(authority)?;
        if host.is_empty() || host.starts_with('-') {
            return refused("ssh needs a host");
        }
        let socket = Some(uri::decode(path)?).filter(|path| !path.trim_matches('/').is_empty());
        Ok(Ssh { user, host: host.to_owned(), port, socket })
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
