//! The client against servers that follow a script.

use crate::support::fake::Fake;
use crate::support::temp::TempDir;
use crate::wire_fault::{Violation, WireFault, breaks};
use std::fs::{self, File};
use std::io::{self, BufRead, Cursor, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;
use unix_http::client::ClientEvent;
use unix_http::transport::Timeouts;
use unix_http::wire::Framing;
use unix_http::{Body, Client, Endpoint, Error, Response};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";

fn text(requests: Vec<Vec<u8>>) -> Vec<String> {
    requests.into_iter().map(|r| String::from_utf8(r).unwrap()).collect()
}

/// Starts a server that answers every request with the same bytes.
fn again_and_again(answer: &'static [u8]) -> Fake {
    Fake::start(move |peer| {
        loop {
            peer.read_until(b"\r\n\r\n")?;
            peer.send(answer)?;
        }
    })
}

#[test]
fn a_get_sends_only_what_the_rfc_requires() {
    let server = Fake::answer(OK);
    assert_eq!(Client::unix(server.path()).get("/version").send().unwrap().text().unwrap(), "OK");
    let agent = concat!("User-Agent: unix-http/", env!("CARGO_PKG_VERSION"), "\r\n");
    assert_eq!(
        text(server.received()),
        [format!("GET /version HTTP/1.1\r\nHost: localhost\r\n{agent}\r\n")]
    );
}

#[test]
fn a_post_states_its_type_and_length() {
    let server = Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.read(16)?;
        peer.send(OK)
    });
    let client = Client::unix(server.path());
    client
        .post("/containers/create?name=mypy")
        .json(r#"{"Image":"busy"}"#)
        .send()
        .unwrap()
        .bytes()
        .unwrap();
    let request = text(server.received()).remove(0);
    assert!(
        request.starts_with("POST /containers/create?name=mypy HTTP/1.1\r\nHost: localhost\r\n")
    );
    assert!(
        request.ends_with(
            "\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"Image\":\"busy\"}"
        ),
        "{request}"
    );
}

#[test]
fn a_post_without_content_sends_a_length_of_0() {
    let server = Fake::answer(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec());
    assert_eq!(
        Client::unix(server.path()).post("/containers/x/start").send().unwrap().status(),
        204
    );
    assert!(text(server.received())[0].contains("\r\nContent-Length: 0\r\n"));
}

#[test]
fn two_requests_use_one_connection() {
    let server = again_and_again(OK);
    let client = Client::unix(server.path());
    for reused in [false, true, true] {
        let mut response = client.get("/").send().unwrap();
        assert_eq!(response.is_reused(), reused);
        assert_eq!(response.read_to_end(&mut Vec::new()).unwrap(), 2);
    }
    drop(client);
    assert_eq!(server.received().len(), 1);
}

#[test]
fn a_connection_is_not_reused_after_a_close_or_faulty_framing() {
    for (why, answer) in [
        ("Connection: close", &b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nOK"[..]),
        ("HTTP/1.0", b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nOK"),
        (
            "both lengths",
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n",
        ),
        (
            "unsolicited bytes",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOKHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        ),
    ] {
        let server = again_and_again(answer);
        let client = Client::unix(server.path());
        for _ in 0..2 {
            let response = client.get("/").send().unwrap();
            assert!(!response.is_reused(), "{why}");
            assert_eq!(response.bytes().unwrap(), b"OK", "{why}");
        }
        drop(client);
        assert_eq!(server.received().len(), 2, "{why}");
    }
}

#[test]
fn an_unread_body_closes_the_connection_unless_it_has_arrived() {
    let server = again_and_again(OK);
    let client = Client::unix(server.path());
    drop(client.get("/").send().unwrap());
    assert!(client.get("/").send().unwrap().is_reused());

    let server = again_and_again(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nOK");
    let client = Client::unix(server.path());
    drop(client.get("/").send().unwrap());
    assert!(!client.get("/").send().unwrap().is_reused());
}

/// Reads the rest of a response. Returns the length that it reports, and the content.
type Sink = fn(&mut Response) -> (u64, Vec<u8>);

const SINKS: &[(&str, Sink)] = &[
    ("io::copy to a pipe", |response| {
        into_a_pipe(|mut pipe| io::copy(response, &mut pipe).unwrap())
    }),
    ("io::copy to a file", |response| {
        let dir = TempDir::new();
        let said = io::copy(response, &mut File::create(dir.join("f")).unwrap()).unwrap();
        (said, fs::read(dir.join("f")).unwrap())
    }),
    ("read_to_end", |response| {
        let mut got = Vec::new();
        (response.read_to_end(&mut got).unwrap() as u64, got)
    }),
    ("fill_buf", |response| {
        let (mut said, mut got) = (0, Vec::new());
        loop {
            let n = response.fill_buf().unwrap().len().min(777);
            if n == 0 {
                return (said, got);
            }
            got.extend_from_slice(&response.fill_buf().unwrap()[..n]);
            response.consume(n);
            said += n as u64;
        }
    }),
    ("read", |response| {
        let (mut said, mut got, mut piece) = (0, Vec::new(), [0; 5001]);
        loop {
            let n = response.read(&mut piece).unwrap();
            if n == 0 {
                return (said, got);
            }
            got.extend_from_slice(&piece[..n]);
            said += n as u64;
        }
    }),
];

fn into_a_pipe(write: impl FnOnce(File) -> u64) -> (u64, Vec<u8>) {
    let (mut output, input) = io::pipe().unwrap();
    thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut got = Vec::new();
            output.read_to_end(&mut got).unwrap();
            got
        });
        let said = write(File::from(OwnedFd::from(input)));
        (said, reader.join().unwrap())
    })
}

