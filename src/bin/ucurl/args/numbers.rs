//! Numbers on the command line. As in curl, which uses C's functions, they may begin with white
//! space and a sign.

use unix_http::base::number::decimal;

pub const NOT_A_NUMBER: &str = "needs a number";
const NEGATIVE: &str = "needs a number that is not negative";
const TOO_LARGE: &str = "has a number that is too large";

/// Splits off white space and a sign, as C's `strtol` does; `true` for a minus.
fn sign(value: &[u8]) -> (bool, &[u8]) {
    match value.trim_ascii_start() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    }
}

/// Parses a whole number: white space, a sign, digits, and nothing after them.
pub fn integer(value: &[u8]) -> Result<i64, &'static str> {
    let (negative, digits) = sign(value);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NOT_A_NUMBER);
    }
    let number = decimal(digits).and_then(|number| i64::try_from(number).ok()).ok_or(TOO_LARGE)?;
    Ok(if negative { -number } else { number })
}

pub fn whole(value: &[u8]) -> Result<u64, &'static str> {
    u64::try_from(integer(value)?).map_err(|_| NEGATIVE)
}

/// Parses seconds into milliseconds. It uses no float: std's float parser adds 15 KB.
///
/// ```text
/// seconds = [ sign ] ( 1*DIGIT [ "." *DIGIT ] / "." 1*DIGIT ) [ "e" [ sign ] 1*DIGIT ]
/// ```
pub fn milliseconds(value: &[u8]) -> Result<u64, &'static str> {
    let (negative, value) = sign(value);
    let (number, exponent) = match value.iter().position(|byte| byte.eq_ignore_ascii_case(&b'e')) {
        Some(at) => (&value[..at], integer(&value[at + 1..])?),
        None => (value, 0),
    };
    let point = number.iter().position(|&byte| byte == b'.').unwrap_or(number.len());
    let mut digits = [&number[..point], number.get(point + 1..).unwrap_or_default()].concat();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NOT_A_NUMBER);
    }
    if digits.iter().all(|&digit| digit == b'0') {
        return Ok(0);
    }
    // The milliseconds are `digits` times ten to this power.
    let power = exponent.saturating_add(3 - (digits.len() - point) as i64);
    match usize::try_from(power) {
        Ok(zeros) => digits.resize(digits.len() + zeros.min(30), b'0'),
        Err(_) => digits.truncate((digits.len() as i64).saturating_add(power).max(0) as usize),
    }
    let number = if digits.is_empty() { Some(0) } else { decimal(&digits) };
    let milliseconds = number.filter(|&number| number <= i64::MAX as u64).ok_or(TOO_LARGE)?;
    if negative { Err(NEGATIVE) } else { Ok(milliseconds) }
}

/// Parses a number of bytes, with K, M, G for powers of 1024.
pub fn size(value: &[u8]) -> Result<u64, &'static str> {
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = whole(&value[..digits])?;
    let unit = match value[digits..].to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1 << 10,
        b"m" => 1 << 20,
        b"g" => 1 << 30,
        _ => return Err("has a unit other than K, M, G, B"),
    };
    number.checked_mul(unit).filter(|size| *size <= i64::MAX as u64).ok_or(TOO_LARGE)
}
