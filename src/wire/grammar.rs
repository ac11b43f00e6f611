//! The bytes that the grammar's smallest rules allow.
//!
//! ```text
//! token         = 1*tchar                                             ; RFC 9110 §5.6.2
//! tchar         = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." /
//!                 "^" / "_" / "`" / "|" / "~" / DIGIT / ALPHA
//! field-vchar   = VCHAR / obs-text                                    ; RFC 9110 §5.5
//! field-content = field-vchar [ 1*( SP / HTAB / field-vchar ) field-vchar ]
//! obs-text      = %x80-FF
//! OWS           = *( SP / HTAB )                                      ; RFC 9110 §5.6.3
//! Host          = uri-host [ ":" port ]                               ; RFC 9110 §7.2
//! uri-host      = IP-literal / IPv4address / reg-name                 ; RFC 3986 §3.2.2
//! reg-name      = *( unreserved / pct-encoded / sub-delims )
//! ```
//!
//! Numbers are read digit by digit: Rust's own `parse` accepts `+5`, and a length that two programs
//! read differently is how one request is smuggled inside another.
//!
//! ```
//! use unix_http::wire::grammar::{decimal, is_token, trim_ows};
//!
//! assert!(is_token(b"Content-Length") && !is_token(b"Content Length") && !is_token(b""));
//! assert_eq!(trim_ows(b" \tclose "), b"close");
//! assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
//! assert_eq!([decimal(b"+5"), decimal(b""), decimal(b"18446744073709551616")], [None; 3]);
//! ```

const TCHAR: u8 = 1;
const VALUE: u8 = 2;
const TARGET: u8 = 4;

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let b = i as u8;
        if b.is_ascii_alphanumeric()
            || matches!(
                b,
                b'!' | b'#'
                    | b'$'
                    | b'%'
                    | b'&'
                    | b'\''
                    | b'*'
                    | b'+'
                    | b'-'
                    | b'.'
                    | b'^'
                    | b'_'
                    | b'`'
            )
            || matches!(b, b'|' | b'~')
        {
            table[i] |= TCHAR;
        }
        if b == b'\t' || (b >= b' ' && b != 0x7f) {
            table[i] |= VALUE;
        }
        if b > b' ' && b != 0x7f {
            table[i] |= TARGET;
        }
        i += 1;
    }
    table
}

static CLASSES: [u8; 256] = classes();

/// Whether `b` is a tchar, a byte of a token (`RFC 9110 §5.6.2`).
#[inline]
pub fn is_tchar(b: u8) -> bool {
    CLASSES[b as usize] & TCHAR != 0
}

/// Whether `bytes` is a token: a method, a field name.
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&b| is_tchar(b))
}

/// Whether `b` may stand in a field value or reason-phrase: HTAB, SP, VCHAR or obs-text.
#[inline]
pub fn is_value_byte(b: u8) -> bool {
    CLASSES[b as usize] & VALUE != 0
}

/// Whether `b` may stand in a request-target: a byte that is neither white space nor a control.
///
/// The grammar knows ASCII alone (`RFC 9112 §3.2`); obs-text is let through because curl sends a
/// path typed in UTF-8 as it is and Go's servers take it, and because no reader can mistake such a
/// byte for the end of the target.
#[inline]
pub fn is_target_byte(b: u8) -> bool {
    CLASSES[b as usize] & TARGET != 0
}

/// Whether `b` is SP or HTAB.
#[inline]
pub fn is_ows(b: u8) -> bool {
    b == b' ' || b == b'\t'
}

/// `bytes` without the optional white space around it.
#[inline]
pub fn trim_ows(bytes: &[u8]) -> &[u8] {
    trim_ows_end(trim_ows_start(bytes))
}

#[inline]
pub(crate) fn trim_ows_start(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_ows(*first)
    {
        bytes = rest;
    }
    bytes
}

#[inline]
pub(crate) fn trim_ows_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., last] = bytes
        && is_ows(*last)
    {
        bytes = rest;
    }
    bytes
}

/// `1*DIGIT` as a number; `None` for anything else and for a number over 2^64-1.
pub fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |n, b| match b {
        b'0'..=b'9' => n.checked_mul(10)?.checked_add(u64::from(b - b'0')),
        _ => None,
    })
}

