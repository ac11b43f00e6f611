//! The server, one request at a time: the response to each kind of request.

use crate::support::needs;
use crate::support::serve::{PATIENCE, rest, send_reader, serve, serve_within, statuses, until};
use std::io::{self, BufRead, Read, Write};
use std::net::Shutdown;
use std::process::Command;
use unix_http::server::{Limits, Refusal, Request, Responder, Sent};
use unix_http::wire::Fields;
use unix_http::{Body, Error};

/// A handler with one path for each kind of response.
fn handler(request: &mut Request<'_>, responder: Responder<'_>) -> io::Result<Sent> {
    let path = String::from_utf8_lossy(request.path()).into_owned();
    match path.as_str() {
        "/" => responder.send("root\n"),
        "/empty" => responder.send(""),
        "/204" => responder.status(204).send(""),
        "/204-body" => responder.status(204).send("no"),
        "/204-stream" => responder.status(204).stream()?.finish(),
        "/204-length" => responder.status(204).field("Content-Length", "0").send(""),
        "/205" => responder.status(205).send(""),
        "/304" => responder.status(304).field("ETag", "\"a\"").send(""),
        "/head" => responder.field("Content-Length", "7").send(""),
        "/about" => {
            let text =
                [request.method().as_bytes(), request.target(), request.query().unwrap_or(b"-")]
                    .join(&b' ');
            let host = request.host().unwrap_or(b"-").to_vec();
            responder.field("X-Host", host).send(text)
        }
        "/reader" => send_reader(responder, io::repeat(b'x'), 100_000),
        "/short-reader" => send_reader(responder, io::repeat(b'x').take(5000), 5001),
        "/too-long" => {
            let mut body = responder.field("Content-Length", "3").stream()?;
            body.write_all(b"12")?;
            body.flush()?;
            body.write_all(b"34")?;
            body.finish()
        }
        "/too-short" => send_reader(responder, &b"12"[..], 3),
        "/short-stream" => responder
            .stream()?
            .write_all(b"all of it")
            .and(Err(io::Error::other("changed my mind"))),
        "/stream" => {
            let mut body = responder.stream()?;
            body.write_all(b"one")?;
            body.flush()?;
            body.write_all(b"two")?;
            body.finish()
        }
        "/inject-stream" => {
            let mut body = responder.field("X", "a\r\nb").stream()?;
            // A careless handler overlooks errors.
            _ = body.write_all(&[b'x'; 3000]);
            _ = body.write_all(b"tail");
            body.finish()
        }
        "/small-stream" => {
            let mut body = responder.stream()?;
            body.write_all(b"one")?;
            body.write_all(b"two")?;
            body.finish()
        }
        "/large-stream" => {
            let mut body = responder.stream()?;
            body.write_all(b"+")?;
            body.write_all(&[b'y'; 5000])?;
            body.finish()
        }
        "/trailers" => {
            let mut fields = Fields::new();
            fields.push("X-Sum", "6").map_err(io::Error::other)?;
            let mut body = responder.stream()?;
            body.write_all(b"123")?;
            body.finish_with(&fields)
        }
        "/late-length" => {
            let mut fields = Fields::new();
            fields.push("content-length", "3").map_err(io::Error::other)?;
            responder.stream()?.finish_with(&fields)
        }
        "/cut" => {
            let mut body = responder.stream()?;
            body.write_all(b"half")?;
            body.flush()?;
            Err(io::Error::other("the other half is missing"))
        }
        "/echo" => {
            let mut body = responder.stream()?;
            loop {
                let content = request.fill_buf()?;
                let n = content.len();
                if n == 0 {
                    return body.finish();
                }
                body.write_all(content)?;
                body.flush()?;
                request.consume(n);
            }
        }
        "/sum" => {
            let content = request.bytes(1000)?;
            let trailers = request.trailers().map_or(0, Fields::len);
            let sum: u64 = content.iter().map(|&b| u64::from(b)).sum();
            responder.send(format!("{} {sum} {trailers}", content.len()))
        }
        "/inject" => responder.field("X-A", "a\r\nX-B: b").send("no"),
        "/own-framing" => responder.field("transfer-encoding", "chunked").send("no"),
        "/wrong-length" => responder.field("Content-Length", "3").send("four"),
        "/own-date" => responder.field("Date", "Thu, 01 Jan 1970 00:00:00 GMT").send(""),
        "/interim" => responder.status(103).send(""),
        "/panic" => panic!("on purpose"),
        "/refuse" => Err(Refusal::new(418, "not my cup").into()),
        "/fail" => Err(io::Error::other("a secret")),
        "/upgrade" => {
            let (raw, sent) = responder.upgrade(request, "test")?;
            let (mut read, mut write) = raw.split()?;
            let n = io::copy(&mut read, &mut write)?;
            write!(write, "[{n} bytes]")?;
            write.shutdown(Shutdown::Write)?;
            Ok(sent)
        }
        "/read-and-upgrade" => {
            request.bytes(10)?;
            responder.upgrade(request, "test").map(|(_, sent)| sent)
        }
        "/hijack" => {
            let (mut raw, sent) = responder.field("Content-Type", "text/x-raw").hijack(request)?;
            raw.write_all(b"raw")?;
            Ok(sent)
        }
        _ => responder.status(404).send("not found\n"),
    }
}

