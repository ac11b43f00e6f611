//! The smallest rules of the grammar: which bytes a token, a field value or a target may contain.
//!
//! ```text
//! token         = 1*tchar                                             ; RFC 9110 §5.6.2
//! tchar         = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." /
//!                 "^" / "_" / "`" / "|" / "~" / DIGIT / ALPHA
//! field-vchar   = VCHAR / obs-text                                    ; RFC 9110 §5.5
//! field-content = field-vchar [ 1*( SP / HTAB / field-vchar ) field-vchar ]
//! obs-text      = %x80-FF
//! OWS           = *( SP / HTAB )                                      ; RFC 9110 §5.6.3
//! ```

const TCHAR: u8 = 1;
const VALUE: u8 = 2;
const TARGET: u8 = 4;

/// The classes of each byte, as a bit set.
static CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let byte = i as u8;
        let rare = matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`');
        if byte.is_ascii_alphanumeric() || rare || matches!(byte, b'|' | b'~') {
            table[i] |= TCHAR;
        }
        if byte == b'\t' || (byte >= b' ' && byte != 0x7f) {
            table[i] |= VALUE;
        }
        if byte > b' ' && byte != 0x7f {
            table[i] |= TARGET;
        }
        i += 1;
    }
    table
};

/// Returns whether `byte` is a tchar, a byte of a token.
#[inline]
pub(crate) fn is_tchar(byte: u8) -> bool {
    CLASSES[byte as usize] & TCHAR != 0
}

/// Returns whether `bytes` is a token: a method or a field name, for example.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && token_len(bytes) == bytes.len()
}

/// Returns whether a field value or reason-phrase may contain `byte`: HTAB, SP, VCHAR or obs-text.
#[inline]
pub(crate) fn is_value_byte(byte: u8) -> bool {
    CLASSES[byte as usize] & VALUE != 0
}

/// Returns whether `byte` is SP or HTAB.
#[inline]
pub(crate) fn is_ows(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Returns the number of bytes of white space at the front of `bytes`.
#[inline]
pub(crate) fn ows_len(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|&&byte| is_ows(byte)).count()
}

/// Removes optional white space from both ends.
#[inline]
pub(crate) fn trim_ows(bytes: &[u8]) -> &[u8] {
    let mut bytes = &bytes[ows_len(bytes)..];
    while let [rest @ .., last] = bytes
        && is_ows(*last)
    {
        bytes = rest;
    }
    bytes
}

/// Splits a comma-separated list into its elements, including empty ones (`RFC 9110 §5.6.1`).
pub(crate) fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(trim_ows)
}

/// Returns the number of tchars at the front of `bytes`.
#[inline]
pub(crate) fn token_len(bytes: &[u8]) -> usize {
    len_of(TCHAR, bytes)
}

/// Returns the number of bytes at the front of `bytes` that a field value may contain.
#[inline]
pub(crate) fn value_len(bytes: &[u8]) -> usize {
    len_of(VALUE, bytes)
}

/// Returns the number of bytes at the front of `bytes` that a request-target may contain: anything
/// but white space and controls.
///
/// The grammar allows ASCII only (`RFC 9112 §3.2`). Obs-text is accepted because curl sends UTF-8
/// unchanged, and no reader mistakes such a byte for the end of the target.
pub(crate) fn target_len(bytes: &[u8]) -> usize {
    len_of(TARGET, bytes)
}

/// Returns the number of bytes at the front of `bytes` that belong to `class`.
#[inline]
fn len_of(class: u8, bytes: &[u8]) -> usize {
    let is_other = |&byte: &u8| CLASSES[usize::from(byte)] & class == 0;
    // The compiler unrolls the search in a block of known length.
    let (blocks, rest) = bytes.as_chunks::<8>();
    for (n, block) in blocks.iter().enumerate() {
        if let Some(at) = block.iter().position(is_other) {
            return n * block.len() + at;
        }
    }
    bytes.len() - rest.len() + rest.iter().position(is_other).unwrap_or(rest.len())
}
