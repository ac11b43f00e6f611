//! Requests as the routes see them, and answers in Docker's shapes.

use super::engine::Engine;
use super::text;
use std::io;
use std::sync::Arc;
use unix_http::json::Value;
use unix_http::server::{BodyWriter, Request, Responder, Sent};

/// The API version that is spoken, and the oldest that is accepted.
pub const API_VERSION: &str = "1.41";
pub const MIN_API_VERSION: &str = "1.12";
/// Of the Server field, and wherever an engine says which version it is.
pub const VERSION: &str = concat!("20.10.24-ucurl-demo-", env!("CARGO_PKG_VERSION"));
const SERVER: &str = concat!("Docker/20.10.24-ucurl-demo-", env!("CARGO_PKG_VERSION"), " (linux)");

/// So much content is held in memory: an archive, an image.
pub const CONTENT: usize = 64 << 20;

/// One request with what it is about.
pub struct Call<'a, 'b> {
    pub engine: &'a Arc<Engine>,
    pub request: &'a mut Request<'b>,
    pub query: Vec<(String, String)>,
    responder: Option<Responder<'a>>,
}

/// What a route answers.
pub enum Reply {
    Json(u16, String),
    /// No content: with 204 and 304, and an empty 200.
    Empty(u16),
    /// It did so itself.
    Sent(Sent),
}

/// Why it does not.
pub enum Fault {
    /// Docker's JSON with a message.
    Told(u16, String),
    /// There is no such route.
    NoPage,
    /// The client cannot be heard or told.
    Io(io::Error),
}

pub type Outcome = Result<Reply, Fault>;

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault::Io(error)
    }
}

impl From<Sent> for Reply {
    fn from(sent: Sent) -> Reply {
        Reply::Sent(sent)
    }
}

impl Fault {
    /// The message in pieces.
    pub fn told(status: u16, message: &[&str]) -> Fault {
        Fault::Told(status, message.concat())
    }
}

impl<'a, 'b> Call<'a, 'b> {
    pub fn new(
        engine: &'a Arc<Engine>,
        request: &'a mut Request<'b>,
        responder: Responder<'a>,
    ) -> Call<'a, 'b> {
        let query = parse_query(request.query().unwrap_or_default());
        Call { engine, request, query, responder: Some(responder) }
    }

    /// A parameter's value; empty where it is not given.
    pub fn parameter(&self, name: &str) -> &str {
        self.query.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }

    /// A parameter that is a truth, as Go reads one.
    pub fn truth(&self, name: &str) -> bool {
        !matches!(self.parameter(name), "" | "0" | "no" | "false" | "none")
    }

    /// The JSON content; `Null` where there is none.
    pub fn json(&mut self) -> Result<Value, Fault> {
        let kind = self.request.fields().get("Content-Type").unwrap_or_default();
        let kind = String::from_utf8_lossy(kind).into_owned();
        let content = self.request.bytes(CONTENT)?;
        if content.is_empty() {
            return Ok(Value::Null);
        }
        if kind.split(';').next().map(str::trim) != Some("application/json") {
            return Err(Fault::told(
                400,
                &["Content-Type specified (", &kind, ") must be 'application/json'"],
            ));
        }
        Value::parse(&content).map_err(|error| Fault::Told(500, invalid_json(&content, &error)))
    }

