//! A request as the routes see it, and answers in Docker's shapes.

use super::engine::Engine;
use super::json::{object, text, write};
use super::names::{telling, told};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use unix_http::base::percent::decode_lenient;
use unix_http::docker::ApiVersion;
use unix_http::json::Value;
use unix_http::server::{BodyWriter, Request, Responder, Sent};

/// The newest API version, and the oldest.
pub const NEWEST: &str = "1.45";
pub const OLDEST: &str = "1.24";
pub const VERSION: &str = concat!("26.1.5-ucurl-demo-", env!("CARGO_PKG_VERSION"));

pub const SERVER: &str =
    concat!("Docker/26.1.5-ucurl-demo-", env!("CARGO_PKG_VERSION"), " (linux)");

/// The most content that is held in memory: an archive, an image.
pub const CONTENT: usize = 64 << 20;

pub struct Call<'a, 'b> {
    pub engine: &'a Arc<Engine>,
    pub request: &'a mut Request<'b>,
    query: Vec<(String, String)>,
    version: ApiVersion,
    responder: Option<Responder<'a>>,
}

pub enum Reply {
    Json(u16, Value),
    /// No content: with 204 and 304, and an empty 200.
    Empty(u16),
    Sent(Sent),
}

pub type Outcome = io::Result<Reply>;

impl<'a, 'b> Call<'a, 'b> {
    pub fn new(
        engine: &'a Arc<Engine>,
        request: &'a mut Request<'b>,
        responder: Responder<'a>,
        version: ApiVersion,
    ) -> Call<'a, 'b> {
        let pairs = request.query().unwrap_or_default().split(|&b| b == b'&');
        let pair = |pair: &[u8]| {
            let equals = pair.iter().position(|&b| b == b'=').unwrap_or(pair.len());
            let value = pair.get(equals + 1..).unwrap_or_default();
            let spaces: Vec<u8> = value.iter().map(|&b| if b == b'+' { b' ' } else { b }).collect();
            (decode(&pair[..equals]), decode(&spaces))
        };
        let query = pairs.map(pair).collect();
        Call { engine, request, query, version, responder: Some(responder) }
    }

    /// Whether the client speaks this version, `1.MINOR`, or a newer one.
    pub fn since(&self, minor: u16) -> bool {
        self.version >= ApiVersion { major: 1, minor }
    }

    /// The media type of output; it tells of frames since 1.42.
    pub fn stream_type(&self, framed: bool) -> &'static str {
        match framed && self.since(42) {
            true => "application/vnd.docker.multiplexed-stream",
            false => "application/vnd.docker.raw-stream",
        }
    }

    pub fn parameter(&self, name: &str) -> &str {
        self.parameters(name).next().unwrap_or_default()
    }

    pub fn parameters(&self, name: &str) -> impl Iterator<Item = &str> {
        self.query.iter().filter(move |(n, _)| n == name).map(|(_, value)| &value[..])
    }

    /// A parameter that is a truth, as moby's `BoolValue` reads it.
    pub fn truth(&self, name: &str) -> bool {
        let value = self.parameter(name).trim().to_ascii_lowercase();
        !matches!(&value[..], "" | "0" | "no" | "false" | "none")
    }

    pub fn number(&self, name: &str, status: u16) -> io::Result<i64> {
        let text = self.parameter(name);
        let why = || format!("strconv.Atoi: parsing \"{text}\": invalid syntax");
        match text.parse() {
            Ok(number) => Ok(number),
            Err(_) => told!(status, "{}", why()),
        }
    }

    /// A time: seconds since 1970, with a fraction or without.
    pub fn time(&self, name: &str) -> io::Result<Option<SystemTime>> {
        let text = self.parameter(name);
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
        let nanos: String = fraction.chars().chain("000000000".chars()).take(9).collect();
        match (seconds.parse(), nanos.parse()) {
            _ if text.is_empty() => Ok(None),
            (Ok(seconds), Ok(nanos)) => Ok(UNIX_EPOCH.checked_add(Duration::new(seconds, nanos))),
            _ => told!(500, "strconv.ParseInt: parsing \"{seconds}\": invalid syntax"),
        }
    }

    /// The JSON content; `Null` where there is none.
    pub fn json(&mut self) -> io::Result<Value> {
        let kind = self.request.fields().get("Content-Type").unwrap_or_default();
        let kind = String::from_utf8_lossy(kind).into_owned();
        let content = self.request.bytes(CONTENT)?;
        if content.is_empty() {
            return Ok(Value::Null);
        }
        if kind.split(';').next().map(str::trim) != Some("application/json") {
            return told!(
                400,
                "unsupported Content-Type header ({kind}): must be 'application/json'"
            );
        }
        match Value::parse(&content) {
            Ok(value) => Ok(value),
            Err(error) => told!(400, "invalid JSON: {error}"),
        }
    }

    /// The responder, for a route that answers by itself: each takes it once.
    pub fn responder(&mut self) -> io::Result<Responder<'a>> {
        self.responder.take().ok_or(io::ErrorKind::InvalidInput.into())
    }

    pub fn stream(&mut self, content_type: &str) -> io::Result<BodyWriter<'a>> {
        engine_fields(self.responder()?, content_type).stream()
    }

    pub fn answer(mut self, outcome: Outcome) -> io::Result<Sent> {
        let (status, value) = match outcome {
            Ok(Reply::Sent(sent)) => return Ok(sent),
            Ok(Reply::Empty(status)) => (status, None),
            Ok(Reply::Json(status, value)) => (status, Some(value)),
            Err(error) => match telling(&error).filter(|_| self.responder.is_some()) {
                Some((status, why)) => (status, Some(object!(message: why))),
                None => return Err(error),
            },
        };
        let responder = self.responder.take().ok_or(io::ErrorKind::InvalidInput)?.status(status);
        let Some(value) = value else { return engine_fields(responder, "").send("") };
        let mut body = engine_fields(responder, "application/json").stream()?;
        body.write_all((write(&value) + "\n").as_bytes())?;
        body.finish()
    }
}

