//! `-w`: a text with variables, written after each transfer.
//!
//! ```text
//! %{NAME}  a variable        %header{NAME}  a field of the last response     %%  a percent sign
//! \n \r \t                   as in C
//! %{stdout} %{stderr}        where the rest goes
//! %{onerror}                 the rest only when the transfer failed
//! ```

use crate::fetch::failure::Failure;
use std::time::Duration;

/// What a transfer has to tell when it is over.
#[derive(Default, Debug)]
pub struct Info {
    pub content_type: Option<Vec<u8>>,
    pub error: Option<String>,
    pub exit: u8,
    pub file: Option<Vec<u8>>,
    pub response_code: u16,
    /// `1.1`, `1`, or `0` before there was a response.
    pub http_version: &'static str,
    /// Of a Unix socket `remote_ip` is the path, and the port is the URL's: so it is in curl.
    pub local_ip: Vec<u8>,
    pub local_port: u16,
    pub remote_ip: Vec<u8>,
    pub remote_port: u16,
    /// Known once there was a connection.
    pub scheme: Option<&'static str>,
    pub method: Vec<u8>,
    pub num_connects: u64,
    pub num_headers: u64,
    pub num_redirects: u64,
    pub redirect_url: Option<Vec<u8>>,
    pub referer: Option<Vec<u8>>,
    pub size_download: u64,
    pub size_header: u64,
    pub size_request: u64,
    pub size_upload: u64,
    pub speed_download: u64,
    pub speed_upload: u64,
    pub time_connect: Duration,
    pub time_pretransfer: Duration,
    pub time_starttransfer: Duration,
    pub time_redirect: Duration,
    pub time_total: Duration,
    pub url: Vec<u8>,
    pub url_effective: Vec<u8>,
    pub urlnum: usize,
    /// The fields of the last head, in order.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Info {
    /// Of a URL that cannot be asked for.
    pub fn of_no_transfer(url: &[u8], urlnum: usize, failure: &Failure) -> Info {
        Info {
            error: Some(failure.text.clone()),
            exit: failure.exit as u8,
            http_version: "0",
            method: b"GET".to_vec(),
            url: url.to_vec(),
            url_effective: url.to_vec(),
            urlnum,
            ..Info::default()
        }
    }
}

/// Where a piece of the text goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum To {
    Stdout,
    Stderr,
}

/// A variable's value.
enum Value<'i> {
    Text(Option<&'i [u8]>),
    /// As many digits at least.
    Number(u64, usize),
    Time(Duration),
}

/// All variables that have a value, sorted as `%{json}` shows them.
static NAMES: &str = "certs content_type errormsg exitcode filename_effective ftp_entry_path http_code http_connect \
http_version local_ip local_port method num_certs num_connects num_headers num_redirects proxy_ssl_verify_result \
redirect_url referer remote_ip remote_port response_code scheme size_download size_header size_request size_upload \
speed_download speed_upload ssl_verify_result time_appconnect time_connect time_namelookup time_pretransfer \
time_redirect time_starttransfer time_total url url_effective urlnum";

