//! Wraps a request for the routes, and writes answers in Docker's shape.

pub use super::engine::*;
pub use super::prelude::*;
pub use super::task::*;
use std::sync::MutexGuard;
use unix_http::base::percent::decode_lenient;
use unix_http::base::time::http_date;
use unix_http::docker::ApiVersion;
use unix_http::server::{BodyWriter, Request, Responder, Sent};

/// The newest and the oldest API version that are served.
pub const NEWEST: ApiVersion = ApiVersion { major: 1, minor: 45 };
pub const OLDEST: ApiVersion = ApiVersion { major: 1, minor: 24 };
pub const VERSION: &str = concat!("26.1.5-ucurl-demo-", env!("CARGO_PKG_VERSION"));

/// How often a client that waits is looked at.
pub const TICK: Duration = Duration::from_secs(1);

/// The size limit of content that is held in memory, such as an archive.
pub const CONTENT: usize = 64 << 20;

pub struct Call<'a, 'b> {
    pub engine: &'a Arc<Engine>,
    pub request: &'a mut Request<'b>,
    /// The name or the ID in the path.
    pub name: String,
    /// The names and values of the query, decoded.
    pub query: Vec<(String, String)>,
    pub version: ApiVersion,
    /// Sends the answer. A route that answers by itself takes it.
    pub responder: Option<Responder<'a>>,
}

pub enum Reply {
    Json(u16, Value),
    /// An answer without content: 204, 304 or an empty 200.
    Empty(u16),
    Sent(Sent),
}

pub type Outcome = io::Result<Reply>;

impl<'a, 'b> Call<'a, 'b> {
    pub fn state(&self) -> MutexGuard<'a, State> {
        lock(self.engine)
    }

    pub fn container(&self) -> io::Result<Arc<Task>> {
        self.state().container(&self.name)
    }

    /// Whether the client speaks version `1.MINOR` or a newer one.
    pub fn since(&self, minor: u16) -> bool {
        self.version >= ApiVersion { major: 1, minor }
    }

    pub fn parameter(&self, name: &str) -> &str {
        self.parameters(name).next().unwrap_or_default()
    }

    pub fn parameters(&self, name: &str) -> impl Iterator<Item = &str> {
        self.query.iter().filter(move |(n, _)| n == name).map(|(_, value)| &value[..])
    }

    /// Reads a boolean parameter as moby's `BoolValue` does.
    pub fn truth(&self, name: &str) -> bool {
        let value = self.parameter(name).trim().to_ascii_lowercase();
        !matches!(&value[..], "" | "0" | "no" | "false" | "none")
    }

    pub fn number(&self, name: &str) -> io::Result<i64> {
        let text = self.parameter(name);
        text.parse().map_err(|_| refusal!("number", text))
    }

    /// Reads a time: seconds since 1970, with or without a fraction.
    pub fn time(&self, name: &str) -> io::Result<Option<SystemTime>> {
        let text = self.parameter(name);
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
        match (seconds.parse(), format!("{fraction:0<9.9}").parse()) {
            _ if text.is_empty() => Ok(None),
            (Ok(seconds), Ok(nanos)) => Ok(UNIX_EPOCH.checked_add(Duration::new(seconds, nanos))),
            _ => Err(refusal!("time", seconds)),
        }
    }

    /// Reads the JSON content; `Null` if there is none.
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

    /// Begins content of unknown length.
    pub fn stream(&mut self, content_type: &str) -> io::Result<BodyWriter<'a>> {
        engine_fields(self.responder()?, content_type).stream()
    }
}

/// Sends the outcome, unless the route has answered already. `fields` go with JSON.
pub fn answer_with(
    responder: Option<Responder<'_>>,
    fields: &str,
    outcome: Outcome,
) -> io::Result<Sent> {
    let (status, value) = match outcome {
        Ok(Reply::Sent(sent)) => return Ok(sent),
        Ok(Reply::Empty(status)) => (status, None),
        Ok(Reply::Json(status, value)) => (status, Some(value)),
        Err(error) => match told(&error) {
            Some((status, why)) => (status, Some(object!(message: why))),
            None => return Err(error),
        },
    };
    let responder = responder.ok_or(io::ErrorKind::InvalidInput)?.status(status);
    let Some(value) = value else { return engine_fields(responder, "").send("") };
    let mut body = with_fields(responder, fields).stream()?;
    body.write_all((write(&value) + "\n").as_bytes())?;
    body.finish()
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

/// Adds the fields of dockerd, in its order.
pub fn engine_fields<'a>(responder: Responder<'a>, content_type: &str) -> Responder<'a> {
    with_fields(responder, &include_str!("fields_engine.txt").replace("$TYPE", content_type))
}

/// Adds a field for each line `name: value`; a line without a value is left out.
pub fn with_fields<'a>(responder: Responder<'a>, lines: &str) -> Responder<'a> {
    let lines = filled_in(lines).replace("$TYPE", "application/json");
    let lines = lines.replace("$DATE", &http_date(SystemTime::now()));
    let fields = lines.lines().filter_map(|line| line.split_once(": "));
    let fields = fields.filter(|(_, value)| !value.is_empty());
    fields.fold(responder, |responder, (name, value)| responder.field(name, value))
}

/// Replaces `$VERSION` and the like by the facts about this engine.
pub fn filled_in(text: &str) -> String {
    // Go has its own names for architectures.
    let arch = std::env::consts::ARCH.replace("x86_64", "amd64").replace("aarch64", "arm64");
    let text = text.replace("$VERSION", VERSION).replace("$ARCH", &arch);
    text.replace("$NEWEST", &NEWEST.to_string()).replace("$OLDEST", &OLDEST.to_string())
}
