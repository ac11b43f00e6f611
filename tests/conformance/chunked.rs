//! The chunked transfer coding (RFC 9112 §7.1).

use crate::deliver::{Case, Reader, Step, Table, no, ok};
use crate::readers::{self, Body};
use unix_http::wire::{
    BodyDecoder, ErrorKind as K, Framing, Incomplete, OVERHEAD_LIMIT, ParseError,
};

pub const TABLES: &[Table] = &[Table { topic: "chunked", reader: readers::chunked, cases: CASES }];

#[rustfmt::skip]
const CASES: &[Case] = &[
    ok("rfc9112-7.1-empty", "the last chunk alone",
        b"0\r\n\r\n", ""),
    ok("rfc9112-7.1-one-chunk", "size, data, last chunk",
        b"5\r\nhello\r\n0\r\n\r\n", "hello"),
    ok("rfc9112-7.1-three-chunks", "of different sizes",
        b"1\r\na\r\n2\r\nbc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n", "abc0123456789abcdef"),
    ok("rfc9112-7.1-hex-upper", "HEXDIG is case-insensitive",
        b"A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
    ok("rfc9112-7.1-hex-lower", "HEXDIG is case-insensitive",
        b"a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
    ok("rfc9112-7.1-leading-zeros", "1*HEXDIG, and no octal",
        b"00010\r\n0123456789abcdef\r\n0\r\n\r\n", "0123456789abcdef"),
    ok("rfc9112-7.1-many-leading-zeros", "more digits than 16, but not more that count",
        b"000000000000000000000005\r\nhello\r\n0\r\n\r\n", "hello"),
    ok("rfc9112-7.1-last-chunk-of-many-zeros", "last-chunk = 1*(0)",
        b"000000000000000000000000\r\n\r\n", ""),
    ok("rfc9112-7.1-data-is-anything", "CR LF, digits and NUL in data are data",
        b"b\r\n\r\n0\r\n\r\n\r\n\0\xff\r\n0\r\n\r\n", "\\r\\n0\\r\\n\\r\\n\\r\\n\\x00\\xff"),
    ok("rfc9112-7.1.1-ext", "unrecognised extensions are ignored",
        b"5;a\r\nhello\r\n0;b\r\n\r\n", "hello"),
    ok("rfc9112-7.1.1-ext-value", "a token for a value",
        b"5;a=b\r\nhello\r\n0\r\n\r\n", "hello"),
    ok("rfc9112-7.1.1-ext-quoted", "a quoted-string for a value, with ; and a quoted quote in it",
        b"5;a=\"b;c=\\\"d\\\" \"\r\nhello\r\n0\r\n\r\n", "hello"),
    ok("rfc9112-7.1.1-ext-many", "*( ; name )",
        b"5;a;b=c;d=\"e\"\r\nhello\r\n0\r\n\r\n", "hello"),
    ok("rfc9112-7.1.1-ext-bws", "BWS around ; and = must be taken (RFC 9110 §5.6.3)",
        b"5 \t; a \t=\t b ;c\r\nhello\r\n0 ;d\r\n\r\n", "hello"),
    ok("rfc9112-7.1.1-ext-obs-text", "obs-text may stand in a quoted-string",
        b"5;a=\"\xc3\xa9\"\r\nhello\r\n0\r\n\r\n", "hello"),
    ok("rfc9112-7.1.2-trailer", "kept apart from the header section",
        b"5\r\nhello\r\n0\r\nDigest: x\r\nB: y\r\n\r\n", "hello | Digest: x | B: y"),
    ok("rfc9112-7.1.2-trailer-content-length", "frames nothing: the body is over where its chunks say so",
        b"0\r\nContent-Length: 5\r\n\r\n", "Content-Length: 5"),
    ok("rfc9112-7.1.2-trailer-bad-content-length", "nobody reads it",
        b"0\r\nContent-Length: +5\r\nTransfer-Encoding: x\r\n\r\n", "Content-Length: +5 | Transfer-Encoding: x"),

    no("rfc9112-7.1-size-empty", "1*HEXDIG",
        b"", b"\r\nhello\r\n0\r\n\r\n", K::ChunkSize),
    no("rfc9112-7.1-size-empty-ext", "1*HEXDIG",
        b"", b";a\r\n\r\n", K::ChunkSize),
    no("rfc9112-7.1-size-letter", "a HEXDIG",
        b"", b"g\r\n", K::ChunkSize),
    no("rfc9112-7.1-size-then-letter", "HEXDIGs and no more",
        b"5", b"g\r\nhello\r\n", K::ChunkSize),
    no("rfc9112-7.1-size-0x", "a number to strtol with base 16",
        b"0", b"x5\r\nhello\r\n0\r\n\r\n", K::ChunkSize),
    no("rfc9112-7.1-size-0x0", "the last chunk to some",
        b"0", b"x0\r\n\r\n", K::ChunkSize),
    no("rfc9112-7.1-size-plus", "a number to Rust's from_str_radix",
        b"", b"+5\r\nhello\r\n0\r\n\r\n", K::ChunkSize),
    no("rfc9112-7.1-size-minus", "a number to strtol, and a huge one",
        b"", b"-5\r\nhello\r\n0\r\n\r\n", K::ChunkSize),
    no("rfc9112-7.1-size-underscore", "a number to Python's int",
        b"1", b"_0\r\n0123456789abcdef\r\n", K::ChunkSize),
    no("rfc9112-7.1-size-leading-sp", "no white space before it",
        b"", b" 5\r\nhello\r\n0\r\n\r\n", K::ChunkSize),
    no("rfc9112-7.1-size-leading-tab", "no white space before it",
        b"", b"\t5\r\nhello\r\n0\r\n\r\n", K::ChunkSize),
    no("rfc9112-7.1-size-trailing-sp", "BWS belongs before a ; and nowhere else",
        b"5 ", b"\r\nhello\r\n0\r\n\r\n", K::ChunkSize),
    no("rfc9112-7.1-size-trailing-sp-bare-lf", "BWS belongs before a ; and nowhere else",
        b"5 ", b"\nhello\r\n0\r\n\r\n", K::ChunkSize),
    no("rfc9112-7.1-size-two-numbers", "5 SP 5",
        b"5 ", b"5\r\nhello\r\n0\r\n\r\n", K::ChunkSize),
    no("rfc9112-7.1-size-vt", "white space to C's isspace",
        b"5", b"\x0b\r\nhello\r\n0\r\n\r\n", K::ChunkSize),
    no("rfc9112-7.1-size-nul", "the end of a string in C",
        b"5", b"\0\r\nhello\r\n0\r\n\r\n", K::ChunkSize),
    no("rfc9112-7.1-size-comma", "no list",
        b"5", b",5\r\nhello\r\n0\r\n\r\n", K::ChunkSize),
    no("rfc9112-7.1-size-fraction", "no fraction",
        b"5", b".0\r\nhello\r\n0\r\n\r\n", K::ChunkSize),
    no("rfc9112-7.1-size-unicode-digit", "a FULLWIDTH DIGIT FIVE is five to Python's int",
        b"", "５\r\nhello\r\n0\r\n\r\n".as_bytes(), K::ChunkSize),
    no("rfc9112-7.1-size-17-digits", "2^64 and more: 0 to a reader that wraps",
        b"1000000000000000", b"0\r\n", K::ChunkSizeOverflow),
    no("rfc9112-7.1-size-17-digits-after-zeros", "the zeros do not count, the digits do",
        b"000ffffffffffffffff", b"f\r\n", K::ChunkSizeOverflow),
    no("rfc9112-7.1-line-bare-lf", "CR LF alone ends a chunk-size line (the answer to erratum 7633)",
        b"5", b"\nhello\r\n0\r\n\r\n", K::ChunkLineEnd),
    no("rfc9112-7.1-last-line-bare-lf", "also the last one",
        b"0", b"\n\n", K::ChunkLineEnd),
    no("rfc9112-7.1-line-bare-cr", "5 CR X: known at the X, without waiting for an LF",
        b"5\r", b"X\r\nhello", K::ChunkLineEnd),
    no("rfc9112-7.1-line-cr-cr", "CR LF and nothing between",
        b"5\r", b"\r\nhello", K::ChunkLineEnd),
    no("rfc9112-7.1.1-ext-bare-lf", "one reader ends the line here",
        b"5;a", b"\nhello\r\n0\r\n\r\n", K::ChunkLineEnd),
    no("rfc9112-7.1.1-ext-bare-cr", "another ends it here",
        b"5;a\r", b"b\r\nhello\r\n0\r\n\r\n", K::ChunkLineEnd),
    no("rfc9112-7.1.1-ext-nul", "a control character",
        b"5;a", b"\0\r\nhello\r\n0\r\n\r\n", K::ChunkExt),
    no("rfc9112-7.1.1-ext-control", "a control character",
        b"5;a=\"", b"\x07\"\r\nhello\r\n0\r\n\r\n", K::ChunkExt),
    no("rfc9112-7.1.1-ext-quoted-lf", "no line end in a quoted-string",
        b"5;a=\"b", b"\n\"\r\nhello\r\n0\r\n\r\n", K::ChunkLineEnd),
    no("rfc9112-7.1-data-then-lf", "exactly CR LF",
        b"5\r\nhello", b"\n0\r\n\r\n", K::ChunkDataEnd),
    no("rfc9112-7.1-data-then-nothing", "exactly CR LF",
        b"5\r\nhello", b"0\r\n\r\n", K::ChunkDataEnd),
    no("rfc9112-7.1-data-too-long", "one byte more than announced",
        b"5\r\nhello", b"!\r\n0\r\n\r\n", K::ChunkDataEnd),
    no("rfc9112-7.1-data-too-short", "the CR is the fifth byte, so the LF stands where the CR should",
        b"5\r\nhell\r", b"\n0\r\n\r\n", K::ChunkDataEnd),
    no("rfc9112-7.1-data-then-cr", "CR without LF",
        b"5\r\nhello\r", b"0\r\n\r\n", K::ChunkDataEnd),
    no("rfc9112-7.1-data-then-cr-cr", "CR CR LF",
        b"5\r\nhello\r", b"\r\n0\r\n\r\n", K::ChunkDataEnd),
    no("rfc9112-7.1-data-then-empty-line", "one CR LF, not two",
        b"5\r\nhello\r\n", b"\r\n0\r\n\r\n", K::ChunkSize),
];

/// A chunk of 2^64-1 bytes is announced, and nothing else happens: no overflow, no allocation, no
/// end.
#[test]
fn largest_chunk_size() {
    for size in ["ffffffffffffffff", "FFFFFFFFFFFFFFFF", "7fffffffffffffff", "8000000000000000"] {
        let mut body = BodyDecoder::new(Framing::Chunked, 0, OVERHEAD_LIMIT);
        let line = format!("{size}\r\n");
        assert_eq!(body.step(line.as_bytes()).map(|s| (s.framing, s.data)), Ok((line.len(), 0)));
        assert_eq!(body.run(), u64::from_str_radix(size, 16).unwrap());
        assert_eq!(body.step(b"hello").map(|s| (s.framing, s.data)), Ok((0, 5)));
        body.consume(5);
        assert_eq!(body.finish(), Err(Incomplete { received: 5, expected: None }));
    }
}

/// What came before an error has been handed out, however the bytes came.
#[test]
fn content_before_an_error_is_delivered() {
    let wire = b"3\r\nabc\r\n4;x\r\ndefg\r\n5\r\nhello!";
    for cut in 0..wire.len() {
        let mut body = Body::new(BodyDecoder::new(Framing::Chunked, 0, OVERHEAD_LIMIT));
        assert_eq!(body.feed(&wire[..cut]), Step::Partial, "cut at {cut}");
        let error = ParseError { kind: K::ChunkDataEnd, offset: wire.len() as u64 - 1 };
        assert_eq!(body.feed(wire), Step::Error(error), "cut at {cut}");
        assert_eq!(body.content, b"abcdefghello", "cut at {cut}");
    }
}

/// An error of a body behind a head counts from the head's first byte.
#[test]
fn offsets_count_from_the_message() {
    for case in CASES {
        let body = |offset| Body::new(BodyDecoder::new(Framing::Chunked, offset, OVERHEAD_LIMIT));
        let whole = |offset| body(offset).feed(&case.bytes());
        if let Step::Error(alone) = whole(0) {
            assert_eq!(
                whole(1000),
                Step::Error(ParseError { offset: alone.offset + 1000, ..alone }),
                "{}",
                case.id
            );
        }
    }
}

/// `RFC 9112 §8`: a body that stops short is told apart from one that ended.
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
    assert_eq!(
        cut(Framing::UntilClose, b"hello"),
        Ok(()),
        "nothing tells a whole body from one cut short"
    );
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
