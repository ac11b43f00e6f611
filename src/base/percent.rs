//! Percent-encoding (RFC 3986 §2.1).
//!
//! ```text
//! pct-encoded = "%" HEXDIG HEXDIG
//! unreserved  = ALPHA / DIGIT / "-" / "." / "_" / "~"             ; §2.3: never needs encoding
//! ```
//!
//! ```
//! use unix_http::base::percent::{decode, decode_lenient, encode};
//!
//! assert_eq!(encode(b"my name/1"), "my%20name%2F1");
//! assert_eq!(decode(b"my%20name").as_deref(), Some(&b"my name"[..]));
//! assert_eq!(decode(b"100%"), None);
//! assert_eq!(decode_lenient(b"100%"), b"100%");
//! ```

use super::number::hex_digit;

/// Returns whether `byte` never needs encoding in a URI (`unreserved`).
pub fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// Encodes every byte that is not unreserved. Use it for a query parameter or one path segment.
pub fn encode(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len());
    bytes.iter().for_each(|&byte| push(&mut out, byte, is_unreserved));
    String::from_utf8(out).unwrap_or_default()
}

/// Appends `byte` unchanged if `is_plain` returns true for it, otherwise percent-encoded.
pub fn push(out: &mut Vec<u8>, byte: u8, is_plain: impl Fn(u8) -> bool) {
    if is_plain(byte) {
        out.push(byte);
    } else {
        out.extend_from_slice(format!("%{byte:02X}").as_bytes());
    }
}

/// Decodes `text`. Returns `None` if a `%` is not followed by two hexadecimal digits.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let stray = text.iter().enumerate().any(|(at, &b)| b == b'%' && encoded(&text[at..]).is_none());
    (!stray).then(|| decode_lenient(text))
}

/// Decodes `text`, but keeps a `%` that is not followed by two hexadecimal digits, as curl does.
pub fn decode_lenient(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let decoded = encoded(rest);
        out.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &after[2..] } else { after };
    }
    out
}

/// Decodes `pct-encoded` at the start of `text`.
fn encoded(text: &[u8]) -> Option<u8> {
    match text {
        [b'%', high, low, ..] => Some(hex_digit(*high)? << 4 | hex_digit(*low)?),
        _ => None,
    }
}
