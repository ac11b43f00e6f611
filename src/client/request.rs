//! The builder of a request.

use super::body::{Body, Content};
use super::cancel::Canceller;
use super::pool::Pool;
use crate::base::percent;
use crate::error::Error;
use crate::transport::Timeouts;
use crate::wire::{Fields, Version};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A request under construction; [`send`](RequestBuilder::send) sends it.
///
/// The client adds Host, User-Agent, and Content-Length or Transfer-Encoding unless you set them.
///
/// ```
/// # #[cfg(feature = "server")] {
/// # use unix_http::{server::Server, transport::{Endpoint, PrivateDir}};
/// # let directory = PrivateDir::new_in(std::env::temp_dir())?;
/// # let socket = directory.path().join("s");
/// # let _server = Server::bind(&Endpoint::Unix(socket.clone()))?.spawn(|request, responder| {
/// #     let kind = request.fields().get("Content-Type").unwrap_or_default().to_vec();
/// #     let length = request.length();
/// #     let content = request.bytes(100)?;
/// #     responder.send(format!("{} {length:?} {}", kind.escape_ascii(), content.escape_ascii()))
/// # })?;
/// use unix_http::{Body, Client};
///
/// let client = Client::unix(&socket);
/// // The server answers with the Content-Type, the Content-Length and the content it received.
/// let known = client.post("/containers/create").json(r#"{"Image":"busybox"}"#).send()?;
/// assert_eq!(known.text()?, r#"application/json Some(19) {\"Image\":\"busybox\"}"#);
/// let streamed = client.put("/archive").field("Content-Type", "application/x-tar");
/// let streamed = streamed.body(Body::reader(&b"tar"[..], None)).send()?;
/// assert_eq!(streamed.text()?, "application/x-tar None tar");
/// // A value that could break out of its line is an error, and nothing is sent.
/// assert!(client.get("/").field("X-Name", "a\r\nHost: elsewhere").send().is_err());
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a request does nothing before it is sent"]
pub struct RequestBuilder<'a> {
    pub(super) pool: &'a Arc<Pool>,
    pub(super) method: &'a str,
    pub(super) target: Cow<'a, [u8]>,
    pub(super) version: Version,
    pub(super) fields: Fields,
    pub(super) body: Body<'a>,
    pub(super) json: bool,
    pub(super) bare: bool,
    pub(super) upgrade: Option<&'a str>,
    pub(super) expect: Option<Duration>,
    pub(super) timeouts: Option<Timeouts>,
    pub(super) canceller: Option<Canceller>,
    pub(super) raw: bool,
    pub(super) ignore_length: bool,
    pub(super) refused: Option<Error>,
}

impl<'a> RequestBuilder<'a> {
    pub(super) fn new(pool: &'a Arc<Pool>, method: &'a str, target: &'a [u8]) -> Self {
        Self {
            pool,
            method,
            target: Cow::Borrowed(target),
            version: Version::Http11,
            fields: Fields::new(),
            body: Body::default(),
            json: false,
            bare: false,
            upgrade: None,
            expect: None,
            timeouts: None,
            canceller: None,
            raw: false,
            ignore_length: false,
            refused: None,
        }
    }

    /// Adds `name=value` to the query, each percent-encoded (`RFC 3986 §3.4`). The braces and
    /// quotes of Docker's `filters`, for example, are not allowed in a request-target.
    pub fn query(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let target = self.target.to_mut();
        target.push(if target.contains(&b'?') { b'&' } else { b'?' });
        let pair = [percent::encode(name.as_bytes()), percent::encode(value.as_ref())];
        target.extend_from_slice(pair.join("=").as_bytes());
        self
    }

    /// Returns the request-target without the client's prefix.
    pub fn target(&self) -> &[u8] {
        &self.target
    }

    /// Adds a field. [`send`](Self::send) fails for an invalid name or value.
    pub fn field(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if let Err(error) = self.fields.push(name, value) {
            self.refused.get_or_insert(error.into());
        }
        self
    }

    /// Sends exactly these fields: nothing is added, not even Host. They must frame the body.
    pub fn fields(mut self, fields: Fields) -> Self {
        self.fields = fields;
        self.bare = true;
        self
    }

    /// Sets the content.
    pub fn body(mut self, body: impl Into<Body<'a>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets JSON content, with `Content-Type: application/json`. The text is not changed.
    pub fn json(self, json: impl Into<Body<'a>>) -> Self {
        Self { json: true, ..self.body(json) }
    }

    /// Sets the version. Default: 1.1.
    pub fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// Asks for another protocol after this exchange (`RFC 9110 §7.8`): `tcp` for Docker. After a
    /// 101 see [`Response::into_upgraded`](super::Response::into_upgraded).
    pub fn upgrade(mut self, protocol: &'a str) -> Self {
        self.upgrade = Some(protocol);
        self
    }

    /// Sends `Expect: 100-continue` (`RFC 9110 §10.1.1`). The content follows when the peer agrees,
    /// or when it does not answer within `patience`.
    pub fn expect_continue(mut self, patience: Duration) -> Self {
        self.expect = Some(patience);
        self
    }

    /// Sets the time limits of this request, instead of the client's.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = Some(timeouts);
        self
    }

    /// Lets another thread end this exchange, even while `send` waits for the response.
    pub fn canceller(mut self, canceller: &Canceller) -> RequestBuilder<'a> {
        self.canceller = Some(canceller.clone());
        self
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.canceller.as_ref().is_some_and(Canceller::is_cancelled)
    }

    /// Returns the body of the response as it was sent, including chunk framing (curl's `--raw`).
    pub fn raw(mut self) -> Self {
        self.raw = true;
        self
    }

    /// Reads to the end of the connection in spite of a Content-Length (curl's
    /// `--ignore-content-length`). A truncated body is then not detected.
    pub fn ignore_content_length(mut self) -> Self {
        self.ignore_length = true;
        self
    }

    /// Whether the peer may receive the request twice (`RFC 9110 §9.2.2`).
    pub(super) fn is_idempotent(&self) -> bool {
        matches!(self.method, "GET" | "HEAD" | "PUT" | "DELETE" | "OPTIONS" | "TRACE")
    }

    /// Whether the content can be sent a second time.
    pub(super) fn is_replayable(&self) -> bool {
        matches!(self.body.content, Content::None | Content::Bytes(_))
    }
}

/// Omits the query of the target, which may contain credentials.
impl fmt::Debug for RequestBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.target.split(|&byte| byte == b'?').next().unwrap_or_default();
        f.debug_struct("RequestBuilder")
            .field("endpoint", &self.pool.settings.endpoint)
            .field("method", &self.method)
            .field("path", &format_args!("{}", path.escape_ascii()))
            .field("fields", &self.fields)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
