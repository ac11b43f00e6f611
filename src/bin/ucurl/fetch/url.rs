//! URLs as curl 7.88 reads them, and the two forms it does not have.
//!
//! ```text
//! url        = "http:" [ "//" ] authority [ path ] [ "?" query ] [ "#" fragment ]
//!            / "http:" path                   ; http:/info: no authority, as RFC 3986 §3 has it
//!            / path                           ; /info
//!            / authority [ path ] ...         ; host:port/info
//! authority  = [ user [ ":" password ] "@" ] ( host / "[" IPv6 "]" ) [ ":" port ]
//! ```
//!
//! Bytes go to the server as they were typed: `{`, `[`, `"` and UTF-8 too. White space and controls
//! are refused, the fragment is never sent. `/../` and `/./` are taken out of the path unless they
//! are to stay. Without an authority the host is localhost: with a Unix socket it is just the value
//! of Host.

use crate::args::exit::Exit;
use crate::fetch::host::{host_name, port_number};
use unix_http::base::percent;

/// A URL in its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Url {
    pub user: Option<Vec<u8>>,
    pub password: Option<Vec<u8>>,
    /// With brackets if it is an IPv6 address.
    pub host: Vec<u8>,
    pub port: Option<u16>,
    /// Begins with a slash.
    pub path: Vec<u8>,
    pub query: Option<Vec<u8>>,
    pub fragment: Option<Vec<u8>>,
}

/// Why a URL is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlError {
    pub exit: Exit,
    pub why: &'static str,
}

pub const fn bad(why: &'static str) -> UrlError {
    UrlError { exit: Exit::Url, why }
}

pub type Result<T> = std::result::Result<T, UrlError>;

/// How a URL is read.
#[derive(Clone, Copy, Default)]
pub struct How {
    /// `--path-as-is`
    pub path_as_is: bool,
    /// Percent-encode what a Location may hold but a URL may not: spaces and bytes over 7F.
    pub encode: bool,
}

impl Url {
    /// Reads a URL as a user types it.
    pub fn parse(text: &[u8], how: How) -> Result<Url> {
        let rest = match scheme(text) {
            Some(b"http") => without_slashes(&text[5..])?,
            Some(b"https") => {
                return Err(UrlError {
                    exit: Exit::UnsupportedProtocol,
                    why: "https is out: no TLS is spoken here; name a tcp:// endpoint with TLS instead",
                });
            }
            Some(b"unix" | b"tcp" | b"ssh" | b"npipe" | b"fd") => {
                return Err(UrlError {
                    exit: Exit::UnsupportedProtocol,
                    why: "is an endpoint; did you mean --endpoint?",
                });
            }
            Some(_) => {
                return Err(UrlError {
                    exit: Exit::UnsupportedProtocol,
                    why: "http is the only scheme",
                });
            }
            None => text,
        };
        let has_scheme = rest.len() != text.len();
        let end =
            rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let mut url = Url::default();
        if authority.is_empty() {
            if rest.first() != Some(&b'/') {
                return Err(bad("has no host and no path"));
            }
            url.host = b"localhost".to_vec();
        } else {
            url.authority(authority, has_scheme)?;
        }
        url.rest(rest, how)?;
        Ok(url)
    }

    fn authority(&mut self, authority: &[u8], has_scheme: bool) -> Result<()> {
        let host = match authority.iter().position(|&byte| byte == b'@') {
            None => authority,
            Some(at) => {
                let login = &authority[..at];
                if junk(login) {
                    return Err(bad("has white space or a control in the user name"));
                }
                match login.iter().position(|&byte| byte == b':') {
                    None => self.user = Some(login.to_vec()),
                    Some(colon) => {
                        self.user = Some(login[..colon].to_vec());
                        self.password = Some(login[colon + 1..].to_vec());
                    }
                }
                &authority[at + 1..]
            }
        };
        let colon = match host {
            [b'[', ..] => match host.iter().position(|&byte| byte == b']') {
                None => return Err(bad("has a [ without its ]")),
                Some(end) if host.len() > end + 1 && host[end + 1] != b':' => {
                    return Err(bad("has something between ] and the port"));
                }
                Some(end) => (host.len() > end + 1).then_some(end + 1),
            },
            _ => host.iter().position(|&byte| byte == b':'),
        };
        let (host, port) = match colon {
            None => (host, None),
            Some(colon) => (&host[..colon], Some(&host[colon + 1..])),
        };
        match port {
            // `http://host:/` means the scheme's own port; without a scheme it looks like one.
            Some(b"") if has_scheme => {}
            Some(digits) => self.port = Some(port_number(digits)?),
            None => {}
        }
        self.host = host_name(host)?;
        Ok(())
    }