/// Where `value` ceases to be `uri-host [ ":" port ]` (`RFC 9110 §7.2`), if it does. The empty host
/// is one.
///
/// What stands between the brackets of an IP-literal is not read further than its bytes.
pub(crate) fn not_a_host(value: &[u8]) -> Option<usize> {
    let name_byte = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&b);
    let mut end = 0;
    if let [b'[', literal @ ..] = value {
        match literal.iter().position(|&b| !name_byte(b) && b != b':') {
            Some(at) if at > 0 && literal[at] == b']' => end = at + 2,
            _ => return Some(0),
        }
    } else {
        while let Some(&b) = value.get(end) {
            end += match (b, value.get(end + 1..end + 3)) {
                (b'%', Some(hex)) if hex.iter().all(u8::is_ascii_hexdigit) => 3,
                _ if name_byte(b) => 1,
                _ => break,
            };
        }
    }
    match &value[end..] {
        [] => None,
        [b':', port @ ..] => port.iter().position(|b| !b.is_ascii_digit()).map(|at| end + 1 + at),
        _ => Some(end),
    }
}

/// How many bytes at the front of `bytes` may stand in a field value; the next one, if any, ends
/// the line or is wrong.
#[inline]
pub(crate) fn value_len(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at += unmarked(&bytes[at..], controls);
        match bytes.get(at) {
            Some(b'\t') => at += 1,
            _ => return at,
        }
    }
}

/// How many bytes at the front of `bytes` are tchars.
#[inline]
pub(crate) fn token_len(bytes: &[u8]) -> usize {
    bytes.iter().position(|&b| !is_tchar(b)).unwrap_or(bytes.len())
}

/// How many bytes come before the first one that `marks` marks by its high bit in a word of eight.
/// Measured on the field lines of dockerd's heads: half the time that a look at each byte takes; on
/// values of 100 bytes, a fifth.
#[inline(always)]
pub(crate) fn unmarked(bytes: &[u8], marks: impl Fn(u64) -> u64) -> usize {
    let (words, rest) = bytes.as_chunks();
    for (n, word) in words.iter().enumerate() {
        let found = marks(u64::from_le_bytes(*word));
        if found != 0 {
            return 8 * n + (found.trailing_zeros() / 8) as usize;
        }
    }
    // The last, shorter word: behind it the marks see NUL.
    let word = rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
    bytes.len().min(8 * words.len() + (marks(word).trailing_zeros() / 8) as usize)
}

/// A word of eight times this byte.
const fn eight(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Marks HTAB, which a value may hold, and the controls, which it may not. Right up to the first
/// mark: behind it there may be false ones.
#[inline(always)]
pub(crate) fn controls(word: u64) -> u64 {
    let below_sp = word.wrapping_sub(eight(b' '));
    let del = (word ^ eight(0x7f)).wrapping_sub(eight(1));
    (below_sp | del) & !word & eight(0x80)
}

/// Marks all but letters, digits and `-`, which field names are made of, and some controls. Right
/// up to the first mark.
#[inline(always)]
pub(crate) fn not_in_names(word: u64) -> u64 {
    // Lower case; CR becomes `-` so, and DLE to EM digits.
    let lower = word | eight(0x20);
    let from = |first: u8| lower.wrapping_add(eight(0x80 - first));
    let letter_or_digit = (from(b'a') & !from(b'z' + 1)) | (from(b'0') & !from(b'9' + 1));
    let not_hyphen = (lower ^ eight(b'-')).wrapping_add(eight(0x7f));
    ((!letter_or_digit & not_hyphen) | word) & eight(0x80)
}

/// The elements of a comma-separated list (`RFC 9110 §5.6.1`), without the white space around them.
///
/// Empty elements are handed on: some callers must refuse them.
pub fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&b| b == b',').map(trim_ows)
}

/// Whether a character makes a terminal or a page show text in another order, or break a line, than
/// it was written: Unicode's bidirectional controls and its line separators. No grammar forbids
/// them; what is shown to a person must not obey them.
pub fn reorders_text(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
