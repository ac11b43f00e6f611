//! The gate of a TCP port: keeps web pages out.

use crate::wire::{
    BodyDecoder, Field, Fields, Framing, OVERHEAD_LIMIT, ParseError, RequestDecoder, RequestHead,
    framing,
};
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Parses the requests of one connection and passes those that do not come from a web page.
///
/// A browser lets every page send requests to the loopback ports of its machine:
///
/// * **DNS rebinding.** The page's own host name resolves to 127.0.0.1. The browser still sends the
///   name in Host (`RFC 9110 §7.2`). The gate accepts an IP address (which cannot be rebound),
///   `localhost`, names under it and allowed names.
/// * **Requests across origins.** A page cannot read the response to a simple request, but a POST
///   alone starts a container, and a GET can keep an engine busy. Browsers name the page in Origin
///   (`RFC 6454 §7`), except with most GETs. Sec-Fetch-Site (Fetch Metadata §2.4) tells whether the
///   page has the same origin, and Referer (`RFC 9110 §10.1.3`) usually names the page. If one of
///   these fields is present, the gate requires that it has the host and port of the request.
///
/// The gate parses every request before it forwards a byte, and rejects malformed ones. After a
/// request for an upgrade the bytes belong to another protocol and pass: a page can only upgrade to
/// WebSocket, which sends an Origin.
///
/// This is not authentication: every local program can connect.
///
/// ```
/// use unix_http::tap::Gate;
///
/// let mut gate = Gate::new(&[]);
/// let mut passed = Vec::new();
/// gate.admit(b"GET / HTTP/1.1\r\nHost: localhost:9999\r\n\r\n", &mut passed)?;
/// assert_eq!(passed.len(), 40);
/// let denied = gate.admit(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", &mut passed);
/// assert_eq!((denied.unwrap_err().status, passed.len()), (421, 40));
/// # Ok::<(), unix_http::tap::Denied>(())
/// ```
#[derive(Debug)]
pub struct Gate {
    allowed: Vec<String>,
    /// The body of the current request, or another protocol.
    body: Option<BodyDecoder>,
    /// The beginning of a head.
    held: Vec<u8>,
    decoder: RequestDecoder,
}

/// The reason why a request does not pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Denied {
    /// The status-code of the response.
    pub status: u16,
    pub(super) why: String,
    /// The rule of a [guard](super::AllowList) that would let the request pass.
    pub needed: Option<String>,
    /// Whether the request is HEAD, whose response has no content.
    pub(super) to_head: bool,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Denied {}

impl From<ParseError> for Denied {
    fn from(error: ParseError) -> Denied {
        let why = format!("every request must be readable here: {error}");
        Denied { status: 400, why, ..Denied::default() }
    }
}

impl From<Denied> for io::Error {
    fn from(denied: Denied) -> io::Error {
        io::Error::other(denied)
    }
}

impl Gate {
    /// Creates the gate of one connection; `allowed` adds host names.
    pub fn new(allowed: &[String]) -> Gate {
        let (allowed, decoder) = (allowed.to_vec(), RequestDecoder::new());
        Gate { allowed, body: None, held: Vec::new(), decoder }
    }

    /// Reads the next bytes and appends those that may be forwarded to `passed`.
    ///
    /// # Errors
    /// Fails for a request that may not pass. Bytes before it are appended, later bytes never are.
    pub fn admit(&mut self, bytes: &[u8], passed: &mut Vec<u8>) -> Result<(), Denied> {
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(bytes);
        let mut at = 0;
        while at < held.len() {
            let rest = &held[at..];
            let len = match &mut self.body {
                Some(body) => {
                    let step = body.step(rest)?;
                    body.consume(step.data);
                    step.framing + step.data
                }
                None => {
                    let Some(len) = self.decoder.decode(rest)? else { break };
                    self.request(len)?;
                    len
                }
            };
            self.body.take_if(|body| body.is_done());
            passed.extend_from_slice(&rest[..len]);
            at += len;
        }
        held.drain(..at);
        self.held = held;
        Ok(())
    }

    fn request(&mut self, len: usize) -> Result<(), Denied> {
        let head = self.decoder.head();
        self.check(head)?;
        let fields = head.fields();
        let upgrade = fields.has_token("Connection", "upgrade") && fields.get("Upgrade").is_some();
        let framing = match framing::request(head)?.framing {
            _ if upgrade || head.method() == "CONNECT" => Framing::UntilClose,
            framing => framing,
        };
        self.body = Some(BodyDecoder::of_request(framing, len as u64, OVERHEAD_LIMIT));
        self.decoder.reset(OVERHEAD_LIMIT);
        Ok(())
    }

    pub(super) fn check(&self, head: &RequestHead) -> Result<(), Denied> {
        let (host, to_head) = (head.host()?.unwrap_or_default(), head.method() == "HEAD");
        let denied = |status, why| Err(Denied { status, why, needed: None, to_head });
        let name = String::from_utf8_lossy(host);
        if !host.is_empty() && !self.is_ours(without_port(&name)) {
            let why = "which may be a web page's own name (DNS rebinding)";
            return denied(421, format!("the Host is {}, {why}", name.escape_debug()));
        }
        if let Some(field) = foreign_field(head.fields(), host) {
            // A query may contain secrets.
            let value = field.value().split(|&b| b == b'?').next().unwrap_or_default();
            let page = format!("{}: {}", field.name(), value.escape_ascii());
            return denied(403, format!("the request comes from another web page ({page})"));
        }
        Ok(())
    }

    fn is_ours(&self, name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name);
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        let lower = name.to_ascii_lowercase();
        name.parse::<Ipv4Addr>().is_ok()
            || bare.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
            || lower == "localhost"
            || lower.ends_with(".localhost")
            || self.allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(name))
    }
}

/// Returns the field that names another web page than one of this host and port.
pub(super) fn foreign_field<'a>(fields: &'a Fields, host: &[u8]) -> Option<Field<'a>> {
    fields.iter().find(|field| match field.value() {
        value if field.is("Origin") => !same_origin(value, host),
        // `none`: a person typed the address.
        value if field.is("Sec-Fetch-Site") => !matches!(value, b"same-origin" | b"none"),
        value => field.is("Referer") && !value.starts_with(b"/") && !is_page_of(value, host),
    })
}

/// Returns `uri-host [ ":" port ]` without the port. An IPv6 address keeps its brackets.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Returns whether the URL is `http://` with the same host and port, then a path.
fn is_page_of(url: &[u8], host: &[u8]) -> bool {
    let authority = url.iter().skip(7).position(|&b| matches!(b, b'/' | b'?'));
    same_origin(&url[..authority.map_or(url.len(), |end| end + 7)], host)
}

/// Returns whether the origin is `http://` with the same host and port.
fn same_origin(origin: &[u8], host: &[u8]) -> bool {
    !host.is_empty()
        && origin.strip_prefix(b"http://").is_some_and(|origin| origin.eq_ignore_ascii_case(host))
}
