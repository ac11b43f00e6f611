//! A request as the routes see it, and answers in Docker's shapes.

pub use super::engine::*;
pub use super::prelude::*;
pub use super::process::*;
use std::sync::MutexGuard;
use unix_http::base::percent::decode_lenient;
use unix_http::base::time::http_date;
use unix_http::docker::ApiVersion;
use unix_http::server::{BodyWriter, Request, Responder, Sent};

/// The newest API version, and the oldest.
pub const NEWEST: ApiVersion = ApiVersion { major: 1, minor: 45 };
pub const OLDEST: ApiVersion = ApiVersion { major: 1, minor: 24 };
pub const VERSION: &str = concat!("26.1.5-ucurl-demo-", env!("CARGO_PKG_VERSION"));

/// How often a client that waits is looked at.
pub const TICK: Duration = Duration::from_secs(1);

/// The most content that is held in memory: an archive, an image.
pub const CONTENT: usize = 64 << 20;

pub struct Call<'a, 'b> {
    pub engine: &'a Arc<Engine>,
    pub request: &'a mut Request<'b>,
    /// The names and values of the query.
    pub query: Vec<(String, String)>,
    pub version: ApiVersion,
    /// What sends the answer; a route that answers by itself takes it.
    pub responder: Option<Responder<'a>>,
}

pub enum Reply {
    Json(u16, Value),
    /// No content: with 204 and 304, and an empty 200.
    Empty(u16),
    Sent(Sent),
}

pub type Outcome = io::Result<Reply>;

impl<'a, 'b> Call<'a, 'b> {
    pub fn state(&self) -> MutexGuard<'a, State> {
        lock(self.engine)
    }

    pub fn container(&self, name: &str) -> io::Result<Arc<Task>> {
        self.state().container(name)
    }

    /// Whether the client speaks this version, `1.MINOR`, or a newer one.
    pub fn since(&self, minor: u16) -> bool {
        self.version >= ApiVersion { major: 1, minor }
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

    pub fn number(&self, name: &str) -> io::Result<i64> {
        let text = self.parameter(name);
        text.parse().map_err(|_| refusal!("number", text))
    }

    /// A time: seconds since 1970, with a fraction or without.
    pub fn time(&self, name: &str) -> io::Result<Option<SystemTime>> {
        let text = self.parameter(name);
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
        match (seconds.parse(), format!("{fraction:0<9.9}").parse()) {
            _ if text.is_empty() => Ok(None),
            (Ok(seconds), Ok(nanos)) => Ok(UNIX_EPOCH.checked_add(Duration::new(seconds, nanos))),
            _ => Err(refusal!("time", seconds)),
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
        let is_json = kind.split(';').next().map(str::trim) == Some("application/json");
        ensure!(is_json, "content-type", kind);
        Value::parse(&content).map_err(|error| refusal!("json", error))
    }

    pub fn responder(&mut self) -> io::Result<Responder<'a>> {
        self.responder.take().ok_or(io::ErrorKind::InvalidInput.into())
    }

    /// Begins content that is sent as it comes.
    pub fn stream(&mut self, content_type: &str) -> io::Result<BodyWriter<'a>> {
        engine_fields(self.responder()?, content_type).stream()
    }

    pub fn answer(mut self, outcome: Outcome) -> io::Result<Sent> {
        let (status, value) = match outcome {
            Ok(Reply::Sent(sent)) => return Ok(sent),
            Ok(Reply::Empty(status)) => (status, None),
            Ok(Reply::Json(status, value)) => (status, Some(value)),
            Err(error) => match told(&error) {
                Some((status, why)) => (status, Some(object!(message: why))),
                None => return Err(error),
            },
        };
        let responder = self.responder()?.status(status);
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

pub fn pairs(query: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(query).replace('+', " ");
    let pairs = text.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

pub fn decode(text: &str) -> String {
    String::from_utf8_lossy(&decode_lenient(text.as_bytes())).into_owned()
}

/// The fields of dockerd, in its order.
pub fn engine_fields<'a>(responder: Responder<'a>, content_type: &str) -> Responder<'a> {
    with_fields(responder, &include_str!("fields_engine.txt").replace("$TYPE", content_type))
}

/// Adds a field for each line that has a value.
pub fn with_fields<'a>(responder: Responder<'a>, lines: &str) -> Responder<'a> {
    let date = http_date(SystemTime::now());
    let lines = filled_in(lines).replace("$DATE", &String::from_utf8_lossy(&date));
    let fields = lines.lines().filter_map(|line| line.split_once(": "));
    let fields = fields.filter(|(_, value)| !value.is_empty());
    fields.fold(responder, |responder, (name, value)| responder.field(name, value))
}

/// A text with what the engine says of itself.
pub fn filled_in(text: &str) -> String {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let text = text.replace("$SERVER", &format!("Docker/{VERSION} (linux)"));
    let text = text.replace("$VERSION", VERSION).replace("$ARCH", arch);
    text.replace("$NEWEST", &NEWEST.to_string()).replace("$OLDEST", &OLDEST.to_string())
}
