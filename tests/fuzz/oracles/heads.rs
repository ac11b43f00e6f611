//! Heads, in both directions.

use super::plain::{self, Lines, Plain};
use super::{Pieces, bytewise};
use unix_http::wire::{
    Fields, ParseError, ParseErrorKind, RequestDecoder, RequestHead, ResponseDecoder, ResponseHead,
    Version, encode_request, encode_response, framing,
};

pub fn check(bytes: &[u8]) {
    responses(bytes);
    requests(bytes);
}

/// Returns the last verdict of a decoder after a delivery in pieces.
macro_rules! deliver {
    ($decoder:expr, $pieces:expr) => {{
        let (mut decoder, mut so_far, mut said) = ($decoder, Vec::new(), Ok(None));
        for piece in $pieces {
            so_far.extend_from_slice(piece);
            said = decoder.decode(&so_far);
            if said != Ok(None) {
                break;
            }
        }
        (said, decoder)
    }};
}

/// Returns a decoder that accepts heads of at most `limit` bytes.
macro_rules! within {
    ($decoder:ident, $limit:expr) => {{
        let mut decoder = $decoder::new();
        decoder.reset($limit);
        decoder
    }};
}

/// Checks that the result is the same in every delivery and within every limit.
macro_rules! however_it_comes {
    ($decoder:ident, $bytes:expr) => {{
        let bytes: &[u8] = $bytes;
        let (whole, decoder) = deliver!($decoder::new(), [bytes]);
        let mut pieces = Pieces::of(bytes);
        for cut in [bytewise(bytes), pieces.cut(bytes)] {
            let (said, other) = deliver!($decoder::new(), cut);
            assert_eq!(said, whole);
            if let Ok(Some(len)) = whole {
                assert_eq!(other.head().fields(), decoder.head().fields());
                assert_eq!(other.head().as_bytes(), &bytes[..len]);
            }
        }
        let limit = pieces.below(bytes.len() + 2);
        let (within, _) = deliver!(within!($decoder, limit), [bytes]);
        let (slowly, _) = deliver!(within!($decoder, limit), bytewise(bytes));
        assert_eq!(slowly, within, "within {limit}");
        match (whole, within) {
            (Ok(Some(len)), said) if len <= limit => assert_eq!(said, whole),
            (_, Err(error)) if error.kind() == ParseErrorKind::TooLarge => {
                assert_eq!(error.offset, limit as u64)
            }
            (_, said) => assert_eq!(said, whole),
        }
        (whole, decoder)
    }};
}

fn responses(bytes: &[u8]) {
    let (said, decoder) = however_it_comes!(ResponseDecoder, bytes);
    match (said, plain::response(bytes)) {
        (Ok(Some(len)), Plain::Whole(read, plain_len)) => {
            let head = decoder.head();
            assert_eq!(len, plain_len);
            assert_eq!(
                (head.version() == Version::Http10, head.status()),
                (read.http10, read.status)
            );
            assert_eq!((head.reason(), listed(head.fields())), (&read.reason[..], read.fields));
            response_again(head);
            for method in ["GET", "HEAD", "CONNECT"] {
                let _ = framing::response(method, head);
            }
        }
        (Err(error), Plain::Wrong | Plain::Short) => assert!(error.offset <= bytes.len() as u64),
        (Ok(None), Plain::Short) => assert!(response_can_go_on(bytes), "a dead end"),
        (said, plain) => panic!("{said:?}, but plainly {plain:?}"),
    }
}

fn requests(bytes: &[u8]) {
    let (said, decoder) = however_it_comes!(RequestDecoder, bytes);
    match (said, plain::request(bytes)) {
        (Ok(Some(len)), Plain::Whole(read, plain_len)) => {
            let head = decoder.head();
            assert_eq!(len, plain_len);
            assert_eq!(head.version() == Version::Http10, read.http10);
            assert_eq!(
                (head.method().as_bytes(), head.target()),
                (&read.method[..], &read.target[..])
            );
            assert_eq!(listed(head.fields()), read.fields);
            request_again(head);
            let _ = (head.host(), framing::request(head));
        }
        // The plain reader does not check the form of a target.
        (Err(error), _) if error.to_string().contains("a form that the method does not allow") => {}
        (Err(error), Plain::Wrong | Plain::Short) => assert!(error.offset <= bytes.len() as u64),
        (Ok(None), Plain::Short) => assert!(request_can_go_on(bytes), "a dead end"),
        (said, plain) => panic!("{said:?}, but plainly {plain:?}"),
    }
}