/// Every framing, with and without time limits and an observer, into every sink.
#[test]
fn every_way_to_read_returns_the_same_content_in_every_framing() {
    let long = b"0123456789abcdef".repeat(20_000);
    let chunked = |content: &[u8], size: usize| {
        let mut wire = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        content.chunks(size).for_each(|piece| unix_http::wire::encode_chunk(&mut wire, piece));
        unix_http::wire::encode_last_chunk(&mut wire, &Default::default());
        wire
    };
    let length = |content: &[u8]| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", content.len());
        [head.as_bytes(), content].concat()
    };
    let close = |version: &str| [version.as_bytes(), b" 200 OK\r\n\r\n", &long].concat();
    let wires = [
        ("empty", &b""[..], length(b"")),
        ("short", &long[..5], length(&long[..5])),
        ("length", &long, length(&long)),
        ("until close", &long, close("HTTP/1.1")),
        ("1.0 until close", &long, close("HTTP/1.0")),
        ("no chunks", b"", chunked(b"", 1)),
        ("chunks of 1", &long[..3000], chunked(&long[..3000], 1)),
        ("chunks of 100", &long[..30_000], chunked(&long[..30_000], 100)),
        ("chunks of 5000", &long, chunked(&long, 5000)),
        ("chunks of 70000", &long, chunked(&long, 70_000)),
        ("one chunk", &long, chunked(&long, 400_000)),
    ];
    let minute = Some(Duration::from_secs(60));
    let limits = Timeouts::default().connect(minute).head(minute).idle(minute).total(minute);
    for (framing, want, wire) in wires {
        let server = Fake::answer_and_close(wire);
        for (limits, observed) in [
            (Timeouts::default(), false),
            (limits, false),
            (Timeouts::default(), true),
            (limits, true),
        ] {
            let mut client = Client::builder(Endpoint::Unix(server.path())).timeouts(limits);
            if observed {
                client = client.observe(|_| {});
            }
            let client = client.build();
            for (sink, receive) in SINKS {
                let mut response = client.get("/").send().unwrap();
                let (said, got) = receive(&mut response);
                let counts = (said, got.len());
                let n = want.len();
                let what = format!("{framing}, {sink}, {limits:?}, observed: {observed}");
                assert_eq!(counts, (n as u64, n), "{what}");
                assert!(got == want, "{what}");
            }
        }
    }
}

