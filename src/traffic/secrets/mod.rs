//! Masks secrets before any observer sees them.
//!
//! Recordings are kept and shared, and a Docker client sends its registry passwords with every
//! pull. So each byte of a secret becomes `*`; lengths and framing stay. A secret is recognised by
//! its name (see `base/secret_name.rs`), wherever it stands:
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
//! Escapes (`\u003d`, `%3D`) are decoded before names are compared. Not masked, as no name tells:
//! input typed into a container, its output, files in archives, compressed bodies, numbers. Bytes
//! that are not HTTP are masked like field lines and JSON.
//!
//! A read that ends inside the host of a URL is masked from the host's beginning: credentials may
//! stand there.
//!
//! ```
//! use unix_http::traffic::secrets::{HeadMask, JsonMask};
//!
//! let mut head = *b"GET /x?token=t HTTP/1.1\r\nX-Registry-Auth: eyJ1\r\nAccept: */*\r\n\r\nbody";
//! assert_eq!(HeadMask::new(true).run(&mut head), (63, true));
//! let want = b"GET /x?token=* HTTP/1.1\r\nX-Registry-Auth: ****\r\nAccept: */*\r\n\r\nbody";
//! assert_eq!(&head, want);
//!
//! let mut body = *br#"{"username":"u","password":"p\"w","Env":["DB_PASSWORD=x","A=b"]}"#;
//! JsonMask::new(false).run(&mut body);
//! assert_eq!(&body[..], br#"{"username":"u","password":"****","Env":["DB_PASSWORD=*","A=b"]}"#);
//! ```

mod body;
mod head;
mod json;
mod query;
mod text;

pub use crate::base::secret_name::{FIELDS, is_secret_field};
pub use body::BodyMask;
pub use head::{HeadMask, mask_target};
pub use json::JsonMask;

/// Whether a value was masked: its last word consists of `*` only.
pub fn is_covered(value: &[u8]) -> bool {
    let word = value.trim_ascii_end().rsplit(|b| matches!(b, b' ' | b'\t')).next();
    word.is_some_and(|word| !word.is_empty() && word.iter().all(|&b| b == b'*'))
}