    /// Path, query and fragment.
    fn rest(&mut self, rest: &[u8], how: How) -> Result<()> {
        let (rest, fragment) = split(rest, b'#');
        let (path, query) = split(rest, b'?');
        if !how.encode
            && [path, query.unwrap_or_default(), fragment.unwrap_or_default()]
                .iter()
                .any(|part| junk(part))
        {
            return Err(bad("has white space or a control in it; write %20 for a space"));
        }
        self.fragment = fragment.filter(|fragment| !fragment.is_empty()).map(<[u8]>::to_vec);
        self.query =
            query.map(|query| if how.encode { encoded(query, true) } else { query.to_vec() });
        let path = if how.encode { encoded(path, false) } else { path.to_vec() };
        if how.encode
            && [&path, self.query.as_ref().unwrap_or(&Vec::new())].iter().any(|part| junk(part))
        {
            return Err(bad("has a control in it"));
        }
        self.path = match path.as_slice() {
            b"" => b"/".to_vec(),
            _ if how.path_as_is => path,
            path => without_dots(path),
        };
        Ok(())
    }

    /// What the request-line asks for: path and query. curl percent-encodes the bytes over 7F of
    /// the path and leaves those of the query.
    pub fn target(&self) -> Vec<u8> {
        let mut target = encoded(&self.path, false);
        if let Some(query) = &self.query {
            target.push(b'?');
            target.extend_from_slice(query);
        }
        target
    }

    /// `host`, or `host:port` where the port is not 80: the value of Host.
    pub fn host_and_port(&self) -> Vec<u8> {
        match self.port {
            Some(port) if port != 80 => {
                [&self.host[..], b":", port.to_string().as_bytes()].concat()
            }
            _ => self.host.clone(),
        }
    }

    /// The port to reach.
    pub fn port_or_80(&self) -> u16 {
        self.port.unwrap_or(80)
    }

    /// The URL written out, as `%{url_effective}` shows it. An empty query is left out, as curl
    /// does.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = b"http://".to_vec();
        if let Some(user) = &self.user {
            out.extend_from_slice(user);
        }
        if let Some(password) = &self.password {
            out.push(b':');
            out.extend_from_slice(password);
        }
        if self.user.is_some() {
            out.push(b'@');
        }
        out.extend_from_slice(&self.host);
        if let Some(port) = self.port {
            out.extend_from_slice(format!(":{port}").as_bytes());
        }
        out.extend_from_slice(&self.path);
        if let Some(query) = self.query.as_ref().filter(|query| !query.is_empty()) {
            out.push(b'?');
            out.extend_from_slice(query);
        }
        if let Some(fragment) = &self.fragment {
            out.push(b'#');
            out.extend_from_slice(fragment);
        }
        out
    }

    /// Puts more behind the query (`-G`, `--url-query`). Percent-encodings in it are written small,
    /// as curl does.
    pub fn add_query(&mut self, more: &[u8]) {
        let mut more = more.to_vec();
        let mut at = 0;
        while at + 2 < more.len() {
            let encoded = more[at] == b'%'
                && more[at + 1].is_ascii_hexdigit()
                && more[at + 2].is_ascii_hexdigit();
            if encoded {
                more[at + 1..at + 3].make_ascii_lowercase();
                at += 3;
            } else {
                at += 1;
            }
        }
        match &mut self.query {
            Some(query) if !query.is_empty() => {
                if query.last() != Some(&b'&') {
                    query.push(b'&');
                }
                query.extend_from_slice(&more);
            }
            _ => self.query = Some(more),
        }
    }

    /// The URL that a Location leads to (RFC 3986 §5), with curl's ways: what a URL cannot hold is
    /// percent-encoded, a fragment of the old URL is not carried over.
    pub fn redirect(&self, location: &[u8], path_as_is: bool) -> Result<Url> {
        let how = How { path_as_is, encode: true };
        if scheme_of_any(location).is_some() {
            return Url::parse(location, how);
        }
        if let Some(rest) = location.strip_prefix(b"//") {
            return Url::parse(&[b"http://", rest].concat(), how);
        }
        let mut new = Url { path: Vec::new(), query: None, fragment: None, ..self.clone() };
        let joined = match location.first() {
            Some(b'/') => location.to_vec(),
            Some(b'?') => [&self.path, location].concat(),
            Some(b'#') | None => {
                let query =
                    self.query.as_ref().map_or(Vec::new(), |query| [b"?", &query[..]].concat());
                [&self.path, &query[..], location].concat()
            }
            Some(_) => {
                let (path, rest) = self.climb(location);
                [&path[..], b"/", rest].concat()
            }
        };
        new.rest(&joined, how)?;
        Ok(new)
    }

    /// Where a relative path begins: the old path without its last segment and without one more for
    /// each `../`. `--path-as-is` is about the path that comes out, not about these steps.
    fn climb<'l>(&self, mut location: &'l [u8]) -> (Vec<u8>, &'l [u8]) {
        let mut path = &self.path[..];
        let up = |path: &mut &[u8]| {
            *path = &path[..path.iter().rposition(|&byte| byte == b'/').unwrap_or(0)]
        };
        up(&mut path);
        location = location.strip_prefix(b"./").unwrap_or(location);
        while let Some(rest) = location.strip_prefix(b"../") {
            up(&mut path);
            location = rest;
        }
        (path.to_vec(), location)
    }
}