#[test]
fn responses_without_a_body_end_with_their_head() {
    for (method, answer) in [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"),
        ("GET", "HTTP/1.1 204 No Content\r\nContent-Length: 10\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ] {
        let server = again_and_again(answer.as_bytes());
        let client = Client::unix(server.path());
        for reused in [false, true] {
            let response = client.request(method, "/").send().unwrap();
            assert_eq!(
                (response.decision().framing, response.is_reused()),
                (Framing::NoBody, reused)
            );
            assert_eq!(response.bytes().unwrap(), b"");
        }
    }
}

#[test]
fn interim_responses_are_reported_and_skipped() {
    let server = Fake::answer(
        [b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102\r\n\r\n", OK].concat(),
    );
    let (said, heads) = mpsc::channel();
    let client = Client::builder(Endpoint::Unix(server.path())).observe(move |event| {
        if let ClientEvent::ResponseHead(head, decision) = event {
            said.send((head.status(), matches!(decision, Ok(Some(_))))).unwrap();
        }
    });
    assert_eq!(client.build().get("/").send().unwrap().text().unwrap(), "OK");
    let heads: Vec<_> = heads.iter().collect();
    assert_eq!(heads, [(103, false), (102, false), (200, true)]);
}

#[test]
fn every_fault_of_a_response_has_its_own_error() {
    let error = |answer: &[u8]| {
        let server = Fake::answer_and_close(answer);
        let client = Client::unix(server.path());
        client.get("/").send().and_then(|r| r.bytes()).unwrap_err()
    };
    assert!(matches!(error(b""), Error::IncompleteHead { received: 0 }));
    assert!(matches!(
        error(b"HTTP/1.1 200 OK\r\nContent-Le"),
        Error::IncompleteHead { received: 27 }
    ));
    let Error::Incomplete(cut) = error(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
    else {
        panic!()
    };
    assert_eq!((cut.received, cut.expected), (5, Some(10)));
    let Error::Incomplete(cut) =
        error(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")
    else {
        panic!()
    };
    assert_eq!((cut.received, cut.expected), (3, None));
    let kind = |answer: &[u8]| match error(answer) {
        Error::Parse(e) => (WireFault::from(e).kind, e.offset),
        other => panic!("{other}"),
    };
    assert_eq!(kind(b"SSH-2.0-OpenSSH_9.2\r\n"), (Violation::NotHttp, 0));
    assert_eq!(kind(b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80"), (Violation::Http2, 0));
    assert_eq!(
        kind(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
        (Violation::UnexpectedUpgrade, 9)
    );
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\nxyz";
    assert_eq!(kind(chunked), (Violation::ChunkSize, 54));
}

/// `RFC 9110 §7.8`: a server names the protocols that it switches to, all of which the client
/// requested.
#[test]
fn a_101_must_switch_to_a_requested_protocol() {
    let ask = |asked: &str, fields: &str| {
        let server = Fake::answer_and_close(format!("HTTP/1.1 101 Go\r\n{fields}\r\n"));
        let client = Client::unix(server.path());
        client.post("/attach").upgrade(asked).send().map(|response| response.status())
    };
    for (asked, fields) in [
        ("tcp", "Connection: Upgrade\r\nUpgrade: tcp\r\n"),
        ("tcp", "Upgrade: TCP\r\n"),
        ("h2c, tcp", "Upgrade: tcp\r\n"),
        ("h2c, tcp", "Upgrade: tcp, h2c\r\n"),
    ] {
        assert_eq!(ask(asked, fields).unwrap(), 101, "{asked}: {fields}");
    }
    for (asked, fields) in [
        ("tcp", ""),
        ("tcp", "Connection: Upgrade\r\n"),
        ("tcp", "Upgrade: \r\n"),
        ("tcp", "Upgrade: h2c\r\n"),
        ("tcp", "Upgrade: tcp\r\nUpgrade: h2c\r\n"),
        ("HTTP/2.0", "Upgrade: HTTP\r\n"),
    ] {
        let error = ask(asked, fields).unwrap_err();
        assert!(breaks(&error, Violation::UnexpectedUpgrade), "{asked}: {fields}: {error}");
    }
}

#[test]
fn content_before_an_error_is_delivered() {
    for broken in ["5\r\nhello\r\n!", "5\r\nhello!", "5\r\nhello\r\n5\r\n"] {
        let answer = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{broken}");
        let server = Fake::answer_and_close(answer);
        let mut response = Client::unix(server.path()).get("/").send().unwrap();
        let mut got = Vec::new();
        response.read_to_end(&mut got).unwrap_err();
        assert_eq!(got, b"hello", "{broken:?}");
        response.read_to_end(&mut got).expect_err("the error stays");
    }
}

/// Answers one request on the first connection, then closes it. Keeps the second one open.
fn closes_after_one(answer_second: bool) -> Fake {
    Fake::start(move |peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(OK)?;
        if peer.connection == 0 {
            if !answer_second {
                // The second request arrives before the connection ends: the server may act on it.
                peer.read_until(b"\r\n\r\n")?;
            }
            return Ok(());
        }
        peer.read_to_end()
    })
}

#[test]
fn an_idempotent_request_on_a_stale_connection_is_retried_once() {
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
        let server = closes_after_one(false);
        let client = Client::unix(server.path());
        client.get("/").send().unwrap().bytes().unwrap();
        let response = client.request(method, "/2").send();
        assert!(!response.unwrap_or_else(|e| panic!("{method}: {e}")).is_reused());
    }
}

#[test]
fn a_post_that_the_server_may_have_acted_on_is_never_retried() {
    let server = closes_after_one(false);
    let client = Client::unix(server.path());
    client.get("/").send().unwrap().bytes().unwrap();
    assert!(matches!(client.post("/2").send(), Err(Error::IncompleteHead { received: 0 })));
    drop(client);
    assert_eq!(server.received().len(), 1);
}

#[test]
fn a_post_that_cannot_have_arrived_is_retried() {
    let server = closes_after_one(true);
    let client = Client::unix(server.path());
    client.get("/").send().unwrap().bytes().unwrap();
    server.closed(1);
    assert_eq!(client.post("/2").body("content").send().unwrap().status(), 200);
    drop(client);
    let requests = text(server.received());
    assert!(requests[0].starts_with("GET ") && requests[1].starts_with("POST /2 "), "{requests:?}");
}

/// A source can be read only once, so a retry would announce content that is gone.
#[test]
fn a_request_is_not_retried_after_its_source_was_read() {
    for sized in [false, true] {
        let server = closes_after_one(false);
        let client = Client::unix(server.path());
        client.get("/").send().unwrap().bytes().unwrap();
        let body = if sized {
            Body::reader(Cursor::new("content"), Some(7))
        } else {
            Body::reader(Cursor::new("content"), None)
        };
        let error = client.put("/2").body(body).send().unwrap_err();
        assert!(
            matches!(
                error,
                Error::IncompleteHead { received: 0 } | Error::Send(_) | Error::Receive(_)
            ),
            "{error}"
        );
        drop(client);
        assert_eq!(server.received().len(), 1);
    }
}

#[test]
fn a_request_is_retried_before_its_source_was_read() {
    let server = Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        if peer.connection == 1 {
            peer.read_until(b"content")?;
        }
        peer.send(OK)
    });
    let client = Client::unix(server.path());
    client.get("/").send().unwrap().bytes().unwrap();
    server.closed(1);
    let body = Body::reader(Cursor::new("content"), Some(7));
    assert_eq!(client.put("/2").body(body).send().unwrap().status(), 200);
    drop(client);
    assert!(text(server.received())[1].ends_with("\r\n\r\ncontent"));
}

#[test]
fn long_content_in_memory_is_retried_from_its_start() {
    let content = vec![7; 200_000];
    let server = closes_after_one(false);
    let client = Client::unix(server.path());
    client.get("/").send().unwrap().bytes().unwrap();
    let response = client.put("/2").body(&content[..]).send().unwrap();
    assert!(!response.is_reused());
    response.bytes().unwrap(); // by its end the whole request has been sent
    drop(client);
    let requests = server.received();
    assert!(
        requests[1].starts_with(b"PUT /2 ")
            && requests[1].ends_with(&[b"\r\n\r\n", &content[..]].concat())
    );
}

#[test]
fn an_early_response_to_an_upload_is_returned_although_sending_failed() {
    let early = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 4\r\n\r\nnope";
    let server = Fake::start(move |peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(early)
    });
    let client = Client::unix(server.path());
    let request = client.put("/containers/nope/archive?path=/");
    let mut response = request.body(Body::reader(std::io::repeat(0), None)).send().unwrap();
    assert_eq!(response.status(), 404);
    let mut content = String::new();
    response.read_to_string(&mut content).unwrap();
    assert_eq!(content, "nope");
}

#[test]
fn a_response_during_the_upload_cannot_deadlock() {
    let server = Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")?;
        let mut buffer = vec![0; 65536];
        let mut left = 8 << 20;
        while left > 0 {
            let n = peer.stream().read(&mut buffer)?;
            left -= n;
            peer.stream().write_all(&buffer[..n])?;
        }
        Ok(())
    });
    let content = vec![7; 8 << 20];
    let client = Client::unix(server.path());
    for body in [
        Body::from(&content[..]),
        Body::reader(Cursor::new(content.clone()), Some(content.len() as u64)),
    ] {
        let echoed = client.post("/echo").body(body).send().unwrap().bytes().unwrap();
        assert!(echoed == content);
    }
}

