//! URLs as curl 7.88 reads them, and two forms that curl does not have.
//!
//! ```text
//! url        = "http:" [ "//" ] authority [ path ] [ "?" query ] [ "#" fragment ]
//!            / "http:" path                   ; http:/info: no authority, as RFC 3986 §3 has it
//!            / "http:/" authority [ path ]    ; http:/localhost/info, where it cannot be a path
//!            / path                           ; /info
//!            / authority [ path ] ...         ; host:port/info
//! authority  = [ user [ ":" password ] "@" ] ( host / "[" IPv6 "]" ) [ ":" port ]
//! ```
//!
//! Bytes go to the server as they were typed, among them `{`, `[`, `"` and UTF-8. White space and
//! controls are rejected. The fragment is never sent. `/../` and `/./`, also as `%2e`, are removed
//! from the path unless `--path-as-is` keeps them. Without an authority the host is localhost.

use crate::args::exit::Exit;
use crate::output::messages::Failure;
use std::net::{Ipv4Addr, Ipv6Addr};
use unix_http::base::{number, percent};

/// A URL in its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Url {
    /// `user` or `user:password`, as it was typed.
    pub login: Option<Vec<u8>>,
    /// With brackets if it is an IPv6 address.
    pub host: Vec<u8>,
    pub port: Option<u16>,
    /// Begins with a slash.
    pub path: Vec<u8>,
    pub query: Option<Vec<u8>>,
    pub fragment: Option<Vec<u8>>,
}

type Result<T> = std::result::Result<T, Failure>;

fn bad(why: &'static str) -> Failure {
    Failure::new(Exit::Url, why)
}

impl Url {
    /// Reads a URL as a user types it.
    pub fn parse(text: &[u8], path_as_is: bool) -> Result<Url> {
        let rest = match scheme(text) {
            Some(name) if name.eq_ignore_ascii_case(b"http") => without_slashes(&text[5..])?,
            Some(other) => return Err(not_http(other)),
            None => text,
        };
        let has_scheme = rest.len() != text.len();
        let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let mut url = Url::default();
        match (authority, rest) {
            (b"", [b'/', ..]) => url.host = b"localhost".to_vec(),
            (b"", _) => return Err(bad("has no host and no path")),
            _ => url.authority(authority, has_scheme)?,
        }
        url.rest(rest, path_as_is)?;
        Ok(url)
    }

    fn authority(&mut self, authority: &[u8], has_scheme: bool) -> Result<()> {
        let (mut host, after_login) = split(authority, b'@');
        if let Some(after) = after_login {
            if junk(host) || percent::decode_lenient(host).iter().any(u8::is_ascii_control) {
                return Err(bad("has white space or a control character in the user name"));
            }
            self.login = Some(host.to_vec());
            host = after;
        }
        let find = |wanted| host.iter().position(|&byte| byte == wanted);
        let (name, after) = host.split_at(match host {
            [b'[', ..] => find(b']').ok_or(bad("has a [ without a ]"))? + 1,
            _ => find(b':').unwrap_or(host.len()),
        });
        self.host = host_name(name)?;
        let port = match after {
            [] => None,
            [b':', digits @ ..] => Some(digits),
            _ => return Err(bad("has text between ] and the port")),
        };
        // `http://host:/` means the port of the scheme; without a scheme, `host:` looks like one.
        if let Some(digits) = port.filter(|port| !(port.is_empty() && has_scheme)) {
            let port = number::port(digits);
            self.port = Some(port.ok_or(bad("has a port that is not a number from 0 to 65535"))?);
        }
        Ok(())
    }

    /// Path, query and fragment.
    fn rest(&mut self, rest: &[u8], path_as_is: bool) -> Result<()> {
        if junk(rest) {
            return Err(bad("has white space or a control character; write %20 for a space"));
        }
        let (rest, fragment) = split(rest, b'#');
        let (path, query) = split(rest, b'?');
        self.fragment = fragment.filter(|fragment| !fragment.is_empty()).map(<[u8]>::to_vec);
        self.query = query.map(<[u8]>::to_vec);
        self.path = match path {
            b"" => b"/".to_vec(),
            path if path_as_is => path.to_vec(),
            path => without_dots(path),
        };
        Ok(())
    }

    /// Returns the request-target: path and query. As in curl, bytes over 7F are percent-encoded in
    /// the path but not in the query.
    pub fn target(&self) -> Vec<u8> {
        let mut target = encoded(&self.path);
        push_after(&mut target, b'?', self.query.as_deref());
        target
    }

