//! HTTP/1.1 over Unix domain sockets, by hand.
//!
//! The Docker API is really HTTP: `docker version` is a program that connects to a socket file,
//! writes a few lines of text and reads a few back. This crate does just that, with nothing but the
//! standard library, and is written to be read: the source is a course through RFC 9112, and every
//! module opens with the grammar that it implements.
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
//! {"Version":"20.10.24", ...         792 bytes of content; then the connection is free for the next request
//! ```
//!
//! That is all there is to it, but for one question, on which the safety of everything rests:
//! *where does a message end?* [`wire::framing`] answers it. The first lesson needs no library at
//! all (`examples/version_by_hand.rs`). With the library it is:
//!
//! ```no_run
//! use unix_http::Client;
//!
//! let docker = Client::unix("/var/run/docker.sock");
//! println!("{}", docker.get("/version").send()?.text()?);
//! # Ok::<(), unix_http::Error>(())
//! ```
//!
//! The same without a socket, to see that nothing is hidden: the layers below [`Client`] are plain
//! values.
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
//! // In: the response, from anything that can be read; here from memory.
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
//! # A map, in reading order
//!
//! | module | what it is | RFC |
//! |---|---|---|
//! | [`wire`] | messages as bytes: grammar, fields, heads, framing, chunks. No I/O | 9112 §2 to §8 |
//! | [`transport`] | where the bytes travel: sockets, time limits, connect errors that say why | |
//! | [`connection`] | one buffer over one stream | 9112 §9 |
//! | [`client`] | requests out, responses in, connections kept | 9110 §9, §15 |
//! | [`server`] | requests in, responses out, a thread for each connection | 9110 §9, §15 |
//! | [`traffic`] | what travelled, as events: exchanges paired, secrets covered, shown line by line | 9112 §6.3, §9 |
//! | [`tap`] | a relay between a client and a server that shows and records what they say | 9112 §6.3, §9 |
//! | [`docker`] | what Docker adds: endpoints, API versions, frames, errors inside a 200 | Docker Engine API |
//! | [`json`] | a small strict reader of JSON | 8259, 6901 |
//!
//! The last five are Cargo features with the same names, all on by default ([`traffic`] comes with
//! `docker`); [`transport::Listener`] comes with `server` and with `tap`. The client and what it stands on, without them, build in
//! less than half the time: `unix-http = { version = "0.1", default-features = false }`.
//!
//! As a course: [`wire::grammar`] to [`wire::chunked`] in the order that [`wire`] gives, with RFC
//! 9112 beside it, a section at a time; then [`connection`], where bytes become messages, and
//! [`client`], where messages become exchanges. Each module opens with the grammar that it
//! implements, what it declines and why, and a doctest in bytes. The lessons in `examples/` go the
//! same way from the other end, and `ucurl --explain` shows any exchange with the sections that
//! apply.
//!
//! In these pages an example stands where things work together: at the head of a module and on the
//! types and traits that one begins with. Methods are used there, and what is plain data (fields,
//! variants, kinds of errors, limits) has a sentence in place of an example.
//!
//! Arrows point downwards only: `wire` knows nothing of sockets, `client` nothing of Docker.
//!
//! # What it promises
//!
//! - **Strict in, strict out.** Bytes that break the grammar are refused with their place and their
//!   rule, never repaired; a value that could break out of its line is refused before a byte is
//!   sent. See [`wire`] for the policy.
//! - **Nothing is lost.** What came before an error is delivered, then the error is told. A body
//!   cut short is [`Error::Incomplete`], never a short success.
//! - **Nothing grows without limit**, and no limit is silent. Memory does not depend on the size of
//!   a body.
//! - **No dependencies, no `unsafe`, no runtime.** It blocks; use threads. [`Client`] is `Send +
//!   Sync` and cheap to clone.
//! - **Nobody is let in.** What an attacker could want, what stands in the way, and which test
//!   shows it: [`security`].
//!
//! TLS and ssh are left to the system's own programs at the other end of a socket pair
//! ([`transport`]); HTTP/2 and HTTP/3, compression, cookies and caches are not here.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
// The map has the layers that were left out, too; their names are then no links.
#![cfg_attr(not(feature = "commands"), allow(rustdoc::broken_intra_doc_links))]

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
mod upgraded;
pub mod wire;

pub use client::{Body, Client, Request, Response, Upgraded};
pub use error::Error;
pub use transport::{Endpoint, Timeouts};
