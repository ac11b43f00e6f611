//! A request as a guard reads it. The guard refuses ambiguous requests.
//!
//! dockerd is lenient. It routes `/%63ontainers` and `/v0001.41`, reads a form as a query, and
//! finds a member of a JSON body in any case, with U+017F for `s` and U+212A for `k`. It merges
//! repeated members and ignores bytes after the first value. None of this passes:
//!
//! ```text
//! target  = [ "/v" number "." number [ "." number ] ] 1*( "/" segment ) [ "?" query ]
//! number  = "0" / ( %x31-39 *2DIGIT )                    ; together 1.24 or later
//! segment = 1*( unreserved / sub-delims / ":" / "@" )    ; not "." or "..", no "*" and no ";"
//! body    = JSON-text                   ; an object; names in ASCII that differ in any case
//! ```

use super::facts::{self, ARCHIVE, Fact, MOST};
use crate::base::number::decimal;
use crate::base::percent;
use crate::json::Value;
use crate::tap::glob::pattern;
use crate::wire::{Decision, Fields, Framing, RequestHead, encode_request, framing};
use std::collections::BTreeSet;
use std::error::Error;

/// The longest body that is read.
pub(super) const BODY_LIMIT: usize = 256 * 1024;

/// The fields that are forwarded. The others frame or route a request: the guard writes them.
const FIELDS: [&str; 6] =
    ["Host", "User-Agent", "Accept", "Authorization", "X-Registry-Auth", "X-Registry-Config"];

/// A request with exactly one meaning.
pub(super) struct ApiRequest {
    pub method: String,
    /// The segments of the path without its API version.
    pub path: Vec<String>,
    /// The target and the JSON body, encoded again. An archive is not encoded.
    target: String,
    body: Option<String>,
    /// The facts that a rule must allow: query parameters, then members of the body or an archive.
    pub facts: Vec<Fact>,
    /// Whether the client asks for a raw connection.
    pub upgrade: bool,
}

impl ApiRequest {
    /// Reads a request, or returns why it is ambiguous. Without `content`, or with content that is
    /// not JSON, its body is an archive.
    pub fn read(head: &RequestHead, content: Option<&[u8]>) -> Result<ApiRequest, String> {
        let target = String::from_utf8_lossy(head.target());
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let segments = segments(path)?;
        if path.contains('*') {
            return Err(format!("{path}: a path that names nothing"));
        }
        let tunnel = matches!(segments[..], ["containers", _, "attach"] | ["exec", _, "start"]);
        let upgrades: Vec<_> = head.fields().get_all("Upgrade").collect();
        let tcp = upgrades.iter().all(|field| field.value().eq_ignore_ascii_case(b"tcp"));
        let upgrade = !upgrades.is_empty();
        if upgrade && !(tcp && tunnel && head.method() == "POST")
            || matches!(segments[0], "session" | "grpc")
        {
            return Err("a protocol that is not that of attach or exec".into());
        }
        let (query, mut facts) = read_query(query)
            .ok_or_else(|| "a query that is too long or can be read in two ways".to_owned())?;
        let content = content.filter(|content| content.len() <= BODY_LIMIT);
        let json = content.filter(|c| c.trim_ascii_start().first().is_none_or(|b| *b == b'{'));
        let mut body = json.map(|_| String::new());
        if let Some(json @ [_, ..]) = json {
            let value = Value::parse(json).map_err(|error| format!("the body: {error}"))?;
            facts.extend(facts::read(&value, &mut vec![String::new()], true)?);
            body = Some(value.to_string());
        } else if json.is_none() {
            facts.push(Fact { key: vec![ARCHIVE.into()], ..Fact::default() });
        }
        if facts.len() > MOST {
            return Err(format!("more than {MOST} parameters and members that are not empty"));
        }
        let (method, target) = (head.method().to_owned(), format!("{path}{query}"));
        let path = segments.into_iter().map(str::to_owned).collect();
        Ok(ApiRequest { method, path, target, body, facts, upgrade })
    }

