//! Our reader of heads compared with httparse, which must accept every head that we accept, with
//! the same result.

use unix_http::wire::{Fields, RequestDecoder, RequestHead, ResponseDecoder, ResponseHead, Version};

const MOST: usize = 4096;

pub fn check(bytes: &[u8]) {
    let mut decoder = ResponseDecoder::new();
    if let Ok(Some(_)) = decoder.decode(bytes) {
        response(decoder.head());
    }
    let mut decoder = RequestDecoder::new();
    if let Ok(Some(_)) = decoder.decode(bytes) {
        request(decoder.head());
    }
}

fn response(head: &ResponseHead) {
    // Deviations that a user agent may accept (RFC 9112 §5.2).
    let mut config = httparse::ParserConfig::default();
    config.allow_obsolete_multiline_headers_in_responses(true);
    let folded = head.as_bytes().windows(2).any(|two| matches!(two, b"\n " | b"\n\t"));
    // It knows only HTTP/1.0 and 1.1. We read a higher minor version as 1.1 (RFC 9110 §2.5).
    if head.fields().len() > MOST || !matches!(head.as_bytes()[7], b'0' | b'1') {
        return;
    }
    let mut headers = vec![httparse::EMPTY_HEADER; MOST];
    let mut theirs = httparse::Response::new(&mut headers);
    match config.parse_response(&mut theirs, head.as_bytes()) {
        Ok(httparse::Status::Complete(len)) => assert_eq!(len, head.as_bytes().len()),
        // It drops or rejects a reason-phrase with obs-text or HTAB.
        _ if !head.reason().is_ascii() || head.reason().contains(&b'\t') || folded => return,
        other => panic!("{other:?}"),
    }
    assert_eq!(theirs.code, Some(head.status()));
    assert_eq!(theirs.version, Some(u8::from(head.version() == Version::Http11)));
    if !folded {
        same(head.fields(), theirs.headers);
    }
}

fn request(head: &RequestHead) {
    let line = head.as_bytes().trim_ascii_start().split(|&b| b == b'\n').next().unwrap_or_default();
    let minor = line.strip_suffix(b"\r").unwrap_or(line).last();
    // It requires UTF-8 in targets.
    if head.fields().len() > MOST || !matches!(minor, Some(b'0' | b'1')) || !head.target().is_ascii() {
        return;
    }
    let mut headers = vec![httparse::EMPTY_HEADER; MOST];
    let mut theirs = httparse::Request::new(&mut headers);
    match theirs.parse(head.as_bytes()) {
        Ok(httparse::Status::Complete(len)) => assert_eq!(len, head.as_bytes().len()),
        // It rejects `{`, `"` and similar bytes, which curl sends and servers in Go accept.
        Err(httparse::Error::Token) if head.target().iter().any(|b| b"\"<>\\^`{|}#[]".contains(b)) => return,
        other => panic!("{other:?}"),
    }
    assert_eq!((theirs.method, theirs.path.map(str::as_bytes)), (Some(head.method()), Some(head.target())));
    same(head.fields(), theirs.headers);
}

fn same(ours: &Fields, theirs: &[httparse::Header<'_>]) {
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_eq!((ours.name(), ours.value()), (theirs.name, theirs.value));
    }
}
