//! HTTP/1.1 over Unix domain sockets, written by hand.
//!
//! The Docker API is HTTP: `docker version` connects to a socket file, writes a few lines of text
//! and reads a few back. This crate does the same with the standard library alone. It is written to
//! be read: each module opens with the grammar that it implements.
//!
//! # One request on the wire
//!
//! A client writes these bytes to `/var/run/docker.sock`:
//!
//! ```text
//! GET /version HTTP/1.1\r\n          request-line: method, request-target, version
//! Host: localhost\r\n                field line: every HTTP/1.1 request has a Host
//! \r\n                               an empty line ends the head; a GET has no content
//! ```
//!
//! and reads these:
//!
//! ```text
//! HTTP/1.1 200 OK\r\n                status-line: version, status-code, reason-phrase
//! Api-Version: 1.41\r\n
//! Content-Type: application/json\r\n
//! Content-Length: 792\r\n            framing: where the content ends
//! \r\n
//! {"Version":"20.10.24", ...         792 bytes of content; then the next request may follow
//! ```
//!
//! All safety depends on one question, which [`wire::framing`] answers: *where does a message end?*
//! With the library, the same request is:
//!
//! ```no_run
//! use unix_http::Client;
//!
//! let docker = Client::unix("/var/run/docker.sock");
//! println!("{}", docker.get("/version").send()?.text()?);
//! # Ok::<(), unix_http::Error>(())
//! ```
//!
//! The layers below [`Client`] are plain values that need no socket. For a poll loop or an async
//! runtime, [`connection::ClientExchange`] combines them. Step by step:
//!
//! ```
//! use unix_http::connection::Connection;
//! use unix_http::wire::{self, BodyDecoder, Fields, Framing, ResponseDecoder, Version};
//!
//! // Out: the request, as bytes.
//! let (mut request, mut fields) = (Vec::new(), Fields::new());
//! fields.push("Host", "localhost")?;
//! wire::encode_request(&mut request, "GET", b"/_ping", Version::Http11, &fields)?;
//! assert_eq!(request, b"GET /_ping HTTP/1.1\r\nHost: localhost\r\n\r\n");
//!
//! // In: the response, from any reader; here from memory.
//! let answer = &b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"[..];
//! let (mut connection, mut decoder) = (Connection::new(answer), ResponseDecoder::new());
//! connection.read_head(&mut decoder)?;
//! let decision = wire::framing::response("GET", decoder.head())?;
//! assert_eq!(decision.framing, Framing::Length(2));
//! let mut body = BodyDecoder::new(decision.framing, 0, wire::OVERHEAD_LIMIT);
//! assert_eq!(connection.fill_body(&mut body)?, b"OK");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A map
//!
//! Arrows point down only: `wire` knows no sockets, `client` knows no Docker. A test
//! (`tests/layers.rs`) enforces this for folders and files.
//!
//! ```text
//!                 ucurl                the program; it uses the public API only
//!                   │
//!                  tap                 relay, record, replay
//!                   │
//!                traffic               what travelled, as events
//!                   │
//!                docker                hosts, versions, frames, errors inside a 200
//!              ┌────┴────┐
//!   server   client     json           requests in;  requests out;  a strict reader of JSON
//!      └───┬────┘         │
//!      connection         │            one buffer over one stream
//!      ┌───┴─────┐        │
//!  transport   wire       │            sockets and deadlines;  bytes as messages, no I/O
//!      └────┬────┴────────┘
//!         base                         text, numbers, time: no HTTP, no sockets
//! ```
//!
//! | read in this order | it holds | source |
//! |---|---|---|
//! | [`wire`] | grammar, fields, heads, framing, chunks | RFC 9112 §2 to §8 |
//! | [`transport`] | sockets, deadlines, connect errors that name the remedy | |
//! | [`connection`] | bytes become messages | RFC 9112 §9 |
//! | [`client`] | messages become exchanges; connections are kept | RFC 9110 §9, §15 |
//! | [`server`] | a thread for each connection | RFC 9110 §9, §15 |
//! | [`json`] | values, pointers, a pretty printer | RFC 8259, RFC 6901 |
//! | [`docker`] | what Docker adds to HTTP | Docker Engine API |
//! | [`traffic`] | exchanges paired, secrets masked, shown line by line | RFC 9112 §9 |
//! | [`tap`] | a relay that shows and records | |
//!
//! [`server`], [`json`], [`docker`] and [`tap`] are Cargo features, on by default. A client alone
//! builds in less than half the time:
//! `unix-http = { version = "0.1", default-features = false }`.
//!
//! The lessons in `examples/` begin with a socket and no library. `ucurl --explain` annotates any
//! exchange with the sections that apply.
//!
//! # Promises
//!
//! - **Strict in, strict out.** Malformed bytes are rejected with their offset and rule. A value
//!   that could break out of its line is refused before a byte is sent.
//! - **Nothing is lost.** Bytes before an error are delivered, then the error is reported. A body
//!   that is cut short is [`Error::Incomplete`], never a short success.
//! - **Nothing grows without limit.** Memory does not depend on the size of a body.
//! - **No dependencies, no `unsafe`, no runtime.** Calls block; use threads. [`Client`] is
//!   `Send + Sync` and cheap to clone.
//! - **Secure.** [`security`] lists attacks, defences and their tests.
//!
//! Not included: HTTP/2 and HTTP/3, compression, cookies and caches. TLS and ssh run in the
//! system's own programs ([`docker`]).
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Layers that were left out cannot be linked to.
#![cfg_attr(not(feature = "commands"), allow(rustdoc::broken_intra_doc_links))]

// Shared with ucurl; not part of the library's public interface.
#[doc(hidden)]
pub mod base;
pub mod client;
pub mod connection;
#[cfg(feature = "docker")]
pub mod docker;
mod error;
#[cfg(feature = "json")]
pub mod json;
#[doc = include_str!("security.md")]
pub mod security {}
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "tap")]
pub mod tap;
#[cfg(feature = "docker")]
pub mod traffic;
pub mod transport;
pub mod wire;

pub use client::{Body, Client, RequestBuilder, Response};
pub use connection::Upgraded;
pub use error::Error;
pub use transport::{Endpoint, Timeouts};
