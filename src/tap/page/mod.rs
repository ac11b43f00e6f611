//! The live page: shows the traffic of a tap in a browser.

mod command;
mod content;
mod detail;
mod kept;
mod store;

use super::gate::foreign_field;
use super::record::har;
use crate::base::number::decimal;
use crate::base::random::random_token;
use crate::base::text::visible;
use crate::base::time::rfc3339;
use crate::json::{JsonWriter, Value};
use crate::server::{Handle, Limits, Request, Responder, Sent, Server};
use crate::traffic::secrets::BodyMask;
use crate::traffic::{Event, Observer};
use crate::transport::{Endpoint, Listener, host_and_port};
use detail::detail;
use kept::{BODY_LIMIT, KeptExchange};
use std::io::{self, Cursor, Write};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use store::{Seen, Store};

/// The files of the page: name, media type, content.
const FILES: [(&str, &str, &str); 3] = [
    ("", "text/html; charset=utf-8", include_str!("index.html")),
    ("page.css", "text/css; charset=utf-8", include_str!("page.css")),
    ("page.js", "text/javascript; charset=utf-8", include_str!("page.js")),
];

/// Fields of every response.
const FIELDS: [(&str, &str); 4] = [
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
         img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
];

/// The longest time without a byte to a page.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How long changes are collected before they are sent.
const GATHER: Duration = Duration::from_millis(100);
/// How long a page may read nothing before its connection is closed.
const SILENCE: Duration = Duration::from_secs(10);

/// The source of the traffic, as the page names it.
#[derive(Clone, Debug)]
pub struct Origin {
    program: String,
    command: String,
    target: Endpoint,
    started: SystemTime,
    recording: bool,
}

impl Origin {
    /// Describes traffic to `target` that `program` shows. Observers count time from `started`.
    pub fn new(program: impl Into<String>, target: Endpoint, started: SystemTime) -> Origin {
        let (program, command) = (program.into(), String::new());
        Origin { program, command, target, started, recording: false }
    }

    /// Sets the command that causes the traffic. The page shows it with its secrets masked.
    #[must_use]
    pub fn command(self, command: impl Into<String>) -> Origin {
        Origin { command: command.into(), ..self }
    }

    /// Sets whether the traffic comes from a recording (default: no).
    #[must_use]
    pub fn recording(self, recording: bool) -> Origin {
        Origin { recording, ..self }
    }
}

/// A page that is served until it is dropped.
///
/// ```text
///   relay ──▶ viewer ──▶ Store ◀── server ──▶ browser
///             (masks)    the last     GET /TOKEN/             the page
///                        exchanges    GET /TOKEN/events       changes, as server-sent events
///                                     GET /TOKEN/exchange/7   one exchange, explained
///                                     GET /TOKEN/har          all of them, as an HTTP archive
/// ```
///
/// The page shows the same traffic as the text view, with secrets masked. Other web pages, other
/// users and the traffic itself cannot misuse it:
///
/// * The server listens on a loopback address only.
/// * The address contains an unpredictable token. Other paths are 404.
/// * Only GET and HEAD are answered. Host must be the printed address or `localhost`, which stops
///   DNS rebinding; Origin, Referer and Sec-Fetch-Site must not name another page
///   (see [`Gate`](super::Gate)).
/// * A Content-Security-Policy forbids inline code and foreign sources.
///
/// Limits: the last 10,000 exchanges, about 32 MiB of them, and the first 128 KiB of each body. The
/// rest is counted. A page that does not read does not delay the traffic: it has no queue, and its
/// connection is closed after ten seconds.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use unix_http::client::Client;
/// use unix_http::tap::{Origin, Page};
/// use unix_http::traffic::{Conversation, Observer, Side};
/// use unix_http::transport::Endpoint;
///
/// let docker = Endpoint::Unix("/run/docker.sock".into());
/// let origin = Origin::new("an example", docker, SystemTime::now());
/// let page = Page::bind(&Endpoint::Tcp { host: "127.0.0.1".into(), port: 0 }, origin)?;
/// let (observer, now) = (page.observer(), Duration::ZERO);
/// let request = b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n";
/// let mut conversation = Conversation::new(true);
/// conversation.bytes(Side::Client, now, request, &mut |event| observer.see(1, now, event));
///
/// let (authority, path) = page.url()["http://".len()..].split_once('/').unwrap();
/// let client = Client::new(Endpoint::parse(format!("tcp://{authority}"))?);
/// let detail = client.get(&format!("/{path}exchange/1")).send()?.text()?;
/// assert!(detail.contains(r#""method":"GET","target":"/_ping""#), "{detail}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Page {
    url: String,
    store: Arc<Store>,
    _server: Handle,
}

