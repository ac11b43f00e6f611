//! What `-d` and its kin send.

use crate::args::parse::{Parser, Wrong};
use unix_http::base::percent;

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
            _ => percent::push(&mut out, byte, percent::is_unreserved),
        }
    }
    Ok(out)
}
