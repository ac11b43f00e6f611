//! A blocking client: requests out, responses in, connections kept for the next request.
//!
//! ```text
//!  Client ──get("/version")──▶ RequestBuilder ──send()──▶ Response: Read + BufRead
//!    │                                │                    │
//!    └─ endpoint, limits              └─ fields, Body      └─ status, fields, trailers
//! ```
//!
//! In the order in which you meet them:
//!
//! 1. [`Client`] connects to one endpoint. [`ClientBuilder`] sets its time limits, a path prefix
//!    and an observer.
//! 2. [`RequestBuilder`] collects a target, a query, fields and a [`Body`], and sends them.
//! 3. [`Response`] reads the status, the fields and the content.
//! 4. [`Canceller`] ends an exchange from another thread.
//! 5. A [`ClientEvent`] for each head, body and connection reaches an observer.
//!
//! In the source, `exchange` sends a request and waits for the head, `upload` sends a long body,
//! and `pool` keeps connections.
//!
//! ```no_run
//! use unix_http::Client;
//!
//! let docker = Client::unix("/var/run/docker.sock");
//! let version = docker.get("/version").send()?.text()?;
//! let created = docker.post("/containers/create?name=mypy").json(r#"{"Image":"busy"}"#).send()?;
//! assert_eq!(created.status(), 201);
//! # Ok::<(), unix_http::Error>(())
//! ```

mod body;
mod cancel;
mod exchange;
mod observer;
mod pool;
mod request;
mod response;
mod upload;

pub use body::Body;
pub use cancel::Canceller;
pub use observer::ClientEvent;
pub use request::RequestBuilder;
pub use response::Response;

use crate::transport::{Endpoint, Stream, Timeouts};
use crate::wire::OVERHEAD_LIMIT;
use observer::ClientObserver;
use pool::{Pool, Settings};
use std::path::Path;
use std::sync::Arc;

/// A client of one endpoint. Threads may share it. Clones are cheap and share the kept connections.
///
/// ```
/// # #[cfg(feature = "server")] {
/// # use unix_http::{server::Server, transport::{Endpoint, PrivateDir}};
/// # let directory = PrivateDir::new_in(std::env::temp_dir())?;
/// # let socket = directory.path().join("s");
/// # let server = Server::bind(&Endpoint::Unix(socket.clone()))?;
/// # let _server = server.spawn(|request, responder| match request.method() {
/// #     "DELETE" => responder.status(204).send(""),
/// #     _ => responder.send(request.host().unwrap_or_default()),
/// # })?;
/// use std::time::Duration;
/// use unix_http::{Client, Timeouts};
///
/// let limits = Timeouts::default().head(Duration::from_secs(5));
/// let client = Client::builder(Endpoint::Unix(socket)).host("app").timeouts(limits).build();
/// assert_eq!(client.get("/who").send()?.text()?, "app");
/// // The second request goes out on the connection of the first.
/// assert!(client.delete("/containers/mypy").send()?.is_reused());
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    pool: Arc<Pool>,
}

macro_rules! methods {
    ($($name:ident $method:literal),*) => {$(
        #[doc = concat!("A ", $method, " request for `target`, such as `/version`.")]
        pub fn $name<'a, T: AsRef<[u8]> + ?Sized>(&'a self, target: &'a T) -> RequestBuilder<'a> {
            self.request($method, target)
        }
    )*};
}

impl Client {
    /// Creates a client of the Unix socket at `path`. The first request connects.
    pub fn unix(path: impl AsRef<Path>) -> Client {
        Client::new(Endpoint::Unix(path.as_ref().to_path_buf()))
    }

    /// Creates a client of any [`Endpoint`].
    pub fn new(endpoint: Endpoint) -> Client {
        Client::builder(endpoint).build()
    }