    /// Encodes the request for the engine, without the body of an archive.
    pub fn encode(&self, head: &RequestHead) -> Result<Vec<u8>, Box<dyn Error>> {
        let (mut out, mut fields) = (Vec::new(), Fields::new());
        for field in head.fields().iter().filter(|field| FIELDS.iter().any(|name| field.is(name))) {
            fields.push(field.name(), field.value())?;
        }
        let Decision { framing, persistent, .. } = framing::request(head)?;
        // dockerd reads a form as a query.
        match self.body.as_deref() {
            None => fields.push("Content-Type", "application/x-tar")?,
            Some("") => {}
            Some(_) => fields.push("Content-Type", "application/json")?,
        }
        let json = self.body.as_deref().unwrap_or_default();
        match (framing, &self.body) {
            (Framing::NoBody, _) => {}
            (Framing::Chunked, None) => fields.push("Transfer-Encoding", "chunked")?,
            (Framing::Length(length), None) => fields.push_length(length),
            _ => fields.push_length(json.len() as u64),
        }
        if self.upgrade {
            fields.push("Connection", "Upgrade")?;
            fields.push("Upgrade", "tcp")?;
        } else if !persistent {
            fields.push("Connection", "close")?;
        }
        encode_request(&mut out, &self.method, self.target.as_bytes(), head.version(), &fields)?;
        out.extend_from_slice(json.as_bytes());
        Ok(out)
    }

    /// Returns the rule that allows only this request, with any ids.
    pub fn needed_rule(&self) -> String {
        let path = self.path.iter().map(|segment| format!("/{}", pattern(segment)));
        let mut written = BTreeSet::new();
        let limits = self.facts.iter().map(|fact| format!(" {fact}"));
        let once = limits.filter(|limit| written.insert(limit.clone()));
        format!("{} {}{}", self.method, path.collect::<String>(), once.collect::<String>())
    }
}

/// Splits an unambiguous path. Leaves out an API version at its beginning.
pub(super) fn segments(path: &str) -> Result<Vec<&str>, String> {
    let rest = path.strip_prefix('/').ok_or_else(|| format!("{path}: a path begins with /"))?;
    let plain = |byte: u8| percent::is_unreserved(byte) || b"!$&'()*+,=:@".contains(&byte);
    let clear = |name: &&str| !["", ".", ".."].contains(name) && name.bytes().all(plain);
    let mut segments: Vec<&str> = rest.split('/').collect();
    if !segments.iter().all(clear) {
        return Err(format!("{path}: a path that can be read in two ways"));
    }
    // An API version as clients write it. Before 1.24, a start took a HostConfig.
    let number = |s: &str| decimal(s.as_bytes()).filter(|n| *n < 1000 && n.to_string() == s);
    let version = segments[0].strip_prefix('v').and_then(|v| v.split('.').map(number).collect());
    let version: Vec<u64> = version.unwrap_or_default();
    if matches!(version[..], [1, 24..=999] | [2..=999, _] | [2..=999, _, _]) {
        segments.remove(0);
    }
    match segments.first().map(|first| first.as_bytes()) {
        None => Err(format!("{path}: a path that names nothing")),
        Some([b'v', b'0'..=b'9', ..]) => Err(format!("{path}: not an API version from 1.24 on")),
        Some(_) => Ok(segments),
    }
}

/// Decodes `name=value&…` as Go does, and rejects text that versions of Go read differently.
/// Returns the query, encoded again, and its facts.
fn read_query(query: &str) -> Option<(String, Vec<Fact>)> {
    let pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    if pairs.len() > MOST || !query.is_ascii() || query.contains(';') {
        return None;
    }
    let (mut encoded, mut facts) = (String::new(), Vec::new());
    for pair in pairs {
        let pair = pair.replace('+', " ");
        let (name, value) = pair.split_once('=').unwrap_or((&pair, ""));
        let [name, value] = [name, value].map(|text| percent::decode(text.as_bytes()));
        let (name, value) = (String::from_utf8(name?).ok()?, String::from_utf8(value?).ok()?);
        encoded += if encoded.is_empty() { "?" } else { "&" };
        encoded += &[&name, &value].map(|text| percent::encode(text.as_bytes())).join("=");
        if !["", "0", "false", "False"].contains(&value.as_str()) {
            facts.push(Fact { key: vec![format!("?{name}")], value, is_inner: false });
        }
    }
    Some((encoded, facts))
}