/// The scheme of a URL that a user typed: a colon must be followed by a slash, so that `host:80` is
/// no scheme.
fn scheme(text: &[u8]) -> Option<&[u8]> {
    let name = scheme_of_any(text)?;
    (text.get(name.len() + 1) == Some(&b'/')).then_some(name)
}

/// The scheme of a Location; `http` in small letters whatever it was.
fn scheme_of_any(text: &[u8]) -> Option<&[u8]> {
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'+' | b'-' | b'.'))?;
    if end == 0 || end > 39 || text[end] != b':' {
        return None;
    }
    let known: [&[u8]; 2] = [b"http", b"https"];
    let name = &text[..end];
    Some(known.into_iter().find(|known| known.eq_ignore_ascii_case(name)).unwrap_or(name))
}

/// What follows `http:`, without the slashes before an authority. With one slash or three there is
/// none.
fn without_slashes(rest: &[u8]) -> Result<&[u8]> {
    match rest.iter().take_while(|&&byte| byte == b'/').count() {
        0 => Err(bad("has no slash after http:")),
        1 => Ok(rest),
        2 => Ok(&rest[2..]),
        3 => Ok(&rest[2..]),
        _ => Err(bad("has too many slashes after http:")),
    }
}

fn split(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&byte| byte == at) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// White space and controls have no place in a URL.
fn junk(part: &[u8]) -> bool {
    part.iter().any(|&byte| byte <= b' ' || byte == 0x7f)
}