impl Info {
    fn value(&self, name: &str) -> Value<'_> {
        match name {
            "content_type" => Value::Text(self.content_type.as_deref()),
            "errormsg" => Value::Text(self.error.as_deref().map(str::as_bytes)),
            "exitcode" => Value::Number(u64::from(self.exit), 1),
            "filename_effective" => Value::Text(self.file.as_deref()),
            "http_code" | "response_code" => Value::Number(u64::from(self.response_code), 3),
            "http_connect" => Value::Number(0, 3),
            "http_version" => Value::Text(Some(self.http_version.as_bytes())),
            "local_ip" => Value::Text(Some(&self.local_ip)),
            "local_port" => Value::Number(self.local_port.into(), 1),
            "remote_ip" => Value::Text(Some(&self.remote_ip)),
            "remote_port" => Value::Number(self.remote_port.into(), 1),
            "method" => Value::Text(Some(&self.method)),
            "num_connects" => Value::Number(self.num_connects, 1),
            "num_headers" => Value::Number(self.num_headers, 1),
            "num_redirects" => Value::Number(self.num_redirects, 1),
            "num_certs" | "proxy_ssl_verify_result" | "ssl_verify_result" => Value::Number(0, 1),
            "redirect_url" => Value::Text(self.redirect_url.as_deref()),
            "referer" => Value::Text(self.referer.as_deref()),
            "scheme" => Value::Text(self.scheme.map(str::as_bytes)),
            "size_download" => Value::Number(self.size_download, 1),
            "size_header" => Value::Number(self.size_header, 1),
            "size_request" => Value::Number(self.size_request, 1),
            "size_upload" => Value::Number(self.size_upload, 1),
            "speed_download" => Value::Number(self.speed_download, 1),
            "speed_upload" => Value::Number(self.speed_upload, 1),
            "time_connect" => Value::Time(self.time_connect),
            // Nothing is looked up and no TLS is spoken: curl on a Unix socket has these times too.
            "time_namelookup" => Value::Time(self.time_connect.min(Duration::from_micros(1))),
            "time_appconnect" => Value::Time(Duration::ZERO),
            "time_pretransfer" => Value::Time(self.time_pretransfer),
            "time_redirect" => Value::Time(self.time_redirect),
            "time_starttransfer" => Value::Time(self.time_starttransfer),
            "time_total" => Value::Time(self.time_total),
            "url" => Value::Text(Some(&self.url)),
            "url_effective" => Value::Text(Some(&self.url_effective)),
            "urlnum" => Value::Number(self.urlnum as u64, 1),
            "certs" => Value::Text(Some(b"")),
            _ => Value::Text(None),
        }
    }

    fn write(&self, out: &mut Vec<u8>, name: &str, json: bool) {
        if json {
            out.extend_from_slice(b"\"");
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
        }
        match self.value(name) {
            Value::Text(Some(text)) if json => json_text(out, text, false),
            Value::Text(Some(text)) => out.extend_from_slice(text),
            Value::Text(None) if json => out.extend_from_slice(b"null"),
            Value::Text(None) => {}
            Value::Number(number, digits) => {
                let width = if json { 1 } else { digits };
                out.extend_from_slice(format!("{number:0width$}").as_bytes());
            }
            Value::Time(time) => {
                out.extend_from_slice(
                    format!("{}.{:06}", time.as_secs(), time.subsec_micros()).as_bytes(),
                );
            }
        }
    }

    fn json(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for name in NAMES.split(' ') {
            self.write(out, name, true);
            out.push(b',');
        }
        out.extend_from_slice(
            concat!("\"curl_version\":\"ucurl/", env!("CARGO_PKG_VERSION"), "\"}").as_bytes(),
        );
    }

    fn header_json(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for (at, (name, _)) in self.headers.iter().enumerate() {
            let same = |(other, _): &&(Vec<u8>, Vec<u8>)| other.eq_ignore_ascii_case(name);
            // The second of two is in the first one's list.
            if self.headers[..at].iter().any(|other| same(&other)) {
                continue;
            }
            if at > 0 {
                out.extend_from_slice(b",\n");
            }
            json_text(out, name, true);
            out.extend_from_slice(b":[");
            for (number, (_, value)) in self.headers.iter().filter(same).enumerate() {
                if number > 0 {
                    out.push(b',');
                }
                json_text(out, value, false);
            }
            out.push(b']');
        }
        out.extend_from_slice(b"\n}");
    }
}

fn json_text(out: &mut Vec<u8>, text: &[u8], small: bool) {
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
            _ if small => out.push(byte.to_ascii_lowercase()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// Writes a format out: pieces and where each goes.
pub fn render(format: &[u8], info: &Info) -> Vec<(To, Vec<u8>)> {
    let mut pieces = vec![(To::Stdout, Vec::new())];
    let mut rest = format;
    while let Some((&byte, after)) = rest.split_first() {
        let last = pieces.len() - 1;
        let out = &mut pieces[last].1;
        rest = after;
        match (byte, after) {
            (b'%', [b'%', after @ ..]) => {
                out.push(b'%');
                rest = after;
            }
            (b'%', [b'{', name @ ..]) => {
                let Some(end) = name.iter().position(|&byte| byte == b'}') else {
                    out.extend_from_slice(b"%{");
                    rest = name;
                    continue;
                };
                rest = &name[end + 1..];
                let name = String::from_utf8_lossy(&name[..end]).to_ascii_lowercase();
                match &*name {
                    "onerror" if info.exit == 0 => break,
                    "onerror" => {}
                    "stdout" => pieces.push((To::Stdout, Vec::new())),
                    "stderr" => pieces.push((To::Stderr, Vec::new())),
                    "json" => info.json(out),
                    "header_json" => info.header_json(out),
                    name if NAMES.split(' ').any(|known| known == name) => {
                        info.write(out, name, false)
                    }
                    name => {
                        let line = ["ucurl: unknown --write-out variable: '", name, "'\n"].concat();
                        let to = pieces[last].0;
                        pieces.push((To::Stderr, line.into_bytes()));
                        pieces.push((to, Vec::new()));
                    }
                }
            }
            (b'%', after) if after.starts_with(b"header{") => {
                let name = &after[7..];
                let Some(end) = name.iter().position(|&byte| byte == b'}') else {
                    out.extend_from_slice(b"%header{");
                    rest = name;
                    continue;
                };
                rest = &name[end + 1..];
                let field =
                    info.headers.iter().find(|(field, _)| field.eq_ignore_ascii_case(&name[..end]));
                out.extend_from_slice(field.map_or(b"", |(_, value)| value));
            }
            (b'%', [other, after @ ..]) => {
                out.extend_from_slice(&[b'%', *other]);
                rest = after;
            }
            (b'\\', [letter, after @ ..]) => {
                match letter {
                    b'n' => out.push(b'\n'),
                    b'r' => out.push(b'\r'),
                    b't' => out.push(b'\t'),
                    _ => out.extend_from_slice(&[b'\\', *letter]),
                }
                rest = after;
            }
            (byte, _) => out.push(byte),
        }
    }
    pieces.retain(|(_, text)| !text.is_empty());
    pieces
}
