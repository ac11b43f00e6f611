//! The traffic between a client and a server, as events.
//!
//! ```text
//!   bytes of both sides ──▶ Conversation ──▶ Event ─┬─▶ Text      line by line, for people
//!                          pairs messages,          ├─▶ Explain   each line with its rule
//!                          masks secrets            └─▶ your own Observer
//! ```
//!
//! * [`Conversation`] reads the bytes of one connection as HTTP. It does no I/O.
//! * An [`Observer`] receives [`Event`]s.
//!
//! # Secrets
//!
//! Secrets are masked before any observer sees them, because recordings are kept and shared, and a
//! Docker client sends its registry passwords with every pull. Each byte of a secret becomes `*`;
//! lengths and framing stay. A secret is recognised by its name (see `base/secret_name.rs`) in all
//! these places:
//!
//! ```text
//! field line, trailer field     X-Registry-Auth: …      except the scheme of Authorization
//! query, form                   ?password=…             also JSON and NAME=value in a value
//! JSON member                   "token": "…"            also lists and objects below it
//! string, text of a field       DB_PASSWORD=…           to its end; also --token …, SWMTKN-…
//! URL                           https://…@host          all of its userinfo
//! body of …/secrets/create      "Data": "…"             libpod's: all of it
//! HTTP/2, unknown upgrades      …                       all of it
//! ```
//!
//! Escapes (`\u003d`, `%3D`) are decoded before names are compared. Not masked, because they have
//! no name: input typed into a container, its output, files in archives, compressed bodies,
//! numbers. Bytes that are not HTTP are masked like field lines and JSON.
//!
//! If a read ends inside the host of a URL, the host is masked from its beginning, because it may
//! contain credentials.
//!
//! ```
//! use std::time::Duration;
//! use unix_http::traffic::{Conversation, Event, Side};
//!
//! let mut masked = Vec::new();
//! let mut see = |event: &Event<'_>| {
//!     if let Event::Bytes(_, bytes) = event {
//!         masked.extend_from_slice(bytes);
//!     }
//! };
//! let head = b"GET /x?token=t HTTP/1.1\r\nX-Registry-Auth: eyJ1\r\nAccept: */*\r\n\r\n";
//! Conversation::new(true).bytes(Side::Client, Duration::ZERO, head, &mut see);
//! let want = b"GET /x?token=* HTTP/1.1\r\nX-Registry-Auth: ****\r\nAccept: */*\r\n\r\n";
//! assert_eq!(masked, want);
//! ```

mod conversation;
mod cover;
pub(crate) mod event;
pub(crate) mod exchange;
pub(crate) mod explain;
mod lane;
pub(crate) mod secrets;
mod text;
pub(crate) mod until_error;

pub use conversation::Conversation;
pub use event::{Event, Fault, Observer};
pub use exchange::{Exchange, Message, Side};
pub use explain::Explain;
pub use text::Text;