/// Percent-encodes what has no place in a URL; in a query a space becomes a plus.
fn encoded(part: &[u8], query: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(part.len());
    for &byte in part {
        match byte {
            b' ' if query => out.push(b'+'),
            b' ' => out.extend_from_slice(b"%20"),
            0x80.. => out.extend_from_slice(format!("%{byte:02x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out
}

/// RFC 3986 §5.2.4, for a path that begins with a slash.
fn without_dots(path: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(path.len());
    let mut segments = path[1..].split(|&byte| byte == b'/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            b"." | b".." => {
                if segment == b".." {
                    out.truncate(out.iter().rposition(|&byte| byte == b'/').unwrap_or(0));
                }
                if last {
                    out.push(b'/');
                }
            }
            segment => {
                out.push(b'/');
                out.extend_from_slice(segment);
            }
        }
    }
    out
}

/// The last part of the path, for `-O`: what follows the last slash, and after that the last
/// backslash.
pub fn file_name(path: &[u8]) -> &[u8] {
    let name = &path[path.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1)..];
    &name[name.iter().rposition(|&byte| byte == b'\\').map_or(0, |at| at + 1)..]
}

/// Puts a file's name behind a path that ends in a slash, for `-T`.
pub fn with_file_name(path: &[u8], file: &[u8]) -> Vec<u8> {
    let mut out = path.to_vec();
    if path.ends_with(b"/") {
        for &byte in file_name(file) {
            percent::push(&mut out, byte, percent::is_unreserved);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> std::result::Result<String, u8> {
        Url::parse(url.as_bytes(), How::default())
            .map(|url| {
                String::from_utf8_lossy(&[&url.host_and_port()[..], b" ", &url.target()].concat())
                    .into_owned()
            })
            .map_err(|error| error.exit as u8)
    }

    #[test]
    fn forms() {
        // url, then Host and request-target, or the exit code
        let cases: &[(&str, std::result::Result<&str, u8>)] = &[
            ("http://localhost/version", Ok("localhost /version")),
            ("http:/version", Ok("localhost /version")),
            ("http:///version", Ok("localhost /version")),
            ("/version", Ok("localhost /version")),
            ("//version", Ok("localhost //version")),
            ("d/v", Ok("d /v")),
            ("docker", Ok("docker /")),
            ("docker:2375", Ok("docker:2375 /")),
            ("docker:80/x", Ok("docker /x")),
            ("HTTP://d/", Ok("d /")),
            ("http://d", Ok("d /")),
            ("http://d?q", Ok("d /?q")),
            ("http://d#f", Ok("d /")),
            ("http://d/p#f?x", Ok("d /p")),
            ("http://d/p?q#f", Ok("d /p?q")),
            ("http://d/p?", Ok("d /p?")),
            ("http://u:p@d:8/x", Ok("d:8 /x")),
            ("http://d:/x", Ok("d /x")),
            ("d:/x", Err(1)),
            ("http://[::1]/x", Ok("[::1] /x")),
            ("http://[0:0::1]:99/x", Ok("[::1]:99 /x")),
            ("http://[::1/x", Err(3)),
            ("http://[::1]x/", Err(3)),
            ("http://0x7f.1/", Ok("127.0.0.1 /")),
            ("http://2130706433/", Ok("127.0.0.1 /")),
            ("http://d/a/../b/./c", Ok("d /b/c")),
            ("http://d/a/..", Ok("d /")),
            ("http://d/../../x", Ok("d /x")),
            ("http://d/a/b/../", Ok("d /a/")),
            ("http://d/a?x=../y", Ok("d /a?x=../y")),
            ("http://d/a b", Err(3)),
            ("http://d/a\tb", Err(3)),
            ("http://d /", Err(3)),
            ("http://d:x/", Err(3)),
            ("http://d:70000/", Err(3)),
            ("http://", Err(3)),
            ("http:////x", Err(3)),
            ("", Err(3)),
            ("https://d/", Err(1)),
            ("ftp://d/", Err(1)),
            ("unix:///run/d.sock", Err(1)),
            ("http://a%62c/", Ok("abc /")),
            ("http://d/{a,b}[1-3]", Ok("d /{a,b}[1-3]")),
            ("http://d/\u{e9}?\u{e9}", Ok("d /%c3%a9?\u{e9}")),
        ];
        for (url, want) in cases {
            assert_eq!(target(url), want.map(str::to_owned), "{url}");
        }
    }

    #[test]
    fn redirects() {
        // from, Location, to
        let cases = [
            ("http://d/a/b?q", "c", "http://d/a/c"),
            ("http://d/a/b?q", "./c", "http://d/a/c"),
            ("http://d/a/b/c", "../x", "http://d/a/x"),
            ("http://d/a/b/c", "../../../x", "http://d/x"),
            ("http://d/a/b?q", "?r", "http://d/a/b?r"),
            ("http://d/a/b?q", "/x/y", "http://d/x/y"),
            ("http://d/a/b?q", "//e/y", "http://e/y"),
            ("http://d/a/b?q", "http://e:8/y", "http://e:8/y"),
            ("http://d/a/b?q", "HTTP://e/y", "http://e/y"),
            ("http://d/a/b", "/x y", "http://d/x%20y"),
            ("http://d/a/b", "/x?y z", "http://d/x?y+z"),
            ("http://d/a/b", "/\u{e9}", "http://d/%c3%a9"),
            ("http://d/a/b", "/x#frag", "http://d/x#frag"),
            ("http://d/a/b#old", "/x", "http://d/x"),
            ("http://d", "x", "http://d/x"),
            ("http://d?q", "x", "http://d/x"),
            ("http://u:p@d/a", "b", "http://u:p@d/b"),
        ];
        for (from, location, to) in cases {
            let url = Url::parse(from.as_bytes(), How::default()).expect(from);
            let url = url.redirect(location.as_bytes(), false).expect(location);
            assert_eq!(String::from_utf8_lossy(&url.to_bytes()), to, "{from} {location}");
        }
    }
}
