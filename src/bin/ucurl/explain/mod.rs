//! `--explain`: the exchange, line by line, with what each line is for and where that is written.
//!
//! ```text
//! > GET /version HTTP/1.1\r\n        what was sent, CR LF made visible
//! < HTTP/1.1 200 OK\r\n              what came
//!     a remark · RFC 9112 §4
//! = a decision that both sides have to take alike
//! ```
//!
//! It goes to standard error, so that the content on standard output stays what it is. Control characters and other
//! bytes that could move a terminal's cursor are shown as `\xNN`.

mod body;
mod words;

use body::BodyView;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use unix_http::Endpoint;
use unix_http::client::{Event, Observer};
use unix_http::wire::framing::Rule;
use unix_http::wire::{Decision, Framing, ResponseHead, Version};

/// Lines are folded at this width: a terminal's usual 80 columns.
const WIDTH: usize = 79;
/// Fields that are secrets: only that they are there is told.
const SECRET: [&str; 4] = ["authorization", "x-registry-auth", "x-registry-config", "cookie"];

/// Writes the explanation of one exchange after another.
#[derive(Debug)]
pub struct Explain<W> {
    page: Page<W>,
    /// Whether the request or the response says `Connection: close`.
    close: bool,
    answer: Option<(Decision, Version)>,
    request: Option<BodyView>,
    response: Option<BodyView>,
}

impl<W: Write> Explain<W> {
    /// An explanation to `out`; with `bytes`, a hex view of everything too; with `colour`, for a terminal.
    pub fn new(out: W, bytes: bool, colour: bool) -> Explain<W> {
        let page = Page { out, bytes, colour };
        Explain { page, close: false, answer: None, request: None, response: None }
    }

    /// A decision of this side, such as which endpoint was chosen and by which rule.
    pub fn note(&mut self, text: &str, section: &str) -> io::Result<()> {
        self.page.decision(text, section)
    }

    /// The request's head, as it was sent.
    pub fn request_head(&mut self, head: &[u8]) -> io::Result<()> {
        let mut lines = head.split_inclusive(|&b| b == b'\n');
        let first = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
        let method = first.split(' ').next().unwrap_or_default();
        (self.close, self.answer) = (false, None);
        let mut chunked = false;
        self.page.hex('>', first.as_bytes(), 0)?;
        self.page.line('>', first.as_bytes(), words::method(method), "RFC 9110 §9.3")?;
        let mut at = first.len();
        for line in lines {
            let from = at;
            at += line.len();
            let Some((name, value)) = field(line) else {
                self.page.hex('>', line, from)?;
                let remark = "an empty line: the head is over";
                self.page.line('>', line, remark, "RFC 9112 §2.1")?;
                continue;
            };
            self.close |= name == "connection" && value.eq_ignore_ascii_case("close");
            chunked |= name == "transfer-encoding";
            let (remark, section) = words::request_field(&name, &value).unwrap_or_default();
            let shown = masked(line, &name);
            self.page.hex('>', &shown, from)?;
            self.page.line('>', &shown, remark, section)?;
        }
        self.request = Some(BodyView::new('>', chunked, false, head.len()));
        Ok(())
    }

    /// Bytes of the request's body, as they were sent.
    pub fn request_body(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.request {
            Some(view) => view.show(&mut self.page, bytes),
            None => Ok(()),
        }
    }

    /// A head with a 1xx status.
    pub fn interim(&mut self, head: &ResponseHead) -> io::Result<()> {
        self.head(head)?;
        self.page.decision("a 1xx is not the answer yet: another head follows", "RFC 9110 §15.2")
    }

    /// The final head, and where its body ends.
    pub fn response_head(&mut self, head: &ResponseHead, decision: Decision) -> io::Result<()> {
        if let Some(mut view) = self.request.take() {
            view.end(&mut self.page)?;
        }
        self.head(head)?;
        self.page.decision(&framing_text(decision), &format!("RFC 9112 §6.3, item {}", decision.rule.item()))?;
        let kind = head.fields().get("Content-Type").unwrap_or_default();
        let frames = kind.starts_with(b"application/vnd.docker.") || kind.is_empty();
        let chunked = decision.framing == Framing::Chunked;
        self.close |= head.fields().has_token("Connection", "close");
        self.answer = Some((decision, head.version()));
        self.response = Some(BodyView::new('<', chunked, frames, head.as_bytes().len()));
        Ok(())
    }

