//! Start-lines: the status-line of a response and the request-line of a request.
//!
//! ```text
//! request-line   = method SP request-target SP HTTP-version           ; RFC 9112 §3
//! status-line    = HTTP-version SP status-code SP [ reason-phrase ]   ; RFC 9112 §4
//! HTTP-version   = "HTTP/" DIGIT "." DIGIT                            ; RFC 9112 §2.3
//! status-code    = 3DIGIT
//! reason-phrase  = 1*( HTAB / SP / VCHAR / obs-text )
//! ```
//!
//! Accepted beyond the grammar, as the RFC allows: a lone LF as a line end, a status-line without a
//! reason-phrase and its SP, one empty line before a request-line. Rejected: other white space
//! between the parts, empty lines before a status-line, a request-target in none of the four forms.

use super::error::{ParseError, Violation};
use super::field::Span;
use super::grammar::{target_len, token_len, value_len};
use super::head::{RequestLine, StartLine, StatusLine, Version};
use super::section::{Lenience, line_end};
use super::target::has_target_form;

impl StartLine for StatusLine {
    const LENIENCE: Lenience = Lenience { folds: true, bare_lf: true };

    /// `status-line = HTTP-version SP status-code SP [ reason-phrase ]`
    fn read(&mut self, bytes: &[u8], seen: usize) -> Result<Option<(Version, usize)>, ParseError> {
        if is_http2_settings(bytes) {
            return match bytes.len() < SETTINGS.len() {
                true => Ok(None),
                false => Err(ParseError::new(Violation::Http2, 0)),
            };
        }
        let Some((version, reason)) = self.before_reason(bytes)? else { return Ok(None) };
        // The last byte seen may have been a CR without its LF.
        let from = reason.max(seen.saturating_sub(1));
        let end = from + value_len(&bytes[from..]);
        let next = line_end(bytes, end, Violation::ReasonPhrase)?;
        self.reason = Span::new(reason, end);
        Ok(next.map(|next| (version, next)))
    }
}

impl StatusLine {
    /// Reads `HTTP-version SP status-code [ SP ]`. Returns the version and where the reason-phrase
    /// begins, or `None` if these bytes have not all arrived.
    fn before_reason(&mut self, bytes: &[u8]) -> Result<Option<(Version, usize)>, ParseError> {
        let Some(version) = version(bytes, 0)? else { return Ok(None) };
        match bytes.get(8) {
            None => return Ok(None),
            Some(b' ') => {}
            Some(_) => return Err(ParseError::new(Violation::Version, 8)),
        }
        self.status = 0;
        for at in 9..12 {
            match bytes.get(at) {
                None => return Ok(None),
                Some(digit @ b'0'..=b'9') => {
                    self.status = self.status * 10 + u16::from(digit - b'0')
                }
                Some(_) => return Err(ParseError::new(Violation::StatusCode, at)),
            }
        }
        match bytes.get(12) {
            None => Ok(None),
            Some(b' ') => Ok(Some((version, 13))),
            Some(b'\r' | b'\n') => Ok(Some((version, 12))),
            Some(_) => Err(ParseError::new(Violation::StatusCode, 12)),
        }
    }
}

/// Reads `HTTP-version` at `at`. Returns `None` if it is incomplete.
fn version(bytes: &[u8], at: usize) -> Result<Option<Version>, ParseError> {
    let rest = bytes.get(at..).unwrap_or_default();
    for (i, (byte, want)) in rest.iter().zip(b"HTTP/1.").enumerate() {
        match byte == want {
            true => {}
            false if i < 5 && at == 0 => return Err(ParseError::new(Violation::NotHttp, i)),
            false => return Err(ParseError::new(Violation::Version, at + i)),
        }
    }
    match rest.get(7) {
        None => Ok(None),
        Some(b'0') => Ok(Some(Version::Http10)),
        Some(b'1'..=b'9') => Ok(Some(Version::Http11)),
        Some(_) => Err(ParseError::new(Violation::Version, at + 7)),
    }
}

