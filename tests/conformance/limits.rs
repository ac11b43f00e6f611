//! Everything that can grow has a limit, and all bytes that are not content share one budget
//! (RFC 9110 §5.4, RFC 9112 §7.1.1).

use crate::cases::deliver::{Reader, Step};
use crate::cases::readers::Body;
use crate::cases::wire_fault::{Violation, WireFault};
use std::iter::repeat_n;
use unix_http::wire::{
    BodyDecoder, Framing, OVERHEAD_LIMIT, ParseError, RequestDecoder, ResponseDecoder,
};

const TOO_LARGE: Violation = Violation::TooLarge;

/// What a head decoder returned, with the rule by name.
fn said(result: Result<Option<usize>, ParseError>) -> Result<Option<usize>, WireFault> {
    result.map_err(WireFault::from)
}

fn too_large(offset: usize) -> Result<Option<usize>, WireFault> {
    Err(WireFault { kind: TOO_LARGE, offset: offset as u64 })
}

fn endless(start: &[u8], more: &[u8]) -> Vec<u8> {
    let mut wire = start.to_vec();
    while wire.len() <= OVERHEAD_LIMIT {
        wire.extend_from_slice(more);
    }
    wire
}

/// The error has the same offset in every delivery.
#[test]
fn an_endless_head_is_rejected_at_the_limit() {
    let responses: [(&[u8], &[u8]); 7] = [
        (b"HTTP/1.1 200 ", b"x"),
        (b"HTTP/1.1 200 OK\r\nA", b"x"),
        (b"HTTP/1.1 200 OK\r\nA:", b" "),
        (b"HTTP/1.1 200 OK\r\nA: ", b"x"),
        (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"A:\n"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n", b" c\r\n"),
    ];
    let want = too_large(OVERHEAD_LIMIT);
    for (start, more) in responses {
        let wire = endless(start, more);
        assert_eq!(said(ResponseDecoder::new().decode(&wire)), want);
        let mut slow = ResponseDecoder::new();
        for end in (0..OVERHEAD_LIMIT).step_by(20_000) {
            assert_eq!(slow.decode(&wire[..end]), Ok(None));
        }
        assert_eq!(slow.decode(&wire[..OVERHEAD_LIMIT - 1]), Ok(None));
        assert_eq!(
            said(slow.decode(&wire[..OVERHEAD_LIMIT])),
            want,
            "as soon as the limit is reached"
        );
    }
    for (start, more) in
        [(&b""[..], &b"G"[..]), (b"GET /", b"x"), (b"GET / HTTP/1.1\r\n", b"A: b\r\n")]
    {
        assert_eq!(said(RequestDecoder::new().decode(&endless(start, more))), want);
    }
}

#[test]
fn a_head_may_take_the_whole_limit() {
    let wire = b"HTTP/1.1 200 OK\r\nServer: x\r\nApi-Version: 1.41\r\n\r\n";
    for limit in 0..wire.len() + 10 {
        let want = if limit >= wire.len() { Ok(Some(wire.len())) } else { too_large(limit) };
        let mut decoder = ResponseDecoder::new();
        decoder.reset(limit);
        assert_eq!(said(decoder.decode(wire)), want, "limit {limit}");
    }
}

/// `RFC 9112 §3`: senders and recipients should support request-lines of 8000 octets. `RFC 9110
/// §2.3`: a recipient must support elements as long as those that it sends.
#[test]
fn a_request_line_of_8000_octets_is_supported() {
    for target in [8000, 100_000] {
        let wire = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(target));
        let mut decoder = RequestDecoder::new();
        assert_eq!(decoder.decode(wire.as_bytes()), Ok(Some(wire.len())));
        assert_eq!(decoder.head().target().len(), target + 1);
    }
}

/// Otherwise this test would take minutes.
#[test]
fn a_long_line_is_not_read_again_with_each_byte() {
    let long = "x".repeat(100_000);
    let response = format!("HTTP/1.1 200 {long}");
    let fields = ["A", "A: ", "A: b\r\n "].map(|start| format!("HTTP/1.1 200 OK\r\n{start}{long}"));
    for wire in fields.into_iter().chain([response]) {
        let mut decoder = ResponseDecoder::new();
        assert!((0..=wire.len()).all(|end| decoder.decode(&wire.as_bytes()[..end]) == Ok(None)));
    }
    for wire in [long.clone(), format!("GET /{long}"), format!("{long} /{long}")] {
        let mut decoder = RequestDecoder::new();
        decoder.reset(usize::MAX);
        assert!((0..=wire.len()).all(|end| decoder.decode(&wire.as_bytes()[..end]) == Ok(None)));
    }
}

fn body(limit: usize) -> Body {
    Body::new(BodyDecoder::new(Framing::Chunked, 0, limit))
}

