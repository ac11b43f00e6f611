//! The request's lines, in curl 7.88's order.
//!
//! Host, Authorization, Range, User-Agent, Accept, Referer, Transfer-Encoding, Cookie, the lines of
//! `-H`, Content-Length, Content-Type, Expect. A field that `-H` names moves to the
//! lines of `-H`; only Host stays first.

use crate::args::config::Group;
use crate::fetch::url::Url;
use crate::plan::names_field;
use unix_http::base::base64;
use unix_http::base::percent::decode_lenient;

/// The content of the next request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequestContent {
    #[default]
    None,
    /// `-d`, this many bytes.
    Post(u64),
    /// `-T`, this many bytes; `None` if the length is unknown.
    Put(Option<u64>),
}

impl RequestContent {
    pub fn length(self) -> Option<u64> {
        match self {
            RequestContent::None => None,
            RequestContent::Post(length) => Some(length),
            RequestContent::Put(length) => length,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct PlannedRequest {
    pub method: Vec<u8>,
    pub target: Vec<u8>,
    /// `Name: value`, sent unchanged.
    pub lines: Vec<Vec<u8>>,
    /// Wait for a 100 before the content.
    pub expect: bool,
}

/// The parts of a request that a redirect changes.
#[derive(Debug, Default, Clone)]
pub struct Hop {
    pub url: Url,
    pub content: RequestContent,
    /// `user:password`
    pub login: Option<Vec<u8>>,
    pub referer: Option<Vec<u8>>,
    /// Whether the host differs from the host of the first URL.
    pub other_host: bool,
    /// Whether credentials must not go to this host and port.
    pub untrusted: bool,
    /// Whether a redirect has dropped the content, and the fields about it.
    pub dropped: bool,
    /// Whether the response to Expect was a 417.
    pub no_expect: bool,
}

const CHUNKED_TO_10: &str =
    "an upload of unknown length needs HTTP/1.1; give its length with -H 'Content-Length: ...'";

/// curl 8 sends Expect with content of more bytes than this, or of unknown length.
const EXPECT_OVER: u64 = 1024 * 1024;

const DEFAULT_AGENT: &str = concat!("ucurl/", env!("CARGO_PKG_VERSION"));

/// Makes the request for one hop, or says why HTTP/1.0 cannot carry it.
pub fn plan(flags: &Group, hop: &Hop, http10: bool) -> Result<PlannedRequest, &'static str> {
    let mut lines = Lines { flags, hop, written: Vec::new() };
    lines.identity();
    lines.preferences();
    let chunked = lines.transfer_encoding(http10)?;
    if !flags.cookie.is_empty() {
        lines.unless_given("Cookie", &flags.cookie.join(&b"; "[..]));
    }
    lines.given();
    if let Some(length) = hop.content.length().filter(|_| !chunked) {
        lines.unless_given("Content-Length", length.to_string().as_bytes());
    }
    if matches!(hop.content, RequestContent::Post(_)) {
        lines.unless_given("Content-Type", b"application/x-www-form-urlencoded");
    }
    // `--hijack` asks for an upgrade to `tcp`, or to the protocol of `-H 'Upgrade: ...'`; an empty
    // one asks for none.
    if flags.hijack && lines.header_value("Upgrade") != Some(b"") {
        lines.unless_given("Connection", b"Upgrade");
        lines.unless_given("Upgrade", b"tcp");
    }
    let expect = !http10 && lines.expect();
    let lines = lines.written;
    let method = flags.request.as_deref().unwrap_or(usual_method(flags, hop.content));
    let target = flags.request_target.clone().unwrap_or_else(|| hop.url.target());
    Ok(PlannedRequest { method: method.to_vec(), target, lines, expect })
}

/// Returns the method without `-X`.
pub fn usual_method(flags: &Group, content: RequestContent) -> &'static [u8] {
    match content {
        _ if flags.head => b"HEAD",
        RequestContent::None if !flags.hijack => b"GET",
        RequestContent::None | RequestContent::Post(_) => b"POST",
        RequestContent::Put(_) => b"PUT",
    }
}

struct Lines<'p> {
    flags: &'p Group,
    hop: &'p Hop,
    written: Vec<Vec<u8>>,
}

