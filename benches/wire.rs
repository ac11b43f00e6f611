//! Parsing in memory, compared with the least work that touches all bytes: `cargo bench --bench
//! wire`.

#[path = "support/beside.rs"]
mod beside;

use beside::{Row, beside};
use criterion::Criterion;
use std::hint::black_box;
use std::io::{self, Read};
use unix_http::connection::Connection;
use unix_http::docker::FrameDecoder;
use unix_http::json::Value;
use unix_http::wire::{
    BodyDecoder, Framing, OVERHEAD_LIMIT, RequestDecoder, ResponseDecoder, encode_chunk,
};

/// Real messages. Bytes after the head are not read.
const RESPONSES: &[(&str, &[u8])] = &[
    ("dockerd /version", include_bytes!("../tests/recorded/docker-version.response")),
    ("podman /version", include_bytes!("../tests/recorded/podman-version.response")),
    ("dockerd /_ping", include_bytes!("../tests/recorded/docker-ping-get.response")),
    ("dockerd archive", include_bytes!("../tests/recorded/docker-archive-get.response")),
];
const REQUESTS: &[(&str, &[u8])] = &[
    ("ucurl's", b"GET /version HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ucurl/0.1.0\r\nAccept: */*\r\n\r\n"),
    ("docker's", include_bytes!("../tests/recorded/docker-cli-exec-c2.request")),
];

fn head_of(wire: &[u8]) -> &[u8] {
    let end = wire.windows(4).position(|w| w == b"\r\n\r\n").map_or(wire.len(), |at| at + 4);
    &wire[..end]
}

const MANY: u32 = 64;

fn many(mut work: impl FnMut()) -> impl FnMut() {
    move || (0..MANY).for_each(|_| work())
}

fn copy(bytes: &[u8]) -> Row<'_> {
    let mut sink = vec![0; bytes.len()];
    ("copy (floor)", Box::new(many(move || black_box(&mut sink).copy_from_slice(black_box(bytes)))))
}

fn heads(criterion: &mut Criterion) {
    let forty: String =
        (0..40).map(|n| format!("X-Field-Number-{n:02}: {}\r\n", "value ".repeat(8))).collect();
    let forty = format!("HTTP/1.1 200 OK\r\n{forty}\r\n");
    let made: [(&str, &[u8]); 1] = [("40 fields", forty.as_bytes())];
    for (name, wire) in RESPONSES.iter().chain(&made) {
        let head = head_of(wire);
        let mut decoder = ResponseDecoder::new();
        let parse = many(move || {
            decoder.reset(OVERHEAD_LIMIT);
            assert_eq!(decoder.decode(black_box(head)), Ok(Some(head.len())));
        });
        let rows: Vec<Row<'_>> = vec![copy(head), ("parse", Box::new(parse))];
        beside(
            criterion,
            &format!("response head, {name}, {} B", head.len()),
            head.len(),
            MANY,
            rows,
        );
    }
    for (name, wire) in REQUESTS {
        let head = head_of(wire);
        let mut decoder = RequestDecoder::new();
        let parse = many(move || {
            decoder.reset(OVERHEAD_LIMIT);
            assert_eq!(decoder.decode(black_box(head)), Ok(Some(head.len())));
        });
        let rows: Vec<Row<'_>> = vec![copy(head), ("parse", Box::new(parse))];
        beside(
            criterion,
            &format!("request head, {name}, {} B", head.len()),
            head.len(),
            MANY,
            rows,
        );
    }
}

/// A stream that returns 64 KiB per read, like a socket.
struct Pieces<'a>(&'a [u8]);

const PIECE: usize = 64 * 1024;

impl Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = out.len().min(PIECE);
        self.0.read(&mut out[..n])
    }
}

fn drain(mut from: impl Read, out: &mut [u8]) {
    while from.read(out).is_ok_and(|n| n > 0) {}
}

fn chunks(criterion: &mut Criterion) {
    for of in [100, 32 * 1024] {
        let flat = vec![b'x'; 1_638_400];
        let mut wire = Vec::new();
        flat.chunks(of).for_each(|data| encode_chunk(&mut wire, data));
        wire.extend_from_slice(b"0\r\n\r\n");
        let (wire, flat) = (&wire, &flat);
        let (mut first, mut second) = (vec![0; PIECE], vec![0; PIECE]);
        // One connection for all rounds, so that its buffer is warm.
        let mut connection = Connection::new(Pieces(wire));
        let mut other = Connection::new(Pieces(wire));
        let copied = move || {
            *connection.stream_mut() = Pieces(black_box(wire));
            let mut body = BodyDecoder::new(Framing::Chunked, 0, OVERHEAD_LIMIT);
            while connection.read_body(&mut body, &mut second).is_ok_and(|n| n > 0) {}
            assert_eq!((body.is_done(), body.received()), (true, 1_638_400));
        };
        let slices = move || {
            let connection = &mut other;
            *connection.stream_mut() = Pieces(black_box(wire));
            let mut body = BodyDecoder::new(Framing::Chunked, 0, OVERHEAD_LIMIT);
            while let Ok(content) = connection.fill_body(&mut body)
                && !content.is_empty()
            {
                let n = black_box(content).len();
                connection.consume_body(n);
            }
            assert!(body.is_done());
        };
        let rows: Vec<Row<'_>> = vec![
            (
                "copy of the content, 64 KiB at a time (floor)",
                Box::new(move || drain(Pieces(black_box(flat)), &mut first)),
            ),
            ("read", Box::new(copied)),
            ("fill_buf", Box::new(slices)),
        ];
        beside(criterion, &format!("chunks of {of} B"), flat.len(), 1, rows);
    }
}

fn frames(criterion: &mut Criterion) {
    let mut wire = Vec::new();
    for n in 0..10_000_u32 {
        wire.extend_from_slice(&[1 + (n % 2) as u8, 0, 0, 0, 0, 0, 0, 100]);
        wire.extend_from_slice(&[b'x'; 100]);
    }
    let (wire, mut sink, mut out) = (&wire, vec![0; wire.len()], Vec::with_capacity(1_000_000));
    let rows: Vec<Row<'_>> = vec![
        ("copy (floor)", Box::new(move || black_box(&mut sink).copy_from_slice(black_box(wire)))),
        (
            "demultiplex and copy",
            Box::new(move || {
                let (mut decoder, mut input) = (FrameDecoder::new(), &black_box(wire)[..]);
                out.clear();
                while let Ok(Some((_, data))) = decoder.next(&mut input) {
                    out.extend_from_slice(data);
                }
                assert_eq!(out.len(), 1_000_000);
            }),
        ),
    ];
    beside(criterion, "frames of 100 B", wire.len(), 1, rows);
}

fn json(criterion: &mut Criterion) {
    let body = |wire: &'static [u8]| &wire[head_of(wire).len()..];
    for (name, text) in
        [("dockerd /version", body(RESPONSES[0].1)), ("podman /version", body(RESPONSES[1].1))]
    {
        let rows: Vec<Row<'_>> = vec![
            (
                "UTF-8 check (floor)",
                Box::new(many(move || assert!(std::str::from_utf8(black_box(text)).is_ok()))),
            ),
            ("read", Box::new(many(move || assert!(Value::parse(black_box(text)).is_ok())))),
        ];
        beside(criterion, &format!("JSON, {name}, {} B", text.len()), text.len(), MANY, rows);
    }
}

fn main() {
    let mut criterion = beside::criterion();
    heads(&mut criterion);
    chunks(&mut criterion);
    frames(&mut criterion);
    json(&mut criterion);
    criterion.final_summary();
}