    /// Creates a client over one connected stream. When the stream has ended, a request fails with
    /// [`Error::Connect`](crate::Error::Connect).
    ///
    /// ```no_run
    /// use std::os::fd::AsFd;
    /// use unix_http::Client;
    ///
    /// // The parent process passed one end of a socket pair as standard input.
    /// let parent = std::io::stdin().as_fd().try_clone_to_owned()?;
    /// let version = Client::over(parent).get("/version").send()?.text()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn over(stream: impl Into<Stream>) -> Client {
        Client::builder(Endpoint::of_the_caller()).over(stream)
    }

    /// Returns a builder of a client with other settings.
    pub fn builder(endpoint: Endpoint) -> ClientBuilder {
        // Not the path: Go's servers refuse what is not a host (`RFC 9112 §3.2`).
        let host = endpoint.authority().unwrap_or_else(|| "localhost".to_string());
        ClientBuilder {
            settings: Settings {
                endpoint,
                host,
                prefix: String::new(),
                timeouts: Timeouts::default(),
                limit: OVERHEAD_LIMIT,
                max_idle: 16,
                observer: None,
                observes_bodies: true,
            },
        }
    }

    /// Returns the endpoint.
    pub fn endpoint(&self) -> &Endpoint {
        &self.pool.settings.endpoint
    }

    methods! { get "GET", head "HEAD", post "POST", put "PUT", delete "DELETE" }

    /// Begins a request with any method.
    pub fn request<'a, T: AsRef<[u8]> + ?Sized>(
        &'a self,
        method: &'a str,
        target: &'a T,
    ) -> RequestBuilder<'a> {
        RequestBuilder::new(&self.pool, method, target.as_ref())
    }
}

/// Settings of a [`Client`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientBuilder {
    settings: Settings,
}

impl ClientBuilder {
    /// Sets the Host field. Default: `localhost`, or the `host:port` of a TCP endpoint.
    pub fn host(mut self, host: impl AsRef<str>) -> ClientBuilder {
        self.settings.host = host.as_ref().to_owned();
        self
    }

    /// Sets text to put before every request-target: `/prefix` for `tcp://host:2375/prefix`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> ClientBuilder {
        self.settings.prefix = prefix.into();
        self
    }

    /// Sets the time limits. Default: none.
    pub fn timeouts(mut self, timeouts: Timeouts) -> ClientBuilder {
        self.settings.timeouts = timeouts;
        self
    }

    /// Limits heads, chunk-exts and trailers together. Default: [`OVERHEAD_LIMIT`].
    pub fn limit(mut self, bytes: usize) -> ClientBuilder {
        self.settings.limit = bytes;
        self
    }

    /// Sets how many idle connections are kept. Default: 16.
    pub fn max_idle(mut self, connections: usize) -> ClientBuilder {
        self.settings.max_idle = connections;
        self
    }

    /// Calls `observer` with each event of an exchange. It must not call the client that it
    /// observes, and slow code in it slows the exchange.
    ///
    /// ```
    /// # #[cfg(feature = "server")] {
    /// # use unix_http::{server::Server, transport::{Endpoint, PrivateDir}};
    /// # let directory = PrivateDir::new_in(std::env::temp_dir())?;
    /// # let socket = directory.path().join("s");
    /// # let server = Server::bind(&Endpoint::Unix(socket.clone()))?;
    /// # let _server = server.spawn(|_, responder| responder.send("pong"))?;
    /// use unix_http::{Client, client::ClientEvent};
    ///
    /// let heads = std::sync::mpsc::channel();
    /// let client = Client::builder(Endpoint::Unix(socket)).observe(move |event| {
    ///     if let ClientEvent::RequestHead(head) = event {
    ///         heads.0.send(head.to_vec()).unwrap();
    ///     }
    /// });
    /// client.build().get("/ping").send()?;
    /// assert!(heads.1.recv()?.starts_with(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn observe(
        mut self,
        observer: impl Fn(&ClientEvent<'_>) + Send + Sync + 'static,
    ) -> ClientBuilder {
        self.settings.observer = Some(ClientObserver(Arc::new(observer)));
        self
    }

    /// Sets whether the observer gets [`ClientEvent::ResponseBody`]. Default: true. Without it,
    /// bodies are read straight into the memory of the reader.
    pub fn observe_bodies(mut self, yes: bool) -> ClientBuilder {
        self.settings.observes_bodies = yes;
        self
    }

    /// Returns the client.
    pub fn build(self) -> Client {
        Client { pool: Arc::new(Pool::new(self.settings)) }
    }

    /// Returns a client that uses this stream first, and connects to the endpoint after its end.
    pub fn over(self, stream: impl Into<Stream>) -> Client {
        let client = self.build();
        client.pool.give(stream.into());
        client
    }
}
