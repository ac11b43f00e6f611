//! What `-d` and its kin send.

use crate::parse::{Parser, Wrong};

/// Puts a part behind what is there, with something between.
pub fn join(whole: &mut Option<Vec<u8>>, part: &[u8], between: &[u8]) {
    match whole {
        Some(whole) => {
            whole.extend_from_slice(between);
            whole.extend_from_slice(part);
        }
        None => *whole = Some(part.to_vec()),
    }
}

/// What `--data @FILE` leaves of a file: everything but CR, LF and NUL.
pub fn without_line_ends(mut text: Vec<u8>) -> Vec<u8> {
    text.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
    text
}

/// `--data-urlencode`: `CONTENT`, `=CONTENT`, `NAME=CONTENT`, `@FILE`, `NAME@FILE`.
///
/// An empty file leaves nothing, not even the name: so it is in curl.
pub fn urlencoded(parser: &mut Parser, value: &[u8]) -> Result<Vec<u8>, Wrong> {
    let at = value
        .iter()
        .position(|&byte| byte == b'=')
        .or_else(|| value.iter().position(|&byte| byte == b'@'));
    let (name, content) = match at {
        Some(at) if value[at] == b'@' => {
            let content = parser.file_or_nothing(&value[at + 1..])?;
            if content.is_empty() {
                return Ok(Vec::new());
            }
            (&value[..at], content)
        }
        Some(at) => (&value[..at], value[at + 1..].to_vec()),
        None => (&b""[..], value.to_vec()),
    };
    let mut out = Vec::with_capacity(name.len() + content.len() + 1);
    if !name.is_empty() {
        out.extend_from_slice(name);
        out.push(b'=');
    }
    for byte in content {
        match byte {
            b' ' => out.push(b'+'),
            _ => percent(&mut out, byte, b"0123456789ABCDEF"),
        }
    }
    Ok(out)
}

/// Writes a byte, percent-encoded unless it is unreserved (RFC 3986 §2.3).
pub fn percent(out: &mut Vec<u8>, byte: u8, hex: &[u8; 16]) {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte),
        _ => {
            out.extend_from_slice(&[b'%', hex[usize::from(byte >> 4)], hex[usize::from(byte & 15)]])
        }
    }
}

/// Takes percent-encoding off.
pub fn decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let digit = |at: usize| after.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        match (byte, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                rest = &after[2..];
            }
            _ => {
                out.push(byte);
                rest = after;
            }
        }
    }
    out
}

/// RFC 4648 §4.
pub fn base64(bytes: &[u8]) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let group = three
            .iter()
            .chain(&[0, 0])
            .take(3)
            .fold(0, |group, byte| group << 8 | u32::from(*byte));
        for sixth in 0..4 {
            out.push(match sixth <= three.len() {
                true => LETTERS[(group >> (18 - 6 * sixth) & 63) as usize],
                false => b'=',
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_test_vectors() {
        // RFC 4648 §10
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, coded) in cases {
            assert_eq!(base64(plain.as_bytes()), coded.as_bytes());
        }
    }
}
