//! Recorded connections of dockerd, podman and the docker CLI (`tests/recorded/`), in both
//! directions.
//!
//! The expected values come from another reader, a few lines of Python with `split`: the framing of
//! each message, the length of its content in bytes, and the sum of those bytes.

use crate::cases::readers::Body;
use unix_http::wire::{
    BodyDecoder, Framing, OVERHEAD_LIMIT, RequestDecoder, ResponseDecoder, framing,
};

/// The connection, its requests, its responses.
#[rustfmt::skip]
const CONNECTIONS: &[(&str, &str, &str)] = &[
    ("docker-version", "GET no body 0", "200 length 792 sum 59056"),
    ("docker-ping-get", "GET no body 0", "200 length 2 sum 154"),
    ("docker-ping-head", "HEAD no body 0", "200 no body 0"),
    ("docker-404-container", "GET no body 0", "404 length 38 sum 3368"),
    ("docker-404-page", "GET no body 0", "404 length 29 sum 2547"),
    ("docker-404-head", "HEAD no body 0", "404 no body 0"),
    ("docker-400-api-version", "GET no body 0", "400 length 84 sum 7249"),
    ("docker-error-bad-json", "POST length 4 sum 418", "500 length 79 sum 7204"),
    ("docker-201-create", "POST length 120 sum 9277", "201 length 88 sum 6081"),
    ("docker-409-conflict", "POST length 85 sum 6556", "409 length 237 sum 19542"),
    ("docker-204-start", "POST no body 0", "204 no body 0"),
    ("docker-304-start", "POST no body 0", "304 no body 0"),
    ("docker-wait", "POST no body 0", "200 chunked 30 sum 2597"),
    ("docker-logs-mux", "GET no body 0", "200 chunked 24 sum 704"),
    ("docker-archive-head", "HEAD no body 0", "200 no body 0"),
    ("docker-archive-get", "GET no body 0", "200 length 2048 sum 7993"),
    ("docker-logs-tty", "GET no body 0", "200 chunked 18 sum 1542"),
    ("docker-logs-follow", "GET no body 0", "200 chunked 60 sum 2094"),
    ("docker-exec-create", "POST length 39 sum 3304", "201 length 74 sum 5258"),
    ("docker-exec-start-101", "POST length 28 sum 2496", "101 tunnel 22"),
    ("docker-exec-start-plain", "POST length 28 sum 2496", "200 until close 22 sum 453"),
    ("docker-attach-101", "POST no body 0", "101 tunnel 38"),
    ("docker-attach-plain", "POST no body 0", "200 until close 38 sum 1252"),
    ("docker-pull-error", "POST no body 0", "500 length 96 sum 7386"),
    ("docker-no-host", "GET no body 0", "400 until close 45 sum 4064"),
    ("docker-pipelined", "GET no body 0, GET no body 0", "200 length 2 sum 154, 200 length 792 sum 59056"),
    ("docker-create-as-form", "POST length 85 sum 6556", "400 length 100 sum 9291"),
    ("docker-import", "POST chunked 10240 sum 3760", "100 no body 0, 200 chunked 86 sum 5870"),
    ("docker-build-fails", "POST chunked 10240 sum 6523", "100 no body 0, 200 chunked 412 sum 32569"),
    ("docker-events", "GET no body 0", "200 chunked 1388 sum 100109"),
    ("docker-cli-version", "HEAD no body 0, GET no body 0", "200 no body 0, 200 length 792 sum 59056"),
    ("docker-cli-ps", "HEAD no body 0, GET no body 0", "200 no body 0, 200 length 782 sum 60561"),
    ("docker-cli-run-stdin-c1", "HEAD no body 0, POST length 1460 sum 125457, POST length 0", "200 no body 0, 201 length 88 sum 6298, 200 chunked 30 sum 2590"),
    ("docker-cli-run-stdin-c2", "POST length 0, then 18 bytes of another protocol", "101 tunnel 26"),
    ("docker-cli-exec-c2", "POST length 29 sum 2506, then 10 bytes of another protocol", "101 tunnel 18"),
    ("docker-cli-cp-in", "HEAD no body 0, HEAD no body 0, PUT chunked 2048 sum 4685", "200 no body 0, 404 no body 0, 200 length 0"),
    ("docker-cli-pull", "HEAD no body 0, POST length 0", "200 no body 0, 500 length 96 sum 7386"),
    ("podman-version", "GET no body 0", "200 length 831 sum 64133"),
    ("podman-ping-head", "HEAD no body 0", "200 no body 0"),
    ("podman-404-page", "GET no body 0", "404 length 10 sum 855"),
    ("podman-404-head", "HEAD no body 0", "405 no body 0"),
    ("podman-204-start", "POST no body 0", "204 no body 0"),
    ("podman-304-start", "POST no body 0", "304 no body 0"),
    ("podman-logs-mux", "GET no body 0", "200 chunked 24 sum 704"),
    ("podman-attach-101", "POST no body 0", "101 tunnel 38"),
    ("podman-attach-plain", "POST no body 0", "200 until close 38 sum 1252"),
    ("podman-exec-start-plain", "POST length 28 sum 2496", "200 until close 22 sum 453"),
    ("podman-no-host", "GET no body 0", "400 until close 45 sum 4064"),
    ("podman-libpod-404", "GET no body 0", "404 length 120 sum 10478"),
    ("podman-pipelined", "GET no body 0, GET no body 0", "200 length 2 sum 154, 200 length 831 sum 64133"),
];

