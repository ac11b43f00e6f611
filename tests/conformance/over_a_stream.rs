//! The same bytes through [`Connection`]. Its buffer joins small chunks and is bypassed for large
//! ones, but the result must be that of the decoders alone, for every way to read.

use crate::cases::chunked;
use crate::cases::deliver::{Reader, Step, Want};
use crate::cases::readers::Body;
use std::io::{self, Read};
use unix_http::Error;
use unix_http::connection::Connection;
use unix_http::wire::{
    BodyDecoder, Framing, Incomplete, OVERHEAD_LIMIT, ParseError, ResponseDecoder,
};

/// A stream that delivers its bytes in pieces of these sizes, and repeats the last size.
struct Pieces<'a> {
    wire: &'a [u8],
    sizes: Vec<usize>,
}

impl Pieces<'_> {
    fn next_size(&mut self) -> usize {
        if self.sizes.len() > 1 { self.sizes.remove(0).max(1) } else { self.sizes[0] }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = self.next_size().min(self.wire.len());
        let n = (&self.wire[..most]).read(out)?;
        self.wire = &self.wire[n..];
        Ok(n)
    }
}

/// How a body ends.
#[derive(Debug, PartialEq)]
enum End {
    Whole,
    Incomplete(Incomplete),
    Broken(ParseError),
}

/// The result of reading a body: its content, its end, the trailers, and the bytes after it.
type Outcome = (Vec<u8>, End, String, Vec<u8>);

/// The ways to read a body.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// `fill_body`, and use all of it.
    Fill,
    /// `fill_body`, and use a little each time.
    Sip(usize),
    /// `read_body` into memory of this size.
    Into(usize),
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n";

fn over_a_stream(framing: Framing, wire: &[u8], sizes: &[usize], way: Way) -> Outcome {
    let wire = [HEAD, wire].concat();
    let mut connection = Connection::new(Pieces { wire: &wire, sizes: sizes.to_vec() });
    let head = connection.read_head(&mut ResponseDecoder::new()).unwrap().unwrap();
    let mut body = BodyDecoder::new(framing, head as u64, OVERHEAD_LIMIT);
    let (mut content, mut out) =
        (Vec::new(), vec![0; if let Way::Into(size) = way { size } else { 0 }]);
    let mut read = || -> Result<usize, Error> {
        if let Way::Into(_) = way {
            let n = connection.read_body(&mut body, &mut out)?;
            content.extend_from_slice(&out[..n]);
            return Ok(n);
        }
        let all = connection.fill_body(&mut body)?;
        let n = if let Way::Sip(n) = way { n.min(all.len()) } else { all.len() };
        content.extend_from_slice(&all[..n]);
        connection.consume_body(n);
        Ok(n)
    };
    let end = loop {
        match read() {
            Ok(0) => break End::Whole,
            Ok(_) => {}
            Err(Error::Parse(error)) => break End::Broken(error),
            Err(Error::Incomplete(incomplete)) => break End::Incomplete(incomplete),
            Err(other) => panic!("{other}"),
        }
    };
    let trailers = format!("{:?}", body.trailers());
    let (stream, ahead) = connection.into_parts();
    let behind = if end == End::Whole { [&ahead, stream.wire].concat() } else { Vec::new() };
    (content, end, trailers, behind)
}

/// Reads with the decoder alone, all bytes at once.
fn alone(framing: Framing, wire: &[u8]) -> Outcome {
    let mut decoder = BodyDecoder::new(framing, HEAD.len() as u64, OVERHEAD_LIMIT);
    let (mut content, mut at) = (Vec::new(), 0);
    let end = loop {
        if decoder.is_done() {
            break End::Whole;
        }
        match decoder.step(&wire[at..]) {
            Err(error) => break End::Broken(error),
            Ok(step) => {
                let data = at + step.framing;
                at = data + step.data;
                content.extend_from_slice(&wire[data..at]);
                decoder.consume(step.data);
                if step.framing + step.data == 0 {
                    break decoder.finish().map_or_else(End::Incomplete, |()| End::Whole);
                }
            }
        }
    };
    let trailers = format!("{:?}", decoder.trailers());
    let behind = if end == End::Whole { wire[at..].to_vec() } else { Vec::new() };
    (content, end, trailers, behind)
}

