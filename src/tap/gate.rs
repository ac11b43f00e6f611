//! Who may speak through a TCP port: programs of this machine, and no web page.
//!
//! A port on the loopback address is open to every page that a browser on this machine shows. Two
//! ways lead in:
//!
//! * **DNS rebinding.** A page's own host name is made to resolve to 127.0.0.1, and the browser
//!   takes the port for the page's own server. But it sends the name it knows: the Host field tells
//!   (`RFC 9110 §7.2`). So a Host has to be an IP address (those cannot be rebound), `localhost`, a
//!   name under it, or a name that was allowed.
//! * **Requests across origins.** A page may send simple requests to any address, if not read the
//!   answers, and a POST without an answer is enough to start a container. Browsers name the page
//!   in the Origin field (`RFC 6454 §7`): it has to be the very host and port of the request.
//!
//! Every request is read before a byte of it is passed on, and one that cannot be read is not
//! passed on: nobody could say what it asks for. That makes TCP stricter than a Unix socket, whose
//! file mode says who may connect. After a request for an upgrade the bytes are another protocol's
//! and pass unread: no page can send one but a WebSocket's, which has an Origin.
//!
//! This is no authentication: who can run a program here can connect.
//!
//! ```
//! use unix_http::tap::gate::Gate;
//!
//! let mut gate = Gate::new(&[]);
//! let mut passed = Vec::new();
//! gate.admit(b"GET / HTTP/1.1\r\nHost: localhost:9999\r\n\r\n", &mut passed)?;
//! assert_eq!(passed.len(), 40);
//! let refused = gate.admit(b"GET / HTTP/1.1\r\nHost: evil.example:9999\r\n\r\n", &mut passed).unwrap_err();
//! assert_eq!((refused.status, passed.len()), (421, 40));
//! # Ok::<(), unix_http::tap::gate::Denied>(())
//! ```

use crate::wire::{
    BodyDecoder, OVERHEAD_LIMIT, ParseError, Progress, RequestDecoder, RequestHead, framing,
};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Reads the requests of one connection and lets pass those that no web page made.
#[derive(Debug)]
pub struct Gate {
    allowed: Vec<String>,
    state: State,
    held: Vec<u8>,
    decoder: RequestDecoder,
}

#[derive(Debug)]
enum State {
    Head,
    Body(BodyDecoder),
    /// Another protocol's.
    Open,
}

/// Why a request does not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// The status-code to answer with: 400, 403 or 421.
    pub status: u16,
    why: String,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Denied {}

impl From<ParseError> for Denied {
    fn from(error: ParseError) -> Denied {
        Denied { status: 400, why: format!("on TCP every request must be readable: {error}") }
    }
}

impl Gate {
    /// For a new connection. `allowed` are host names beside those that always pass.
    pub fn new(allowed: &[String]) -> Gate {
        Gate {
            allowed: allowed.to_vec(),
            state: State::Head,
            held: Vec::new(),
            decoder: RequestDecoder::new(),
        }
    }

    /// Takes what came next and appends to `passed` what may be passed on now; the rest of a head
    /// is waited for.
    ///
    /// # Errors
    /// A request that may not pass. What stood before it was appended; nothing after it ever is.
    pub fn admit(&mut self, bytes: &[u8], passed: &mut Vec<u8>) -> Result<(), Denied> {
        if self.held.is_empty() {
            let used = self.pass(bytes, passed)?;
            self.held.extend_from_slice(&bytes[used..]);
            return Ok(());
        }
        // What is held grows in place: a head that comes byte by byte is not copied with every
        // byte.
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(bytes);
        let used = self.pass(&held, passed)?;
        held.drain(..used);
        self.held = held;
        Ok(())
    }

    /// Appends to `passed` what may be passed on: how many bytes. The others begin a head.
    fn pass(&mut self, bytes: &[u8], passed: &mut Vec<u8>) -> Result<usize, Denied> {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let len = match &mut self.state {
                State::Open => rest.len(),
                State::Head => match self.decoder.decode(rest)? {
                    Progress::Partial => break,
                    Progress::Complete { len } => {
                        self.request(len)?;
                        len
                    }
                },
                State::Body(decoder) => {
                    let step = decoder.step(rest)?;
                    decoder.consume(step.data);
                    if decoder.is_done() {
                        self.state = State::Head;
                    }
                    step.framing + step.data
                }
            };
            passed.extend_from_slice(&rest[..len]);
            at += len;
        }
        Ok(at)
    }

    fn request(&mut self, len: usize) -> Result<(), Denied> {
        let decoder = std::mem::take(&mut self.decoder);
        let head = decoder.head();
        self.check(head)?;
        let fields = head.fields();
        let other = head.method() == "CONNECT"
            || fields.has_token("Connection", "upgrade") && fields.get("Upgrade").is_some();
        let body =
            BodyDecoder::of_request(framing::request(head)?.framing, len as u64, OVERHEAD_LIMIT);
        self.state = match (other, body.is_done()) {
            (true, _) => State::Open,
            (false, true) => State::Head,
            (false, false) => State::Body(body),
        };
        Ok(())
    }

    fn check(&self, head: &RequestHead) -> Result<(), Denied> {
        let host = head.host()?.unwrap_or_default();
        let name = String::from_utf8_lossy(host);
        if !host.is_empty() && !self.is_ours(without_port(&name)) {
            let why = format!(
                "the Host is {}, which may be a web page's own name (DNS rebinding)",
                name.escape_debug()
            );
            return Err(Denied { status: 421, why });
        }
        match head.fields().get("Origin") {
            Some(origin) if !same_origin(origin, host) => {
                let why = format!(
                    "the request comes from a web page of another origin, {}",
                    origin.escape_ascii()
                );
                Err(Denied { status: 403, why })
            }
            _ => Ok(()),
        }
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

/// `uri-host [ ":" port ]` without the port; an IPv6 address keeps its brackets.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether the origin is `http://` and the same host and port. `null` is none.
fn same_origin(origin: &[u8], host: &[u8]) -> bool {
    !host.is_empty()
        && origin.strip_prefix(b"http://").is_some_and(|origin| origin.eq_ignore_ascii_case(host))
}
