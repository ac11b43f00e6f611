//! The exchange without I/O: whole, byte by byte, cut at every position, and compared with the
//! tap's reader of the same bytes.

use crate::wire_fault::{Violation, breaks};
use unix_http::Error;
use unix_http::connection::{ClientExchange, Received};
use unix_http::wire::{Fields, OVERHEAD_LIMIT, ParseErrorKind};

fn fields(lines: &str) -> Fields {
    let mut fields = Fields::new();
    for line in lines.lines() {
        fields.push_line(line.as_bytes()).unwrap();
    }
    fields
}

fn begun(method: &str, lines: &str) -> ClientExchange {
    let (mut exchange, mut out) = (ClientExchange::new(), Vec::new());
    let target = if method == "CONNECT" { "a:1" } else { "/" };
    exchange.request(&mut out, method, target.as_bytes(), &fields(lines)).unwrap();
    assert!(out.starts_with(format!("{method} {target} HTTP/1.1\r\n").as_bytes()));
    exchange
}

/// Feeds one piece, and logs the events. Returns the unused bytes.
fn feed<'i>(
    exchange: &mut ClientExchange,
    mut piece: &'i [u8],
    log: &mut String,
) -> Result<&'i [u8], Error> {
    while let Some(event) = exchange.feed(&mut piece)? {
        let event = match event {
            Received::Interim(head) => format!("{} ", head.status()),
            Received::Head(head, decision) => format!("{} {:?} ", head.status(), decision.framing),
            Received::Content(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            Received::End(trailers) => format!(" end {}", trailers.map_or(0, Fields::len)),
            Received::Tunnel => "tunnel".to_owned(),
            other => format!("{other:?}"),
        };
        log.push_str(&event);
    }
    Ok(piece)
}

/// The method, the fields of the request, the received bytes, the events, whether another request
/// may follow, the unused bytes.
type Case = (&'static str, &'static str, &'static str, &'static str, bool, &'static str);

const CASES: &[Case] = &[
    (
        "GET",
        "Host: x",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "200 Length(5) hello end 0",
        true,
        "",
    ),
    ("GET", "Host: x", "HTTP/1.1 204 No Content\r\n\r\n", "204 NoBody  end 0", true, ""),
    (
        "HEAD",
        "Host: x",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "200 NoBody  end 0",
        true,
        "",
    ),
    (
        "GET",
        "Host: x",
        "HTTP/1.1 103 Early\r\nLink: y\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "103 100 200 Length(0)  end 0",
        true,
        "",
    ),
    (
        "GET",
        "Host: x",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
         3\r\nfoo\r\n3;a=b\r\nbar\r\n0\r\nX: y\r\n\r\n",
        "200 Chunked foobar end 1",
        true,
        "",
    ),
    (
        "GET",
        "Host: x\nConnection: close",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "200 Length(0)  end 0",
        false,
        "",
    ),
    (
        "GET",
        "Host: x",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "200 Length(0)  end 0",
        false,
        "",
    ),
    (
        "GET",
        "Host: x",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nOK",
        "200 Length(2) OK end 0",
        false,
        "",
    ),
    ("GET", "Host: x", "HTTP/1.1 200 OK\r\n\r\nto the end", "200 UntilClose to the end", false, ""),
    // Bytes after the response do not answer any request (RFC 9112 §9.2).
    (
        "GET",
        "Host: x",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 408",
        "200 Length(0)  end 0",
        false,
        "HTTP/1.1 408",
    ),
    (
        "POST",
        "Host: x\nConnection: Upgrade\nUpgrade: tcp",
        "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n\x01raw",
        "101 Tunnel tunnel",
        false,
        "\x01raw",
    ),
    (
        "CONNECT",
        "Host: a:1",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nraw",
        "200 Tunnel tunnel",
        false,
        "raw",
    ),
];

#[test]
fn every_delivery_gives_the_same_events() {
    for (method, lines, wire, want, reusable, rest) in CASES {
        let wire = wire.as_bytes();
        let ways = (0..wire.len()).map(|cut| vec![&wire[..cut], &wire[cut..]]);
        for pieces in ways.chain([wire.chunks(1).collect()]) {
            let (mut exchange, mut log, mut left) = (begun(method, lines), String::new(), vec![]);
            for piece in pieces {
                left.extend_from_slice(feed(&mut exchange, piece, &mut log).unwrap());
            }
            assert_eq!((log.as_str(), exchange.is_reusable()), (*want, *reusable), "{wire:?}");
            assert_eq!(left, rest.as_bytes(), "{want}");
            exchange.finish().unwrap();
            assert!(exchange.is_over() && !exchange.is_reusable());
        }
    }
}

#[test]
fn a_truncated_response_is_an_error() {
    let wire = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    for cut in 0..wire.len() {
        let (mut exchange, mut log) = (begun("GET", "Host: x"), String::new());
        feed(&mut exchange, &wire[..cut], &mut log).unwrap();
        assert!(!exchange.is_over());
        match exchange.finish().unwrap_err() {
            Error::IncompleteHead { received } => assert_eq!(received, cut as u64),
            Error::Incomplete(error) => assert_eq!(error.received, cut as u64 - 38),
            error => panic!("{error}"),
        }
    }
}

#[test]
fn an_invalid_response_is_an_error_after_the_content_before_it() {
    for (wire, content, want) in [
        ("HTTP/1.1 101 Go\r\nUpgrade: tcp\r\n\r\n", "", Violation::UnexpectedUpgrade),
        ("HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n", "", Violation::ContentLength),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "", Violation::TransferEncoding),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\nxyz",
            "200 Chunked OK",
            Violation::ChunkSize,
        ),
    ] {
        let (mut exchange, mut log) = (begun("GET", "Host: x"), String::new());
        let error = feed(&mut exchange, wire.as_bytes(), &mut log).unwrap_err();
        assert!(breaks(&error, want), "{wire}: {error}");
        assert_eq!(log, content);
        assert!(!exchange.is_reusable());
    }
}