    /// Replaces the host and port.
    pub fn set_authority(&mut self, authority: &str) -> Result<()> {
        self.port = None;
        self.authority(authority.as_bytes(), true)
    }

    /// Returns the value of Host: `host`, or `host:port` if the port is not 80.
    pub fn host_and_port(&self) -> Vec<u8> {
        match self.port {
            None | Some(80) => self.host.clone(),
            Some(port) => [&self.host[..], b":", port.to_string().as_bytes()].concat(),
        }
    }

    /// Returns whether the URL means the engine instead of another host.
    pub fn is_default_host(&self) -> bool {
        self.port.is_none() && self.host == b"localhost"
    }

    pub fn port_or_80(&self) -> u16 {
        self.port.unwrap_or(80)
    }

    /// Returns the URL as `%{url_effective}` shows it. As in curl, an empty query is left out.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = b"http://".to_vec();
        if let Some(login) = &self.login {
            out.extend([login, &b"@"[..]].concat());
        }
        out.extend(&self.host);
        if let Some(port) = self.port {
            out.extend(format!(":{port}").bytes());
        }
        out.extend(&self.path);
        push_after(&mut out, b'?', self.query.as_deref().filter(|query| !query.is_empty()));
        push_after(&mut out, b'#', self.fragment.as_deref());
        out
    }

    /// Appends to the query (`-G`, `--url-query`). As in curl, percent-encodings become lower case.
    pub fn add_query(&mut self, more: &[u8]) {
        let query = self.query.get_or_insert_default();
        if !query.is_empty() && !query.ends_with(b"&") {
            query.push(b'&');
        }
        let start = query.len();
        query.extend_from_slice(more);
        for at in start..query.len() {
            if query[at] == b'%'
                && let Some(digits) = query.get_mut(at + 1..at + 3)
                && digits.iter().all(u8::is_ascii_hexdigit)
            {
                digits.make_ascii_lowercase();
            }
        }
    }

    /// Appends a file's name to the path (`-T`).
    pub fn add_file_name(&mut self, name: &[u8]) {
        name.iter().for_each(|&byte| percent::push(&mut self.path, byte, percent::is_unreserved));
    }

    /// Returns the URL that a Location leads to (RFC 3986 §5). As in curl, bytes that a URL cannot
    /// hold are percent-encoded, and the fragment of the old URL is dropped.
    pub fn redirect(&self, location: &[u8]) -> Result<Url> {
        let scheme: &[u8] = if location.starts_with(b"//") { b"http:" } else { b"" };
        if !scheme.is_empty() || scheme_of_any(location).is_some() {
            return Url::parse(&encoded(&[scheme, location].concat()), false);
        }
        let joined = match location.first() {
            Some(b'/') => location.to_vec(),
            Some(b'?') => [&self.path, location].concat(),
            Some(b'#') | None => [&self.target(), location].concat(),
            Some(_) => {
                let end = self.path.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1);
                [&self.path[..end], location].concat()
            }
        };
        let mut new = self.clone();
        new.rest(&encoded(&joined), false)?;
        Ok(new)
    }
}

/// Returns the scheme of a URL as typed. A slash must follow its colon: `host:80` has no scheme.
fn scheme(text: &[u8]) -> Option<&[u8]> {
    scheme_of_any(text).filter(|name| text.get(name.len() + 1) == Some(&b'/'))
}

/// Returns the scheme of a Location.
fn scheme_of_any(text: &[u8]) -> Option<&[u8]> {
    let in_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let end = text.iter().position(|byte| !in_scheme(byte))?;
    (text[end] == b':' && (1..40).contains(&end)).then_some(&text[..end])
}

fn not_http(scheme: &[u8]) -> Failure {
    let why = match &scheme.to_ascii_lowercase()[..] {
        b"https" => "https is not supported; use a tcp:// endpoint with TLS",
        b"unix" | b"tcp" | b"ssh" | b"npipe" | b"fd" => "is an endpoint; did you mean --endpoint?",
        _ => "only http is supported",
    };
    Failure::new(Exit::UnsupportedProtocol, why)
}

/// Returns whether the first segment after `http:/` is a host: it cannot begin an API path.
/// Public scripts write `http:/localhost/info`, `http:/1.34/info` and `http:/v1.24/info`.
fn names_host(segment: Option<&[u8]>) -> bool {
    let segment = segment.unwrap_or_default();
    let known: [&[u8]; 3] = [b"localhost", b"docker", b"unix"];
    let is_number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let mut version = segment.strip_prefix(b"v").unwrap_or_default().split(|&byte| byte == b'.');
    known.iter().any(|host| host.eq_ignore_ascii_case(segment))
        || is_number(segment)
        || segment.iter().any(|byte| b":@".contains(byte))
        || (segment.contains(&b'.') && !version.all(is_number))
}

