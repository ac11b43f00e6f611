//! The request's lines, in curl 7.88's order.
//!
//! Host, Authorization, Range, User-Agent, Accept, Referer, Transfer-Encoding, Cookie, then what
//! `-H` gave, then Content-Length, Content-Type and Expect. A field that `-H` names is left out of
//! its place, but for Host, which stays the first.

use crate::args::config::Group;
use crate::fetch::url::Url;
use unix_http::base::base64;

/// What the next request sends as its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// GET or HEAD
    None,
    /// `-d`: so many bytes.
    Post(u64),
    /// `-T`: so many bytes, or as many as come.
    Put(Option<u64>),
}

/// A request before it is sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    pub method: Vec<u8>,
    pub target: Vec<u8>,
    pub http10: bool,
    /// `Name: value`, to be written to the letter.
    pub lines: Vec<Vec<u8>>,
    /// Send the body chunked.
    pub chunked: bool,
    /// Wait for a 100 before the body.
    pub expect: bool,
}

/// What a redirect or a retry changes about a request.
#[derive(Debug, Clone)]
pub struct Hop<'u> {
    pub url: &'u Url,
    pub body: Body,
    /// HEAD by `-I`.
    pub head: bool,
    /// The first URL; credentials go to its host and port alone.
    pub first: Option<&'u Url>,
    pub referer: Option<&'u [u8]>,
    /// The server has answered with HTTP/1.0 before.
    pub http10_server: bool,
    /// A 417 was the answer to Expect.
    pub no_expect: bool,
    /// URL credentials or `-u`, while they are not cleared.
    pub login: Option<&'u [u8]>,
}

/// curl sends Expect with a POST from this many bytes on.
const EXPECT_POST: u64 = 1024 * 1024;

/// The lines that `-H` gave, without what stands for nothing, as `name` finds them.
pub struct Custom<'g>(pub &'g [Vec<u8>]);

impl<'g> Custom<'g> {
    /// The line that names this field, also `Name:` and `Name;` without a value.
    pub fn find(&self, name: &str) -> Option<&'g [u8]> {
        let names = |line: &&Vec<u8>| {
            line.len() > name.len()
                && line[..name.len()].eq_ignore_ascii_case(name.as_bytes())
                && matches!(line[name.len()], b':' | b';')
        };
        self.0.iter().find(names).map(Vec::as_slice)
    }

    /// The value of the line that names this field.
    pub fn value(&self, name: &str) -> Option<&'g [u8]> {
        self.find(name).map(|line| line[name.len() + 1..].trim_ascii())
    }
}

/// `--json` names two fields unless `-H` does.
pub fn headers_with_json(group: &mut Group) {
    if group.json {
        for (name, line) in [
            ("Content-Type", "Content-Type: application/json"),
            ("Accept", "Accept: application/json"),
        ] {
            if Custom(&group.headers).find(name).is_none() {
                group.headers.push(line.as_bytes().to_vec());
            }
        }
    }
}

/// Why there can be no such request.
#[derive(Debug, PartialEq, Eq)]
pub enum Impossible {
    /// A body of unknown length needs HTTP/1.1.
    ChunkedTo10,
}