#[test]
fn content_of_unknown_length_is_chunked() {
    let server = Fake::start(|peer| {
        peer.read_until(b"\r\n0\r\n\r\n")?;
        peer.send(OK)
    });
    let client = Client::unix(server.path());
    client
        .post("/")
        .body(Body::reader(Cursor::new(b"hello, world".to_vec()), None))
        .send()
        .unwrap()
        .bytes()
        .unwrap();
    let request = text(server.received()).remove(0);
    assert!(request.contains("\r\nTransfer-Encoding: chunked\r\n"));
    assert!(request.ends_with("\r\n\r\nc\r\nhello, world\r\n0\r\n\r\n"), "{request}");
}

#[test]
fn the_error_names_a_source_that_fails_or_ends_early() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the tape is torn"))
        }
    }
    let server = Fake::start(|peer| peer.read_to_end());
    let client = Client::unix(server.path());
    let error = client.post("/").body(Body::reader(Fails, None)).send().unwrap_err();
    assert!(error.to_string().contains("the tape is torn"), "{error}");
    let error =
        client.post("/").body(Body::reader(Cursor::new(vec![1; 5]), Some(9))).send().unwrap_err();
    assert!(matches!(error, Error::SourceLength { announced: 9, found: 5 }), "{error}");
}

#[test]
fn content_waits_for_100_continue() {
    let server = Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        let head = peer.received().len();
        peer.pause(50);
        peer.stream().set_nonblocking(true)?;
        assert!(peer.read(1).is_err(), "content before the 100");
        peer.stream().set_nonblocking(false)?;
        assert_eq!(peer.received().len(), head);
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        peer.read(7)?;
        peer.send(OK)
    });
    let client = Client::unix(server.path());
    let patience = Duration::from_secs(20);
    assert_eq!(
        client.put("/").body("content").expect_continue(patience).send().unwrap().text().unwrap(),
        "OK"
    );
    let request = text(server.received()).remove(0);
    assert!(
        request.contains("\r\nExpect: 100-continue\r\n") && request.ends_with("content"),
        "{request}"
    );
}