impl<'p> Lines<'p> {
    /// Returns the `-H` line that names this field.
    fn header(&self, name: &str) -> Option<&'p [u8]> {
        let mut lines = self.flags.headers.iter().map(Vec::as_slice);
        lines.find(|line| names_field(line, name))
    }

    /// Returns the value of the `-H` line that names this field.
    fn header_value(&self, name: &str) -> Option<&'p [u8]> {
        self.header(name).map(|line| line[name.len() + 1..].trim_ascii())
    }

    fn push(&mut self, name: &str, value: &[u8]) {
        self.written.push([name.as_bytes(), b": ", value].concat());
    }

    /// Writes a field unless `-H` names it.
    fn unless_given(&mut self, name: &str, value: &[u8]) {
        if self.header(name).is_none() {
            self.push(name, value);
        }
    }

    /// The Host line of `-H`, which applies to the first host only.
    fn own_host(&self) -> Option<&'p [u8]> {
        self.header("Host").filter(|_| !self.hop.other_host)
    }

    /// Host, Authorization.
    fn identity(&mut self) {
        match self.own_host() {
            None => self.push("Host", &self.hop.url.host_and_port()),
            Some(given) => self
                .written
                .extend(as_sent(given).map(|line| [b"Host", &line["Host".len()..]].concat())),
        }
        if self.hop.untrusted {
            return;
        }
        // A Location may carry its own login.
        let own = self.hop.url.login.as_deref().filter(|_| self.flags.user.is_none()).map(login);
        let authorization =
            match (&self.flags.oauth2_bearer, own.or_else(|| self.hop.login.clone())) {
                // Two schemes are named: curl waits for the server to choose one.
                (Some(_), _) if self.flags.basic => return,
                (Some(token), _) => [b"Bearer ", &token[..]].concat(),
                (None, Some(login)) => [b"Basic ", base64::encode(&login).as_bytes()].concat(),
                (None, None) => return,
            };
        self.unless_given("Authorization", &authorization);
    }

    /// Range, User-Agent, Accept, Referer.
    fn preferences(&mut self) {
        if let Some(range) = &self.flags.range {
            if self.hop.content == RequestContent::None {
                self.unless_given("Range", &[b"bytes=", &range[..]].concat());
            } else {
                let length = self.hop.content.length().map_or("-1".to_owned(), |n| n.to_string());
                let value = [b"bytes ", &range[..], b"/", length.as_bytes()].concat();
                self.unless_given("Content-Range", &value);
            }
        }
        // `-A ''` sends none.
        let agent = self.flags.user_agent.as_deref().unwrap_or(DEFAULT_AGENT.as_bytes());
        if !agent.is_empty() {
            self.unless_given("User-Agent", agent);
        }
        self.unless_given("Accept", b"*/*");
        if let Some(referer) = &self.hop.referer {
            self.unless_given("Referer", referer);
        }
    }

    /// Returns whether the content is chunked, and writes the field that says so.
    fn transfer_encoding(&mut self, http10: bool) -> Result<bool, &'static str> {
        if let Some(value) = self.header_value("Transfer-Encoding") {
            let chunked = value.to_ascii_lowercase().windows(7).any(|part| part == b"chunked");
            return Ok(chunked && self.hop.content != RequestContent::None);
        }
        // The user's length replaces the unknown one.
        let length_given = self.header("Content-Length").is_some_and(|line| line.len() > 15);
        if self.hop.content != RequestContent::Put(None) || length_given {
            return Ok(false);
        }
        if http10 {
            return Err(CHUNKED_TO_10);
        }
        self.push("Transfer-Encoding", b"chunked");
        Ok(true)
    }

    /// The lines of `-H`, except a Host that is written already and secrets for another host.
    fn given(&mut self) {
        let own_host = self.own_host();
        for line in &self.flags.headers {
            let is = |name| names_field(line, name);
            let dropped = match self.header("Host") {
                Some(_) if is("Host") => own_host != Some(b"Host:"),
                _ if is("Expect") => self.hop.no_expect || self.hop.dropped,
                _ if self.hop.dropped && is_about_content(line) => true,
                _ => self.hop.untrusted && (is("Authorization") || is("Cookie")),
            };
            if !dropped {
                self.written.extend(as_sent(line));
            }
        }
    }

    /// Returns whether to wait for a 100, and writes the field that asks for it.
    fn expect(&mut self) -> bool {
        let is_long = self.hop.content.length().is_none_or(|length| length > EXPECT_OVER);
        let has_content = self.hop.content != RequestContent::None;
        let wanted = has_content && (is_long || self.header("Expect").is_some());
        if !wanted || self.hop.no_expect {
            return false;
        }
        self.unless_given("Expect", b"100-continue");
        self.header_value("Expect").is_none_or(|value| value.eq_ignore_ascii_case(b"100-continue"))
    }
}

/// Returns `user:password` of a URL's `user` or `user:password`.
pub fn login(typed: &[u8]) -> Vec<u8> {
    let colon: &[u8] = if typed.contains(&b':') { b"" } else { b":" };
    [&decode_lenient(typed), colon].concat()
}

/// Returns whether a line of `-H` is about the content (RFC 9110 §15.4).
fn is_about_content(line: &[u8]) -> bool {
    let content = line.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"Content-"));
    let others = ["Transfer-Encoding", "Trailer", "Digest", "Last-Modified"];
    content || others.iter().any(|name| names_field(line, name))
}

/// Returns a line of `-H` as it is sent: `Name;` becomes `Name:`. A bare `Name:`, or a line without
/// a name, is not sent.
fn as_sent(given: &[u8]) -> Option<Vec<u8>> {
    let mut line = given.to_vec();
    let colon = given.iter().position(|&byte| byte == b':');
    let at = colon.or(given.iter().position(|&byte| byte == b';')).filter(|at| *at > 0)?;
    let rest = &given[at + 1..];
    let sent = if colon.is_some() { !rest.trim_ascii().is_empty() } else { rest.is_empty() };
    line[at] = b':';
    sent.then_some(line)
}