/// The first frame header from an HTTP/2 server: a length of three bytes, type 4 (SETTINGS), no
/// flags, stream 0 (`RFC 9113 §3.4`). `None` matches any byte.
const SETTINGS: [Option<u8>; 9] = {
    let zero = Some(0);
    [zero, zero, None, Some(4), zero, zero, zero, zero, zero]
};

/// Returns whether `bytes` could be the beginning of an HTTP/2 SETTINGS frame.
fn is_http2_settings(bytes: &[u8]) -> bool {
    let same = |(byte, want): (&u8, Option<u8>)| want.is_none_or(|want| want == *byte);
    bytes.first() == Some(&0) && bytes.iter().zip(SETTINGS).all(same)
}

impl StartLine for RequestLine {
    const LENIENCE: Lenience = Lenience { folds: false, bare_lf: true };

    /// `request-line = method SP request-target SP HTTP-version`
    fn read(&mut self, bytes: &[u8], seen: usize) -> Result<Option<(Version, usize)>, ParseError> {
        // One empty line is skipped: old clients send one after a POST (RFC 9112 §2.2).
        let start = match bytes {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            [b'\r', _, ..] => return Err(ParseError::new(Violation::BareCr, 0)),
            [] | [b'\r'] => return Ok(None),
            _ => 0,
        };
        if seen <= start {
            (self.method, self.target) = (Span::default(), Span::default());
        }
        if self.method.end == 0 {
            let Some(end) = method_end(bytes, start, seen)? else { return Ok(None) };
            self.method = Span::new(start, end);
        }
        if self.target.end == 0 {
            let from = self.method.end as usize + 1;
            let Some(end) = target_end(bytes, from, seen)? else { return Ok(None) };
            let (method, target) = (self.method.of(bytes), &bytes[from..end]);
            // `PRI *` may begin the preface of HTTP/2; the version below decides.
            if !has_target_form(method, target) && (method, target) != (b"PRI", b"*") {
                return Err(ParseError::new(Violation::TargetForm, from));
            }
            self.target = Span::new(from, end);
        }
        let line = &bytes[start..];
        // The preface of an HTTP/2 client (RFC 9113 §3.4).
        if line.starts_with(b"PRI * HTTP/2.0") {
            return Err(ParseError::new(Violation::Http2, start));
        }
        if b"PRI * HTTP/2.0".starts_with(line) {
            return Ok(None);
        }
        // Only this preface and OPTIONS have the target `*`.
        if line.starts_with(b"PRI * HTTP/1") {
            return Err(ParseError::new(Violation::TargetForm, self.target.start as usize));
        }
        let at = self.target.end as usize + 1;
        let Some(version) = version(bytes, at)? else { return Ok(None) };
        let next = line_end(bytes, at + 8, Violation::Version)?;
        Ok(next.map(|next| (version, next)))
    }
}

/// Finds the SP after the method at `start`. Returns `None` if it has not arrived.
fn method_end(bytes: &[u8], start: usize, seen: usize) -> Result<Option<usize>, ParseError> {
    let from = start.max(seen);
    let end = from + token_len(&bytes[from..]);
    match bytes.get(end) {
        None => Ok(None),
        Some(b' ') if end > start => Ok(Some(end)),
        // No method begins with this byte: the peer speaks another protocol, such as TLS.
        Some(_) if end == 0 => Err(ParseError::new(Violation::NotHttp, 0)),
        Some(_) => Err(ParseError::new(Violation::Method, end)),
    }
}

/// Finds the SP after the request-target at `start`. Returns `None` if it has not arrived.
fn target_end(bytes: &[u8], start: usize, seen: usize) -> Result<Option<usize>, ParseError> {
    let from = start.max(seen);
    let end = from + target_len(&bytes[from..]);
    match bytes.get(end) {
        None => Ok(None),
        Some(b' ') if end > start => Ok(Some(end)),
        // `GET /` and a line end: HTTP/0.9, which has no version.
        Some(b'\r' | b'\n') if end > start => Err(ParseError::new(Violation::Version, end)),
        Some(_) => Err(ParseError::new(Violation::Target, end)),
    }
}
