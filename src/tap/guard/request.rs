//! A request as a guard reads it: what two readers could read in two ways is refused.
//!
//! dockerd takes more than it has to. It routes `/%63ontainers` and `/v0001.41`, reads a form as a
//! query, and finds a member of a JSON body in any case, with U+017F for `s` and U+212A for `k`. It
//! merges members that come twice and ignores what follows the first value. None of it passes:
//!
//! ```text
//! target  = [ "/v" number "." number [ "." number ] ] 1*( "/" segment ) [ "?" query ]
//! number  = "0" / ( %x31-39 *2DIGIT )                    ; together 1.24 or later
//! segment = 1*( unreserved / sub-delims / ":" / "@" )    ; not "." or "..", no "*" and no ";"
//! body    = JSON-text                   ; an object; names in ASCII that differ in any case
//! ```

use super::facts::{self, Fact, MOST};
use super::glob::Glob;
use crate::base::number::decimal;
use crate::base::percent;
use crate::json::Value;
use crate::wire::{Decision, Fields, Framing, RequestHead, encode_request, framing};
use std::error::Error;

/// The longest body that is read.
pub(super) const BODY_LIMIT: usize = 256 * 1024;

/// The fields that are passed on. The others frame or route a request: the guard writes them.
const FIELDS: [&str; 6] =
    ["Host", "User-Agent", "Accept", "Authorization", "X-Registry-Auth", "X-Registry-Config"];

/// A request that has one meaning.
#[derive(Debug)]
pub(super) struct ApiRequest {
    pub method: String,
    /// The path with its API version.
    path: String,
    query: Vec<(String, String)>,
    /// The JSON body, written anew.
    body: String,
    /// What a rule has to allow: query parameters, then members of the body.
    pub facts: Vec<Fact>,
    /// Whether the body is not read.
    pub archive: bool,
    /// Whether the client asks for a raw connection.
    pub upgrade: bool,
}

impl ApiRequest {
    /// Reads a request, or says why it could be read in two ways. Without `content`, or with
    /// content that is no JSON, its body is an archive.
    pub fn read(head: &RequestHead, content: Option<&[u8]>) -> Result<ApiRequest, String> {
        let target = head.target();
        let end = target.iter().position(|&b| b == b'?').unwrap_or(target.len());
        let path = String::from_utf8_lossy(&target[..end]).into_owned();
        let segments = api_path(&path)?;
        let tunnel = matches!(segments[..], ["containers", _, "attach"] | ["exec", _, "start"]);
        let mut upgrades = head.fields().get_all("Upgrade").peekable();
        let upgrade = upgrades.peek().is_some();
        let tcp = upgrades.all(|field| field.value().eq_ignore_ascii_case(b"tcp"));
        if upgrade && !(tcp && tunnel && head.method() == "POST")
            || matches!(segments[0], "session" | "grpc")
        {
            return Err("a protocol that is not that of attach or exec".into());
        }
        let query = read_query(target.get(end + 1..).unwrap_or_default())?;
        let set = query.iter().filter(|(_, v)| !["", "0", "false", "False"].contains(&v.as_str()));
        let fact = |(name, value): &(String, String)| Fact {
            key: vec![format!("?{name}")],
            value: value.clone(),
            is_inner: false,
        };
        let (mut facts, mut body) = (set.map(fact).collect(), String::new());
        let content = content.filter(|content| content.len() <= BODY_LIMIT);
        let json = content.filter(|c| c.trim_ascii_start().first().is_none_or(|b| *b == b'{'));
        if let Some(json @ [_, ..]) = json {
            let value = Value::parse(json).map_err(|error| format!("the body: {error}"))?;
            facts::add(&value, &mut vec![String::new()], true, &mut facts)?;
            body = value.to_string();
        }
        let (method, archive) = (head.method().to_owned(), json.is_none());
        Ok(ApiRequest { method, path, query, body, facts, archive, upgrade })
    }

    /// The path without its API version.
    pub fn path(&self) -> Vec<&str> {
        api_path(&self.path).unwrap_or_default()
    }

