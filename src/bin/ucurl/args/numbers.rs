//! Numbers on the command line, digit by digit: C's own functions accept more than curl's manual
//! says, Rust's less.

use crate::args::exit::Exit;
use crate::args::parse::Wrong;

pub const NOT_A_NUMBER: Wrong = Wrong::Why("needs a number", Exit::Usage);
const NEGATIVE: Wrong = Wrong::Why("needs a number that is not negative", Exit::Usage);
const TOO_LARGE: Wrong = Wrong::Why("has a number that is too large", Exit::Usage);

/// C's `strtol`: white space, a sign, digits, and here nothing after them.
pub fn integer(value: &[u8], radix: i64) -> Result<i64, Wrong> {
    let value = value.trim_ascii_start();
    let (sign, digits) = match value {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] => (1, digits),
        digits => (1, digits),
    };
    if digits.is_empty() {
        return Err(NOT_A_NUMBER);
    }
    let mut number: i64 = 0;
    for digit in digits {
        let digit = (*digit as char).to_digit(radix as u32).ok_or(NOT_A_NUMBER)?;
        number = number
            .checked_mul(radix)
            .and_then(|n| n.checked_add(i64::from(digit)))
            .ok_or(TOO_LARGE)?;
    }
    Ok(sign * number)
}

/// A whole number that is not negative.
pub fn whole(value: &[u8]) -> Result<u64, Wrong> {
    u64::try_from(integer(value, 10)?).map_err(|_| NEGATIVE)
}

/// Whole seconds that fit in milliseconds.
pub fn seconds(value: &[u8]) -> Result<u64, Wrong> {
    match whole(value)? {
        seconds if seconds > i64::MAX as u64 / 1000 => Err(TOO_LARGE),
        seconds => Ok(seconds),
    }
}

/// Seconds with decimals and perhaps an exponent, as milliseconds. Not by way of a float: its
/// parser weighs 15 KB.
///
/// ```text
/// seconds = [ sign ] ( 1*DIGIT [ "." *DIGIT ] / "." 1*DIGIT ) [ "e" [ sign ] 1*DIGIT ]
/// ```
pub fn milliseconds(value: &[u8]) -> Result<u64, Wrong> {
    let value = value.trim_ascii_start();
    let (negative, value) = match value {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (number, exponent) = match value.iter().position(|byte| byte.eq_ignore_ascii_case(&b'e')) {
        Some(at) => (&value[..at], integer(&value[at + 1..], 10)?),
        None => (value, 0),
    };
    let point = number.iter().position(|&byte| byte == b'.').unwrap_or(number.len());
    let digits = [&number[..point], number.get(point + 1..).unwrap_or_default()].concat();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NOT_A_NUMBER);
    }
    // `digits` stand for themselves times ten to this power, in milliseconds.
    let power = 3 + exponent - (digits.len() - point) as i64;
    let mut milliseconds: u64 = 0;
    let kept = (digits.len() as i64 + power.min(0)).max(0) as usize;
    let zeros = std::iter::repeat_n(b'0', power.clamp(0, 30) as usize);
    for digit in digits.iter().copied().take(kept).chain(zeros) {
        let longer =
            milliseconds.checked_mul(10).and_then(|n| n.checked_add(u64::from(digit - b'0')));
        milliseconds = longer.filter(|n| *n <= i64::MAX as u64).ok_or(TOO_LARGE)?;
    }
    match negative && digits.iter().any(|digit| *digit != b'0') {
        true => Err(NEGATIVE),
        false => Ok(milliseconds),
    }
}

/// Bytes, with K, M, G for powers of 1024.
pub fn size(value: &[u8]) -> Result<u64, Wrong> {
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = whole(&value[..digits])?;
    let unit = match value[digits..].to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1 << 10,
        b"m" => 1 << 20,
        b"g" => 1 << 30,
        _ => return Err(Wrong::Why("has a unit other than K, M, G, B", Exit::Usage)),
    };
    number.checked_mul(unit).filter(|size| *size <= i64::MAX as u64).ok_or(TOO_LARGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_as_milliseconds() {
        let cases = [
            ("1", Some(1000)),
            ("0.5", Some(500)),
            (".25", Some(250)),
            ("2.", Some(2000)),
            ("1.2345", Some(1234)),
            ("0", Some(0)),
            ("+3", Some(3000)),
            (" 3", Some(3000)),
            ("1e2", Some(100_000)),
            ("15e-1", Some(1500)),
            ("0.0001", Some(0)),
            ("1e-9", Some(0)),
            ("", None),
            (".", None),
            ("x", None),
            ("1s", None),
            ("-1", None),
            ("-0", Some(0)),
            ("1e", None),
            ("1.2.3", None),
            ("9223372036854775", Some(9_223_372_036_854_775_000)),
            ("9223372036854776", None),
            ("1e30", None),
            ("0e99", Some(0)),
        ];
        for (text, want) in cases {
            assert_eq!(milliseconds(text.as_bytes()).ok(), want, "{text}");
        }
    }

    #[test]
    fn sizes() {
        let cases = [
            ("10", Some(10)),
            ("1k", Some(1024)),
            ("2M", Some(2 << 20)),
            ("3g", Some(3 << 30)),
            ("4B", Some(4)),
            ("1kb", None),
            ("k", None),
            ("-1", None),
            ("9999999999G", None),
        ];
        for (text, want) in cases {
            assert_eq!(size(text.as_bytes()).ok(), want, "{text}");
        }
    }
}
