//! `-w`: a text with variables, written after each transfer.
//!
//! ```text
//! %{NAME}  a variable        %header{NAME}  a field of the last response     %%  a percent sign
//! \n \r \t                   as in C
//! %{stdout} %{stderr}        where the rest goes
//! %{onerror}                 the rest only if the transfer failed
//! ```

use crate::output::failure::Failure;
use crate::output::progress::speed;
use crate::output::trace::ExchangeFacts;
use std::path::PathBuf;
use std::time::Duration;

/// What is known of a transfer when it is over.
#[derive(Default, Debug)]
pub struct TransferInfo {
    pub content_type: Option<Vec<u8>>,
    pub error: Option<String>,
    pub exit: u8,
    pub file: Option<PathBuf>,
    pub response_code: u16,
    /// `1.1`, `1`, or `0` before there was a response.
    pub http_version: &'static str,
    /// With a Unix socket this is its path, and the port is that of the URL, as in curl.
    pub remote_ip: String,
    pub remote_port: u16,
    pub method: Vec<u8>,
    pub num_redirects: u64,
    pub redirect_url: Option<Vec<u8>>,
    pub referer: Option<Vec<u8>>,
    pub size_download: u64,
    pub size_header: u64,
    pub time_redirect: Duration,
    pub time_total: Duration,
    pub url: Vec<u8>,
    pub url_effective: Vec<u8>,
    pub urlnum: usize,
    pub facts: ExchangeFacts,
    /// The fields of the last head, in order.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Where a piece of the text goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OutputStream {
    Stdout,
    Stderr,
}

enum Variable<'i> {
    Text(Option<&'i [u8]>),
    Number(u64),
    /// At least three digits.
    Status(u16),
    Time(Duration),
}

impl TransferInfo {
    /// For a URL that cannot be requested.
    pub fn of_no_transfer(url: &[u8], failure: &Failure) -> TransferInfo {
        TransferInfo {
            error: Some(failure.text.clone()),
            exit: failure.exit as u8,
            http_version: "0",
            method: b"GET".to_vec(),
            url_effective: url.to_vec(),
            ..TransferInfo::default()
        }
    }

    /// All variables, sorted as `%{json}` shows them.
    fn variables(&self) -> [(&'static str, Variable<'_>); 40] {
        use Variable::{Number, Status, Text, Time};
        let micros = self.time_total.as_micros() as u64;
        let ExchangeFacts { connects, request_bytes, upload_bytes, .. } = self.facts;
        let connected = self.facts.connected.unwrap_or_default();
        let answered = self.facts.answered.unwrap_or_default();
        let file = self.file.as_ref().map(|name| name.as_os_str().as_encoded_bytes());
        let scheme = self.facts.connected.map(|_| &b"HTTP"[..]);
        [
            ("certs", Text(Some(b""))),
            ("content_type", Text(self.content_type.as_deref())),
            ("errormsg", Text(self.error.as_deref().map(str::as_bytes))),
            ("exitcode", Number(self.exit.into())),
            ("filename_effective", Text(file)),
            ("ftp_entry_path", Text(None)),
            ("http_code", Status(self.response_code)),
            ("http_connect", Status(0)),
            ("http_version", Text(Some(self.http_version.as_bytes()))),
            ("local_ip", Text(Some(b""))),
            ("local_port", Number(0)),
            ("method", Text(Some(&self.method))),
            ("num_certs", Number(0)),
            ("num_connects", Number(connects)),
            ("num_headers", Number(self.headers.len() as u64)),
            ("num_redirects", Number(self.num_redirects)),
            ("proxy_ssl_verify_result", Number(0)),
            ("redirect_url", Text(self.redirect_url.as_deref())),
            ("referer", Text(self.referer.as_deref())),
            ("remote_ip", Text(Some(self.remote_ip.as_bytes()))),
            ("remote_port", Number(self.remote_port.into())),
            ("response_code", Status(self.response_code)),
            ("scheme", Text(scheme)),
            ("size_download", Number(self.size_download)),
            ("size_header", Number(self.size_header)),
            ("size_request", Number(request_bytes + upload_bytes)),
            ("size_upload", Number(upload_bytes)),
            ("speed_download", Number(speed(self.size_download, micros))),
            ("speed_upload", Number(speed(upload_bytes, micros))),
            ("ssl_verify_result", Number(0)),
            // Nothing is looked up and no TLS is spoken: curl on a Unix socket has these times too.
            ("time_appconnect", Time(Duration::ZERO)),
            ("time_connect", Time(connected)),
            ("time_namelookup", Time(connected.min(Duration::from_micros(1)))),
            ("time_pretransfer", Time(connected)),
            ("time_redirect", Time(self.time_redirect)),
            ("time_starttransfer", Time(answered)),
            ("time_total", Time(self.time_total)),
            ("url", Text(Some(&self.url))),
            ("url_effective", Text(Some(&self.url_effective))),
            ("urlnum", Number(self.urlnum as u64)),
        ]
    }