#[test]
fn content_is_sent_after_the_wait_but_not_after_a_final_response() {
    let server =
        Fake::answer(b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n".to_vec());
    let client = Client::unix(server.path());
    let patience = Duration::from_secs(20);
    assert_eq!(
        client.put("/").body("content").expect_continue(patience).send().unwrap().status(),
        417
    );
    drop(client);
    assert!(text(server.received())[0].ends_with("\r\n\r\n"));

    let server = Fake::start(|peer| {
        peer.read_until(b"content")?;
        peer.send(OK)
    });
    let client = Client::unix(server.path());
    let patience = Duration::from_millis(10);
    assert_eq!(
        client.put("/").body("content").expect_continue(patience).send().unwrap().status(),
        200
    );
}

#[test]
fn expect_is_not_sent_without_content() {
    let server = again_and_again(OK);
    let client = Client::unix(server.path());
    let patience = Duration::from_secs(20);
    client.post("/").expect_continue(patience).send().unwrap().bytes().unwrap();
    client.post("/").body("").expect_continue(patience).send().unwrap().bytes().unwrap();
    drop(client);
    assert!(text(server.received()).iter().all(|request| !request.contains("Expect")));
}

#[test]
fn a_request_with_close_is_the_last_on_its_connection() {
    let server = again_and_again(OK);
    let client = Client::unix(server.path());
    client.get("/").field("Connection", "Close").send().unwrap().bytes().unwrap();
    assert!(!client.get("/").send().unwrap().is_reused());
}

/// The error names the remedy, and the kept connection stays usable.
#[test]
fn a_request_that_our_own_decoder_rejects_is_not_sent() {
    let server = again_and_again(OK);
    let client = Client::unix(server.path());
    client.get("/").send().unwrap().bytes().unwrap();
    let error = client.get("version").send().unwrap_err();
    assert!(error.to_string().contains("a path begins with /"), "{error}");
    for (method, target) in [("GET", "?a"), ("GET", "*"), ("CONNECT", "/a"), ("PRI", "*")] {
        let error = client.request(method, target).send().unwrap_err();
        assert!(breaks(&error, Violation::TargetForm), "{method} {target}: {error}");
    }
    for host in ["a/b", "a b", "a:x", "[::1"] {
        let is_refused = |error| breaks(&error, Violation::Host);
        assert!(is_refused(client.get("/").field("Host", host).send().unwrap_err()), "{host}");
        let client = Client::builder(Endpoint::Unix(server.path())).host(host).build();
        assert!(is_refused(client.get("/").send().unwrap_err()), "{host}");
    }
    assert!(client.get("/").send().unwrap().is_reused());
}

#[test]
fn no_part_of_a_request_can_break_out_of_its_line() {
    let server = Fake::answer(OK);
    let client = Client::unix(server.path());
    let error = client.get("/a\r\nHost: b").send().unwrap_err();
    assert!(breaks(&error, Violation::Target), "{error}");
    let error = client.request("G T", "/").send().unwrap_err();
    assert!(breaks(&error, Violation::Method), "{error}");
    let error = client.get("/").field("X", "a\nb").send().unwrap_err();
    assert!(breaks(&error, Violation::FieldValue), "{error}");
    assert!(matches!(error, Error::Encode(e) if e.offset == 1), "{error}");
    for fields in [
        &[("Content-Length", "5")][..],
        &[("Content-Length", "+4")],
        &[("Content-Length", "4, 4")],
        &[("Content-Length", "4"), ("content-length", "5")],
        &[("Content-Length", "4"), ("Transfer-Encoding", "chunked")],
        &[("Transfer-Encoding", "gzip, chunked")],
        &[("Host", "localhost"), ("host", "elsewhere")],
        &[("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")],
    ] {
        let request = fields
            .iter()
            .fold(client.post("/"), |request, (name, value)| request.field(name, value));
        assert!(matches!(request.body("four").send(), Err(Error::Request(_))), "{fields:?}");
    }
    drop(client);
    assert!(server.received().is_empty());
}

#[test]
fn an_upgraded_connection_includes_the_bytes_after_the_head() {
    let server = Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nearly ")?;
        peer.read_until(b"stdin")?;
        peer.read_to_end()?;
        peer.send(b"late")
    });
    let client = Client::unix(server.path());
    let response = client.post("/containers/x/attach").upgrade("tcp").send().unwrap();
    assert_eq!(response.status(), 101);
    let mut raw = response.into_upgraded().unwrap();
    raw.write_all(b"stdin").unwrap();
    raw.stream().shutdown(Shutdown::Write).unwrap();
    let mut got = String::new();
    raw.read_to_string(&mut got).unwrap();
    assert_eq!(got, "early late");
    let request = text(server.received()).remove(0);
    assert!(request.contains("\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"), "{request}");
}

