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
use std::borrow::Cow;
use std::collections::BTreeSet;
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

    /// Returns the text of a variable.
    fn variable(&self, name: &str) -> Option<Vec<u8>> {
        match name {
            "json" => Some(self.json()),
            "header_json" => Some(self.header_json()),
            _ => Some(self.variables().iter().find(|(known, _)| *known == name)?.1.shown()),
        }
    }

    fn json(&self) -> Vec<u8> {
        let members = self.variables().map(|(name, value)| {
            let value = match value {
                Variable::Text(Some(text)) => json_string(text),
                Variable::Text(None) => b"null".to_vec(),
                Variable::Status(status) => status.to_string().into_bytes(),
                value => value.shown(),
            };
            [b"\"", name.as_bytes(), b"\":", &value].concat()
        });
        let version = concat!(",\"curl_version\":\"ucurl/", env!("CARGO_PKG_VERSION"), "\"}");
        [b"{", &members.join(&b',')[..], version.as_bytes()].concat()
    }

    /// Lists the values of all fields of a name at the first of them.
    fn header_json(&self) -> Vec<u8> {
        let names = self.headers.iter().map(|field| field.name().to_ascii_lowercase());
        let mut names: Vec<String> = names.collect();
        let mut known = BTreeSet::new();
        names.retain(|name| known.insert(name.clone()));
        let member = |name: &String| {
            let values = self.headers.get_all(name).map(|field| json_string(field.value()));
            let values = values.collect::<Vec<_>>().join(&b',');
            [&json_string(name.as_bytes()), &b":["[..], &values, b"]"].concat()
        };
        let members: Vec<_> = names.iter().map(member).collect();
        [b"{", &members.join(&b",\n"[..])[..], b"\n}"].concat()
    }
}

impl Variable<'_> {
    fn shown(&self) -> Vec<u8> {
        match self {
            Variable::Text(text) => text.unwrap_or_default().to_vec(),
            Variable::Number(number) => number.to_string().into_bytes(),
            Variable::Status(status) => format!("{status:03}").into_bytes(),
            Variable::Time(time) => {
                format!("{}.{:06}", time.as_secs(), time.subsec_micros()).into_bytes()
            }
        }
    }
}

/// Returns a JSON string. Bytes that are not UTF-8 stay as they are, as in curl.
fn json_string(text: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for &byte in text {
        match byte {
            b'\\' | b'"' => out.extend([b'\\', byte]),
            0x08 => out.extend(b"\\b"),
            0x0c => out.extend(b"\\f"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            0..0x20 => out.extend(format!("\\u{byte:04x}").bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
    out
}

/// Writes a format for a transfer. `stderr` may be the file of `--stderr`.
pub fn write(format: &[u8], info: &TransferInfo, stdout: &File, stderr: &File) {
    let (mut out, mut text, mut rest) = (stdout, Vec::new(), format);
    while !rest.is_empty() {
        if let Some((name, after)) = braced(rest, b"%header{") {
            text.extend(info.headers.get(&name).unwrap_or_default());
            rest = after;
        } else if let Some((name, after)) = braced(rest, b"%{") {
            rest = after;
            match &*name.to_ascii_lowercase() {
                "onerror" if info.exit == 0 => break,
                "onerror" => {}
                "stdout" => flush(mem::replace(&mut out, stdout), &mut text),
                "stderr" => flush(mem::replace(&mut out, stderr), &mut text),
                name => {
                    let value = info.variable(name);
                    if value.is_none() {
                        flush(out, &mut text);
                        let unknown = format!("ucurl: unknown --write-out variable: '{name}'\n");
                        flush(stderr, &mut unknown.into_bytes());
                    }
                    text.extend(value.unwrap_or_default());
                }
            }
        } else {
            let (plain, used): (&[u8], usize) = match rest {
                [b'%', b'%', ..] => (b"%", 2),
                [b'\\', b'n', ..] => (b"\n", 2),
                [b'\\', b'r', ..] => (b"\r", 2),
                [b'\\', b't', ..] => (b"\t", 2),
                [b'%' | b'\\', _, ..] => (&rest[..2], 2),
                _ => (&rest[..1], 1),
            };
            text.extend(plain);
            rest = &rest[used..];
        }
    }
    flush(out, &mut text);
}

/// Returns the name between `start` and the next brace, and the text after it.
fn braced<'f>(format: &'f [u8], start: &[u8]) -> Option<(Cow<'f, str>, &'f [u8])> {
    let inner = format.strip_prefix(start)?;
    let end = inner.iter().position(|&byte| byte == b'}')?;
    Some((String::from_utf8_lossy(&inner[..end]), &inner[end + 1..]))
}

fn flush(mut out: &File, text: &mut Vec<u8>) {
    _ = out.write_all(&mem::take(text));
}