    fn json(&self, out: &mut Vec<u8>) {
        for (at, (name, value)) in self.variables().into_iter().enumerate() {
            out.push(if at == 0 { b'{' } else { b',' });
            out.extend_from_slice(format!("\"{name}\":").as_bytes());
            match value {
                Variable::Text(Some(text)) => json_text(out, text),
                Variable::Text(None) => out.extend_from_slice(b"null"),
                Variable::Status(status) => out.extend_from_slice(status.to_string().as_bytes()),
                value => value.write(out),
            }
        }
        out.extend_from_slice(
            concat!(",\"curl_version\":\"ucurl/", env!("CARGO_PKG_VERSION"), "\"}").as_bytes(),
        );
    }

    fn header_json(&self, out: &mut Vec<u8>) {
        let mut before: &[u8] = b"{";
        for (at, (name, _)) in self.headers.iter().enumerate() {
            let same = |(other, _): &&(Vec<u8>, Vec<u8>)| other.eq_ignore_ascii_case(name);
            // The first field of a name lists the values of all.
            if self.headers[..at].iter().any(|other| same(&other)) {
                continue;
            }
            out.extend_from_slice(before);
            json_text(out, &name.to_ascii_lowercase());
            before = b":[";
            for (_, value) in self.headers.iter().filter(same) {
                out.extend_from_slice(before);
                json_text(out, value);
                before = b",";
            }
            out.push(b']');
            before = b",\n";
        }
        out.extend_from_slice(if self.headers.is_empty() { b"{\n}" } else { b"\n}" });
    }
}

impl Variable<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Variable::Text(text) => out.extend_from_slice(text.unwrap_or_default()),
            Variable::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Variable::Status(status) => out.extend_from_slice(format!("{status:03}").as_bytes()),
            Variable::Time(time) => {
                let (seconds, micros) = (time.as_secs(), time.subsec_micros());
                out.extend_from_slice(format!("{seconds}.{micros:06}").as_bytes());
            }
        }
    }
}

/// A JSON string of bytes that need not be UTF-8: they stay as they are, as in curl.
fn json_text(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for &byte in text {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', byte]),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// The text in pieces, each with its stream.
struct Rendered<'i> {
    info: &'i TransferInfo,
    pieces: Vec<(OutputStream, Vec<u8>)>,
    stream: OutputStream,
    stopped: bool,
}

/// Renders a format.
pub fn render(format: &[u8], info: &TransferInfo) -> Vec<(OutputStream, Vec<u8>)> {
    let stream = OutputStream::Stdout;
    let mut rendered = Rendered { info, pieces: Vec::new(), stream, stopped: false };
    let mut rest = format;
    while let Some(next) = rendered.next(rest).filter(|_| !rendered.stopped) {
        rest = next;
    }
    rendered.pieces
}

impl Rendered<'_> {
    fn push(&mut self, bytes: &[u8]) {
        match self.pieces.last_mut() {
            Some((stream, piece)) if *stream == self.stream => piece.extend_from_slice(bytes),
            _ => self.pieces.push((self.stream, bytes.to_vec())),
        }
    }

    /// Renders what stands first in the format, and returns the rest.
    fn next<'f>(&mut self, format: &'f [u8]) -> Option<&'f [u8]> {
        let (&first, after) = format.split_first()?;
        if first == b'%' {
            for (start, is_field) in [(&b"{"[..], false), (b"header{", true)] {
                let Some(inner) = after.strip_prefix(start) else { continue };
                let Some(end) = inner.iter().position(|&byte| byte == b'}') else {
                    self.push(&format[..1 + start.len()]);
                    return Some(inner);
                };
                if is_field {
                    self.field(&inner[..end])
                } else {
                    self.variable(&inner[..end])
                }
                return Some(&inner[end + 1..]);
            }
        }
        let plain: &[u8] = match (first, after.first()) {
            (b'%', Some(b'%')) => b"%",
            (b'\\', Some(b'n')) => b"\n",
            (b'\\', Some(b'r')) => b"\r",
            (b'\\', Some(b't')) => b"\t",
            (b'%' | b'\\', Some(_)) => &format[..2],
            _ => {
                self.push(&[first]);
                return Some(after);
            }
        };
        self.push(plain);
        Some(&after[1..])
    }

    fn field(&mut self, name: &[u8]) {
        let found = self.info.headers.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
        if let Some((_, value)) = found {
            self.push(value);
        }
    }

    fn variable(&mut self, name: &[u8]) {
        let (info, mut out) = (self.info, Vec::new());
        match &*String::from_utf8_lossy(name).to_ascii_lowercase() {
            "onerror" => self.stopped = info.exit == 0,
            "stdout" => self.stream = OutputStream::Stdout,
            "stderr" => self.stream = OutputStream::Stderr,
            "json" => info.json(&mut out),
            "header_json" => info.header_json(&mut out),
            name => match info.variables().iter().find(|(known, _)| *known == name) {
                Some((_, value)) => value.write(&mut out),
                None => {
                    let line = format!("ucurl: unknown --write-out variable: '{name}'\n");
                    self.pieces.push((OutputStream::Stderr, line.into_bytes()));
                }
            },
        }
        self.push(&out);
    }
}