impl Page {
    /// Serves a page at a loopback address. Port 0 is any free port.
    ///
    /// # Errors
    /// Fails if other machines can reach the address, if it is taken, and if it is no TCP address:
    /// browsers cannot open a Unix socket.
    pub fn bind(endpoint: &Endpoint, origin: Origin) -> io::Result<Page> {
        let Endpoint::Tcp { host, .. } = endpoint else {
            let why = format!("{endpoint}: a browser needs an address like tcp://127.0.0.1:8080");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        };
        let listener = Listener::bind(endpoint)?;
        let Endpoint::Tcp { port, .. } = *listener.endpoint() else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let hosts = [host_and_port(host, port), format!("localhost:{port}")];
        let (store, token) = (Arc::new(Store::default()), random_token());
        let url = format!("http://{}/{token}/", hosts[0]);
        let site = Site { origin, store: Arc::clone(&store), token, hosts };
        let limits = Limits::default().connections(64).content(0).silence(SILENCE);
        let server = Server::new(listener).with_limits(limits);
        let server = server.spawn(move |request, responder| site.answer(request, responder))?;
        Ok(Page { url, store, _server: server })
    }

    /// Returns the address of the page, with its token.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the observer that shows events on the page.
    pub fn observer(&self) -> impl Observer + use<> {
        Arc::clone(&self.store)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.store.stop();
    }
}

/// The server of a page.
struct Site {
    origin: Origin,
    store: Arc<Store>,
    token: String,
    /// The values of Host that name this server.
    hosts: [String; 2],
}