const CLOSE: &str = "Connection: close\r\n\r\n";

/// Returns the answer to a request with this start, on a connection that closes after it.
#[track_caller]
fn answer(start: &str) -> String {
    serve(handler).talk(format!("{start}\r\nHost: a\r\n{CLOSE}"))
}

#[test]
fn every_kind_of_response_has_the_right_framing() {
    let server = serve(handler);
    let head_of =
        |status: &str, fields: &str| format!("HTTP/1.1 {status}\r\n{fields}Connection: close\r\n");
    let cases = [
        ("GET /", head_of("200 OK", "Content-Length: 5\r\n"), "\r\nroot\n"),
        ("GET /empty", head_of("200 OK", "Content-Length: 0\r\n"), "\r\n"),
        ("GET /204", head_of("204 No Content", ""), "\r\n"),
        ("GET /205", head_of("205 Reset Content", "Content-Length: 0\r\n"), "\r\n"),
        ("GET /304", head_of("304 Not Modified", "ETag: \"a\"\r\n"), "\r\n"),
        ("GET /nope", head_of("404 Not Found", "Content-Length: 10\r\n"), "\r\nnot found\n"),
        ("GET /small-stream", head_of("200 OK", "Content-Length: 6\r\n"), "\r\nonetwo"),
        (
            "GET /stream",
            head_of("200 OK", ""),
            "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n",
        ),
        (
            "GET /trailers",
            head_of("200 OK", ""),
            "Transfer-Encoding: chunked\r\n\r\n3\r\n123\r\n0\r\nX-Sum: 6\r\n\r\n",
        ),
        // HEAD: the fields of GET without content.
        ("HEAD /", head_of("200 OK", "Content-Length: 5\r\n"), "\r\n"),
        ("HEAD /head", head_of("200 OK", "Content-Length: 7\r\n"), "\r\n"),
        ("HEAD /small-stream", head_of("200 OK", "Content-Length: 6\r\n"), "\r\n"),
        ("HEAD /stream", head_of("200 OK", ""), "Transfer-Encoding: chunked\r\n\r\n"),
        ("HEAD /reader", head_of("200 OK", "Content-Length: 100000\r\n"), "\r\n"),
        ("HEAD /nope", head_of("404 Not Found", "Content-Length: 10\r\n"), "\r\n"),
        // The path and the query in each form of a request-target (RFC 9112 §3.2).
        (
            "GET /about?a=b?c",
            head_of("200 OK", "X-Host: a\r\nContent-Length: 22\r\n"),
            "\r\nGET /about?a=b?c a=b?c",
        ),
        (
            "GET http://x:80/about",
            head_of("200 OK", "X-Host: x:80\r\nContent-Length: 23\r\n"),
            "\r\nGET http://x:80/about -",
        ),
        ("GET http://x", head_of("200 OK", "Content-Length: 5\r\n"), "\r\nroot\n"),
        ("GET http://x?about", head_of("200 OK", "Content-Length: 5\r\n"), "\r\nroot\n"),
        ("OPTIONS *", head_of("404 Not Found", "Content-Length: 10\r\n"), "\r\nnot found\n"),
    ];
    for (start, head, rest) in cases {
        let wire = server.talk(format!("{start} HTTP/1.1\r\nHost: a\r\n{CLOSE}"));
        assert_eq!(wire, format!("{head}{rest}"), "{start}");
    }
}

