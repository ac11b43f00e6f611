//! `--explain`: the exchange, line by line, with what each line is for and where that is written.
//!
//! ```text
//! > GET /version HTTP/1.1\r\n        what was sent, CR LF made visible
//! < HTTP/1.1 200 OK\r\n              what came
//!     a remark · RFC 9112 §4
//! = a decision that both sides have to take alike
//! ```
//!
//! What has been remarked once is not remarked again.
//!
//! It goes to standard error, so that the content on standard output stays what it is. Control
//! characters and other bytes that could move a terminal's cursor are shown as `\xNN`.
//!
//! `ucurl tap --explain` explains the exchanges that others have: [`Overheard`].

mod body;
#[cfg(feature = "commands")]
mod overheard;
mod page;
mod words;

#[cfg(feature = "commands")]
pub use overheard::Overheard;

use body::BodyView;
use page::Page;
use std::fs::File;
use std::io;
use std::sync::Mutex;
use unix_http::Endpoint;
use unix_http::base::sync::lock;
use unix_http::client::{Event, Observer};
use unix_http::wire::framing::Rule;
use unix_http::wire::{Decision, Framing, ParseError, ResponseHead, Version};
use words::Remark;

/// Fields that are secrets: only that they are there is told.
const SECRET: [&str; 5] =
    ["authorization", "proxy-authorization", "x-registry-auth", "x-registry-config", "cookie"];

const HEAD_OVER: Remark = ("an empty line: the head is over", "RFC 9112 §2.1");

/// Writes the explanation of one exchange after another.
#[derive(Debug)]
pub struct Explain {
    page: Page,
    /// Requests go to a Unix socket.
    unix: bool,
    now: Underway,
    /// What goes on once the exchange of `now` is over: a raw connection whose container had to be
    /// asked about.
    aside: Option<Underway>,
}

/// How far an exchange has come.
#[derive(Debug, Default)]
struct Underway {
    request: Option<Request>,
    response: Option<Response>,
}

/// A request on its way.
#[derive(Debug)]
struct Request {
    body: BodyView,
    /// It said `Connection: close`.
    close: bool,
    /// It said `Expect: 100-continue`.
    expect: bool,
}

/// A response on its way.
#[derive(Debug)]
struct Response {
    body: BodyView,
    /// What is sent once the connection is not HTTP any more.
    tunnel: BodyView,
    decision: Decision,
    version: Version,
    /// Whether the request and the response said `Connection: close`.
    close: (bool, bool),
}

impl Explain {
    /// An explanation to `out`; with `bytes`, a hex view of everything too; with `colour`, for a
    /// terminal.
    pub fn new(out: File, bytes: bool, colour: bool) -> Explain {
        Explain {
            page: Page::new(out, bytes, colour),
            unix: false,
            now: Underway::default(),
            aside: None,
        }
    }

    /// A decision of this side, such as which endpoint was chosen and by which rule.
    pub fn note(&mut self, text: &str, section: &str) -> io::Result<()> {
        self.page.decision(text, section)
    }

    /// Where the next request goes.
    pub fn connecting(&mut self, endpoint: &Endpoint) -> io::Result<()> {
        self.toward(endpoint);
        let how = match endpoint {
            Endpoint::Unix(_) => {
                "a file in the file system is the address, and its mode says who may connect"
            }
            Endpoint::Abstract(_) => {
                "an abstract name is the address: no file, no mode, anybody here may connect"
            }
            Endpoint::Tcp { .. } => {
                "a host and a port are the address: nothing in it says who may connect"
            }
            _ => "a program of the system carries the bytes, over its stdin and stdout",
        };
        self.note(&format!("connects to {endpoint}: {how}"), "")
    }

    fn toward(&mut self, endpoint: &Endpoint) {
        self.unix = matches!(endpoint, Endpoint::Unix(_) | Endpoint::Abstract(_));
    }

