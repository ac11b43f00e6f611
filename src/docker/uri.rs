//! The pieces of RFC 3986 that a Docker host has: an authority, and a path to put before others.

use super::host::{Refused, refused};
use std::net::Ipv6Addr;

/// `[ host ] [ ":" [ port ] ]`, RFC 3986 §3.2; the host without the brackets of an IPv6 address.
pub(super) fn authority(text: &str) -> Result<(&str, Option<u16>), Refused> {
    if let Some(rest) = text.strip_prefix('[') {
        let Some((address, rest)) = rest.split_once(']') else {
            return refused("the ] is missing");
        };
        if address.parse::<Ipv6Addr>().is_err() {
            return refused("what stands in brackets is no IPv6 address");
        }
        return match rest.strip_prefix(':') {
            Some(digits) => Ok((address, port(digits)?)),
            None if rest.is_empty() => Ok((address, None)),
            None => refused("something stands after the ]"),
        };
    }
    let (host, digits) = text.split_once(':').unwrap_or((text, ""));
    if text.parse::<Ipv6Addr>().is_ok() {
        return refused("an IPv6 address stands in brackets");
    }
    if !host.bytes().all(is_reg_name)
        || host.contains(|c: char| c.is_control() || c.is_whitespace())
    {
        return refused("a character that is in no host's name");
    }
    Ok((host, port(digits)?))
}

/// `port = *DIGIT`, RFC 3986 §3.2.3, and one that can be dialled. By hand: Rust's own reading takes
/// `+80` too.
fn port(digits: &str) -> Result<Option<u16>, Refused> {
    if digits.is_empty() {
        return Ok(None);
    }
    match digits.parse() {
        Ok(port) if port > 0 && digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Some(port)),
        _ => refused("the port is no number from 1 to 65535"),
    }
}

/// `reg-name`, RFC 3986 §3.2.2, without percent-encoding; letters beyond ASCII are left to the
/// resolver, controls and white space (C1, NEL, no-break spaces) are not among them.
fn is_reg_name(byte: u8) -> bool {
    is_unreserved(byte) || b"!$&'()*+,;=".contains(&byte) || !byte.is_ascii()
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// A path as it goes before others: without empty and dot segments (RFC 3986 §5.2.4) and without a
/// slash at the end, and percent-encoded where it has to be (§2.1).
pub(super) fn prefix(path: &str) -> Result<String, Refused> {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(encode(segment)?),
        }
    }
    Ok(segments.iter().map(|segment| format!("/{segment}")).collect())
}

/// `segment = *pchar`, RFC 3986 §3.3. What is encoded already stays as it is.
fn encode(segment: &str) -> Result<String, Refused> {
    let mut out = String::new();
    for (at, byte) in segment.bytes().enumerate() {
        match byte {
            b'%' => {
                percent(&segment.as_bytes()[at..])?;
                out.push('%');
            }
            _ if is_unreserved(byte) || b"!$&'()*+,;=:@".contains(&byte) => {
                out.push(char::from(byte))
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    Ok(out)
}

/// Undoes percent-encoding, RFC 3986 §2.1.
pub(super) fn decode(text: &str) -> Result<String, Refused> {
    let (mut out, mut rest) = (Vec::new(), text.as_bytes());
    while let [byte, after @ ..] = rest {
        let (byte, after) =
            if *byte == b'%' { (percent(rest)?, &rest[3..]) } else { (*byte, after) };
        out.push(byte);
        rest = after;
    }
    String::from_utf8(out).map_err(|_| ("what is percent-encoded is not UTF-8", None))
}

/// `pct-encoded = "%" HEXDIG HEXDIG`, at the front of `text`.
fn percent(text: &[u8]) -> Result<u8, Refused> {
    let digit = |at: usize| text.get(at).and_then(|&byte| char::from(byte).to_digit(16));
    match (digit(1), digit(2)) {
        (Some(high), Some(low)) => Ok((high << 4 | low) as u8),
        _ => refused("a % without two hexadecimal digits"),
    }
}