#[test]
fn content_beyond_the_buffer_is_sent_as_one_chunk() {
    let wire = answer("GET /large-stream HTTP/1.1");
    assert_eq!(
        wire.split_once("\r\n\r\n").expect("a head").1,
        format!("1389\r\n+{}\r\n0\r\n\r\n", "y".repeat(5000))
    );
}

#[test]
fn an_http_10_client_gets_no_chunks() {
    let server = serve(handler);
    for (start, fields, want) in [
        ("GET /stream", "", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nonetwo"),
        ("GET /trailers", "", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n123"),
        ("GET /", "", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nroot\n"),
        // With keep-alive, a response with a length keeps the connection, one without closes it.
        (
            "GET /",
            "Connection: keep-alive\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nroot\n",
        ),
        (
            "GET /stream",
            "Connection: keep-alive\r\n",
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nonetwo",
        ),
    ] {
        assert_eq!(
            server.talk(format!("{start} HTTP/1.0\r\n{fields}\r\n")),
            want,
            "{start} {fields}"
        );
    }
}

#[test]
fn an_invalid_response_of_a_handler_becomes_a_500() {
    let server = serve(handler);
    for path in [
        "/204-body",
        "/204-stream",
        "/204-length",
        "/inject",
        "/inject-stream",
        "/own-framing",
        "/wrong-length",
        "/too-short",
        "/interim",
        "/short-stream",
        "/late-length",
        "/fail",
        "/panic",
    ] {
        let wire = server.talk(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        let text = "500 Internal Server Error: the server failed to answer\n";
        let want = format!(
            "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{text}",
            text.len()
        );
        assert_eq!(wire, want, "{path}");
    }
    // The server still runs.
    assert_eq!(server.client().get("/").send().unwrap().text().unwrap(), "root\n");
}

#[test]
fn a_refusal_is_answered_and_the_connection_is_kept() {
    let server = serve(handler);
    let two = "GET /refuse HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let wire = server.talk(two);
    assert!(wire.starts_with("HTTP/1.1 418 \r\n"), "{wire}");
    assert!(wire.contains("418 : not my cup\n"), "{wire}");
    assert_eq!(statuses(&wire).unwrap(), [418, 200]);
}

#[test]
fn an_unfinished_body_of_a_handler_is_truncated() {
    let server = serve(handler);
    let client = server.client();
    let mut received = Vec::new();
    let error = client.get("/cut").send().unwrap().read_to_end(&mut received).unwrap_err();
    let error = error.downcast().unwrap();
    assert!(
        matches!(&error, Error::Incomplete(i) if (i.received, i.expected) == (4, None)),
        "{error:?}"
    );
    assert_eq!(received, b"half");
    let error = client.get("/short-reader").send().unwrap().bytes().unwrap_err();
    assert!(
        matches!(&error, Error::Incomplete(i) if (i.received, i.expected) == (5000, Some(5001))),
        "{error:?}"
    );
    let error = client.get("/too-long").send().unwrap().bytes().unwrap_err();
    assert!(matches!(&error, Error::Incomplete(i) if i.received == 2), "{error:?}");
    assert_eq!(client.get("/reader").send().unwrap().bytes().unwrap(), vec![b'x'; 100_000]);
}

#[test]
fn date_is_the_current_time_unless_the_handler_sets_it() {
    let server = serve(handler);
    let date = |path: &str| {
        let response = server.client().get(path).send().unwrap();
        let dates: Vec<_> = response
            .fields()
            .get_all("Date")
            .map(|f| String::from_utf8_lossy(f.value()).into_owned())
            .collect();
        assert_eq!(dates.len(), 1, "{dates:?}");
        dates[0].clone()
    };
    assert_eq!(date("/own-date"), "Thu, 01 Jan 1970 00:00:00 GMT");
    let date = date("/");
    if needs::program("date").is_some() {
        let read = |text: &str| {
            let out = Command::new("date").args(["-u", "+%s", "-d", text]).output().unwrap();
            String::from_utf8_lossy(&out.stdout).trim().parse::<i64>().unwrap()
        };
        assert!((read(&date) - read("now")).abs() <= 20, "{date}");
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = serve(handler);
    let client = server.client();
    for _ in 0..3 {
        assert_eq!(client.get("/stream").send().unwrap().text().unwrap(), "onetwo");
    }
    assert!(client.get("/").send().unwrap().is_reused());

    // Three requests in one write, and part of a fourth. One empty line before a request is
    // skipped.
    let wire = server.talk(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nGET\r\n\
         GET / HTTP/1.1\r\nHost: a\r\n\r\n\
         POST /sum HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\x01\x02\r\n0\r\nX: y\r\n\r\n\
         GET / HTTP/1.1\r\nHos",
    );
    assert_eq!(statuses(&wire).unwrap(), [200, 200, 200, 400]);
    assert!(wire.contains("\r\n\r\n3\r\nGET\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n"), "{wire}");
    assert!(wire.contains("\r\n\r\n2 3 1HTTP/1.1 400 Bad Request\r\n"), "{wire}");
    assert!(
        wire.ends_with(
            "400 Bad Request: the connection ended inside the head, after 19 bytes (RFC 9112 §8)\n"
        ),
        "{wire}"
    );
}

#[test]
fn no_request_is_answered_after_close() {
    let server = serve(handler);
    let next = "GET /empty HTTP/1.1\r\nHost: a\r\n\r\n";
    let wire = server.talk(format!("GET / HTTP/1.1\r\nHost: a\r\n{CLOSE}{next}"));
    assert_eq!(wire, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nroot\n");
    let wire = server.talk(format!("GET / HTTP/1.0\r\n\r\n{next}"));
    assert_eq!(wire, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nroot\n");
}

#[test]
fn the_answers_do_not_depend_on_the_splits_of_the_requests() {
    let server = serve(handler);
    let wire = b"POST /sum HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                 3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\nPOST /sum HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
    let want = server.talk(wire);
    assert_eq!(statuses(&want).unwrap(), [200, 200]);
    for at in 1..wire.len() {
        let mut stream = server.connect();
        stream.write_all(&wire[..at]).unwrap();
        std::thread::yield_now();
        stream.write_all(&wire[at..]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(rest(&mut stream), want, "split at {at}");
    }
    let mut stream = server.connect();
    for byte in wire {
        stream.write_all(&[*byte]).unwrap();
    }
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&mut stream), want);
}

#[test]
fn a_handler_can_answer_while_it_reads() {
    let server = serve(handler);
    let mut stream = server.connect();
    stream
        .write_all(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        .unwrap();
    for word in ["one", "two", "three"] {
        write!(stream, "{:x}\r\n{word}\r\n", word.len()).unwrap();
        let came = until(&mut stream, &format!("{word}\r\n"));
        assert!(came.ends_with(&format!("{:x}\r\n{word}\r\n", word.len())), "{came}");
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    assert_eq!(until(&mut stream, "0\r\n\r\n"), "0\r\n\r\n");
    // The connection stays open.
    stream.write_all(format!("GET / HTTP/1.1\r\nHost: a\r\n{CLOSE}").as_bytes()).unwrap();
    assert!(rest(&mut stream).ends_with("\r\n\r\nroot\n"));

    // The same with our client and a body far larger than the sockets' buffers.
    let size = 16 << 20;
    let answer = server
        .client()
        .post("/echo")
        .body(Body::reader(io::repeat(b'z').take(size), None))
        .send()
        .unwrap();
    assert_eq!(io::copy(&mut { answer }, &mut io::sink()).unwrap(), size);
}

#[test]
fn a_100_is_sent_when_the_handler_first_reads() {
    let server = serve(handler);
    let expect = "Host: a\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n";
    let mut stream = server.connect();
    write!(stream, "POST /sum HTTP/1.1\r\n{expect}").unwrap();
    assert_eq!(until(&mut stream, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"\x01\x02").unwrap();
    assert_eq!(until(&mut stream, "2 3 0"), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n2 3 0");

    // Not sent if the content is already there.
    let wire = server.talk(format!("POST /sum HTTP/1.1\r\n{expect}\x01\x02"));
    assert_eq!(statuses(&wire).unwrap(), [200]);

    // Nor if the handler does not read. The server cannot know whether content or a request comes
    // next, so it closes the connection.
    let wire = server.talk(format!("POST / HTTP/1.1\r\n{expect}"));
    assert_eq!(wire, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nroot\n");

    let wire = server.talk("POST /sum HTTP/1.1\r\nHost: a\r\nExpect: the-unexpected\r\n\r\n");
    assert_eq!(statuses(&wire).unwrap(), [417]);
    // HTTP/1.0 does not know 100 (Continue).
    let wire = server
        .talk("POST /sum HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n\x01\x02");
    assert!(wire.starts_with("HTTP/1.1 200 OK\r\n"), "{wire}");
}

#[test]
fn a_little_unread_content_is_skipped_and_much_closes_the_connection() {
    let server = serve(handler);
    let next = format!("GET /empty HTTP/1.1\r\nHost: a\r\n{CLOSE}");
    // The server reads past a little unread content.
    let wire =
        server.talk(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /{next}"));
    assert_eq!(statuses(&wire).unwrap(), [200, 200]);
    let wire = server
        .talk(format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n{next}"));
    assert_eq!(statuses(&wire).unwrap(), [200, 200]);
    // With much unread content it closes, and says so. The unread bytes do not destroy the
    // response.
    let much = vec![b'x'; 4 << 20];
    let mut request =
        format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", much.len())
            .into_bytes();
    request.extend(&much);
    assert_eq!(
        server.talk(&request),
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nroot\n"
    );
    // The server does not read past a refused upload without a length.
    let wire = server.talk(format!(
        "POST /nope HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n{next}"
    ));
    assert_eq!(statuses(&wire).unwrap(), [404]);
    assert!(wire.contains("\r\nConnection: close\r\n"), "{wire}");
}

#[test]
fn a_truncated_or_malformed_body_is_a_400() {
    let server = serve(handler);
    for (body, why) in [
        ("Content-Length: 5\r\n\r\nabc", "the connection ended after 3 of 5 bytes (RFC 9112 §8)"),
        (
            "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            "the connection ended after 3 bytes, before the last chunk (RFC 9112 §8)",
        ),
        (
            "Transfer-Encoding: chunked\r\n\r\nx\r\n",
            "a chunk-size that is not a hexadecimal number at byte 59 (RFC 9112 §7.1)",
        ),
    ] {
        let wire = server.talk(format!("POST /sum HTTP/1.1\r\nHost: a\r\n{body}"));
        assert!(wire.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{body}: {wire}");
        assert!(wire.contains("\r\nConnection: close\r\n"), "{body}: {wire}");
        assert!(wire.ends_with(&format!("400 Bad Request: {why}\n")), "{body}: {wire}");
    }
    // More content than the handler accepts.
    let wire = server.talk(format!(
        "POST /sum HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n{}",
        "x".repeat(1001)
    ));
    assert_eq!(statuses(&wire).unwrap(), [413]);
}

#[test]
fn requests_over_a_size_limit_are_refused() {
    let limits = Limits::default().overhead(1000).content(10);
    let server = serve_within(limits, handler);
    let long = "x".repeat(1000);
    for (request, want) in [
        (format!("GET /{long}"), 414),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nX: {long}"), 431),
        ("POST /sum HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789".into(), 200),
        ("POST /sum HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n0123456789".into(), 413),
        (
            "POST /sum HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n0123456789a\r\n0\r\n\r\n".into(),
            413,
        ),
        (format!("POST /sum HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;{long}\r\n0\r\n0\r\n\r\n"), 431),
    ] {
        let wire = server.talk(&request);
        assert_eq!(statuses(&wire).unwrap(), [want], "{request}\n{wire}");
    }
}

/// Two readers could disagree about the end of these requests. The server answers once, with an
/// error, and closes: it never answers the second request that some reader might see in them.
#[test]
fn smuggled_requests_are_refused() {
    let server = serve(handler);
    let hidden = "GET /about HTTP/1.1\r\nHost: a\r\n\r\n";
    let te =
        |value: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{value}\r\n\r\n0\r\n\r\n{hidden}");
    let cl = |value: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{value}\r\n\r\n{hidden}");
    let chunks = |body: &str| {
        format!("POST /sum HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}{hidden}")
    };
    let head = |bytes: &str| format!("{bytes}\r\n\r\n{hidden}");
    for (id, wire, want) in [
        ("cl-te", te("Content-Length: 5\r\nTransfer-Encoding: chunked"), 400),
        ("te-cl", te("Transfer-Encoding: chunked\r\nContent-Length: 5"), 400),
        ("te-te", te("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), 400),
        ("te-identity", te("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"), 400),
        ("te-list-twice", te("Transfer-Encoding: chunked, chunked"), 400),
        ("te-xchunked", te("Transfer-Encoding: xchunked"), 400),
        ("te-chunked-last-missing", te("Transfer-Encoding: chunked, gzip"), 400),
        ("te-gzip-chunked", te("Transfer-Encoding: gzip, chunked"), 501),
        ("te-empty", te("Transfer-Encoding:"), 400),
        ("te-quoted", te("Transfer-Encoding: \"chunked\""), 400),
        ("te-vertical-tab", te("Transfer-Encoding: \x0bchunked"), 400),
        ("te-nul", te("Transfer-Encoding: chunked\0"), 400),
        ("te-space-before-colon", te("Transfer-Encoding : chunked"), 400),
        ("te-folded", te("Transfer-Encoding:\r\n chunked"), 400),
        ("te-bare-cr", te("X: y\rTransfer-Encoding: chunked"), 400),
        ("te-in-1.0", te("Transfer-Encoding: chunked").replacen("1.1", "1.0", 1), 400),
        ("cl-plus", cl("Content-Length: +34"), 400),
        ("cl-minus", cl("Content-Length: -1"), 400),
        ("cl-hex", cl("Content-Length: 0x22"), 400),
        ("cl-differs", cl("Content-Length: 34\r\nContent-Length: 0"), 400),
        ("cl-list-differs", cl("Content-Length: 34, 0"), 400),
        ("cl-empty", cl("Content-Length:"), 400),
        ("cl-space", cl("Content-Length: 3 4"), 400),
        ("cl-overflow", cl("Content-Length: 18446744073709551616"), 400),
        ("chunk-plus", chunks("+0\r\n\r\n"), 400),
        ("chunk-0x", chunks("0x0\r\n\r\n"), 400),
        ("chunk-space", chunks(" 0\r\n\r\n"), 400),
        ("chunk-bare-lf", chunks("0\n\r\n"), 400),
        ("chunk-ext-bare-lf", chunks("1;a\nb\r\nx\r\n0\r\n\r\n"), 400),
        ("chunk-ext-bare-cr", chunks("1;a\rb\r\nx\r\n0\r\n\r\n"), 400),
        ("chunk-data-longer", chunks("1\r\nxy\r\n0\r\n\r\n"), 400),
        ("chunk-data-no-cr", chunks("1\r\nx\n0\r\n\r\n"), 400),
        ("chunk-overflow", chunks("10000000000000000\r\nx\r\n0\r\n\r\n"), 400),
        ("trailer-bare-lf", chunks("0\r\n\n"), 400),
        ("trailer-folded", chunks("0\r\nX: y\r\n z\r\n\r\n"), 400),
        ("host-missing", head("GET / HTTP/1.1"), 400),
        ("host-twice", head("GET / HTTP/1.1\r\nHost: a\r\nHost: b"), 400),
        ("host-bad", head("GET / HTTP/1.1\r\nHost: a/b"), 400),
        ("host-space-before-colon", head("GET / HTTP/1.1\r\nHost : a"), 400),
        ("target-no-slash", head("GET a HTTP/1.1\r\nHost: a"), 400),
        ("target-two", head("GET / /about HTTP/1.1\r\nHost: a"), 400),
        ("target-asterisk", head("GET * HTTP/1.1\r\nHost: a"), 400),
        ("method-not-token", head("G(T / HTTP/1.1\r\nHost: a"), 400),
        ("connect", head("CONNECT a:80 HTTP/1.1\r\nHost: a"), 501),
        ("two-empty-lines", format!("\r\n\r\n{hidden}"), 400),
        ("space-first", head(" GET / HTTP/1.1\r\nHost: a"), 400),
        ("version-2", head("GET / HTTP/2.0\r\nHost: a"), 505),
        ("version-0.9", head("GET / HTTP/0.9\r\nHost: a"), 505),
        ("version-lowercase", head("GET / http/1.1\r\nHost: a"), 400),
        ("version-missing", head("GET /"), 400),
        ("http2-preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), 505),
        ("tls", "\x16\x03\x01\x02\0\x01\0\x01\u{fc}\x03\x03".into(), 400),
    ] {
        let answer = server.talk(&wire);
        assert_eq!(statuses(&answer).unwrap(), [want], "{id}: {answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{id}: {answer}");
        assert!(!answer.contains("X-Host"), "{id}: {answer}");
        let (_, text) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(text.lines().count(), 1, "{id}: {text}");
        assert!(text.contains("RFC 9") || id == "trailer-bare-lf", "{id}: {text}");
    }
}

#[test]
fn each_direction_of_an_upgraded_connection_ends_separately() {
    let server = serve(handler);
    let upgrade = "Host: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: other, TEST\r\n";
    // Bytes right after the head belong to the new protocol.
    let mut stream = server.connect();
    write!(stream, "GET /upgrade HTTP/1.1\r\n{upgrade}\r\nfirst").unwrap();
    let head = until(&mut stream, "\r\n\r\n");
    assert_eq!(
        head,
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n"
    );
    assert_eq!(until(&mut stream, "first"), "first");
    stream.write_all(b" second").unwrap();
    assert_eq!(until(&mut stream, "second"), " second");
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&mut stream), "[12 bytes]");

    let answer = server.talk("GET /upgrade HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(
        answer.starts_with(
            "HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: test\r\n"
        ),
        "{answer}"
    );
    let answer = server.talk(format!("GET /upgrade HTTP/1.0\r\n{upgrade}\r\n"));
    assert_eq!(statuses(&answer).unwrap(), [426], "Upgrade in HTTP/1.0 is ignored");
    // The content of the request comes first.
    let answer =
        server.talk(format!("POST /upgrade HTTP/1.1\r\n{upgrade}Content-Length: 3\r\n\r\nabc"));
    assert_eq!(statuses(&answer).unwrap(), [500]);

    // 100 before 101 if both were requested.
    let mut stream = server.connect();
    write!(stream, "POST /read-and-upgrade HTTP/1.1\r\n{upgrade}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        .unwrap();
    assert_eq!(until(&mut stream, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"hi").unwrap();
    assert!(until(&mut stream, "\r\n\r\n").starts_with("HTTP/1.1 101 "));

    let answer = server.talk("GET /hijack HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(answer, "HTTP/1.1 200 OK\r\nContent-Type: text/x-raw\r\n\r\nraw");

    // With our client.
    let response = server.client().get("/upgrade").upgrade("test").send().unwrap();
    let mut raw = response.into_upgraded().unwrap();
    raw.write_all(b"hello").unwrap();
    raw.stream().shutdown(Shutdown::Write).unwrap();
    let mut text = String::new();
    raw.read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello[5 bytes]");
}

#[test]
fn a_reset_does_not_destroy_a_response_over_tcp() {
    use std::net::TcpStream;
    use unix_http::server::Server;
    use unix_http::transport::Endpoint;
    let handle = Server::bind(&Endpoint::Tcp { host: "127.0.0.1".into(), port: 0 })
        .unwrap()
        .spawn(handler)
        .unwrap();
    let Endpoint::Tcp { host, port } = handle.endpoint() else { unreachable!() };
    for _ in 0..10 {
        let mut stream = TcpStream::connect((host.as_str(), *port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
            .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
            .unwrap();
        // The client still sends more than the sockets' buffers hold while the response is on its
        // way.
        let _ = (0..400).try_for_each(|_| stream.write_all(&[0; 16384]));
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("root\n"),
            "{answer}"
        );
    }
    assert_eq!(handle.stop(PATIENCE), 0);
}

#[test]
fn a_request_has_the_address_of_its_peer_over_tcp_only() {
    use unix_http::Client;
    use unix_http::server::Server;
    use unix_http::transport::Endpoint;
    let who = |request: &mut Request<'_>, responder: Responder<'_>| {
        responder.send(request.peer().map_or("no address".to_owned(), |peer| peer.ip().to_string()))
    };
    let tcp = Server::bind(&Endpoint::Tcp { host: "127.0.0.1".into(), port: 0 })
        .unwrap()
        .spawn(who)
        .unwrap();
    assert_eq!(
        Client::new(tcp.endpoint().clone()).get("/").send().unwrap().text().unwrap(),
        "127.0.0.1"
    );
    assert_eq!(serve(who).client().get("/").send().unwrap().text().unwrap(), "no address");
}

#[test]
fn curl_reads_the_responses() {
    let Some(curl) = needs::program("curl") else { return };
    let server = serve(handler);
    let socket = server.dir.join("s");
    let run = |args: &[&str]| {
        let mut command = Command::new(&curl);
        command.args(["-sS", "-i", "--max-time", "60", "--unix-socket"]).arg(&socket).args(args);
        let out = crate::support::child::run(&mut command, b"", PATIENCE);
        (out.code, out.stdout())
    };
    let content = |args: &[&str]| {
        let (code, text) = run(args);
        assert_eq!(code, 0, "{args:?}: {text}");
        text.rsplit_once("\r\n\r\n").expect("a head").1.to_owned()
    };
    assert_eq!(content(&["http://a/"]), "root\n");
    assert_eq!(content(&["-I", "http://a/"]), "");
    assert_eq!(content(&["http://a/stream"]), "onetwo");
    assert_eq!(content(&["--http1.0", "http://a/stream"]), "onetwo");
    assert_eq!(content(&["-d", "abc", "http://a/sum"]), "3 294 0");
    assert_eq!(
        content(&["-H", "Transfer-Encoding: chunked", "-d", "abc", "http://a/sum"]),
        "3 294 0"
    );
    assert_eq!(content(&["-H", "Expect: 100-continue", "-d", "abc", "http://a/sum"]), "3 294 0");
    // Two requests on one connection.
    let (code, text) = run(&["-v", "http://a/", "http://a/empty"]);
    assert_eq!((code, statuses(&text).unwrap()), (0, vec![200, 200]));
    // A truncated body is an error: exit code 18 in curl.
    assert_eq!(run(&["http://a/cut"]).0, 18);
}