    /// Encodes the request for the engine, but for the body of an archive.
    pub fn encode(&self, head: &RequestHead) -> Result<Vec<u8>, Box<dyn Error>> {
        let mut target = self.path.clone();
        for ((name, value), n) in self.query.iter().zip(0..) {
            let [name, value] = [name, value].map(|text| percent::encode(text.as_bytes()));
            target += &format!("{}{name}={value}", if n == 0 { '?' } else { '&' });
        }
        let (mut out, mut fields) = (Vec::new(), Fields::new());
        for field in head.fields().iter().filter(|field| FIELDS.iter().any(|name| field.is(name))) {
            fields.push(field.name(), field.value())?;
        }
        let Decision { framing, persistent, .. } = framing::request(head)?;
        // dockerd reads a form as a query.
        if self.archive || !self.body.is_empty() {
            let json_or_tar = if self.archive { "application/x-tar" } else { "application/json" };
            fields.push("Content-Type", json_or_tar)?;
        }
        match (self.archive, framing) {
            (_, Framing::NoBody) => {}
            (true, Framing::Chunked) => fields.push("Transfer-Encoding", "chunked")?,
            (true, Framing::Length(length)) => fields.push_length(length),
            _ => fields.push_length(self.body.len() as u64),
        }
        if self.upgrade {
            fields.push("Connection", "Upgrade")?;
            fields.push("Upgrade", "tcp")?;
        } else if !persistent {
            fields.push("Connection", "close")?;
        }
        encode_request(&mut out, &self.method, target.as_bytes(), head.version(), &fields)?;
        out.extend_from_slice(self.body.as_bytes());
        Ok(out)
    }

    /// Returns the rule that allows this request and, but for ids, nothing else.
    pub fn needed_rule(&self) -> String {
        let path = self.path().into_iter().map(|segment| format!("/{}", Glob::of(segment)));
        let mut words = vec![self.method.clone(), path.collect()];
        for limit in self.facts.iter().map(Fact::to_string) {
            if !words.contains(&limit) {
                words.push(limit);
            }
        }
        words.join(" ") + if self.archive { " <" } else { "" }
    }
}

/// The segments of a path without its API version.
fn api_path(path: &str) -> Result<Vec<&str>, String> {
    let mut segments = segments(path)?;
    if api_version(segments[0]) {
        segments.remove(0);
    }
    match segments.first().map(|first| first.as_bytes()) {
        Some([b'v', b'0'..=b'9', ..]) => Err(format!("{path}: not an API version from 1.24 on")),
        Some(_) if !path.contains('*') => Ok(segments),
        _ => Err(format!("{path}: a path that names nothing")),
    }
}

/// Splits a path that has one reading.
pub(super) fn segments(path: &str) -> Result<Vec<&str>, String> {
    let rest = path.strip_prefix('/').ok_or_else(|| format!("{path}: a path begins with /"))?;
    let plain = |byte: u8| percent::is_unreserved(byte) || b"!$&'()*+,=:@".contains(&byte);
    let clear = |name: &&str| !["", ".", ".."].contains(name) && name.bytes().all(plain);
    let segments: Vec<&str> = rest.split('/').collect();
    if segments.iter().all(clear) {
        return Ok(segments);
    }
    Err(format!("{path}: a path that can be read in two ways"))
}

/// Whether a segment is an API version as clients write it. Before 1.24, a start took a HostConfig.
pub(super) fn api_version(segment: &str) -> bool {
    let number = |text: &str| {
        let canonical = text.len() < 4 && (text == "0" || !text.starts_with('0'));
        decimal(text.as_bytes()).filter(|_| canonical)
    };
    let numbers = segment.strip_prefix('v').and_then(|v| v.split('.').map(number).collect());
    let numbers: Vec<u64> = numbers.unwrap_or_default();
    matches!(numbers[..], [1, 24..=999] | [2..=999, _] | [2..=999, _, _])
}

/// Decodes `name=value&…` as Go does, but for what its versions read in different ways.
fn read_query(query: &[u8]) -> Result<Vec<(String, String)>, String> {
    let decode = |text: &[u8]| {
        let spaced: Vec<u8> = text.iter().map(|&b| if b == b'+' { b' ' } else { b }).collect();
        percent::decode(&spaced).and_then(|bytes| String::from_utf8(bytes).ok())
    };
    let pair = |pair: &[u8]| {
        let at = pair.iter().position(|&b| b == b'=').unwrap_or(pair.len());
        Some((decode(&pair[..at])?, decode(pair.get(at + 1..).unwrap_or_default())?))
    };
    let pairs = query.split(|&b| b == b'&').filter(|pair| !pair.is_empty()).map(pair);
    let pairs = pairs.collect::<Option<Vec<_>>>().filter(|pairs| pairs.len() <= MOST);
    let plain = |b: &u8| *b != b';' && b.is_ascii();
    let pairs = pairs.filter(|_| query.iter().all(plain));
    pairs.ok_or_else(|| "a query that is too long or can be read in two ways".to_owned())
}