    /// Bytes of the response's body, as they came.
    pub fn response_body(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.response {
            Some(view) => view.show(&mut self.page, bytes),
            None => Ok(()),
        }
    }

    /// The exchange is over; whether its connection was kept for the next.
    pub fn end(&mut self, kept: bool) -> io::Result<()> {
        if let Some(mut view) = self.response.take() {
            view.end(&mut self.page)?;
        }
        let Some((decision, version)) = self.answer.take() else {
            return self.page.decision("the connection is closed", "RFC 9112 §9.6");
        };
        let why = match (kept, decision.framing, version) {
            (true, ..) => "the connection is kept: HTTP/1.1 goes on until one side says close",
            (_, Framing::Tunnel, _) => "the connection is not HTTP any more, and closed when both sides are done",
            (_, Framing::UntilClose, _) => "the connection is closed: its end was the end of the body",
            _ if decision.rule == Rule::TransferEncodingOverLength => {
                "the connection is closed: with both Transfer-Encoding and Content-Length nobody can be sure of the next"
            }
            _ if self.close => "the connection is closed: one side said so",
            (_, _, Version::Http10) => "the connection is closed: HTTP/1.0 keeps it only where both sides ask for it",
            _ => "the connection is closed: nothing more is to be asked",
        };
        self.page.decision(why, "RFC 9112 §9.3")
    }

    fn head(&mut self, head: &ResponseHead) -> io::Result<()> {
        let mut at = 0;
        for (n, line) in head.as_bytes().split_inclusive(|&b| b == b'\n').enumerate() {
            self.page.hex('<', line, at)?;
            at += line.len();
            match (n, field(line)) {
                (0, _) => {
                    let remark = format!("{}: {}", head.status(), words::status(head.status()));
                    self.page.line('<', line, &remark, "RFC 9112 §4, RFC 9110 §15")?;
                }
                (_, None) => self.page.line('<', line, "an empty line: the head is over", "RFC 9112 §2.1")?,
                (_, Some((name, value))) => {
                    let (remark, section) = words::response_field(&name, &value).unwrap_or_default();
                    self.page.line('<', line, remark, section)?;
                }
            }
        }
        Ok(())
    }
}

/// An [`Explain`] that listens to a client.
#[derive(Debug)]
pub struct Explainer<W>(Mutex<Explain<W>>);

impl<W: Write> Explainer<W> {
    /// Lets `explain` listen.
    pub fn new(explain: Explain<W>) -> Explainer<W> {
        Explainer(Mutex::new(explain))
    }

    /// Tells of a decision, as [`Explain::note`] does.
    pub fn note(&self, text: &str, section: &str) {
        let mut explain = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = explain.note(text, section);
    }
}

impl<W: Write + Send> Observer for Explainer<W> {
    fn on(&self, event: &Event<'_>) {
        let mut explain = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // That the explanation cannot be shown must not end the exchange.
        let _ = explain.event(event);
    }
}

impl<W: Write> Explain<W> {
    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        match *event {
            Event::Connecting(endpoint) => {
                let how = match endpoint {
                    Endpoint::Unix(_) => "a file in the file system is the address, and its mode says who may connect",
                    Endpoint::Abstract(_) => "an abstract name is the address: no file, no mode, anybody may connect",
                    Endpoint::Tcp { .. } => "a host and a port are the address: nothing in it says who may connect",
                    _ => "a program of the system carries the bytes, over its stdin and stdout",
                };
                self.note(&format!("connects to {endpoint}: {how}"), "")
            }
            Event::Reused { connection } => {
                self.note(&format!("uses connection {connection} again: no new connect"), "RFC 9112 §9.3")
            }
            Event::Stale { .. } => self.note(
                "the server had closed that connection; the request goes out once more, on a new one",
                "RFC 9112 §9.3.1",
            ),
            Event::RequestHead(head) => self.request_head(head),
            Event::RequestBody(bytes) => self.request_body(bytes),
            Event::Interim(head) => self.interim(head),
            Event::ResponseHead(head, decision) => self.response_head(head, decision),
            Event::ResponseBody(bytes) => self.response_body(bytes),
            Event::Kept { .. } => self.end(true),
            Event::Closed { .. } => self.end(false),
            _ => Ok(()),
        }
    }
}