pub fn send_line(body: &mut BodyWriter<'_>, line: &Value) -> io::Result<()> {
    body.write_all((write(line) + "\r\n").as_bytes())?;
    body.flush()
}

pub fn decode(text: &[u8]) -> String {
    String::from_utf8_lossy(&decode_lenient(text)).into_owned()
}

/// The fields of dockerd, in its order.
pub fn engine_fields<'a>(responder: Responder<'a>, content_type: &str) -> Responder<'a> {
    let responder = responder.field("Api-Version", NEWEST);
    let responder = match content_type {
        "" => responder,
        _ => responder.field("Content-Type", content_type),
    };
    server_fields(responder.field("Docker-Experimental", "false"))
}

pub fn server_fields(responder: Responder<'_>) -> Responder<'_> {
    responder.field("Ostype", "linux").field("Server", SERVER)
}

/// `filters=`: JSON with names, and for each the values to look for.
pub struct Filters(Vec<(String, Vec<String>)>);

impl Filters {
    /// The values come as a list, `{"label":["a"]}`, or as a set, `{"label":{"a":true}}`. Names
    /// that are not among `known` are refused.
    pub fn read(call: &Call<'_, '_>, known: &str) -> io::Result<Filters> {
        let asked = Some(call.parameter("filters")).filter(|asked| !asked.is_empty());
        let asked = asked.unwrap_or("{}");
        let Ok(Value::Object(members)) = Value::parse(asked.as_bytes()) else {
            return told!(400, "invalid filter");
        };
        let mut filters = Vec::new();
        for (name, values) in members {
            if !known.split(' ').any(|known| known == name) {
                return told!(400, "invalid filter '{name}'");
            }
            let listed = values.elements().iter().filter_map(Value::as_str);
            let set = values.members().iter().filter(|(_, on)| *on == Value::Bool(true));
            let values: Vec<String> = match &values {
                Value::Array(_) => listed.map(str::to_owned).collect(),
                Value::Object(_) => set.map(|(value, _)| value.clone()).collect(),
                _ => return told!(400, "invalid filter"),
            };
            filters.push((name, values));
        }
        Ok(Filters(filters))
    }

    pub fn values(&self, name: &str) -> &[String] {
        self.0.iter().find(|(n, _)| n == name).map_or(&[], |(_, values)| values)
    }

    /// Whether nothing is looked for by that name, or `fits` says yes of one of its values.
    pub fn any(&self, name: &str, fits: impl FnMut(&String) -> bool) -> bool {
        self.values(name).is_empty() || self.values(name).iter().any(fits)
    }

    /// Whether one of the texts fits one of the patterns of that name: a text with `^` and `$`.
    pub fn any_fits(&self, name: &str, texts: &[&str]) -> io::Result<bool> {
        let mut found = self.values(name).is_empty();
        for value in self.values(name) {
            let plain = value.replace("\\.", ".");
            let (from, to) = (plain.starts_with('^'), plain.ends_with('$'));
            let plain = plain.trim_start_matches('^').trim_end_matches('$');
            if plain.contains(|c| "^$*+?()[]{}|\\".contains(c)) {
                let why = "this demonstration has no regular expressions but ^ and $";
                return told!(400, "invalid filter '{name}={value}': {why}");
            }
            found |= texts.iter().any(|text| match (from, to) {
                (true, true) => *text == plain,
                (true, false) => text.starts_with(plain),
                (false, true) => text.ends_with(plain),
                (false, false) => text.contains(plain),
            });
        }
        Ok(found)
    }

    /// A test of times against those of what `before` and `since` name.
    pub fn between(
        &self,
        time_of: &dyn Fn(&str) -> io::Result<SystemTime>,
    ) -> io::Result<impl Fn(SystemTime) -> bool + use<>> {
        let last = |name| self.values(name).last().map(|value| time_of(value)).transpose();
        let (before, since) = (last("before")?, last("since")?);
        Ok(move |time| {
            before.is_none_or(|before| time < before) && since.is_none_or(|since| time > since)
        })
    }

    /// Whether all the labels that are looked for, `name` or `name=value`, are there.
    pub fn has_labels(&self, labels: &Value) -> bool {
        self.values("label").iter().all(|wanted| match wanted.split_once('=') {
            Some((name, value)) => labels.get(name).is_some() && text(labels, name) == value,
            None => labels.get(wanted).is_some(),
        })
    }

    /// A filter that is a truth, as Go reads one.
    pub fn truth(&self, name: &str) -> io::Result<Option<bool>> {
        match self.values(name).first().map(String::as_str) {
            None => Ok(None),
            Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(Some(true)),
            Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(Some(false)),
            Some(other) => told!(400, "invalid filter '{name}=[{other}]'"),
        }
    }
}