fn file(name: &str, what: &str) -> Vec<u8> {
    let path = format!("{}/tests/recorded/{name}.{what}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// One direction of a recorded connection, delivered in pieces.
struct Arriving<'a> {
    wire: &'a [u8],
    /// Where the current message begins.
    at: usize,
    end: usize,
    piece: usize,
}

macro_rules! read_head {
    ($($name:ident $decoder:ty)*) => {$(
        fn $name(&mut self, decoder: &mut $decoder) {
            decoder.reset(OVERHEAD_LIMIT);
            loop {
                match decoder.decode(&self.wire[self.at..self.end]).expect("a head") {
                    Some(len) => return self.at += len,
                    None => self.more(),
                }
            }
        }
    )*};
}

impl<'a> Arriving<'a> {
    fn new(wire: &'a [u8], piece: usize) -> Arriving<'a> {
        Arriving { wire, at: 0, end: 0, piece }
    }

    fn is_over(&self) -> bool {
        self.at == self.wire.len()
    }

    fn more(&mut self) {
        assert!(self.end < self.wire.len(), "cut short");
        self.end = self.wire.len().min(self.end + self.piece);
    }

    read_head! { request RequestDecoder response ResponseDecoder }

    fn body(&mut self, framing: Framing) -> String {
        let mut body = Body::new(BodyDecoder::new(framing, self.at as u64, OVERHEAD_LIMIT));
        while !body.read_on(&self.wire[self.at..self.end]).expect("a body") {
            if framing == Framing::UntilClose && self.end == self.wire.len() {
                break;
            }
            self.more();
        }
        self.at += body.read;
        let framing = match framing {
            Framing::NoBody => "no body",
            Framing::Length(_) => "length",
            Framing::Chunked => "chunked",
            Framing::UntilClose => "until close",
            Framing::Tunnel => unreachable!("a tunnel has no body"),
        };
        let (len, sum) =
            (body.content.len(), body.content.iter().map(|&b| u32::from(b)).sum::<u32>());
        if len == 0 { format!("{framing} 0") } else { format!("{framing} {len} sum {sum}") }
    }

    fn rest(&mut self) -> usize {
        let rest = self.wire.len() - self.at;
        self.at = self.wire.len();
        rest
    }
}

/// Returns the requests in words, and their methods.
fn requests(wire: &[u8], piece: usize, has_host: bool) -> (String, Vec<String>) {
    let (mut arriving, mut decoder) = (Arriving::new(wire, piece), RequestDecoder::new());
    let (mut words, mut methods) = (Vec::new(), Vec::new());
    while !arriving.is_over() {
        arriving.request(&mut decoder);
        let head = decoder.head();
        assert_eq!(head.host().is_ok(), has_host);
        methods.push(head.method().to_string());
        let body = arriving.body(framing::request(head).expect("framing").framing);
        words.push(format!("{} {body}", head.method()));
        if head.fields().has_token("Connection", "upgrade") && !arriving.is_over() {
            words.push(format!("then {} bytes of another protocol", arriving.rest()));
        }
    }
    (words.join(", "), methods)
}

fn responses(wire: &[u8], piece: usize, methods: &[String]) -> String {
    let (mut arriving, mut decoder) = (Arriving::new(wire, piece), ResponseDecoder::new());
    let (mut words, mut methods) = (Vec::new(), methods.iter());
    while !arriving.is_over() {
        arriving.response(&mut decoder);
        let head = decoder.head();
        let status = head.status();
        let method = if head.class() == 1 {
            "GET"
        } else {
            methods.next().expect("a response to no request")
        };
        words.push(match framing::response(method, head).expect("framing").framing {
            Framing::Tunnel => format!("{status} tunnel {}", arriving.rest()),
            framing => format!("{status} {}", arriving.body(framing)),
        });
    }
    words.join(", ")
}

#[test]
fn recorded_connections_are_read_as_another_reader_does() {
    for &(name, want_requests, want_responses) in CONNECTIONS {
        let (request, response) = (file(name, "request"), file(name, "response"));
        for piece in [1, 7, usize::MAX / 2] {
            let (words, methods) = requests(&request, piece, !name.ends_with("no-host"));
            assert_eq!(words, want_requests, "{name}, in pieces of {piece}");
            assert_eq!(
                responses(&response, piece, &methods),
                want_responses,
                "{name}, in pieces of {piece}"
            );
        }
    }
}

/// Also checks that every recorded file is used.
#[test]
fn recorded_heads_are_kept_unchanged() {
    let directory = format!("{}/tests/recorded", env!("CARGO_MANIFEST_DIR"));
    assert_eq!(std::fs::read_dir(directory).unwrap().count(), 2 * CONNECTIONS.len());
    for &(name, ..) in CONNECTIONS {
        let (request, response) = (file(name, "request"), file(name, "response"));
        let (mut in_request, mut in_response) = (RequestDecoder::new(), ResponseDecoder::new());
        let Ok(Some(len)) = in_request.decode(&request) else { panic!("{name}") };
        assert_eq!(in_request.head().as_bytes(), &request[..len]);
        let Ok(Some(len)) = in_response.decode(&response) else { panic!("{name}") };
        assert_eq!(in_response.head().as_bytes(), &response[..len]);
    }
}