impl Site {
    fn answer(&self, request: &mut Request<'_>, responder: Responder<'_>) -> io::Result<Sent> {
        let responder =
            FIELDS.iter().fold(responder, |responder, (name, value)| responder.field(name, value));
        let refuse = |responder: Responder<'_>, status, why: &str| {
            let responder = responder.status(status).field("Content-Type", "text/plain");
            responder.send(format!("{why}\n"))
        };
        let host = request.host().unwrap_or_default();
        if !self.hosts.iter().any(|ours| ours.as_bytes().eq_ignore_ascii_case(host)) {
            return refuse(responder, 421, "this Host is another server");
        }
        if let Some(field) = foreign_field(request.fields(), host) {
            let why = format!("the request comes from another web page ({})", field.name());
            return refuse(responder, 403, &why);
        }
        if !matches!(request.method(), "GET" | "HEAD") {
            return refuse(responder.field("Allow", "GET, HEAD"), 405, "only GET and HEAD");
        }
        let path = String::from_utf8_lossy(request.path()).into_owned();
        let after_slash = path.strip_prefix('/').unwrap_or_default();
        let (token, name) = after_slash.split_once('/').unwrap_or_default();
        if !same(token.as_bytes(), self.token.as_bytes()) {
            return refuse(responder, 404, "no such page; use the address that was printed");
        }
        if let Some((_, media_type, content)) = FILES.iter().find(|(file, ..)| *file == name) {
            return responder.field("Content-Type", media_type).send(content);
        }
        match name {
            "events" => self.events(request, responder),
            "har" => {
                let responder = responder.field("Content-Type", "application/json");
                let name = "attachment; filename=\"ucurl.har\"";
                responder.field("Content-Disposition", name).send(self.har()?)
            }
            _ => match name.strip_prefix("exchange/").and_then(|id| self.detail(id, request)) {
                Some(json) => responder.field("Content-Type", "application/json").send(json),
                None => refuse(responder, 404, "no such exchange; it may have been forgotten"),
            },
        }
    }

    fn detail(&self, id: &str, request: &Request<'_>) -> Option<Vec<u8>> {
        let after = request.query().and_then(|query| query.strip_prefix(b"after="));
        let after = after.map_or(Some(0), decimal)?;
        let kept = self.store.exchange(decimal(id.as_bytes())?)?;
        Some(detail(&kept, usize::try_from(after).ok()?, &self.origin.target))
    }

    /// Sends changes until the page or the server closes the connection.
    fn events(&self, request: &mut Request<'_>, responder: Responder<'_>) -> io::Result<Sent> {
        let responder = responder.field("Content-Type", "text/event-stream");
        if request.method() == "HEAD" {
            return responder.send("");
        }
        let version = request.fields().get("Last-Event-ID").and_then(decimal).unwrap_or(0);
        let mut seen = Seen { version, ..Seen::default() };
        let mut body = responder.stream()?;
        write!(body, "event: about\ndata: {}\n\n", self.about())?;
        body.flush()?;
        loop {
            let (dropped, over) = (seen.dropped, seen.over);
            let changes = self.store.changes(&mut seen, HEARTBEAT);
            if changes.stopping || request.is_stopping() {
                return body.finish();
            }
            if seen.dropped > dropped {
                let (dropped, before) = (seen.dropped, seen.dropped + 1);
                let data = format!("{{\"exchanges\":{dropped},\"before\":{before}}}");
                write!(body, "event: dropped\ndata: {data}\n\n")?;
            }
            for (version, summary) in &changes.summaries {
                write!(body, "id: {version}\nevent: exchange\ndata: ")?;
                body.write_all(summary)?;
                body.write_all(b"\n\n")?;
            }
            if seen.over && !over {
                body.write_all(b"event: end\ndata: {}\n\n")?;
            }
            if changes.summaries.is_empty() {
                // A comment keeps the connection open, and fails if the page is gone.
                body.write_all(b":\n\n")?;
            }
            body.flush()?;
            if !changes.more {
                self.store.pause(GATHER);
            }
        }
    }

    fn about(&self) -> String {
        let Origin { program, command, target, started, recording } = &self.origin;
        let mut masked = Value::from(visible(command.as_bytes())).to_string().into_bytes();
        BodyMask::unknown().run(&mut masked);
        let mut json = JsonWriter::default();
        json.object(|json| {
            json.name("program").string(program);
            json.name("command").scalar(String::from_utf8_lossy(&masked));
            json.name("version").string(env!("CARGO_PKG_VERSION"));
            json.name("target").string(&target.to_string());
            json.name("started").string(&rfc3339(*started, 3));
            json.name("recording").scalar(recording);
        });
        String::from_utf8_lossy(&json.into_bytes()).into_owned()
    }

    /// Returns the exchanges that are over as an HTTP archive.
    fn har(&self) -> io::Result<Vec<u8>> {
        let mut file = Cursor::new(Vec::new());
        let har = har::with_limit(&mut file, self.origin.started, true, BODY_LIMIT)?;
        for id in self.store.ids() {
            let is_over = |kept: &KeptExchange| kept.done && kept.x.number > 0;
            let Some(kept) = self.store.exchange(id).filter(is_over) else { continue };
            for (piece, bytes) in kept.pieces() {
                let event = match piece.upgraded {
                    true => Event::Tunnel(&kept.x, piece.side, bytes),
                    false => Event::Content(&kept.x, piece.side, bytes),
                };
                har.see(kept.connection, piece.at, &event);
            }
            for (side, fault) in kept.faults.iter().filter_map(|fault| fault.seen) {
                let event = Event::Fault(Some(&kept.x), side, fault);
                har.see(kept.connection, Duration::ZERO, &event);
            }
            har.see(kept.connection, Duration::ZERO, &Event::Done(&kept.x));
        }
        drop(har);
        Ok(file.into_inner())
    }
}

/// Compares in a time that depends on the lengths only.
fn same(a: &[u8], b: &[u8]) -> bool {
    let different = a.iter().zip(b).fold(0, |different, (a, b)| different | (a ^ b));
    a.len() == b.len() && different == 0
}
