//! Base 64 (RFC 4648 §4): arbitrary bytes as printable text.
//!
//! ```text
//! text      = *( 4digit ) [ 2digit "==" / 3digit "=" ]
//! digit     = ALPHA / DIGIT / "+" / "/"
//! ```
//!
//! Every byte sequence has exactly one encoding: the decoder rejects line breaks, missing padding
//! and unused bits that are not zero.
//!
//! ```
//! use unix_http::base::base64::{decode, encode};
//!
//! assert_eq!(encode(b"hello"), "aGVsbG8=");
//! assert_eq!(decode("aGVsbG8=").as_deref(), Some(&b"hello"[..]));
//! assert_eq!([decode("aGVsbG8"), decode("aGVsbG9="), decode("a-_=")], [const { None }; 3]);
//! ```

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Encodes bytes, with padding.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0, |bits, &byte| bits << 8 | u32::from(byte))
            << (8 * (3 - group.len()));
        for place in 0..4 {
            text.push(match place <= group.len() {
                true => DIGITS[(bits >> (18 - 6 * place) & 63) as usize] as char,
                false => '=',
            });
        }
    }
    text
}

/// Decodes text. Returns `None` if it is not valid base 64.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.as_bytes();
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let padding = text.iter().rev().take_while(|&&b| b == b'=').count();
    if padding > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for group in text[..text.len() - padding].chunks(4) {
        let mut bits = 0;
        for digit in group {
            bits = bits << 6 | DIGITS.iter().position(|known| known == digit)? as u32;
        }
        // Two digits hold one byte and four bits, three hold two and two.
        let unused = [0, 6, 4, 2, 0][group.len()];
        if bits & ((1 << unused) - 1) != 0 {
            return None;
        }
        let whole = (bits >> unused).to_be_bytes();
        bytes.extend_from_slice(&whole[5 - group.len()..]);
    }
    Some(bytes)
}