const SMALL: [Way; 4] = [Way::Fill, Way::Into(2), Way::Sip(1), Way::Into(5000)];
const LARGE: [Way; 5] =
    [Way::Fill, Way::Sip(5000), Way::Into(1000), Way::Into(4096), Way::Into(100_000)];

#[track_caller]
fn the_same(framing: Framing, wire: &[u8], sizes: &[usize], ways: &[Way]) {
    let want = alone(framing, wire);
    for &way in ways {
        let got = over_a_stream(framing, wire, sizes, way);
        let content = if got.0 == want.0 { "the same" } else { "another" };
        let got = (got.0.len(), &got.1, &got.2, got.3.len());
        let want = (want.0.len(), &want.1, &want.2, want.3.len());
        assert!(
            got == want && content == "the same",
            "{framing:?} in pieces of {sizes:?}, {way:?}: {content} content\n{got:?}\n{want:?}"
        );
    }
}

#[test]
fn every_chunked_case_reads_the_same() {
    for case in chunked::TABLES.iter().flat_map(|table| table.cases) {
        let wire = [&case.bytes()[..], b"HTTP/1.1 "].concat();
        let (_, end, ..) = alone(Framing::Chunked, &wire);
        assert_eq!(matches!(case.want, Want::Value(_)), end == End::Whole, "{}", case.id);
        for cut in 0..wire.len() {
            the_same(Framing::Chunked, &wire, &[HEAD.len() + cut, usize::MAX], &SMALL[..2]);
            // A connection may end at any byte.
            the_same(Framing::Chunked, &wire[..cut], &[usize::MAX], &SMALL[..1]);
        }
        the_same(Framing::Chunked, &wire, &[1], &SMALL);
    }
}

#[test]
fn other_framings_read_the_same() {
    for framing in [
        Framing::NoBody,
        Framing::Length(0),
        Framing::Length(5),
        Framing::Length(11),
        Framing::UntilClose,
    ] {
        let wire = b"hello, world";
        for cut in 0..wire.len() {
            the_same(framing, wire, &[HEAD.len() + cut, usize::MAX], &SMALL);
            the_same(framing, &wire[..cut], &[1], &SMALL);
        }
    }
}

/// Around the sizes at which the buffer changes its behaviour: 4096, 16384 and 262144 bytes.
#[test]
fn large_chunks_read_the_same() {
    for sizes in [
        &[1, 1][..],
        &[63, 1, 64, 65],
        &[4095, 3, 4096, 4097, 2],
        &[16_384, 5, 4096, 1],
        &[300_000, 1, 70_000],
    ] {
        let mut wire = Vec::new();
        for (i, &size) in sizes.iter().enumerate() {
            wire.extend_from_slice(format!("{size:x};i={i}\r\n").as_bytes());
            wire.extend((0..size).map(|at| (at * 31 + i) as u8));
            wire.extend_from_slice(b"\r\n");
        }
        wire.extend_from_slice(b"0\r\nA: b\r\n\r\nGET / HTTP/1.1\r\n");
        let content: usize = sizes.iter().sum();
        assert_eq!(alone(Framing::Chunked, &wire).0.len(), content);
        for piece in [67, 1000, 4096, 4099, 16_384, 100_000, usize::MAX] {
            if content < 20_000 || piece > 4096 {
                the_same(Framing::Chunked, &wire, &[piece], &LARGE);
                the_same(Framing::Length(content as u64), &wire, &[piece], &LARGE);
                the_same(Framing::UntilClose, &wire, &[piece], &LARGE);
            }
        }
    }
}

#[test]
fn the_reader_of_the_tables_agrees() {
    for case in chunked::TABLES.iter().flat_map(|table| table.cases) {
        let (content, end, ..) = alone(Framing::Chunked, &case.bytes());
        let mut body =
            Body::new(BodyDecoder::new(Framing::Chunked, HEAD.len() as u64, OVERHEAD_LIMIT));
        let step = body.feed(&case.bytes());
        assert_eq!(body.content, content, "{}", case.id);
        match (step, end) {
            (Step::Complete(..), End::Whole) => {}
            (Step::Error(a), End::Broken(b)) => assert_eq!(a, b.into(), "{}", case.id),
            (step, end) => panic!("{}: {step:?}, {end:?}", case.id),
        }
    }
}