    /// The request's head, as it was sent; `framing` says where its body ends, unless that is
    /// refused.
    pub fn request_head(&mut self, head: &[u8], framing: Option<Framing>) -> io::Result<()> {
        if self.now.response.is_some() {
            self.aside = Some(std::mem::take(&mut self.now));
        }
        let lines = || head.split_inclusive(|&b| b == b'\n');
        let content = !matches!(framing, Some(Framing::NoBody | Framing::Length(0)));
        let (mut close, mut expect, mut at) = (false, false, 0);
        for line in lines() {
            let field = field(line);
            let (name, value) = field.as_ref().map_or(("", ""), |(name, value)| (name, value));
            let shown = masked(line, name);
            self.page.hex('>', &covered(line, name), at)?;
            match (at, &field) {
                (0, _) => {
                    self.page.line(
                        '>',
                        line,
                        ("the request-line: method, request-target, version", "RFC 9112 §3"),
                    )?;
                    let method = line.split(|&b| b == b' ').next().unwrap_or_default();
                    self.page.remark(words::method(&String::from_utf8_lossy(method)))?;
                }
                (_, None) => self.page.line('>', line, HEAD_OVER)?,
                (_, Some(_)) => {
                    let remark = words::request_field(name, value, content);
                    self.page.line('>', &shown, remark.unwrap_or_default())?;
                }
            }
            if name == "host" && self.unix {
                let any = "A Unix socket has none, so any name will do; Go's servers refuse a socket's path here";
                self.page.remark((any, ""))?;
            }
            close |= name == "connection" && value.eq_ignore_ascii_case("close");
            expect |= name == "expect";
            at += line.len();
        }
        let Some(framing) = framing else { return Ok(()) };
        let (text, item) = match framing {
            Framing::Chunked => (Rule::TransferEncoding.text().to_string(), Rule::TransferEncoding),
            Framing::Length(length) => (of_length(length), Rule::ContentLength),
            _ => (
                "neither Content-Length nor Transfer-Encoding: the request ends here".into(),
                Rule::Neither,
            ),
        };
        self.page.decision(&text, &section_6_3(item))?;
        self.now.request =
            Some(Request { body: BodyView::new('>', framing, false, head.len()), close, expect });
        Ok(())
    }

    /// Bytes of the request's body, as they are sent.
    pub fn request_body(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.now.request {
            Some(request) => request.body.show(&mut self.page, bytes),
            None => Ok(()),
        }
    }

    /// A head with a 1xx status.
    pub fn interim(&mut self, head: &ResponseHead) -> io::Result<()> {
        self.head(head, None)?;
        self.page.decision("a 1xx is not the answer yet: another head follows", "RFC 9110 §15.2")
    }

    /// A final head that does not say where its body ends, or says it in a way that is refused.
    pub fn refused(&mut self, head: &ResponseHead, error: ParseError) -> io::Result<()> {
        self.head(head, None)?;
        let text = format!("refused: {}, at byte {} of the head", error.kind.text(), error.offset);
        self.page.decision(&text, error.kind.section())
    }

    /// The final head, and where its body ends.
    pub fn response_head(&mut self, head: &ResponseHead, decision: Decision) -> io::Result<()> {
        let mut asked_to_close = false;
        if let Some(mut request) = self.now.request.take() {
            asked_to_close = request.close;
            if request.body.is_whole() {
                request.body.end(&mut self.page)?;
            } else {
                let (text, section) = match request.expect && !request.body.has_begun() {
                    true => ("the answer came first: the content is not sent", "RFC 9110 §10.1.1"),
                    false => {
                        ("the answer begins before all of the request was sent", "RFC 9110 §7.5")
                    }
                };
                self.page.decision(text, section)?;
                self.now.request = Some(request);
            }
        }
        self.head(head, Some(decision.rule))?;
        self.framing(head.status(), decision)?;
        let kind = head.fields().get("Content-Type").unwrap_or_default();
        let frames = kind.starts_with(b"application/vnd.docker.") || kind.is_empty();
        let body = BodyView::new('<', decision.framing, frames, head.as_bytes().len());
        let close = (asked_to_close, head.fields().has_token("Connection", "close"));
        let tunnel = BodyView::new('>', Framing::Tunnel, false, 0);
        self.now.response =
            Some(Response { body, tunnel, decision, version: head.version(), close });
        Ok(())
    }

    /// Bytes of the response's body, as they came.
    pub fn response_body(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.now.response {
            Some(response) => response.body.show(&mut self.page, bytes),
            None => Ok(()),
        }
    }

    /// Bytes that are sent once the connection is not HTTP any more.
    pub fn tunnel(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.now.response {
            Some(response) => response.tunnel.show(&mut self.page, bytes),
            None => Ok(()),
        }
    }

    /// The exchange is over; whether its connection was kept for the next.
    pub fn end(&mut self, kept: bool) -> io::Result<()> {
        let unsent = match self.now.request.take() {
            Some(mut request) if request.body.has_begun() => {
                request.body.end(&mut self.page)?;
                !request.body.is_whole()
            }
            Some(request) => !request.body.is_whole(),
            None => false,
        };
        let Some(mut response) = self.now.response.take() else {
            return self.page.decision("the connection is closed: there was no answer", "");
        };
        response.tunnel.end(&mut self.page)?;
        response.body.end(&mut self.page)?;
        let (text, section) = why(kept, &response, unsent);
        self.now = self.aside.take().unwrap_or_default();
        self.page.decision(text, section)
    }

