//! Numbers, read strictly.
//!
//! ```text
//! 1*DIGIT    a length, a port, a status-code
//! 1*HEXDIG   a chunk-size
//! ```
//!
//! Every byte must be a digit: Rust's own `parse` also accepts `+5`. An attacker smuggles one
//! request inside another with a length that two programs read differently.
//!
//! ```
//! use unix_http::base::number::{decimal, hexadecimal};
//!
//! assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
//! assert_eq!([decimal(b"+5"), decimal(b""), decimal(b"18446744073709551616")], [None; 3]);
//! assert_eq!([hexadecimal(b"fF"), hexadecimal(b"0x1")], [Some(255), None]);
//! ```

/// The lower-case hexadecimal digits.
pub const LOWER_HEX: &[u8; 16] = b"0123456789abcdef";

/// Parses `1*DIGIT`. Returns `None` for anything else and for a number over 2^64-1.
pub fn decimal(digits: &[u8]) -> Option<u64> {
    number(digits, 10)
}

/// Parses `1*HEXDIG`. Returns `None` for anything else and for a number over 2^64-1.
pub fn hexadecimal(digits: &[u8]) -> Option<u64> {
    number(digits, 16)
}

fn number(digits: &[u8], radix: u32) -> Option<u64> {
    let strict = digits.iter().all(|&byte| char::from(byte).is_digit(radix));
    u64::from_str_radix(str::from_utf8(digits).ok().filter(|_| strict)?, radix).ok()
}

/// Returns the value of one hexadecimal digit, in either case.
#[inline]
pub fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// Parses a port: `1*DIGIT`, at most 65535.
pub fn port(digits: &[u8]) -> Option<u16> {
    decimal(digits).and_then(|number| u16::try_from(number).ok())
}
