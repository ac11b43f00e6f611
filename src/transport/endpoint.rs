//! Endpoints and their notation. The [parent module](super) shows the grammar. `DOCKER_HOST` has a
//! larger grammar, which shares the functions below.

use super::program::Carrier;
use crate::base::number;
use crate::base::text::{visible, without_password};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::net::Ipv6Addr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::str::FromStr;

/// A place where a server may listen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// A Unix stream socket in the file system. Any bytes but NUL; more than 107 only on Linux.
    Unix(PathBuf),
    /// A Linux abstract name, without its leading NUL: at most 107 arbitrary bytes (unix(7)).
    Abstract(Vec<u8>),
    /// A TCP port on a host.
    Tcp {
        /// A name, an IPv4 address or an IPv6 address (without brackets).
        host: String,
        /// 1 to 65535.
        port: u16,
    },
    /// A program whose standard input and output are the connection, such as ssh.
    Program(Carrier),
}

impl Endpoint {
    /// Parses an endpoint. A path need not be UTF-8.
    ///
    /// # Errors
    /// [`EndpointError`] for anything outside the grammar, with a suggestion for a near miss.
    pub fn parse(text: impl AsRef<OsStr>) -> Result<Self, EndpointError> {
        let bytes = text.as_ref().as_bytes();
        parse(bytes).map_err(|error| error.about(bytes))
    }

    /// Returns `host:port` for the Host field (RFC 9112 §3.2); `None` for a Unix socket.
    pub fn authority(&self) -> Option<String> {
        match self {
            Self::Tcp { host, port } => Some(host_and_port(host, *port)),
            Self::Program(program) => program.0.authority(),
            _ => None,
        }
    }
}

/// Formats `host:port`, with an IPv6 address in brackets.
pub(crate) fn host_and_port(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        Self::parse(text)
    }
}

fn parse(text: &[u8]) -> Result<Endpoint, EndpointError> {
    no_nul(text)?;
    if text.is_empty() {
        return refuse("it is empty; write unix:///path/to/socket or tcp://host:port");
    }
    if is_path(text) {
        return Ok(Endpoint::Unix(path(text)));
    }
    match split_scheme(text) {
        Some((b"unix", b"")) => refuse("it has no path; write unix:///path/to/socket"),
        Some((b"unix", rest)) => unix(rest),
        Some((b"tcp", rest)) => match authority(utf8(rest)?)? {
            ("", _) => refuse("the host is empty"),
            (_, None) => refuse("it has no port; write tcp://host:port"),
            (host, Some(port)) => Ok(Endpoint::Tcp { host: host.into(), port }),
        },
        _ => match misspelt(text) {
            Some(error) => Err(error),
            None => refuse("write unix:///path/to/socket, unix://@name, tcp://host:port or a path"),
        },
    }
}

pub(crate) fn no_nul(text: &[u8]) -> Result<(), EndpointError> {
    match text.contains(&0) {
        true => refuse("a path or host cannot contain a NUL byte"),
        false => Ok(()),
    }
}

/// Returns whether a text without a scheme is plainly a path.
pub(crate) fn is_path(text: &[u8]) -> bool {
    [&b"/"[..], b"./", b"../"].iter().any(|start| text.starts_with(start))
}

fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}

pub(crate) fn split_scheme(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.windows(3).position(|window| window == b"://")?;
    Some((&text[..at], &text[at + 3..]))
}

/// Parses the part after `unix://`: a path or an abstract name.
pub(crate) fn unix(rest: &[u8]) -> Result<Endpoint, EndpointError> {
    match rest {
        b"@" => refuse("it has no name after the @"),
        [b'@', name @ ..] => Ok(Endpoint::Abstract(name.to_vec())),
        rest => Ok(Endpoint::Unix(path(rest))),
    }
}

pub(crate) fn utf8(text: &[u8]) -> Result<&str, EndpointError> {
    str::from_utf8(text).map_err(|_| EndpointError::new("it is not UTF-8; only a path need not be"))
}