#[test]
fn one_budget_bounds_all_heads_together() {
    let interim = b"HTTP/1.1 102 Processing\r\n\r\n";
    let mut exchange = begun("GET", "Host: x");
    let mut log = String::new();
    let fits = OVERHEAD_LIMIT / interim.len();
    for _ in 0..fits {
        feed(&mut exchange, interim, &mut log).unwrap();
    }
    let error = feed(&mut exchange, interim, &mut log).unwrap_err();
    assert!(matches!(error, Error::Parse(e) if e.kind() == ParseErrorKind::TooLarge), "{error}");
}

#[test]
fn one_value_serves_a_whole_connection() {
    let (mut exchange, mut out, mut log) = (ClientExchange::new(), Vec::new(), String::new());
    let get = |exchange: &mut ClientExchange, out: &mut Vec<u8>| {
        exchange.request(out, "GET", b"/", &fields("Host: x"))
    };
    for _ in 0..3 {
        get(&mut exchange, &mut out).unwrap();
        let error = get(&mut exchange, &mut out).expect_err("a response is outstanding");
        assert!(matches!(error, Error::Request(_)));
        let wire = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";
        assert_eq!(feed(&mut exchange, wire, &mut log).unwrap(), b"");
    }
    assert_eq!(out, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3));
    assert_eq!(log, "200 Length(2) OK end 0".repeat(3));
    exchange.request(&mut out, "GET", b"no/path", &fields("")).expect_err("no path");
    assert!(exchange.is_reusable(), "a request that was refused has cost nothing");
    assert_eq!(feed(&mut exchange, b"HTTP/1.1 408 ", &mut log).unwrap(), b"HTTP/1.1 408 ");
    assert!(!exchange.is_reusable(), "a response to no request");
}

/// The tap reads the same bytes with the same reader.
#[cfg(feature = "docker")]
#[test]
fn the_tap_reads_the_same_events() {
    use unix_http::traffic::{Conversation, Event, Side};
    for (method, lines, wire, want, ..) in CASES.iter().filter(|case| case.5.is_empty()) {
        let mut log = String::new();
        let mut see = |event: &Event<'_>| match event {
            Event::Interim(_, head) => log.push_str(&format!("{} ", head.status())),
            Event::Response(exchange) => {
                let (head, decision) = (exchange.response.as_ref(), exchange.received.decision);
                let (status, framing) = (head.unwrap().status(), decision.unwrap().framing);
                log.push_str(&format!("{status} {framing:?} "));
            }
            Event::Content(_, Side::Server, bytes) => {
                log.push_str(std::str::from_utf8(bytes).unwrap());
            }
            Event::End(_, Side::Server, trailers) => {
                log.push_str(&format!(" end {}", trailers.map_or(0, Fields::len)));
            }
            Event::Fault(_, _, fault) => panic!("{fault:?}"),
            _ => {}
        };
        let (mut out, mut conversation) = (Vec::new(), Conversation::new(false));
        ClientExchange::new().request(&mut out, method, b"/", &fields(lines)).unwrap();
        for (side, bytes) in [(Side::Client, &out[..]), (Side::Server, wire.as_bytes())] {
            for piece in bytes.chunks(1) {
                conversation.bytes(side, std::time::Duration::ZERO, piece, &mut see);
            }
        }
        assert_eq!(log, *want);
    }
}
