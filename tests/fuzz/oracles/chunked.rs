//! The chunked coding.

use super::plain::{self, Plain};
use super::{Pieces, bytewise};
use unix_http::wire::{
    BodyDecoder, Fields, Framing, OVERHEAD_LIMIT, ParseError, ParseErrorKind, encode_chunk,
    encode_last_chunk,
};

pub fn check(bytes: &[u8]) {
    for in_request in [false, true] {
        one(bytes, in_request);
    }
}

#[derive(Debug, PartialEq)]
struct Reading {
    content: Vec<u8>,
    /// How many bytes were consumed.
    used: usize,
    error: Option<ParseError>,
    /// Set once the last chunk and its trailer section have been read.
    trailers: Option<Fields>,
}

fn read<'a>(in_request: bool, limit: usize, pieces: impl IntoIterator<Item = &'a [u8]>) -> Reading {
    let mut decoder = match in_request {
        true => BodyDecoder::of_request(Framing::Chunked, 0, limit),
        false => BodyDecoder::new(Framing::Chunked, 0, limit),
    };
    let mut reading = Reading { content: Vec::new(), used: 0, error: None, trailers: None };
    let mut random = Pieces::of(&limit.to_be_bytes());
    for mut piece in pieces {
        while !piece.is_empty() && !decoder.is_done() {
            let step = match decoder.step(piece) {
                Ok(step) => step,
                Err(error) => return Reading { error: Some(error), ..reading },
            };
            assert!(step.framing + step.data <= piece.len());
            assert!(
                step.framing + step.data > 0,
                "a step of nothing asks for more, and there is more"
            );
            // A reader may use less than is available.
            let used = if step.data > 0 { 1 + random.below(step.data) } else { 0 };
            reading.content.extend_from_slice(&piece[step.framing..step.framing + used]);
            decoder.consume(used);
            reading.used += step.framing + used;
            piece = &piece[step.framing + used..];
        }
    }
    reading.trailers = decoder.trailers().cloned();
    reading
}

fn one(bytes: &[u8], in_request: bool) {
    let whole = read(in_request, OVERHEAD_LIMIT, [bytes]);
    let mut pieces = Pieces::of(bytes);
    for cut in [bytewise(bytes), pieces.cut(bytes)] {
        let other = read(in_request, OVERHEAD_LIMIT, cut);
        // An error may follow framing in the same step, so the number of consumed bytes is
        // arbitrary.
        let used = if whole.error.is_some() { whole.used } else { other.used };
        assert_eq!(Reading { used, ..other }, whole);
    }
    let (content, plain) = plain::chunked(bytes, !in_request);
    match (&whole.error, &whole.trailers, plain) {
        (None, Some(trailers), Plain::Whole(lines, len)) => {
            assert_eq!((&whole.content, whole.used), (&content, len));
            let listed: plain::Lines = trailers
                .iter()
                .map(|f| (f.name().as_bytes().to_vec(), f.value().to_vec()))
                .collect();
            assert_eq!(listed, lines);
            again(&whole, trailers, in_request);
        }
        // All content before the fault was delivered, and none after it.
        (Some(error), None, Plain::Wrong | Plain::Short) => {
            assert_eq!(whole.content, content);
            assert!(error.offset <= bytes.len() as u64);
        }
        (None, None, Plain::Short) => {
            assert_eq!((&whole.content, whole.used), (&content, bytes.len()));
            assert!(can_go_on(bytes, in_request), "a dead end");
        }
        (error, trailers, plain) => panic!("{error:?} {trailers:?}, but plainly {plain:?}"),
    }
    let limit = pieces.below(2 * bytes.len() + 2);
    let within = read(in_request, limit, [bytes]);
    match within.error {
        Some(error) if error.kind() == ParseErrorKind::TooLarge => {
            assert!(whole.content.starts_with(&within.content))
        }
        _ => assert_eq!(
            within,
            Reading { used: within.used, ..read(in_request, OVERHEAD_LIMIT, [bytes]) }
        ),
    }
}

fn again(reading: &Reading, trailers: &Fields, in_request: bool) {
    let mut wire = Vec::new();
    reading.content.chunks(17).for_each(|data| encode_chunk(&mut wire, data));
    encode_last_chunk(&mut wire, trailers);
    let other = read(in_request, OVERHEAD_LIMIT, [&wire[..]]);
    assert_eq!((other.used, other.error), (wire.len(), None));
    assert_eq!((&other.content, &other.trailers), (&reading.content, &reading.trailers));
}

/// Whether some continuation is still valid. Inside chunk-data, every byte is.
fn can_go_on(bytes: &[u8], in_request: bool) -> bool {
    let mut decoder = BodyDecoder::new(Framing::Chunked, 0, OVERHEAD_LIMIT);
    let mut rest = bytes;
    while let Ok(step) = decoder.step(rest)
        && !rest.is_empty()
    {
        decoder.consume(step.data);
        rest = &rest[step.framing + step.data..];
    }
    if decoder.step(b"\0").is_ok_and(|step| step.data == 1) {
        return true;
    }
    // The ends of chunk-data, of a trailer section, of a chunk-ext and of its quoted value.
    let endings: [&[u8]; 5] =
        [b"\r\n0\r\n\r\n", b"x:\r\n\r\n", b";x\r\n", b"x\"\r\n", b"0;x\r\n\r\n"];
    let ends = endings.iter().flat_map(|end| (0..end.len()).map(|from| &end[from..]));
    ends.map(|end| [bytes, end].concat())
        .any(|bytes| read(in_request, OVERHEAD_LIMIT, [&bytes[..]]).error.is_none())
}
