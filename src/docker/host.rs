//! A Docker host: what stands in `DOCKER_HOST`, after the docker CLI's `-H`, or in a stored
//! context.
//!
//! The grammar, and what is declined of it, stands in the [module above](super).
//!
//! ```
//! use unix_http::docker::{Address, Host};
//!
//! let host = Host::parse("tcp://build.example:2375/engine/")?;
//! assert_eq!(host.address, Address::Tcp { host: "build.example".into(), port: 2375 });
//! assert_eq!(host.prefix, "/engine");
//!
//! let error = Host::parse("/var/run/docker.sock").unwrap_err();
//! assert_eq!(error.meant(), Some("unix:///var/run/docker.sock"));
//! # Ok::<(), unix_http::docker::HostError>(())
//! ```

use super::errors::one_line;
use super::ssh::Ssh;
use super::uri;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// The socket of a host that is left empty.
pub const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// What is dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A Unix socket in the file system; a relative path is relative to where the program runs.
    Unix(PathBuf),
    /// A Linux abstract name, without its leading NUL.
    Abstract(Vec<u8>),
    /// A TCP port.
    Tcp {
        /// A name, an IPv4 address, or an IPv6 address without its brackets.
        host: String,
        /// 1 to 65535.
        port: u16,
    },
    /// A docker CLI at the other end of an ssh connection.
    Ssh(Ssh),
}

/// An address, and what goes before the paths of the API there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// What is dialled.
    pub address: Address,
    /// Empty, or a slash and path segments without a slash at the end: the `/p` of `tcp://h:1/p`.
    pub prefix: String,
}

/// Why a text is not a Docker host, and what was probably meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostError {
    given: String,
    why: &'static str,
    meant: Option<String>,
}

impl HostError {
    /// What was probably meant, when that can be told.
    pub fn meant(&self) -> Option<&str> {
        self.meant.as_deref()
    }
}

/// Where a host stands: the rules differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A flag or `DOCKER_HOST`.
    Given,
    /// A context of the store, which skips most of the grammar.
    Stored,
}

