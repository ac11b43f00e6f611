//! A Docker host, from `DOCKER_HOST`, docker's `-H` or a stored context. The
//! [module above](super) has the grammar.

use super::ssh;
use crate::base::percent;
use crate::transport::{Endpoint, EndpointError};
use crate::transport::{authority, is_path, misspelt, no_nul, refuse, split_scheme, unix, utf8};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The socket of an empty host.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// An endpoint, and the prefix of its API paths.
pub(super) struct DockerHost {
    /// The endpoint to connect to, without TLS.
    pub(super) endpoint: Endpoint,
    pub(super) prefix: String,
}

impl DockerHost {
    /// Parses the host of a flag or of `DOCKER_HOST`; `tls` changes the defaults.
    pub(super) fn given(text: &OsStr, tls: bool) -> Result<Self, EndpointError> {
        let bytes = text.as_bytes();
        no_nul(bytes).and_then(|()| given(trim(bytes), tls)).map_err(|error| error.about(bytes))
    }

    /// Parses the host of a stored context, which skips most of the grammar.
    pub(super) fn stored(text: &OsStr, tls: bool) -> Result<Self, EndpointError> {
        let bytes = text.as_bytes();
        no_nul(bytes).and_then(|()| stored(bytes, tls)).map_err(|error| error.about(bytes))
    }

    fn tcp(host: &str, port: u16) -> DockerHost {
        Endpoint::Tcp { host: host.to_owned(), port }.into()
    }
}

impl From<Endpoint> for DockerHost {
    fn from(endpoint: Endpoint) -> DockerHost {
        DockerHost { endpoint, prefix: String::new() }
    }
}

fn default_socket() -> DockerHost {
    DockerHost::from(Endpoint::Unix(DEFAULT_SOCKET.into()))
}

fn given(text: &[u8], tls: bool) -> Result<DockerHost, EndpointError> {
    if text.is_empty() {
        return Ok(if tls { DockerHost::tcp("localhost", 2376) } else { default_socket() });
    }
    let Some((scheme, rest)) = split_scheme(text) else {
        return mistaken(text).map_or_else(|| given_tcp(utf8(text)?), Err);
    };
    // The CLI strips a protocol twice, so `unix://unix:///x` is `unix:///x`.
    let rest = rest.strip_prefix(&text[..scheme.len() + 3]).unwrap_or(rest);
    match scheme {
        b"unix" | b"tcp" if split_scheme(rest).is_some() => refuse("it has two protocols"),
        b"unix" if rest.is_empty() => Ok(default_socket()),
        b"unix" => socket(rest),
        b"tcp" if rest.is_empty() => Ok(DockerHost::tcp("localhost", 2375)),
        b"tcp" => given_tcp(utf8(rest)?),
        b"ssh" => ssh::parse(utf8(rest)?).map(DockerHost::from),
        _ => Err(unknown(text)),
    }
}

/// A stored host is `protocol://address`; an empty one is the default socket.
fn stored(text: &[u8], tls: bool) -> Result<DockerHost, EndpointError> {
    if text.is_empty() {
        return Ok(default_socket());
    }
    // The CLI leaves a missing port to its HTTP client, which takes that of http or https
    // (RFC 9110 §4.2).
    let port = if tls { 443 } else { 80 };
    match split_scheme(text) {
        Some((_, b"")) => refuse("nothing follows the protocol"),
        Some((b"unix", rest)) => socket(rest),
        Some((b"tcp", rest)) => tcp(utf8(rest)?, port),
        Some((b"ssh", rest)) => ssh::parse(utf8(rest)?).map(DockerHost::from),
        // The CLI dials these as TCP. It would make a path part of the host's name, and talk to
        // https in the clear.
        Some((b"http", rest)) if !rest.contains(&b'/') => tcp(utf8(rest)?, port),
        Some((b"https", rest)) if tls && !rest.contains(&b'/') => tcp(utf8(rest)?, port),
        Some(_) => Err(unknown(text)),
        None => Err(mistaken(text).unwrap_or_else(|| EndpointError::new("it has no protocol"))),
    }
}

fn socket(rest: &[u8]) -> Result<DockerHost, EndpointError> {
    if rest.starts_with(b"~/") {
        return Err(tilde(rest));
    }
    unix(rest).map(DockerHost::from)
}

/// Rejects `tcp://[::1]`, as the CLI does, which has no port for it.
fn given_tcp(text: &str) -> Result<DockerHost, EndpointError> {
    match text.split_once(']') {
        Some((address, path)) if path.is_empty() || path.starts_with('/') => {
            Err(EndpointError::new("an IPv6 address needs its port")
                .meaning(format!("tcp://{address}]:2375{path}")))
        }
        _ => tcp(text, 2375),
    }
}

/// `[ host ] [ ":" [ port ] ] [ path ]`
fn tcp(text: &str, default_port: u16) -> Result<DockerHost, EndpointError> {
    let (place, path) = ssh::place_and_path(text)?;
    if let (true, Some((login, rest))) = (place.contains('@'), text.split_once('@')) {
        let user = login.split(':').next().unwrap_or(login);
        return Err(EndpointError::new("a user has no meaning over TCP")
            .meaning(format!("ssh://{user}@{rest}")));
    }
    let (host, port) = authority(place)?;
    let host = if host.is_empty() { "localhost" } else { host };
    let tcp = DockerHost::tcp(host, port.unwrap_or(default_port));
    Ok(DockerHost { prefix: prefix(path)?, ..tcp })
}

/// Recognises texts without `://` that the CLI takes for the name of a TCP host.
fn mistaken(text: &[u8]) -> Option<EndpointError> {
    if text.starts_with(b"~/") {
        return Some(tilde(text));
    }
    if is_path(text) || text.ends_with(b".sock") {
        let path = text.strip_prefix(b"unix:").unwrap_or(text);
        let meant = format!("unix://{}", String::from_utf8_lossy(path));
        return Some(EndpointError::new("a path needs its protocol").meaning(meant));
    }
    misspelt(text)
}

fn unknown(text: &[u8]) -> EndpointError {
    misspelt(text).unwrap_or_else(|| EndpointError::new("the protocols are unix, tcp and ssh"))
}

fn tilde(path: &[u8]) -> EndpointError {
    let path = String::from_utf8_lossy(&path[1..]);
    EndpointError::new("~ is the home directory only to a shell")
        .meaning(format!("unix://$HOME{path}"))
}

/// Trims white space: Unicode's where the host is text, otherwise ASCII's.
fn trim(text: &[u8]) -> &[u8] {
    str::from_utf8(text).map_or_else(|_| text.trim_ascii(), |text| text.trim().as_bytes())
}

/// Normalizes a path prefix: no empty or dot segments (RFC 3986 §5.2.4), no slash at the end, and
/// percent-encoded where necessary (§2.1).
fn prefix(path: &str) -> Result<String, EndpointError> {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(encode(segment.as_bytes())?),
        }
    }
    Ok(segments.concat())
}

/// Writes `"/" *pchar` (RFC 3986 §3.3). What is encoded already stays as it is.
fn encode(segment: &[u8]) -> Result<String, EndpointError> {
    if percent::decode(segment).is_none() {
        return refuse("two hexadecimal digits must follow a %");
    }
    let is_pchar = |byte| percent::is_unreserved(byte) || b"%!$&'()*+,;=:@".contains(&byte);
    let mut out = vec![b'/'];
    segment.iter().for_each(|&byte| percent::push(&mut out, byte, is_pchar));
    Ok(String::from_utf8_lossy(&out).into_owned())
}
