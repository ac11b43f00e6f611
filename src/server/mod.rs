//! A small blocking server: a thread for each connection, and a handler that is a plain function.
//!
//! ```
//! use std::{io, time::Duration};
//! use unix_http::Client;
//! use unix_http::server::Server;
//! use unix_http::transport::{Endpoint, PrivateDir};
//!
//! let directory = PrivateDir::new_in(std::env::temp_dir())?;
//! let server = Server::bind(&Endpoint::Unix(directory.path().join("s")))?;
//! let handle = server.spawn(|request, responder| match (request.method(), request.path()) {
//!     ("GET" | "HEAD", b"/hello") => responder.send("hello\n"),
//!     ("POST", b"/echo") => {
//!         let mut answer = responder.stream()?;
//!         io::copy(request, &mut answer)?; // answers while it still reads
//!         answer.finish()
//!     }
//!     _ => responder.status(404).send("no such thing here\n"),
//! })?;
//!
//! let client = Client::new(handle.endpoint().clone());
//! assert_eq!(client.get("/hello").send()?.text()?, "hello\n");
//! assert_eq!(client.post("/echo").body("hear, hear").send()?.text()?, "hear, hear");
//! assert_eq!(client.get("/nope").send()?.status(), 404);
//! assert_eq!(handle.stop(Duration::from_secs(5)), 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # One connection
//!
//! ```text
//! connection = *( request response ) [ other protocol ]         ; RFC 9112 §9.3, RFC 9110 §7.8
//! ```
//!
//! | input | response |
//! |---|---|
//! | several requests at once (pipelined) | one response each, in order |
//! | `Connection: close`, HTTP/1.0 without keep-alive | a response, then the connection closes |
//! | HTTP/1.0 | never chunked: a body of unknown length ends with the connection |
//! | HEAD | the fields of a GET and no content; no Content-Length for empty content |
//! | `Expect: 100-continue` | `100 Continue` when the handler first reads; any other: 417 |
//! | content that the handler does not read | dropped up to 256 KiB, then the connection closes |
//! | bytes that break the grammar | 400 with the rule and the offset |
//! | ambiguous framing; Host missing or repeated | 400: these smuggle requests |
//! | a coding before `chunked`; CONNECT | 501 |
//! | a version that is not 1.x | 505 |
//! | a head over [`Limits::overhead`] | 431, or 414 if the first line is too long |
//! | content over [`Limits::content`] | 413 |
//! | a head or a body that comes too slowly | 408; an idle connection closes silently |
//!
//! After an error the connection closes in two steps, so that a reset cannot destroy the response
//! (`RFC 9112 §9.6`).
//!
//! # Many connections
//!
//! Each connection has a thread. At the limit ([`Limits::connections`]) the connection that has
//! been idle longest closes. A new one counts as idle after 100 ms without a head, so slow clients
//! cannot lock others out. When all connections are busy, new clients wait in the listen queue.
//!
//! # Operation
//!
//! When a handler fails, the client receives only a 500. [`Server::observe`] reports the error, and
//! serves as an access log. [`Handle::stop`] ends the server. An endless response should check
//! [`Request::is_stopping`], so that it can end properly.
//!
//! Not included: virtual hosts, routing (use `match`), compression and TLS. A TCP address is not
//! protected from web pages: listen on a Unix socket, or check [`Request::host`] in the handler.

mod access;
mod answer;
mod connection_state;
mod exchange;
mod handle;
mod incoming;
mod limits;
mod refusal;
mod request;
mod responder;

pub use access::Access;
pub use handle::Handle;
pub use limits::Limits;
pub use refusal::Refusal;
pub use request::Request;
pub use responder::{BodyWriter, Responder, Sent};

use crate::transport::{Endpoint, Listener};
use exchange::{AccessObserver, Setup};
use std::fmt;
use std::io;

/// A listening server; [`spawn`](Server::spawn) starts to answer.
#[must_use]
pub struct Server {
    listener: Listener,
    limits: Limits,
    observer: Option<Box<AccessObserver>>,
}

impl Server {
    /// Listens for clients of the same user; see [`Listener::bind`].
    ///
    /// # Errors
    /// Names the endpoint, the cause and the remedy.
    pub fn bind(endpoint: &Endpoint) -> io::Result<Server> {
        Listener::bind(endpoint).map(Server::new)
    }

    /// Uses an existing listener, such as one for [more clients](Listener::bind_for).
    pub fn new(listener: Listener) -> Server {
        Server { listener, limits: Limits::default(), observer: None }
    }

    /// Sets the limits.
    pub fn with_limits(mut self, limits: Limits) -> Server {
        self.limits = limits;
        self
    }

    /// Calls `observer` at the end of every exchange, on the thread of the connection. Use it as an
    /// access log. It is the only place that receives the error of a handler.
    pub fn observe(mut self, observer: impl Fn(&Access<'_>) + Send + Sync + 'static) -> Server {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Serves on background threads until the [`Handle`] is stopped or dropped.
    ///
    /// Many threads call the handler at a time. It returns the [`Sent`] of its [`Responder`].
    /// If it returns an error or panics before anything was sent, the server responds: as a
    /// [`Refusal`] says, with 400 or 408 for a broken or late body, else with 500. If it fails
    /// later, the connection is cut, so that the client does not take half a body for a whole one.
    ///
    /// # Errors
    /// Fails if dup(2) fails or the first thread cannot start.
    pub fn spawn<H>(self, handler: H) -> io::Result<Handle>
    where
        H: Fn(&mut Request<'_>, Responder<'_>) -> io::Result<Sent> + Send + Sync + 'static,
    {
        let Server { listener, limits, observer } = self;
        handle::start(listener, Setup { handler: Box::new(handler), observer, limits })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Server { listener, limits, .. } = self;
        f.debug_struct("Server").field("listener", listener).field("limits", limits).finish()
    }
}