fn framing_text(decision: Decision) -> String {
    match decision.framing {
        Framing::Length(length) => format!("Content-Length: {length}, so the body ends after that many bytes"),
        _ => decision.rule.text().to_string(),
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

/// Where the explanation is written to, and how.
#[derive(Debug)]
struct Page<W> {
    out: W,
    bytes: bool,
    colour: bool,
}

impl<W: Write> Page<W> {
    /// A line that travelled, and under it the remark.
    fn line(&mut self, side: char, line: &[u8], remark: &str, section: &str) -> io::Result<()> {
        let strong = if self.colour { "\x1b[1m" } else { "" };
        self.print(&format!("{side} {strong}"), &visible(line), if self.colour { "\x1b[0m" } else { "" })?;
        if remark.is_empty() { Ok(()) } else { self.remark(remark, section) }
    }

    fn remark(&mut self, remark: &str, section: &str) -> io::Result<()> {
        let dim = if self.colour { "\x1b[2m" } else { "" };
        for line in fold(&with_section(remark, section), WIDTH - 4) {
            self.print(&format!("    {dim}"), &line, if self.colour { "\x1b[0m" } else { "" })?;
        }
        Ok(())
    }

    fn decision(&mut self, text: &str, section: &str) -> io::Result<()> {
        let mut mark = "= ";
        let tint = if self.colour { "\x1b[36m" } else { "" };
        for line in fold(&with_section(text, section), WIDTH - 2) {
            self.print(&format!("{tint}{mark}"), &line, if self.colour { "\x1b[0m" } else { "" })?;
            mark = "  ";
        }
        Ok(())
    }

    /// With `--explain=bytes`: 16 bytes a line, with the offset of the first from the start of the message.
    fn hex(&mut self, side: char, bytes: &[u8], from: usize) -> io::Result<()> {
        let bytes = if self.bytes { bytes } else { &[] };
        for (n, row) in bytes.chunks(16).enumerate() {
            let mut text = format!("{:06x} ", from + n * 16);
            for byte in row {
                text.push_str(&format!(" {byte:02x}"));
            }
            let text = format!("{text:<56} {}", row.iter().map(|&b| graphic(b)).collect::<String>());
            self.print(&format!("{side} "), &text, "")?;
        }
        Ok(())
    }

    fn print(&mut self, before: &str, text: &str, after: &str) -> io::Result<()> {
        self.out.write_all(format!("{before}{text}{after}\n").as_bytes())
    }
}

/// The section's words stay together on one line: U+00A0 is no place to fold.
fn with_section(text: &str, section: &str) -> String {
    if section.is_empty() { text.to_string() } else { format!("{text} ·\u{a0}{}", section.replace(' ', "\u{a0}")) }
}

fn graphic(byte: u8) -> char {
    if byte.is_ascii_graphic() || byte == b' ' { byte as char } else { '.' }
}

/// The bytes as text that no terminal obeys: CR LF as `\r\n`, other controls and what is not UTF-8 as `\xNN`.
fn visible(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\r' => text.push_str("\\r"),
                '\n' => text.push_str("\\n"),
                '\t' => text.push_str("\\t"),
                c if c.is_control() => c.to_string().bytes().for_each(|b| text.push_str(&format!("\\x{b:02x}"))),
                c => text.push(c),
            }
        }
        chunk.invalid().iter().for_each(|b| text.push_str(&format!("\\x{b:02x}")));
    }
    text
}

/// Lines of at most `width` characters, broken at spaces.
fn fold(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let room = lines[last].chars().count() + 1 + word.chars().count() <= width;
        match lines[last].is_empty() {
            true => lines[last].push_str(word),
            false if room => {
                lines[last].push(' ');
                lines[last].push_str(word);
            }
            false => lines.push(word.to_string()),
        }
    }
    lines.iter().map(|line| line.replace('\u{a0}', " ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_comes_through() {
        assert_eq!(visible(b"a\x1b[2Jb\xff\xc2\x9b\t\r\n"), "a\\x1b[2Jb\\xff\\xc2\\x9b\\t\\r\\n");
        assert_eq!(visible("ü".as_bytes()), "ü");
    }

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(masked(b"Authorization: Basic dTpw\r\n", "authorization"), b"Authorization: Basic ***\r\n");
        assert_eq!(masked(b"X-Registry-Auth: e30=\r\n", "x-registry-auth"), b"X-Registry-Auth: ***\r\n");
        assert_eq!(masked(b"Host: localhost\r\n", "host"), b"Host: localhost\r\n");
    }

    #[test]
    fn text_is_folded_at_spaces() {
        assert_eq!(fold("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(fold("aaaaaaa b", 5), ["aaaaaaa", "b"]);
    }
}