/// Why not, and what was probably meant.
pub(super) type Refused = (&'static str, Option<String>);

/// A refusal without a guess.
pub(super) fn refused<T>(why: &'static str) -> Result<T, Refused> {
    Err((why, None))
}

impl Host {
    /// Reads a host as the docker CLI reads `DOCKER_HOST` when TLS is off.
    ///
    /// # Errors
    /// [`HostError`] for all that the [module](super) declines.
    pub fn parse(text: impl AsRef<OsStr>) -> Result<Host, HostError> {
        Host::parse_at(Place::Given, text.as_ref(), false)
    }

    /// Reads a host where it stands; `tls` changes what is meant by nothing.
    pub(super) fn parse_at(place: Place, text: &OsStr, tls: bool) -> Result<Host, HostError> {
        let bytes = text.as_bytes();
        let parsed = match place {
            _ if bytes.contains(&0) => refused("no path and no host holds a NUL byte"),
            Place::Given => given(trim(bytes), tls),
            Place::Stored => stored(bytes, tls),
        };
        parsed.map_err(|(why, meant)| HostError {
            given: text.to_string_lossy().into_owned(),
            why,
            meant,
        })
    }

    fn unix(path: &[u8]) -> Host {
        let address = match path.strip_prefix(b"@") {
            Some(name) => Address::Abstract(name.to_vec()),
            None => Address::Unix(PathBuf::from(OsString::from_vec(path.to_vec()))),
        };
        Host { address, prefix: String::new() }
    }

    fn tcp(host: &str, port: u16) -> Host {
        Host { address: Address::Tcp { host: host.to_owned(), port }, prefix: String::new() }
    }
}

fn given(text: &[u8], tls: bool) -> Result<Host, Refused> {
    if text.is_empty() {
        return Ok(if tls {
            Host::tcp("localhost", 2376)
        } else {
            Host::unix(DEFAULT_SOCKET.as_bytes())
        });
    }
    let Some((scheme, rest)) = split_scheme(text) else {
        let text = utf8(text)?;
        return mistaken(text).map_or_else(|| given_tcp(text), Err);
    };
    // The CLI takes a protocol off twice, and so `unix://unix:///x` is `unix:///x`.
    let rest = rest.strip_prefix(&text[..scheme.len() + 3]).unwrap_or(rest);
    match scheme {
        b"unix" | b"tcp" if split_scheme(rest).is_some() => refused("it has two protocols"),
        b"unix" if rest.is_empty() => Ok(Host::unix(DEFAULT_SOCKET.as_bytes())),
        b"unix" => unix(rest),
        b"tcp" if rest.is_empty() => Ok(Host::tcp("localhost", 2375)),
        b"tcp" => given_tcp(utf8(rest)?),
        b"ssh" => ssh(utf8(rest)?),
        _ => Err(unknown(scheme, rest)),
    }
}

/// A stored host is `protocol://address`; an empty one is the default socket.
fn stored(text: &[u8], tls: bool) -> Result<Host, Refused> {
    if text.is_empty() {
        return Ok(Host::unix(DEFAULT_SOCKET.as_bytes()));
    }
    // The CLI leaves a missing port to its HTTP client, which takes that of http or https (RFC 9110
    // §4.2).
    let port = if tls { 443 } else { 80 };
    match split_scheme(text) {
        Some((_, b"")) => refused("nothing follows the protocol"),
        Some((b"unix", rest)) => unix(rest),
        Some((b"tcp", rest)) => tcp(utf8(rest)?, port),
        Some((b"ssh", rest)) => ssh(utf8(rest)?),
        // The CLI dials these as TCP. (It would make a path part of the host's name, and talk to
        // https in the clear.)
        Some((b"http", rest)) if !rest.contains(&b'/') => tcp(utf8(rest)?, port),
        Some((b"https", rest)) if tls && !rest.contains(&b'/') => tcp(utf8(rest)?, port),
        Some((scheme, rest)) => Err(unknown(scheme, rest)),
        None => Err(mistaken(utf8(text)?).unwrap_or(("it has no protocol", None))),
    }
}

fn unix(path: &[u8]) -> Result<Host, Refused> {
    match path {
        b"@" => refused("no name follows the @"),
        [b'~', b'/', rest @ ..] => {
            Err((HOME, Some(format!("unix://$HOME/{}", String::from_utf8_lossy(rest)))))
        }
        _ => Ok(Host::unix(path)),
    }
}

/// The CLI has no port for `tcp://[::1]`, and refuses it.
fn given_tcp(text: &str) -> Result<Host, Refused> {
    match text.split_once(']') {
        Some((address, path)) if path.is_empty() || path.starts_with('/') => {
            Err(("an IPv6 address needs its port", Some(format!("tcp://{address}]:2375{path}"))))
        }
        _ => tcp(text, 2375),
    }
}

/// `[ host ] [ ":" [ port ] ] [ path ]`
fn tcp(text: &str, default_port: u16) -> Result<Host, Refused> {
    let (authority, path) = text.split_at(text.find('/').unwrap_or(text.len()));
    if text.contains(['?', '#']) {
        return refused("a query or fragment has no meaning here");
    }
    if authority.contains('@') {
        return Err(("a user has no meaning over TCP", Some(format!("ssh://{text}"))));
    }
    let (host, port) = uri::authority(authority)?;
    let host = if host.is_empty() { "localhost" } else { host };
    Ok(Host { prefix: uri::prefix(path)?, ..Host::tcp(host, port.unwrap_or(default_port)) })
}

fn ssh(text: &str) -> Result<Host, Refused> {
    Ok(Host { address: Address::Ssh(Ssh::parse(text)?), prefix: String::new() })
}

const HOME: &str = "~ is the home directory only to a shell";

/// Texts without `://` that the CLI takes for the name of a TCP host, and no one means so.
fn mistaken(text: &str) -> Option<Refused> {
    if let Some(rest) = text.strip_prefix("~/") {
        return Some((HOME, Some(format!("unix://$HOME/{rest}"))));
    }
    if ["/", "./", "../"].iter().any(|start| text.starts_with(start)) || text.ends_with(".sock") {
        return Some((
            "a path is no host",
            Some(format!("unix://{}", text.trim_start_matches("unix:"))),
        ));
    }
    if text.starts_with('@') {
        return Some(("an abstract name is no host", Some(format!("unix://{text}"))));
    }
    let (scheme, rest) = text.split_once(':')?;
    // `ssh:22` is port 22 of a host of that name.
    let is_port = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    if !["unix", "tcp", "ssh"].contains(&scheme) || is_port {
        return None;
    }
    let rest = if scheme == "unix" { rest } else { rest.trim_start_matches('/') };
    Some(("a protocol ends in ://", Some(format!("{scheme}://{rest}"))))
}

fn unknown(scheme: &[u8], rest: &[u8]) -> Refused {
    let rest = String::from_utf8_lossy(rest);
    let lower = String::from_utf8_lossy(scheme).to_ascii_lowercase();
    match lower.as_str() {
        "unix" | "tcp" | "ssh" => {
            ("a protocol is written in lower case", Some(format!("{lower}://{rest}")))
        }
        "http" => ("a Docker host is no URL", Some(format!("tcp://{rest}"))),
        "https" => {
            ("a Docker host is no URL", Some(format!("tcp://{rest} with DOCKER_TLS_VERIFY=1")))
        }
        "npipe" => ("named pipes are a thing of Windows", None),
        "fd" => ("an inherited socket is there to listen on, not to dial", None),
        _ => ("the protocols are unix, tcp and ssh", None),
    }
}

fn utf8(text: &[u8]) -> Result<&str, Refused> {
    str::from_utf8(text)
        .map_err(|_| ("only the path of a Unix socket may be other than UTF-8", None))
}

fn split_scheme(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.windows(3).position(|window| window == b"://")?;
    Some((&text[..at], &text[at + 3..]))
}

/// White space around a host is no part of it: Unicode's where it is text, ASCII's otherwise.
fn trim(text: &[u8]) -> &[u8] {
    str::from_utf8(text).map_or_else(|_| text.trim_ascii(), |text| text.trim().as_bytes())
}

/// As the docker CLI writes it.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Unix(path) => write!(f, "unix://{}", path.display()),
            Address::Abstract(name) => write!(f, "unix://@{}", String::from_utf8_lossy(name)),
            Address::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Address::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
            Address::Ssh(ssh) => write!(f, "ssh://{ssh}"),
        }
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a Docker host: {:?}: {}", self.given, self.why)?;
        match &self.meant {
            Some(meant) => write!(f, "; did you mean {}?", one_line(meant)),
            None => Ok(()),
        }
    }
}

impl std::error::Error for HostError {}