    /// The responder, for a route that answers by itself.
    pub fn responder(&mut self) -> Result<Responder<'a>, Fault> {
        // Each route takes it once.
        self.responder.take().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput).into())
    }

    /// Begins a stream of content.
    pub fn stream(&mut self, content_type: Option<&str>) -> Result<BodyWriter<'a>, Fault> {
        Ok(engine_fields(self.responder()?, content_type).stream()?)
    }

    /// Sends what the route decided.
    pub fn answer(self, outcome: Outcome) -> io::Result<Sent> {
        let (reply, responder) = match (outcome, self.responder) {
            (Ok(Reply::Sent(sent)), _) => return Ok(sent),
            (Err(Fault::Io(error)), _) => return Err(error),
            (_, None) => return Err(io::ErrorKind::InvalidInput.into()),
            (Err(Fault::NoPage), Some(responder)) => {
                let responder = responder.status(404).field("Content-Type", "application/json");
                return responder.send(message("page not found"));
            }
            (Err(Fault::Told(status, text)), Some(responder)) => {
                (Reply::Json(status, message(&text)), responder)
            }
            (Ok(reply), Some(responder)) => (reply, responder),
        };
        match reply {
            Reply::Json(status, text) => {
                let mut body =
                    engine_fields(responder.status(status), Some("application/json")).stream()?;
                io::Write::write_all(&mut body, text.as_bytes())?;
                body.finish()
            }
            Reply::Empty(status) => engine_fields(responder.status(status), None).send(""),
            Reply::Sent(sent) => Ok(sent),
        }
    }
}

/// The fields of dockerd, in its order.
pub fn engine_fields<'a>(responder: Responder<'a>, content_type: Option<&str>) -> Responder<'a> {
    let responder = responder.field("Api-Version", API_VERSION);
    let responder = match content_type {
        Some(content_type) => responder.field("Content-Type", content_type),
        None => responder,
    };
    server_field(responder.field("Docker-Experimental", "false").field("Ostype", "linux"))
}

pub fn server_field(responder: Responder<'_>) -> Responder<'_> {
    responder.field("Server", SERVER)
}

/// The fields of an answer that was refused for its version: one is missing, as with dockerd.
pub fn version_fields(responder: Responder<'_>) -> Responder<'_> {
    let responder =
        responder.field("Api-Version", API_VERSION).field("Content-Type", "application/json");
    responder.field("Ostype", "linux").field("Server", SERVER)
}

pub fn message(text: &str) -> String {
    [r#"{"message":"#, &text::string(text), "}\n"].concat()
}

/// In Go's words where they are known.
fn invalid_json(content: &[u8], error: &unix_http::json::JsonError) -> String {
    use unix_http::json::JsonErrorKind;
    let at = usize::try_from(error.offset).ok().and_then(|at| content.get(at));
    let place = match error.kind {
        JsonErrorKind::Name => " looking for beginning of object key string",
        JsonErrorKind::Value => " looking for beginning of value",
        _ => return error.to_string(),
    };
    match at {
        Some(byte) => {
            ["invalid character '", &byte.escape_ascii().to_string(), "'", place].concat()
        }
        None => "unexpected EOF".to_owned(),
    }
}

fn parse_query(query: &[u8]) -> Vec<(String, String)> {
    let pairs = query.split(|&b| b == b'&').filter(|pair| !pair.is_empty());
    let pair = |pair: &[u8]| {
        let equals = pair.iter().position(|&b| b == b'=');
        let (name, value) = pair.split_at(equals.unwrap_or(pair.len()));
        (decode(name, true), decode(value.get(1..).unwrap_or_default(), true))
    };
    pairs.map(pair).collect()
}

/// Undoes percent-encoding; in a query `+` is a space.
pub fn decode(text: &[u8], query: bool) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        let hex = |b: u8| char::from(b).to_digit(16).map(|digit| digit as u8);
        rest = after;
        match (byte, after) {
            (b'%', [high, low, after @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                out.push(hex(*high).unwrap_or_default() << 4 | hex(*low).unwrap_or_default());
                rest = after;
            }
            (b'+', _) if query => out.push(b' '),
            (byte, _) => out.push(*byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{decode, parse_query};

    #[test]
    fn queries() {
        let want = [("a", "b c"), ("d", "é=/"), ("e", ""), ("f%", "%zz")]
            .map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(parse_query(b"a=b+c&&d=%C3%A9%3d/&e&f%=%zz"), want);
        assert_eq!(decode(b"a+b%20c", false), "a+b c");
    }
}