/// Removes the slashes before an authority. After three slashes there is none, and after one only
/// where the first segment is a host.
fn without_slashes(rest: &[u8]) -> Result<&[u8]> {
    match rest.iter().take_while(|&&byte| byte == b'/').count() {
        0 => Err(bad("has no slash after http:")),
        1 if names_host(rest[1..].split(|byte| b"/?#".contains(byte)).next()) => Ok(&rest[1..]),
        1 => Ok(rest),
        2 | 3 => Ok(&rest[2..]),
        _ => Err(bad("has too many slashes after http:")),
    }
}

/// Decodes a host name; writes an IPv4 or IPv6 address in its usual form.
fn host_name(host: &[u8]) -> Result<Vec<u8>> {
    if let [b'[', inner @ .., b']'] = host {
        // The zone only has a meaning on this machine, so it is not sent.
        let (address, _zone) = split(inner, b'%');
        let address: Option<Ipv6Addr> = str::from_utf8(address).ok().and_then(|a| a.parse().ok());
        let address = address.ok_or(bad("has a malformed IPv6 address"))?;
        return Ok(format!("[{address}]").into_bytes());
    }
    if let Some(address) = ipv4(host) {
        return Ok(address.to_string().into_bytes());
    }
    let name = percent::decode_lenient(host);
    if name.is_empty() || name == b"." || name.ends_with(b"..") {
        return Err(bad("has no host"));
    }
    let out = b"/:#?!@{}[]\\$'\"^`*<>=;,+&()|";
    if junk(&name) || name.iter().any(|byte| out.contains(byte)) {
        return Err(bad("has a byte in the host that is not allowed there"));
    }
    if !name.is_ascii() {
        return Err(bad("has a host with non-ASCII characters; write its xn-- form"));
    }
    Ok(name)
}

/// Reads C's notations for an IPv4 address: `127.1`, `0x7f000001`, `017700000001`.
fn ipv4(host: &[u8]) -> Option<Ipv4Addr> {
    let number = |part: &str| match part.as_bytes() {
        [b'0', b'x' | b'X', hex @ ..] => number::hexadecimal(hex),
        [b'0', _, ..] => u64::from_str_radix(part, 8).ok(),
        digits => number::decimal(digits),
    };
    let text = str::from_utf8(host).ok()?;
    let parts: Vec<u64> = text.split('.').map(number).collect::<Option<_>>()?;
    let (last, front) = parts.split_last()?;
    let bits = 32 - 8 * Some(front.len()).filter(|count| *count < 4)?;
    if front.iter().any(|part| *part > 255) || last >> bits > 0 {
        return None;
    }
    let front = front.iter().fold(0, |all, byte| all << 8 | byte);
    u32::try_from(front << bits | last).ok().map(Ipv4Addr::from)
}

/// Returns the text before the first `at`, and the text after it.
fn split(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&byte| byte == at) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

fn push_after(out: &mut Vec<u8>, separator: u8, part: Option<&[u8]>) {
    if let Some(part) = part {
        out.push(separator);
        out.extend_from_slice(part);
    }
}

/// White space and controls have no place in a URL.
fn junk(part: &[u8]) -> bool {
    part.iter().any(|&byte| byte <= b' ' || byte == 0x7f)
}

/// Percent-encodes bytes over 7F and spaces; in the query a space becomes a plus.
fn encoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let query = text.iter().position(|&byte| byte == b'?').unwrap_or(text.len());
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b' ' if at > query => out.push(b'+'),
            b' ' => out.extend_from_slice(b"%20"),
            0x80.. => out.extend_from_slice(format!("%{byte:02x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out
}

/// Removes `.` and `..`, also as `%2e`, from a path that begins with a slash (RFC 3986 §5.2.4).
fn without_dots(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut segments = path[1..].split(|&byte| byte == b'/').peekable();
    while let Some(segment) = segments.next() {
        match &percent::decode_lenient(segment)[..] {
            b"." => {}
            b".." => _ = kept.pop(),
            _ => {
                kept.push(segment);
                continue;
            }
        }
        if segments.peek().is_none() {
            kept.push(b"");
        }
    }
    [b"/", &kept.join(&b'/')[..]].concat()
}