/// Linux reports unread bytes with ECONNRESET, after all bytes that the peer sent.
#[test]
fn unread_input_of_the_peer_does_not_make_its_end_an_error() {
    let server = Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")?;
        peer.read_until(b"a line\n")?;
        peer.send(b"enough")
    });
    let client = Client::unix(server.path());
    let mut raw =
        client.post("/containers/x/attach").upgrade("tcp").send().unwrap().into_upgraded().unwrap();
    raw.write_all(b"a line\nanother line\n").unwrap();
    let mut got = String::new();
    raw.read_to_string(&mut got).unwrap();
    assert_eq!(got, "enough");
    assert_eq!(raw.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_refused_upgrade_is_a_response() {
    let server = Fake::answer(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope".to_vec());
    let client = Client::unix(server.path());
    let response = client.post("/containers/x/attach").upgrade("tcp").send().unwrap();
    let response = response.into_upgraded().unwrap_err();
    assert_eq!(response.text().unwrap(), "nope");
}

#[test]
fn time_limits_are_independent() {
    let silent = || Fake::start(|peer| peer.read_to_end());
    let limit = Some(Duration::from_millis(250));
    let none = Timeouts::default();
    for (timeouts, want) in [
        (none.head(limit), "no complete response head within 250ms"),
        (none.idle(limit), "no byte in either direction within 250ms"),
        (none.total(limit), "the exchange was not finished within 250ms"),
    ] {
        let server = silent();
        let error = Client::unix(server.path()).get("/").timeouts(timeouts).send().unwrap_err();
        assert!(matches!(error, Error::Timeout(_)), "{error}");
        assert_eq!(error.to_string(), format!("timed out: {want}"));
    }
    // A body may pause for longer than the limit for the head.
    let limit = Some(Duration::from_secs(2));
    let server = Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")?;
        peer.pause(2500);
        peer.send(b"late")
    });
    let response = Client::unix(server.path()).get("/").timeouts(none.head(limit)).send().unwrap();
    assert_eq!(response.text().unwrap(), "late");
}