/// Returns the broken rule, without its offset.
fn rule(error: ParseError) -> (ParseErrorKind, &'static str) {
    (error.kind(), error.section())
}

fn listed(fields: &Fields) -> Lines {
    fields.iter().map(|field| (field.name().as_bytes().to_vec(), field.value().to_vec())).collect()
}

fn response_again(head: &ResponseHead) {
    let (mut wire, mut twice) = (Vec::new(), Vec::new());
    let Ok(reason) = std::str::from_utf8(head.reason()) else { return };
    let written = encode_response(&mut wire, head.version(), head.status(), reason, head.fields());
    assert_eq!(written.is_ok(), (100..=599).contains(&head.status()), "it was read");
    if written.is_err() {
        return assert!(wire.is_empty(), "nothing is appended with an error");
    }
    let mut again = ResponseDecoder::new();
    assert_eq!(again.decode(&wire), Ok(Some(wire.len())));
    assert_eq!((again.head().status(), again.head().reason()), (head.status(), head.reason()));
    assert_eq!(again.head().fields(), head.fields());
    for method in ["GET", "HEAD", "CONNECT"] {
        let (one, other) =
            (framing::response(method, head), framing::response(method, again.head()));
        assert_eq!(one.map_err(rule), other.map_err(rule));
    }
    encode_response(&mut twice, head.version(), head.status(), reason, again.head().fields())
        .expect("as before");
    assert_eq!(twice, wire);
}

fn request_again(head: &RequestHead) {
    let mut wire = Vec::new();
    encode_request(&mut wire, head.method(), head.target(), head.version(), head.fields())
        .expect("it was read");
    let mut again = RequestDecoder::new();
    assert_eq!(again.decode(&wire), Ok(Some(wire.len())));
    assert_eq!((again.head().method(), again.head().target()), (head.method(), head.target()));
    assert_eq!((again.head().version(), again.head().fields()), (head.version(), head.fields()));
    assert_eq!(again.head().host().is_ok(), head.host().is_ok());
    let (one, other) = (framing::request(head), framing::request(again.head()));
    assert_eq!(one.map_err(rule), other.map_err(rule));
}

/// Returns whether some continuation is valid.
fn can_go_on(bytes: &[u8], endings: &[&[u8]], whole: impl Fn(&[u8]) -> bool) -> bool {
    let ends = endings.iter().flat_map(|end| (0..end.len()).map(|from| &end[from..]));
    ends.map(|end| [bytes, end].concat()).any(|bytes| whole(&bytes))
}

fn response_can_go_on(bytes: &[u8]) -> bool {
    let endings: [&[u8]; 3] =
        [b"HTTP/1.1 200 OK\r\n\r\n", b"x:\r\n\r\n", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00"];
    can_go_on(bytes, &endings, |bytes| {
        let said = ResponseDecoder::new().decode(bytes);
        said.map_or_else(|error| error.kind() == ParseErrorKind::Http2, |whole| whole.is_some())
    })
}

/// The form of a request-target is checked at its end, so a partial target may be a dead end.
fn request_can_go_on(bytes: &[u8]) -> bool {
    let in_line = bytes.iter().filter(|&&b| b == b' ').count() < 2;
    let endings: [&[u8]; 3] = [b"GET / HTTP/1.1\r\n\r\n", b"x:\r\n\r\n", b"PRI * HTTP/2.0\r\n"];
    in_line
        || can_go_on(bytes, &endings, |bytes| {
            let said = RequestDecoder::new().decode(bytes);
            said.map_or_else(|error| error.kind() == ParseErrorKind::Http2, |whole| whole.is_some())
        })
}