    fn framing(&mut self, status: u16, decision: Decision) -> io::Result<()> {
        match decision.framing {
            // §6.3 ends a 101 as it does any 1xx; that it ends HTTP as well is another rule.
            Framing::Tunnel if status == 101 => {
                let text = "HTTP is over on this connection: what follows is the other protocol";
                self.page.decision(text, "RFC 9110 §7.8")
            }
            Framing::Length(length) => {
                self.page.decision(&of_length(length), &section_6_3(decision.rule))
            }
            _ => self.page.decision(decision.rule.text(), &section_6_3(decision.rule)),
        }
    }

    fn head(&mut self, head: &ResponseHead, rule: Option<Rule>) -> io::Result<()> {
        let mut at = 0;
        for (n, line) in head.as_bytes().split_inclusive(|&b| b == b'\n').enumerate() {
            self.page.hex('<', line, at)?;
            at += line.len();
            match field(line) {
                _ if n == 0 => {
                    let line_is =
                        ("the status-line: version, status-code, reason-phrase", "RFC 9112 §4");
                    self.page.line('<', line, line_is)?;
                    let (text, section) = words::status(head.status());
                    self.page.remark((&format!("{}: {text}", head.status()), section))?;
                }
                _ if line.starts_with(b" ") || line.starts_with(b"\t") => {
                    let fold =
                        ("the line before goes on, folded: read as if by a space", "RFC 9112 §5.2");
                    self.page.line('<', line, fold)?;
                }
                None => self.page.line('<', line, HEAD_OVER)?,
                Some((name, value)) => {
                    let remark = words::response_field(&name, &value, head.status(), rule);
                    self.page.line('<', line, remark.unwrap_or_default())?;
                }
            }
            if !line.ends_with(b"\r\n") {
                let bare = "the line ends with LF alone: read, though it should be CR LF";
                self.page.remark((bare, "RFC 9112 §2.2"))?;
            }
        }
        Ok(())
    }
}

fn of_length(length: u64) -> String {
    match length {
        0 => "Content-Length: 0, so there is no content".into(),
        _ => format!("Content-Length: {length}, so the body ends after that many bytes"),
    }
}

fn section_6_3(rule: Rule) -> String {
    format!("RFC 9112 §6.3, item {}", rule.item())
}

/// Why the connection was kept or closed.
fn why(kept: bool, response: &Response, unsent: bool) -> Remark<'static> {
    let Response { decision, version, .. } = response;
    match (decision.framing, version) {
        (_, Version::Http11) if kept => {
            ("the connection is kept: HTTP/1.1 goes on until a side says close", "RFC 9112 §9.3")
        }
        _ if kept => (
            "the connection is kept: an HTTP/1.0 server that says keep-alive does so",
            "RFC 9112 §9.3",
        ),
        (Framing::Tunnel, _) => {
            ("the connection is closed: the server has ended its direction", "")
        }
        (Framing::UntilClose, _) => {
            ("the connection is closed: its end was the end of the body", "RFC 9112 §9.6")
        }
        _ if !response.body.is_whole() => (
            "the connection is closed: short of this answer's end, nobody knows where another begins",
            "RFC 9112 §9.3",
        ),
        _ if decision.rule == Rule::TransferEncodingOverLength => (
            "the connection is closed: with two lengths stated nobody can be sure where the next answer begins",
            "RFC 9112 §6.3",
        ),
        (Framing::Chunked, Version::Http10) => (
            "the connection is closed: HTTP/1.0 knows no Transfer-Encoding, so somebody is confused",
            "RFC 9112 §6.1",
        ),
        _ if response.close == (true, true) => {
            ("the connection is closed: both sides said so", "RFC 9112 §9.6")
        }
        _ if response.close.0 => ("the connection is closed: the request said so", "RFC 9112 §9.6"),
        _ if response.close.1 => ("the connection is closed: the server said so", "RFC 9112 §9.6"),
        (_, Version::Http10) => (
            "the connection is closed: HTTP/1.0 goes on only where keep-alive is said",
            "RFC 9112 §9.3",
        ),
        _ if unsent => {
            ("the connection is closed: not all of the request was sent", "RFC 9112 §9.5")
        }
        _ if !decision.persistent => (
            "the connection is closed: what its head says of a body does not go together",
            "RFC 9112 §6.1",
        ),
        _ => (
            "the connection is closed: bytes were left over that nobody asked for",
            "RFC 9112 §9.2",
        ),
    }
}

