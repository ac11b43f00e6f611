//! The forms of a request-target, and the grammar of a host.
//!
//! ```text
//! request-target = origin-form / absolute-form / authority-form / asterisk-form  ; RFC 9112 §3.2
//! authority-form = uri-host ":" port
//! Host           = uri-host [ ":" port ]                              ; RFC 9110 §7.2
//! uri-host       = IP-literal / IPv4address / reg-name                ; RFC 3986 §3.2.2
//! reg-name       = *( unreserved / pct-encoded / sub-delims )
//! ```

/// Returns whether `target` has a form that `method` allows (`RFC 9112 §3.2`).
pub(super) fn has_target_form(method: &[u8], target: &[u8]) -> bool {
    match (method, target) {
        // authority-form. An empty port must be refused (RFC 9110 §9.3.6).
        (b"CONNECT", _) => {
            let port = target.iter().rposition(|&b| b == b':').map(|colon| &target[colon + 1..]);
            let last = port.and_then(|port| port.last());
            not_a_host(target).is_none() && last.is_some_and(u8::is_ascii_digit)
        }
        // asterisk-form
        (b"OPTIONS", b"*") => true,
        // origin-form
        (_, [b'/', ..]) => true,
        // absolute-form, which begins with a scheme
        (_, [first, ..]) => {
            let scheme = |b: &u8| b.is_ascii_alphanumeric() || b"+-.".contains(b);
            let end = target.iter().position(|b| !scheme(b));
            first.is_ascii_alphabetic() && end.is_some_and(|end| target[end] == b':')
        }
        _ => false,
    }
}

/// Returns the offset where `value` departs from `uri-host [ ":" port ]`, or `None` if it conforms.
/// An empty host is valid.
///
/// Within the brackets of an IP-literal, only the bytes are checked.
pub(crate) fn not_a_host(value: &[u8]) -> Option<usize> {
    let name_byte = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&b);
    let mut end = 0;
    if let [b'[', literal @ ..] = value {
        match literal.iter().position(|&b| !name_byte(b) && b != b':') {
            Some(at) if at > 0 && literal[at] == b']' => end = at + 2,
            _ => return Some(0),
        }
    } else {
        while let Some(&byte) = value.get(end) {
            end += match (byte, value.get(end + 1..end + 3)) {
                (b'%', Some(hex)) if hex.iter().all(u8::is_ascii_hexdigit) => 3,
                _ if name_byte(byte) => 1,
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
