//! What can be dialled, and how it is written. The grammar stands in the [module above](super).

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::ssh::Ssh;
use super::tls::Tls;

/// A place where a server may listen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// A Unix stream socket in the file system. Any bytes but NUL; over 107 of them only on Linux.
    Unix(PathBuf),
    /// A Linux abstract name, without its leading NUL: at most 107 bytes of any value (unix(7)).
    Abstract(Vec<u8>),
    /// A TCP port of a host: a name, an IPv4 or an IPv6 address (without brackets).
    Tcp {
        /// Name or address.
        host: String,
        /// 1 to 65535.
        port: u16,
    },
    /// A TCP port over TLS, through the system's `openssl`. Made by [`Endpoint::tls`].
    Tls(Tls),
    /// The Docker daemon of another machine, through the system's `ssh`. Made by [`Endpoint::ssh`].
    Ssh(Ssh),
    /// A program (first) and its arguments: its standard input and output are the connection.
    /// [`Endpoint::proxy_command`] makes one from a shell command.
    Command(Vec<OsString>),
}

/// Why a text is not an [`Endpoint`], in one line with the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointError {
    input: String,
    why: String,
}

impl Endpoint {
    /// Reads an endpoint, in bytes: a path need not be UTF-8.
    ///
    /// # Errors
    /// [`EndpointError`] for anything outside the grammar, near misses with what was probably
    /// meant.
    pub fn parse(text: impl AsRef<OsStr>) -> Result<Self, EndpointError> {
        let bytes = text.as_ref().as_bytes();
        parse(bytes).map_err(|why| EndpointError::new(bytes, why))
    }

    /// The path, when this is a socket in the file system.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Unix(path) => Some(path),
            _ => None,
        }
    }

    /// `host:port` as a Host field has it (RFC 9112 §3.2), an IPv6 address in brackets; of a TCP
    /// endpoint only.
    #[must_use]
    pub fn authority(&self) -> Option<String> {
        match self {
            Self::Tcp { host, port } => Some(authority(host, *port)),
            Self::Tls(tls) => Some(tls.authority()),
            _ => None,
        }
    }
}

pub(super) fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        Self::parse(text)
    }
}

fn parse(bytes: &[u8]) -> Result<Endpoint, String> {
    if bytes.contains(&0) {
        return Err("holds a NUL byte, which no path and no host can".into());
    }
    if let Some(rest) = bytes.strip_prefix(b"unix://") {
        return match rest {
            [] => Err("has no path; write unix:///path/to/socket".into()),
            [b'@'] => Err("has no name after the @".into()),
            [b'@', name @ ..] => Ok(Endpoint::Abstract(name.to_vec())),
            path => Ok(unix(path)),
        };
    }
    if let Some(rest) = bytes.strip_prefix(b"tcp://") {
        return parse_tcp(rest);
    }
    if [&b"/"[..], b"./", b"../"].iter().any(|start| bytes.starts_with(start)) {
        return Ok(unix(bytes));
    }
    Err(near_miss(bytes))
}

fn unix(path: &[u8]) -> Endpoint {
    Endpoint::Unix(PathBuf::from(OsString::from_vec(path.to_vec())))
}

fn parse_tcp(authority: &[u8]) -> Result<Endpoint, String> {
    let text = str::from_utf8(authority).map_err(|_| "the host is not UTF-8".to_owned())?;
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once("]:").ok_or("an IPv6 address is written [address]:port")?,
        None => text.rsplit_once(':').ok_or("has no port; write tcp://host:port")?,
    };
    if host.contains(':') && !text.starts_with('[') {
        return Err(format!(
            "an IPv6 address stands in brackets: did you mean tcp://[{host}]:{port}?"
        ));
    }
    check_host(host)?;
    Ok(Endpoint::Tcp { host: host.to_owned(), port: parse_port(port)? })
}

/// A name, an IPv4 or an IPv6 address, the last without its brackets: nothing that another grammar,
/// a shell or an option parser would take for something else (CVE-2017-1000117 and its kin:
/// `ssh://-oProxyCommand=…`).
pub(super) fn check_host(host: &str) -> Result<(), String> {
    let plain = |c: char| {
        c.is_ascii_alphanumeric() || !c.is_ascii() && !c.is_whitespace() && !c.is_control()
    };
    if host.is_empty() {
        Err("the host is empty".into())
    } else if host.starts_with('-') {
        Err("the host begins with `-`, as an option would".into())
    } else if let Some(c) = host.chars().find(|&c| !plain(c) && !"-._:%".contains(c)) {
        Err(format!("the host holds {c:?}, which no host has"))
    } else {
        Ok(())
    }
}

/// `1*DIGIT`, by hand: Rust's own integer parser also takes `+80`.
fn parse_port(text: &str) -> Result<u16, String> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits && port > 0 => Ok(port),
        _ => Err("the port is not a number from 1 to 65535, or something follows it".into()),
    }
}

fn near_miss(bytes: &[u8]) -> String {
    let text = printable(bytes);
    if bytes.is_empty() {
        "is empty; write unix:///path/to/socket or tcp://host:port".into()
    } else if let Some(path) = text.strip_prefix("unix:") {
        format!("did you mean unix://{path}?")
    } else if text.starts_with('@') {
        format!("did you mean unix://{text}?")
    } else if let Some(rest) = text.strip_prefix("http://") {
        format!("an endpoint is not a URL: did you mean tcp://{rest}?")
    } else {
        "is not an endpoint; write unix:///path/to/socket, unix://@name or tcp://host:port".into()
    }
}

/// Prints what [`Endpoint::parse`] reads; a command as its words. Control characters are escaped
/// and bytes that are not UTF-8 shown as U+FFFD, so that it always fits one line of a terminal.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => {
                let bytes = path.as_os_str().as_bytes();
                let not_abstract = if bytes.starts_with(b"@") { "./" } else { "" };
                write!(f, "unix://{not_abstract}{}", printable(bytes))
            }
            Self::Abstract(name) => write!(f, "unix://@{}", printable(name)),
            Self::Tcp { host, port } => write!(f, "tcp://{}", authority(host, *port)),
            Self::Tls(tls) => tls.fmt(f),
            Self::Ssh(ssh) => ssh.fmt(f),
            Self::Command(words) => {
                let words: Vec<_> = words.iter().map(|word| printable(word.as_bytes())).collect();
                write!(f, "`{}`", words.join(" "))
            }
        }
    }
}

impl EndpointError {
    pub(super) fn new(input: &[u8], why: String) -> Self {
        // The guess at what was meant repeats the input.
        Self { input: printable(input), why: printable(why.as_bytes()) }
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "endpoint `{}`: {}", self.input, self.why)
    }
}

impl std::error::Error for EndpointError {}

/// The bytes as one line of text.
pub(super) fn printable(bytes: &[u8]) -> String {
    let mut line = String::new();
    for c in String::from_utf8_lossy(bytes).chars() {
        match c {
            c if c.is_control() => line.extend(c.escape_default()),
            // What turns the direction of writing shows one name as another.
            '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => {
                line.extend(c.escape_unicode());
            }
            c => line.push(c),
        }
    }
    line
}