/// Makes the request for one hop.
pub fn plan(group: &Group, hop: &Hop) -> Result<Plan, Impossible> {
    let custom = Custom(&group.headers);
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut line = |name: &str, value: &[u8]| lines.push([name.as_bytes(), b": ", value].concat());
    let same_host = hop.first.is_none_or(|first| first.host.eq_ignore_ascii_case(&hop.url.host));
    let trusted = group.location_trusted
        || hop.first.is_none_or(|first| same_host && first.port_or_80() == hop.url.port_or_80());
    let http10 = group.http10 == Some(true) || hop.http10_server;

    let own_host = custom.find("Host").filter(|_| same_host);
    if own_host.is_none() {
        line("Host", &hop.url.host_and_port());
    }
    if custom.find("Authorization").is_none() && trusted {
        match (&group.bearer, hop.login) {
            // Asked for two schemes, curl waits for the server to choose one, and sends none.
            (Some(_), _) if group.basic => {}
            (Some(token), _) => line("Authorization", &[b"Bearer ", &token[..]].concat()),
            (None, Some(login)) => {
                line("Authorization", &[b"Basic ", base64::encode(login).as_bytes()].concat())
            }
            (None, None) => {}
        }
    }
    if let Some(range) = &group.range {
        match hop.body {
            Body::None if custom.find("Range").is_none() => {
                line("Range", &[b"bytes=", &range[..]].concat())
            }
            Body::Post(_) | Body::Put(_) if custom.find("Content-Range").is_none() => {
                let length = match hop.body {
                    Body::Post(length) | Body::Put(Some(length)) => length.to_string(),
                    _ => "-1".to_owned(),
                };
                line("Content-Range", &[b"bytes ", &range[..], b"/", length.as_bytes()].concat());
            }
            _ => {}
        }
    }
    let agent = group
        .user_agent
        .as_deref()
        .unwrap_or(concat!("ucurl/", env!("CARGO_PKG_VERSION")).as_bytes());
    if !agent.is_empty() && custom.find("User-Agent").is_none() {
        line("User-Agent", agent);
    }
    if custom.find("Accept").is_none() {
        line("Accept", b"*/*");
    }
    if let Some(referer) = hop.referer.filter(|_| custom.find("Referer").is_none()) {
        line("Referer", referer);
    }
    let chunked = match custom.value("Transfer-Encoding") {
        Some(value) => {
            value.to_ascii_lowercase().windows(7).any(|part| part == b"chunked")
                && hop.body != Body::None
        }
        None if hop.body != Body::Put(None) => false,
        // A length that the user gave stands for the one that is not known.
        None if custom.find("Content-Length").is_some_and(|line| line.len() > 15) => false,
        None if http10 => return Err(Impossible::ChunkedTo10),
        None => {
            line("Transfer-Encoding", b"chunked");
            true
        }
    };
    if !group.cookies.is_empty() && custom.find("Cookie").is_none() {
        line("Cookie", &group.cookies.join(&b";"[..]));
    }
    if let Some(given) = own_host.and_then(written) {
        // Whatever stands before it, Host is the first, and so written.
        lines.insert(0, [b"Host", &given["Host".len()..]].concat());
    }
    for given in custom.0 {
        let is = |name: &str| Custom(std::slice::from_ref(given)).find(name).is_some();
        let host_is_written =
            is("Host") && custom.find("Host").is_none_or(|host| host != b"Host:" || !same_host);
        if host_is_written || (!trusted && (is("Authorization") || is("Cookie"))) {
            continue;
        }
        lines.extend(written(given));
    }
    let mut line = |name: &str, value: &[u8]| lines.push([name.as_bytes(), b": ", value].concat());
    let length = match hop.body {
        Body::None => None,
        Body::Post(length) => Some(length),
        Body::Put(length) => length,
    };
    if let Some(length) = length.filter(|_| !chunked && custom.find("Content-Length").is_none()) {
        line("Content-Length", length.to_string().as_bytes());
    }
    if matches!(hop.body, Body::Post(_)) && custom.find("Content-Type").is_none() {
        line("Content-Type", b"application/x-www-form-urlencoded");
    }
    // Another protocol by -H is upgraded to as well; `Upgrade:` asks for none.
    let protocol = custom.value("Upgrade");
    if group.hijack && protocol != Some(b"") {
        if custom.find("Connection").is_none() {
            line("Connection", b"Upgrade");
        }
        if protocol.is_none() {
            line("Upgrade", b"tcp");
        }
    }
    let wants_expect = match hop.body {
        Body::None | Body::Put(Some(0)) => false,
        Body::Put(_) => true,
        Body::Post(length) => length > EXPECT_POST || custom.find("Expect").is_some(),
    };
    let mut expect = false;
    if wants_expect && !hop.no_expect && !http10 {
        expect = match custom.value("Expect") {
            Some(value) => value.eq_ignore_ascii_case(b"100-continue"),
            None => {
                line("Expect", b"100-continue");
                true
            }
        };
    }
    let method = match (&group.request, hop.head, hop.body) {
        (Some(method), _, _) => method.clone(),
        (None, true, _) => b"HEAD".to_vec(),
        (None, _, Body::None) if group.hijack => b"POST".to_vec(),
        (None, _, Body::None) => b"GET".to_vec(),
        (None, _, Body::Post(_)) => b"POST".to_vec(),
        (None, _, Body::Put(_)) => b"PUT".to_vec(),
    };
    let target = group.request_target.clone().unwrap_or_else(|| hop.url.target());
    Ok(Plan { method, target, http10, lines, chunked, expect })
}

/// A line as it is sent: `Name;` with a colon, `Name:` and what is no field line not at all.
fn written(given: &[u8]) -> Option<Vec<u8>> {
    let mut line = given.to_vec();
    match line.iter().position(|&byte| byte == b':') {
        Some(0) => return None,
        Some(colon) if line[colon + 1..].trim_ascii().is_empty() => return None,
        Some(_) => {}
        None => {
            let semicolon = line.iter().position(|&byte| byte == b';').filter(|at| *at > 0)?;
            if !line[semicolon + 1..].is_empty() {
                return None;
            }
            line[semicolon] = b':';
        }
    }
    Some(line)
}
