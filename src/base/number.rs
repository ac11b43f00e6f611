//! Numbers, read strictly.
//!
//! ```text
//! 1*DIGIT    a length, a port, a status-code
//! 1*HEXDIG   a chunk-size
//! ```
//!
//! Numbers are read digit by digit because Rust's own `parse` accepts `+5`. An attacker smuggles
//! one request inside another with a length that two programs read differently.
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

#[inline]
fn number(digits: &[u8], base: u8) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, &byte| {
        let digit = hex_digit(byte).filter(|digit| *digit < base)?;
        number.checked_mul(u64::from(base))?.checked_add(u64::from(digit))
    })
}

/// Returns the value of one hexadecimal digit, in either case.
#[inline]
pub fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Parses a port: `1*DIGIT`, at most 65535.
pub fn port(digits: &[u8]) -> Option<u16> {
    decimal(digits).and_then(|number| u16::try_from(number).ok())
}
