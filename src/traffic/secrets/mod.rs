//! Masks secrets before any observer sees them.
//!
//! Recordings are kept and shared, and a Docker client sends its registry passwords with every
//! pull. Therefore each byte of a secret becomes `*`; lengths and framing stay. A secret is
//! recognised by its name (see `base/secret_name.rs`) in all these places:
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

mod body;
mod head;
mod json;
mod query;
mod text;

pub(crate) use crate::base::secret_name::is_secret_field;
pub(crate) use body::BodyMask;
pub(crate) use head::HeadMask;
#[cfg(feature = "tap")]
pub(crate) use head::mask_target;

/// Returns whether a value was masked: its last word consists of `*` only.
pub(crate) fn is_covered(value: &[u8]) -> bool {
    let word = value.trim_ascii_end().rsplit(|b| matches!(b, b' ' | b'\t')).next();
    word.is_some_and(|word| !word.is_empty() && word.iter().all(|&b| b == b'*'))
}
