//! The host and the port in a URL.

use crate::fetch::url::{Result, bad};
use unix_http::base::number;
use unix_http::base::percent::decode_lenient;

/// 0 to 65535, in digits.
pub fn port_number(digits: &[u8]) -> Result<u16> {
    number::port(digits).ok_or(bad("has a port that is not a number from 0 to 65535"))
}

/// A host name is decoded from its percent-encoding; an IPv4 address may be written in fewer or
/// other numbers, an IPv6 address longer than need be.
pub fn host_name(host: &[u8]) -> Result<Vec<u8>> {
    if let [b'[', inner @ .., b']'] = host {
        let text = std::str::from_utf8(inner).unwrap_or_default();
        let (address, zone) =
            text.split_once('%').map_or((text, ""), |(address, zone)| (address, zone));
        let address: std::net::Ipv6Addr =
            address.parse().map_err(|_| bad("has an IPv6 address that is none"))?;
        // The zone is this machine's own affair and is not sent.
        _ = zone;
        return Ok(format!("[{address}]").into_bytes());
    }
    if let Some(address) = ipv4(host) {
        return Ok(address.to_string().into_bytes());
    }
    let name = decode_lenient(host);
    if name.is_empty() {
        return Err(bad("has no host"));
    }
    if name.iter().any(|&byte| {
        byte <= b' ' || byte == 0x7f || b"/:#?!@{}[]\\$'\"^`*<>=;,+&()".contains(&byte)
    }) {
        return Err(bad("has a byte in the host that no host has"));
    }
    if !name.is_ascii() {
        return Err(bad("has a host outside ASCII; write its xn-- form"));
    }
    Ok(name)
}

/// `127.1`, `0x7f000001`, `017700000001`: C's ways to write an IPv4 address.
fn ipv4(host: &[u8]) -> Option<std::net::Ipv4Addr> {
    let text = std::str::from_utf8(host).ok()?;
    let number = |part: &str| match part.as_bytes() {
        [b'0', b'x' | b'X', rest @ ..] if !rest.is_empty() && rest[0].is_ascii_hexdigit() => {
            u32::from_str_radix(&part[2..], 16).ok()
        }
        [b'0', rest @ ..] if !rest.is_empty() => u32::from_str_radix(part, 8).ok(),
        [b'0'..=b'9', ..] => part.parse().ok(),
        _ => None,
    };
    let parts: Vec<u32> = text.split('.').map(number).collect::<Option<_>>()?;
    let (last, bytes) = parts.split_last()?;
    if bytes.len() > 3
        || bytes.iter().any(|byte| *byte > 255)
        || u64::from(*last) >= 1 << (8 * (4 - bytes.len()))
    {
        return None;
    }
    let front = bytes.iter().enumerate().fold(0, |whole, (at, byte)| whole | byte << (24 - 8 * at));
    Some((front | last).into())
}