/// Parses `[ host ] [ ":" [ port ] ]` (RFC 3986 §3.2) and removes the brackets of an IPv6 address.
pub(crate) fn authority(text: &str) -> Result<(&str, Option<u16>), EndpointError> {
    let (host, rest) = if let Some(inside) = text.strip_prefix('[') {
        let Some((address, rest)) = inside.split_once(']') else {
            return refuse("the ] after an IPv6 address is missing");
        };
        let bare = address.split_once('%').map_or(address, |(address, _zone)| address);
        if bare.parse::<Ipv6Addr>().is_err() {
            return refuse("the brackets must contain an IPv6 address");
        }
        (address, rest)
    } else {
        if text.parse::<Ipv6Addr>().is_ok() {
            return refuse("an IPv6 address needs brackets: [address]:port");
        }
        let (host, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
        if host.contains('%') {
            return refuse("the host contains '%', which is not allowed in a host name");
        }
        (host, rest)
    };
    if !host.is_empty() {
        check_host(host)?;
    }
    match rest.strip_prefix(':') {
        None if rest.is_empty() => Ok((host, None)),
        None => refuse("only a port may follow the ]"),
        Some("") => Ok((host, None)),
        Some(digits) => match number::port(digits.as_bytes()) {
            Some(port @ 1..) => Ok((host, Some(port))),
            _ => refuse("the port is not a number from 1 to 65535"),
        },
    }
}

/// Checks a host: a name, an IPv4 address or an IPv6 address without brackets. Rejects characters
/// with a meaning in another grammar, in a shell or to an option parser (CVE-2017-1000117:
/// `ssh://-oProxyCommand=…`).
pub(crate) fn check_host(host: &str) -> Result<(), EndpointError> {
    let plain = |c: char| {
        c.is_ascii_alphanumeric()
            || "-._:%".contains(c)
            || !c.is_ascii() && !c.is_whitespace() && !c.is_control()
    };
    if host.is_empty() {
        refuse("the host is empty")
    } else if host.starts_with('-') {
        refuse("the host begins with `-`, as an option would")
    } else if let Some(c) = host.chars().find(|&c| !plain(c)) {
        refuse(format!("the host contains {c:?}, which is not allowed in a host name"))
    } else {
        Ok(())
    }
}

/// Returns the error for a near miss.
pub(crate) fn misspelt(text: &[u8]) -> Option<EndpointError> {
    let text = String::from_utf8_lossy(text);
    let error = |why: &str, meant: String| Some(EndpointError::new(why).meaning(meant));
    if let Some((scheme, rest)) = text.split_once("://") {
        let lower = scheme.to_ascii_lowercase();
        return match lower.as_str() {
            "unix" | "tcp" | "ssh" if lower != scheme => {
                error("a protocol is written in lower case", format!("{lower}://{rest}"))
            }
            "http" => error("an endpoint is not a URL", format!("tcp://{rest}")),
            "https" => {
                error("an endpoint is not a URL", format!("tcp://{rest} with DOCKER_TLS_VERIFY=1"))
            }
            "npipe" => Some(EndpointError::new("named pipes exist on Windows only")),
            "fd" => Some(EndpointError::new("an inherited socket can listen, but not connect")),
            _ => None,
        };
    }
    if text.starts_with('@') {
        return error("an abstract name needs its protocol", format!("unix://{text}"));
    }
    let (scheme, rest) = text.split_once(':')?;
    // `ssh:22` is port 22 on a host with that name.
    let is_port = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    if !["unix", "tcp", "ssh"].contains(&scheme) || is_port {
        return None;
    }
    let rest = if scheme == "unix" { rest } else { rest.trim_start_matches('/') };
    error("a protocol ends in ://", format!("{scheme}://{rest}"))
}

/// Prints the notation that [`Endpoint::parse`] reads, escaped to one line. A program prints its
/// name.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => {
                let bytes = path.as_os_str().as_bytes();
                let not_abstract = if bytes.starts_with(b"@") { "./" } else { "" };
                write!(f, "unix://{not_abstract}{}", visible(bytes))
            }
            Self::Abstract(name) => write!(f, "unix://@{}", visible(name)),
            Self::Tcp { host, port } => write!(f, "tcp://{}", host_and_port(host, *port)),
            Self::Program(program) => program.fmt(f),
        }
    }
}

/// Why a text is not an endpoint. Prints as one line with the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointError {
    given: String,
    why: String,
    meant: Option<String>,
}

pub(crate) fn refuse<T>(why: impl Into<String>) -> Result<T, EndpointError> {
    Err(EndpointError::new(why))
}

impl EndpointError {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self { given: String::new(), why: why.into(), meant: None }
    }

    pub(crate) fn meaning(self, meant: String) -> Self {
        Self { meant: Some(meant), ..self }
    }

    pub(crate) fn about(self, given: &[u8]) -> Self {
        Self { given: without_password(given), ..self }
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not an endpoint: {}", self.given, self.why)?;
        match &self.meant {
            Some(meant) => write!(f, "; did you mean {}?", without_password(meant.as_bytes())),
            None => Ok(()),
        }
    }
}

impl std::error::Error for EndpointError {}