/// Returns the error, and checks that it is reported at its byte.
fn refused(limit: usize, wire: &[u8]) -> WireFault {
    let (mut whole, mut slow) = (body(limit), body(limit));
    let Step::Error(error) = whole.feed(wire) else {
        panic!("not refused: {}", wire.escape_ascii())
    };
    let mut deliveries = (0..=wire.len()).map(|end| (end as u64, slow.feed(&wire[..end])));
    let (known, step) = deliveries.find(|(_, step)| *step != Step::Partial).unwrap();
    assert_eq!(step, Step::Error(error), "byte by byte");
    assert!(known <= error.offset + 1, "known after {known} bytes, wrong at {}", error.offset);
    error
}

#[test]
fn endless_zeros_extensions_and_trailers_are_rejected_at_the_limit() {
    let limit = 1000;
    let of = |start: &str, more: &str| format!("{start}{}", more.repeat(2000));
    assert_eq!(refused(limit, of("", "0").as_bytes()).kind, TOO_LARGE);
    assert_eq!(refused(limit, of("5;", "a").as_bytes()).kind, TOO_LARGE);
    assert_eq!(refused(limit, of("5", " ").as_bytes()).kind, TOO_LARGE);
    assert_eq!(refused(limit, of("0;a=\"", ";").as_bytes()).kind, TOO_LARGE);
    assert_eq!(refused(limit, of("0\r\n", "A: b\r\n").as_bytes()).kind, TOO_LARGE);
    assert_eq!(refused(limit, of("0\r\nA: ", "b").as_bytes()).kind, TOO_LARGE);
    assert_eq!(refused(limit, of("0\r\n", "A").as_bytes()).kind, TOO_LARGE);
    assert_eq!(refused(limit, of("0\r\nA:\r\n", " b\r\n").as_bytes()).kind, TOO_LARGE);
}

#[test]
fn endless_chunks_with_more_extension_than_data_are_rejected() {
    let chunks = "1;abcdefgh\r\nx\r\n".repeat(1000);
    let error = refused(800, chunks.as_bytes());
    // Each chunk costs 9 bytes and adds 1: after 99 chunks 8 bytes are left, and the next chunk
    // needs 9 before its content.
    assert_eq!((error.kind, error.offset / 15), (TOO_LARGE, 99));
}

/// The final CR LF is free.
#[test]
fn zeros_extensions_and_trailers_share_one_budget() {
    for (zeros, ext, trailer) in
        [(0, 0, 100), (0, 100, 0), (99, 0, 0), (30, 40, 30), (60, 0, 40), (1, 2, 97)]
    {
        let line = format!("{}5\r\nhello\r\n0", "0".repeat(zeros));
        let ext = if ext > 0 { format!(";{}", "x".repeat(ext - 1)) } else { String::new() };
        let trailer =
            if trailer > 4 { format!("A:{}\r\n", "x".repeat(trailer - 4)) } else { String::new() };
        let wire = format!("{line}{ext}\r\n{trailer}\r\n");
        let spent = zeros + ext.len() + trailer.len();
        assert_eq!(
            body(spent).feed(wire.as_bytes()),
            complete("hello", &trailer, wire.len()),
            "{wire:?}"
        );
        if spent > 6 {
            assert_eq!(refused(spent - 6, wire.as_bytes()).kind, TOO_LARGE, "{wire:?}");
        }
    }
}

fn complete(content: &str, trailer: &str, used: usize) -> Step {
    let trailer = trailer.trim_end().replace("A:", " | A: ");
    Step::Complete(format!("{content}{trailer}"), used)
}

/// Extensions are skipped, but a trailer section is held in memory.
#[test]
fn content_adds_to_the_budget_of_extensions_but_not_of_trailers() {
    let content = "x".repeat(10_000);
    let with = |ext: usize, trailer: usize| {
        format!(
            "{:x}\r\n{content}\r\n0;{}\r\nA:{}\r\n\r\n",
            10_000,
            "e".repeat(ext),
            "t".repeat(trailer)
        )
    };
    assert!(matches!(body(100).feed(with(10_000, 50).as_bytes()), Step::Complete(..)));
    assert_eq!(refused(100, with(10, 150).as_bytes()).kind, TOO_LARGE);
    assert_eq!(refused(100, with(10_200, 10).as_bytes()).kind, TOO_LARGE);
}

/// A day of log lines is not an attack.
#[test]
fn chunks_without_extensions_cost_no_budget() {
    let wire: Vec<u8> =
        repeat_n(&b"1\r\nx\r\n"[..], 10_000).flatten().copied().chain(*b"0\r\n\r\n").collect();
    assert!(matches!(body(0).feed(&wire), Step::Complete(content, _) if content.len() == 10_000));
}