#[test]
fn trailers_are_separate_from_fields() {
    let server = Fake::answer(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\nDigest: x\r\nContent-Length: 9\r\n\r\n"
            .to_vec(),
    );
    let client = Client::unix(server.path());
    let mut response = client.get("/").send().unwrap();
    assert!(response.trailers().is_none());
    let mut content = Vec::new();
    response.read_to_end(&mut content).unwrap();
    assert_eq!(response.trailers().unwrap().get("digest"), Some(&b"x"[..]));
    assert_eq!(response.field("Digest"), None);
}

#[test]
fn a_raw_response_keeps_its_framing() {
    let body =
        "2;a=b\r\nOK\r\n5000\r\n".to_string() + &"x".repeat(0x5000) + "\r\n0\r\nT: v\r\n\r\n";
    let server = again_and_again(Box::leak(
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
            .into_bytes()
            .into_boxed_slice(),
    ));
    let client = Client::unix(server.path());
    for reused in [false, true] {
        let response = client.get("/").raw().send().unwrap();
        assert_eq!(response.is_reused(), reused);
        assert_eq!(response.text().unwrap(), body);
    }
}

#[test]
fn threads_share_one_client() {
    let server = again_and_again(OK);
    let client = Client::unix(server.path());
    // The fake serves one connection at a time, so the threads take turns on the kept connection.
    client.get("/").send().unwrap().bytes().unwrap();
    let turn = Mutex::new(());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let _mine = turn.lock().unwrap();
                    assert!(client.clone().get("/").send().unwrap().is_reused());
                }
            });
        }
    });
    drop(client);
    assert_eq!(server.received().len(), 1);
}

/// Debug output has the endpoint, settings and lengths, but no content and no credentials.
#[test]
fn debug_output_is_short_and_masks_secrets() {
    let answer = [
        &b"HTTP/1.1 200 OK\r\nSet-Cookie: sid=s3cret\r\nX-Kind: plain\r\n"[..],
        b"Content-Length: 20006\r\n\r\ns3cret",
        &[b'x'; 20_000],
    ];
    let server = Fake::answer(answer.concat());
    let client = Client::unix(server.path());
    let check = |what: &dyn std::fmt::Debug, shows: &[&str]| {
        let text = format!("{what:?}");
        assert!(text.len() < 700 && !text.contains("s3cret"), "{text}");
        // The bytes of `s3cret`, as a list of numbers.
        assert!(!text.contains("115, 51, 99"), "{text}");
        shows.iter().for_each(|part| assert!(text.contains(part), "{part}: {text}"));
    };
    let request = client.post("/create?password=s3cret").field("X-Registry-Auth", "s3cret");
    let request = request.field("Authorization", "Bearer s3cret").body("s3cret");
    check(&request, &["Unix(", "POST", "/create", "X-Registry-Auth: ***", "6 bytes"]);
    let mut response = request.send().unwrap();
    response.read_exact(&mut [0; 100]).unwrap();
    check(&response, &["200 OK", "X-Kind: plain", "Set-Cookie: ***", "Length(20006)", "100"]);
    response.read_to_end(&mut Vec::new()).unwrap();
    drop(response);
    check(&client, &["Unix(", "localhost", "Timeouts", "1 of 16 connections"]);
    check(&Client::builder(Endpoint::Unix(server.path())), &["Unix(", "Timeouts"]);

    let server = Fake::answer(&b"HTTP/1.1 200 OK\r\n\r\ns3cret"[..]);
    let upgraded = Client::unix(server.path()).get("/").send().unwrap().into_upgraded().unwrap();
    check(&upgraded, &["bytes ahead"]);
}
