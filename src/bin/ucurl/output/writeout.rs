//! `-w`: a text with variables, written after each transfer.
//!
//! ```text
//! %{NAME}  a variable        %header{NAME}  a field of the last response     %%  a percent sign
//! \n \r \t                   as in C
//! %{stdout} %{stderr}        where the rest goes
//! %{onerror}                 the rest only if the transfer failed
//! ```

use crate::output::meter::speed;
use crate::output::trace::ExchangeFacts;
use std::fs::File;
use std::io::Write as _;
use std::mem;
use std::path::PathBuf;
use std::time::Duration;
use unix_http::wire::{Fields, Version};

/// The facts about a transfer that is over.
#[derive(Default, Debug)]
pub struct TransferInfo {
    pub content_type: Option<Vec<u8>>,
    pub error: Option<String>,
    pub exit: u8,
    pub file: Option<PathBuf>,
    pub response_code: u16,
    pub http_version: Option<Version>,
    /// As in curl, the path of a Unix socket; the port is that of the URL then.
    pub remote_ip: String,
    pub remote_port: u16,
    /// Of a TCP connection.
    pub local_ip: String,
    pub local_port: u16,
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
    /// The fields of the last head.
    pub headers: Fields,
}

enum Variable<'i> {
    Text(Option<&'i [u8]>),
    Number(u64),
    /// At least three digits.
    Status(u16),
    Time(Duration),
}

impl TransferInfo {
    /// Returns all variables in the order of `%{json}`.
    fn variables(&self) -> [(&'static str, Variable<'_>); 40] {
        use Variable::{Number, Status, Text, Time};
        let micros = self.time_total.as_micros() as u64;
        let ExchangeFacts { connects, request_bytes, upload_bytes, .. } = self.facts;
        let connected = self.facts.connected.unwrap_or_default();
        let answered = self.facts.answered.unwrap_or_default();
        let file = self.file.as_ref().map(|name| name.as_os_str().as_encoded_bytes());
        let http_version: &[u8] = match self.http_version {
            None => b"0",
            Some(Version::Http10) => b"1",
            Some(Version::Http11) => b"1.1",
        };
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
            ("http_version", Text(Some(http_version))),
            ("local_ip", Text(Some(self.local_ip.as_bytes()))),
            ("local_port", Number(self.local_port.into())),
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
            // curl on a Unix socket has these times too.
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
            let before = if at == 0 { '{' } else { ',' };
            _ = write!(out, "{before}\"{name}\":");
            match value {
                Variable::Text(Some(text)) => json_text(out, text),
                Variable::Text(None) => out.extend(b"null"),
                Variable::Status(status) => _ = write!(out, "{status}"),
                value => value.write(out),
            }
        }
        _ = write!(out, ",\"curl_version\":\"ucurl/{}\"}}", env!("CARGO_PKG_VERSION"));
    }

    fn header_json(&self, out: &mut Vec<u8>) {
        let mut before = "{";
        for (at, name) in self.headers.iter().map(|field| field.name()).enumerate() {
            // The first field of a name lists the values of all.
            if self.headers.iter().take(at).any(|field| field.name().eq_ignore_ascii_case(name)) {
                continue;
            }
            out.extend(before.bytes());
            json_text(out, name.to_ascii_lowercase().as_bytes());
            before = ":[";
            for field in self.headers.get_all(name) {
                out.extend(before.bytes());
                json_text(out, field.value());
                before = ",";
            }
            out.push(b']');
            before = ",\n";
        }
        out.extend(if self.headers.is_empty() { "{\n}" } else { "\n}" }.bytes());
    }
}

impl Variable<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        _ = match self {
            Variable::Text(text) => out.write_all(text.unwrap_or_default()),
            Variable::Number(number) => write!(out, "{number}"),
            Variable::Status(status) => write!(out, "{status:03}"),
            Variable::Time(time) => write!(out, "{}.{:06}", time.as_secs(), time.subsec_micros()),
        };
    }
}

/// Writes a JSON string. Bytes that are not UTF-8 stay as they are, as in curl.
fn json_text(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for &byte in text {
        _ = match byte {
            b'\\' | b'"' => out.write_all(&[b'\\', byte]),
            0x08 => out.write_all(b"\\b"),
            0x0c => out.write_all(b"\\f"),
            b'\n' => out.write_all(b"\\n"),
            b'\r' => out.write_all(b"\\r"),
            b'\t' => out.write_all(b"\\t"),
            0..0x20 => write!(out, "\\u{byte:04x}"),
            _ => out.write_all(&[byte]),
        };
    }
    out.push(b'"');
}

/// Writes a format for a transfer.
pub fn write(format: &[u8], info: &TransferInfo, stdout: &File, stderr: &File) {
    let mut writer = Writer { info, stdout, stderr, out: stdout, text: Vec::new() };
    let mut rest = format;
    while let Some(next) = writer.next(rest) {
        rest = next;
    }
    writer.turn_to(stdout);
}

struct Writer<'i> {
    info: &'i TransferInfo,
    stdout: &'i File,
    /// stderr, or the file of `--stderr`.
    stderr: &'i File,
    out: &'i File,
    /// Pending output.
    text: Vec<u8>,
}

impl<'i> Writer<'i> {
    fn turn_to(&mut self, out: &'i File) {
        _ = { self.out }.write_all(&mem::take(&mut self.text));
        self.out = out;
    }

    /// Writes the first item of the format and returns the rest, if there is any.
    fn next<'f>(&mut self, format: &'f [u8]) -> Option<&'f [u8]> {
        for (start, is_field) in [(&b"%{"[..], false), (b"%header{", true)] {
            let Some(inner) = format.strip_prefix(start) else { continue };
            let Some(end) = inner.iter().position(|&byte| byte == b'}') else {
                self.text.extend(start);
                return Some(inner);
            };
            let name = String::from_utf8_lossy(&inner[..end]);
            if is_field {
                self.text.extend(self.info.headers.get(&name).unwrap_or_default());
            } else {
                self.variable(&name.to_ascii_lowercase())?;
            }
            return Some(&inner[end + 1..]);
        }
        let (plain, used): (&[u8], usize) = match format {
            [] => return None,
            [b'%', b'%', ..] => (b"%", 2),
            [b'\\', b'n', ..] => (b"\n", 2),
            [b'\\', b'r', ..] => (b"\r", 2),
            [b'\\', b't', ..] => (b"\t", 2),
            [b'%' | b'\\', _, ..] => (&format[..2], 2),
            _ => (&format[..1], 1),
        };
        self.text.extend(plain);
        Some(&format[used..])
    }

    /// Writes a variable. `None` ends the text.
    fn variable(&mut self, name: &str) -> Option<()> {
        match name {
            "onerror" if self.info.exit == 0 => return None,
            "onerror" => {}
            "stdout" => self.turn_to(self.stdout),
            "stderr" => self.turn_to(self.stderr),
            "json" => self.info.json(&mut self.text),
            "header_json" => self.info.header_json(&mut self.text),
            name => match self.info.variables().iter().find(|(known, _)| *known == name) {
                Some((_, value)) => value.write(&mut self.text),
                None => {
                    self.turn_to(self.out);
                    let text = format!("ucurl: unknown --write-out variable: '{name}'\n");
                    let mut stderr = self.stderr;
                    _ = stderr.write_all(text.as_bytes());
                }
            },
        }
        Some(())
    }
}
