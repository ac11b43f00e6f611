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
//!     ("GET" | "HEAD", b"/hello") => responder.field("Content-Type", "text/plain").send("hello\n"),
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
//! connection = *( request response ) [ other protocol ]               ; RFC 9112 §9.3, RFC 9110 §7.8
//! ```
//!
//! | what comes | what becomes of it |
//! |---|---|
//! | requests one after the other, also before the answers (pipelined) | answered in their order |
//! | `Connection: close`, HTTP/1.0 without keep-alive | answered, then the connection is closed |
//! | HTTP/1.0 | never answered in chunks: a body of unknown length ends with the connection |
//! | HEAD | answered with the fields of a GET and no content, whatever the handler sends |
//! | `Expect: 100-continue` | `100 Continue` when the handler first reads; another expectation: 417 |
//! | content that the handler left unread | read past, up to 256 KiB; beyond that the connection is closed |
//! | bytes that break the grammar | 400 with the rule and the place, and the connection is closed |
//! | Transfer-Encoding with a length, or not ending in `chunked`, Host missing or twice | 400: so are requests smuggled |
//! | a coding before `chunked`; CONNECT | 501 |
//! | a version that is not 1.x | 505 |
//! | a head over [`Limits::overhead`] | 431, or 414 where its first line is too long |
//! | content over [`Limits::content`] | 413 |
//! | a head or a body that does not come in time | 408; an idle connection is closed without a word |
//!
//! An error is told and then the connection is closed in two steps, so that the answer is not lost
//! to a reset while the client still sends (`RFC 9112 §9.6`). A length is never demanded (411):
//! chunks are read as well.
//!
//! # Many connections
//!
//! There are at most [`Limits::connections`], and one thread for each. When there is one too many,
//! the connection that has been idle longest is closed to make room. One that has just come has 100
//! ms to send its head then, so clients that send it a byte a second cannot keep others out. When
//! all are at work, the next client waits until one has done, and those behind it in the listen
//! queue.
//!
//! Declined: virtual hosts and routing (a `match` does it), compression, TLS, and protection of a
//! TCP address from web pages: listen on a Unix socket, or compare [`Request::host`] in the
//! handler.

mod answer;
mod connection_state;
mod exchange;
mod handle;
mod incoming;
mod refusal;
mod request;
mod responder;

pub use crate::wire::reason_phrase;
pub use handle::Handle;
pub use refusal::Refusal;
pub use request::Request;
pub use responder::{BodyWriter, Responder, Sent};

/// A raw connection after a response that ended HTTP on it. It has no limits of time, and lives as
/// long as it is kept.
pub type Upgraded = crate::upgraded::Upgraded<()>;

use crate::transport::{Admission, Endpoint, ListenError, Listener};
use std::io;
use std::time::Duration;

/// What a server will put up with. `None` is without limit.
///
/// Those of time make a silent client give up its thread. They end with HTTP: an [`Upgraded`]
/// connection has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many connections are served at a time: 512. Each costs a thread, a descriptor, and about
    /// 20 KiB when idle.
    pub connections: usize,
    /// How many bytes of a request may be something other than content: 128 KiB.
    pub overhead: usize,
    /// How many bytes of content a request may have. Not limited, since it is never held in memory
    /// here.
    pub content: Option<u64>,
    /// From the first byte of a head to its last: 30 s.
    pub head: Option<Duration>,
    /// Between a response and the next request: 60 s.
    pub idle: Option<Duration>,
    /// Silence inside a request's body, or of a client that does not take what is sent to it: 60 s.
    pub silence: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Limits {
        let minute = Some(Duration::from_secs(60));
        Limits {
            connections: 512,
            overhead: 128 * 1024,
            content: None,
            head: Some(Duration::from_secs(30)),
            idle: minute,
            silence: minute,
        }
    }
}

/// A server that listens; [`spawn`](Server::spawn) or [`run`](Server::run) makes it answer.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    limits: Limits,
}

impl Server {
    /// A server for this user alone; see [`Listener::bind`].
    ///
    /// # Errors
    /// [`ListenError`], which says what is in the way.
    pub fn bind(endpoint: &Endpoint) -> Result<Server, ListenError> {
        Listener::bind(endpoint).map(Server::new)
    }

    /// A server for those whom `admission` lets in; see [`Listener::bind_for`].
    ///
    /// # Errors
    /// As [`bind`](Server::bind).
    pub fn bind_for(endpoint: &Endpoint, admission: Admission) -> Result<Server, ListenError> {
        Listener::bind_for(endpoint, admission).map(Server::new)
    }

    /// A server on a listener that is there already.
    #[must_use]
    pub fn new(listener: Listener) -> Server {
        Server { listener, limits: Limits::default() }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Server {
        self.limits = limits;
        self
    }

    /// Answers from threads of its own until the [`Handle`] is stopped or dropped.
    ///
    /// The handler is called by many threads at a time. It has to give back what [`Responder`] gave
    /// it, so it cannot forget to answer. An error instead, before anything was sent, is answered
    /// for it: [`Refusal`] as it says, a body that broke off or came too late with 400 or 408, all
    /// others with 500. After that the connection is cut, so that the client does not take half a
    /// body for a whole one. So it is with a panic, where those unwind.
    ///
    /// # Errors
    /// That of dup(2), or of making the first thread.
    pub fn spawn<H>(self, handler: H) -> io::Result<Handle>
    where
        H: Fn(&mut Request<'_>, Responder<'_>) -> io::Result<Sent> + Send + Sync + 'static,
    {
        handle::start(self.listener, self.limits, Box::new(handler))
    }

    /// Answers until the process ends.
    ///
    /// # Errors
    /// As [`spawn`](Server::spawn).
    pub fn run<H>(self, handler: H) -> io::Result<()>
    where
        H: Fn(&mut Request<'_>, Responder<'_>) -> io::Result<Sent> + Send + Sync + 'static,
    {
        self.spawn(handler)?.wait();
        Ok(())
    }
}

/// A handler of any kind.
type Handler = dyn Fn(&mut Request<'_>, Responder<'_>) -> io::Result<Sent> + Send + Sync;
