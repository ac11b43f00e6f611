//! JSON Pointer: the path to one value in a text.
//!
//! ```text
//! json-pointer    = *( "/" reference-token )          ; RFC 6901 §3
//! reference-token = *( unescaped / escaped )
//! unescaped       = %x00-2E / %x30-7D / %x7F-10FFFF
//! escaped         = "~" ( "0" / "1" )                 ; ~0 is "~", ~1 is "/"
//! array-index     = %x30 / ( %x31-39 *(%x30-39) )     ; §4: "0", or digits without a leading "0"
//! ```
//!
//! The empty pointer is the whole text. In [`JsonText::select`](super::JsonText::select), `*`
//! matches every element of an array (`/*/Id`), because `*` is not an index. Not supported: a
//! pointer as a URI fragment (`#/a`, RFC 6901 §6), `-` for the position after an array's last
//! element (§4), and shorthands such as `Id` or `.Id`.

use super::error::{JsonError, JsonErrorKind};
use std::fmt;

/// The path from the root of a JSON text to one value in it.
///
/// ```
/// use unix_http::json::{JsonText, Pointer};
///
/// let pointer = Pointer::parse("/Labels/example.com~1owner")?; // ~1 is a slash, ~0 a tilde
/// let text = JsonText { bytes: br#"{"Labels":{"example.com/owner":"me"}}"#, offset: 0 };
/// let mut found = Vec::new();
/// text.select(&pointer, &mut |value| found.extend_from_slice(value.bytes))?;
/// assert_eq!(found, br#""me""#);
/// assert!(Pointer::parse("Names").is_err()); // it begins with a slash
/// # Ok::<(), unix_http::json::JsonError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// The reference tokens, unescaped.
    pub(super) tokens: Vec<String>,
}

impl Pointer {
    /// Parses a pointer such as `/a/0/b~1c`.
    ///
    /// # Errors
    /// Fails on a pointer that does not begin with a slash, and on a `~` without 0 or 1 behind it.
    pub fn parse(text: &str) -> Result<Pointer, JsonError> {
        if text.is_empty() {
            return Ok(Pointer { tokens: Vec::new() });
        }
        let Some(rest) = text.strip_prefix('/') else {
            return Err(JsonError { kind: JsonErrorKind::PointerSlash, offset: 0 });
        };
        for (at, _) in text.match_indices('~') {
            if !matches!(text.as_bytes().get(at + 1), Some(b'0' | b'1')) {
                return Err(JsonError { kind: JsonErrorKind::PointerEscape, offset: at as u64 });
            }
        }
        // RFC 6901 §4: ~1 first, so that ~01 becomes ~1 and not a slash.
        let tokens =
            rest.split('/').map(|token| token.replace("~1", "/").replace("~0", "~")).collect();
        Ok(Pointer { tokens })
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escape = |token: &String| token.replace('~', "~0").replace('/', "~1");
        self.tokens.iter().try_for_each(|token| write!(f, "/{}", escape(token)))
    }
}

/// Parses a token as an array index.
pub(super) fn array_index(token: &str) -> Option<usize> {
    let digits = token.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = token.len() > 1 && token.starts_with('0');
    if digits && !leading_zero { token.parse().ok() } else { None }
}
