//! The encoders of heads. They refuse everything that our own decoders would reject.

use super::error::{EncodeError, Violation};
use super::field::{Fields, check_value};
use super::grammar::{is_token, target_len, token_len};
use super::head::Version;
use super::target::has_target_form;

/// Appends a request head to `out`: request-line, field lines, empty line.
///
/// # Errors
/// Refuses a method that is not a token, and a target that is empty, contains white space or a
/// control, or has a form that the method does not allow: a path begins with `/`. After an error
/// `out` is unchanged.
///
/// ```
/// use unix_http::wire::{Fields, Version, encode_request};
///
/// let (mut out, mut fields) = (Vec::new(), Fields::new());
/// fields.push("Host", "localhost")?;
/// encode_request(&mut out, "GET", b"/version", Version::Http11, &fields)?;
/// assert_eq!(out, b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n");
/// # Ok::<(), unix_http::wire::EncodeError>(())
/// ```
pub fn encode_request(
    out: &mut Vec<u8>,
    method: &str,
    target: &[u8],
    version: Version,
    fields: &Fields,
) -> Result<(), EncodeError> {
    encode_request_line(out, method, target, version)?;
    fields.encode(out);
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Appends only a request-line.
pub(crate) fn encode_request_line(
    out: &mut Vec<u8>,
    method: &str,
    target: &[u8],
    version: Version,
) -> Result<(), EncodeError> {
    let method = method.as_bytes();
    if !is_token(method) {
        return Err(EncodeError { violation: Violation::Method, offset: token_len(method) });
    }
    let offset = target_len(target);
    if target.is_empty() || offset < target.len() {
        return Err(EncodeError { violation: Violation::Target, offset });
    }
    if !has_target_form(method, target) {
        return Err(EncodeError { violation: Violation::TargetForm, offset: 0 });
    }
    for part in [method, b" ", target, b" ", version.as_str().as_bytes(), b"\r\n"] {
        out.extend_from_slice(part);
    }
    Ok(())
}

/// Appends a response head to `out`: status-line, field lines, empty line.
///
/// # Errors
/// Refuses a status-code outside 100 to 599 (`RFC 9110 §15`) and a reason-phrase with a control.
/// After an error `out` is unchanged.
///
/// ```
/// use unix_http::wire::{Fields, Version, encode_response};
///
/// let mut out = Vec::new();
/// encode_response(&mut out, Version::Http11, 204, "No Content", &Fields::new())?;
/// assert_eq!(out, b"HTTP/1.1 204 No Content\r\n\r\n");
/// # Ok::<(), unix_http::wire::EncodeError>(())
/// ```
pub fn encode_response(
    out: &mut Vec<u8>,
    version: Version,
    status: u16,
    reason: &str,
    fields: &Fields,
) -> Result<(), EncodeError> {
    if !(100..=599).contains(&status) {
        return Err(EncodeError { violation: Violation::StatusCode, offset: 0 });
    }
    check_value(reason.as_bytes())
        .map_err(|error| EncodeError { violation: Violation::ReasonPhrase, ..error })?;
    let code = [status / 100, status / 10 % 10, status % 10].map(|digit| b'0' + digit as u8);
    for part in [version.as_str().as_bytes(), b" ", &code, b" ", reason.as_bytes(), b"\r\n"] {
        out.extend_from_slice(part);
    }
    fields.encode(out);
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Returns the reason-phrase that `RFC 9110 §15` or RFC 6585 suggests, or an empty string.
#[must_use]
pub fn reason_phrase(status: u16) -> &'static str {
    let mut phrases =
        include_str!("reason_phrases.txt").lines().filter_map(|line| line.split_once(' '));
    phrases.find(|(code, _)| code.parse() == Ok(status)).map_or("", |(_, phrase)| phrase)
}
