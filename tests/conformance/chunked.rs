//! Chunked content: the rules that do not fit a table.

use crate::cases::chunked::TABLES;
use crate::cases::deliver::{Reader, Step};
use crate::cases::readers::Body;
use crate::cases::wire_fault::{Violation as K, WireFault};
use unix_http::wire::{BodyDecoder, Framing, Incomplete, OVERHEAD_LIMIT};

/// The decoder neither overflows nor allocates.
#[test]
fn the_largest_chunk_size_is_two_to_the_64_minus_1() {
    for size in ["ffffffffffffffff", "FFFFFFFFFFFFFFFF", "7fffffffffffffff", "8000000000000000"] {
        let mut body = BodyDecoder::new(Framing::Chunked, 0, OVERHEAD_LIMIT);
        let line = format!("{size}\r\n");
        assert_eq!(body.step(line.as_bytes()).map(|s| (s.framing, s.data)), Ok((line.len(), 0)));
        assert_eq!(body.step(b"hello").map(|s| (s.framing, s.data)), Ok((0, 5)));
        body.consume(5);
        assert_eq!(body.finish(), Err(Incomplete { received: 5, expected: None }));
        body.consume(usize::from_str_radix(size, 16).unwrap() - 5 - 1);
        assert_eq!(body.step(b"hello").map(|s| (s.framing, s.data)), Ok((0, 1)));
    }
}

#[test]
fn content_before_an_error_is_delivered() {
    let wire = b"3\r\nabc\r\n4;x\r\ndefg\r\n5\r\nhello!";
    for cut in 0..wire.len() {
        let mut body = Body::new(BodyDecoder::new(Framing::Chunked, 0, OVERHEAD_LIMIT));
        assert_eq!(body.feed(&wire[..cut]), Step::Partial, "cut at {cut}");
        let error = WireFault { kind: K::ChunkDataEnd, offset: wire.len() as u64 - 1 };
        assert_eq!(body.feed(wire), Step::Error(error), "cut at {cut}");
        assert_eq!(body.content, b"abcdefghello", "cut at {cut}");
    }
}

#[test]
fn the_offset_of_an_error_in_a_body_counts_from_the_head() {
    for case in TABLES.iter().flat_map(|table| table.cases) {
        let body = |offset| Body::new(BodyDecoder::new(Framing::Chunked, offset, OVERHEAD_LIMIT));
        let whole = |offset| body(offset).feed(&case.bytes());
        if let Step::Error(alone) = whole(0) {
            assert_eq!(
                whole(1000),
                Step::Error(WireFault { offset: alone.offset + 1000, ..alone }),
                "{}",
                case.id
            );
        }
    }
}

/// `RFC 9112 §8`
#[test]
fn a_body_cut_short_is_incomplete() {
    let cut = |framing, wire: &[u8]| {
        let mut body = BodyDecoder::new(framing, 0, OVERHEAD_LIMIT);
        let mut at = 0;
        while at < wire.len() {
            let step = body.step(&wire[at..]).unwrap();
            body.consume(step.data);
            at += step.framing + step.data;
        }
        body.finish()
    };
    let short = |received, expected| Err(Incomplete { received, expected });
    assert_eq!(cut(Framing::Length(5), b""), short(0, Some(5)));
    assert_eq!(cut(Framing::Length(5), b"hell"), short(4, Some(5)));
    assert_eq!(cut(Framing::Length(5), b"hello"), Ok(()));
    assert_eq!(cut(Framing::Length(0), b""), Ok(()));
    assert_eq!(cut(Framing::Length(u64::MAX), b"hello"), short(5, Some(u64::MAX)));
    assert_eq!(cut(Framing::NoBody, b""), Ok(()));
    assert_eq!(cut(Framing::UntilClose, b"hello"), Ok(()), "a truncated body cannot be detected");
    let chunked = b"5\r\nhello\r\n0\r\nA: b\r\n\r\n";
    for at in 0..chunked.len() {
        let received = at.clamp(3, 8) as u64 - 3;
        assert_eq!(
            cut(Framing::Chunked, &chunked[..at]),
            short(received, None),
            "cut after {at} bytes"
        );
    }
    assert_eq!(cut(Framing::Chunked, chunked), Ok(()));
}