/// An [`Explain`] that listens to a client.
#[derive(Debug)]
pub struct Explainer(Mutex<Explain>);

impl Explainer {
    /// Lets `explain` listen.
    pub fn new(explain: Explain) -> Explainer {
        Explainer(Mutex::new(explain))
    }

    /// Tells of a decision, as [`Explain::note`] does.
    pub fn note(&self, text: &str, section: &str) {
        let mut explain = lock(&self.0);
        let _ = explain.note(text, section);
    }

    /// Bytes of a connection that is not HTTP any more.
    pub fn raw(&self, bytes: &[u8], received: bool) {
        let mut explain = lock(&self.0);
        let _ = if received { explain.response_body(bytes) } else { explain.tunnel(bytes) };
    }

    /// The connection that was not HTTP any more has ended.
    pub fn raw_end(&self) {
        let mut explain = lock(&self.0);
        let _ = explain.end(false);
    }
}

impl Observer for Explainer {
    fn on(&self, event: &Event<'_>) {
        let mut explain = lock(&self.0);
        // That the explanation cannot be shown must not end the exchange.
        let _ = explain.event(event);
    }
}

impl Explain {
    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        match *event {
            Event::Connecting(endpoint) => self.connecting(endpoint),
            Event::Reused { connection } => {
                self.note(&format!("uses connection {connection} again: no new connect"), "RFC 9112 §9.3")
            }
            Event::Stale { .. } => self.note(
                "the server had closed that connection; the request goes out once more, on a new one",
                "RFC 9112 §9.3.1",
            ),
            Event::RequestHead(head) => self.request_head(head, Some(framing(head))),
            Event::RequestBody(bytes) => self.request_body(bytes),
            Event::Interim(head) => self.interim(head),
            Event::Refused(head, error) => self.refused(head, error),
            Event::ResponseHead(head, decision) => self.response_head(head, decision),
            Event::ResponseBody(bytes) => self.response_body(bytes),
            Event::Kept { .. } => self.end(true),
            Event::Closed { .. } => self.end(false),
            _ => Ok(()),
        }
    }
}

/// Where the body ends of a request that was written here.
fn framing(head: &[u8]) -> Framing {
    let fields = || head.split(|&b| b == b'\n').skip(1).filter_map(field);
    let length = fields()
        .find(|(name, _)| name == "content-length")
        .and_then(|(_, digits)| digits.parse().ok());
    match fields().any(|(name, _)| name == "transfer-encoding") {
        true => Framing::Chunked,
        false => length.map_or(Framing::NoBody, Framing::Length),
    }
}

/// A field line's name in lower case, and its value; `None` for the empty line.
fn field(line: &[u8]) -> Option<(String, String)> {
    let line = String::from_utf8_lossy(line);
    let (name, value) = line.split_once(':')?;
    Some((name.to_ascii_lowercase(), value.trim().to_string()))
}

fn masked(line: &[u8], name: &str) -> Vec<u8> {
    if !SECRET.contains(&name) {
        return line.to_vec();
    }
    let text = String::from_utf8_lossy(line);
    let (name, value) = text.split_once(':').unwrap_or_default();
    // The scheme of Authorization is no secret: Basic, Bearer.
    let scheme = value.trim_start().split_once(' ').map_or("", |(scheme, _)| scheme);
    let space = if scheme.is_empty() { "" } else { " " };
    format!("{name}: {scheme}{space}***\r\n").into_bytes()
}

/// The same for a hex view: a `*` for each byte of the value, so that what follows keeps its
/// offset.
fn covered(line: &[u8], name: &str) -> Vec<u8> {
    let mut line = line.to_vec();
    if SECRET.contains(&name) {
        let from = name.len() + 1;
        line.iter_mut()
            .skip(from)
            .filter(|byte| byte.is_ascii_graphic())
            .for_each(|byte| *byte = b'*');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(
            masked(b"Authorization: Basic dTpw\r\n", "authorization"),
            b"Authorization: Basic ***\r\n"
        );
        assert_eq!(
            masked(b"X-Registry-Auth: e30=\r\n", "x-registry-auth"),
            b"X-Registry-Auth: ***\r\n"
        );
        assert_eq!(masked(b"Host: localhost\r\n", "host"), b"Host: localhost\r\n");
        assert_eq!(covered(b"Cookie: a=b c\r\n", "cookie"), b"Cookie: *** *\r\n");
        assert_eq!(covered(b"Host: a\r\n", "host"), b"Host: a\r\n");
    }
}
