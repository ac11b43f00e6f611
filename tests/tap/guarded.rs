//! A guard between a client and a scripted engine: which bytes the engine sees, in which order.

use crate::support::fake::{Fake, Peer};
use crate::support::temp::TempDir;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;
use unix_http::Endpoint;
use unix_http::tap::AllowList;
use unix_http::tap::Relay;
use unix_http::transport::Listener;

const LIMIT: Duration = Duration::from_secs(60);
const RULES: &str = "GET /a\nHEAD /a\nPOST /containers/*/attach ?stream=1\nPUT /archive <\n\
                     POST /create /Image=busy\n";

/// Runs `client` against a guard of `engine`. Returns the bytes that each of them received.
fn guarded(
    script: impl Fn(&mut Peer) -> io::Result<()> + Send + 'static,
    client: impl FnOnce(&mut UnixStream) -> io::Result<()>,
) -> (String, Vec<String>) {
    let (dir, engine) = (TempDir::new(), Fake::start(script));
    let listener = Listener::bind(&Endpoint::Unix(dir.join("guard"))).unwrap();
    let rules = AllowList::parse(RULES).unwrap();
    let relay = Relay::new(listener, Endpoint::Unix(engine.path())).guard(rules);
    let stopper = relay.stopper().unwrap();
    let mut got = Vec::new();
    let ended = thread::scope(|scope| {
        scope.spawn(|| relay.run());
        let ended = UnixStream::connect(dir.join("guard")).and_then(|mut stream| {
            stream.set_read_timeout(Some(LIMIT))?;
            client(&mut stream)?;
            stream.read_to_end(&mut got)
        });
        stopper.stop(LIMIT);
        ended
    });
    // A guard reads for a second after its refusal. A busy client may need longer to write.
    let reset = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionReset;
    assert!(ended.as_ref().is_err_and(reset) || ended.is_ok(), "{ended:?}");
    let seen = engine.received();
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    (text(&got), seen.iter().map(text).collect())
}

fn head(line: &str, more: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: x\r\n{more}\r\n")
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const ATTACH: &str = "POST /containers/a/attach?stream=1";
const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: tcp\r\n";

fn answer_all(peer: &mut Peer) -> io::Result<()> {
    loop {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(OK)?;
    }
}

#[test]
fn pipelined_requests_are_checked_one_by_one() {
    let all = [head("GET /a", ""), head("GET /a", ""), head("GET /b", ""), head("GET /a", "")];
    let (got, seen) = guarded(answer_all, |client| client.write_all(all.concat().as_bytes()));
    assert_eq!(seen, [[head("GET /a", ""), head("GET /a", "")].concat()]);
    let refused = got.strip_prefix(&String::from_utf8_lossy(OK).repeat(2)).expect("two responses");
    assert!(refused.starts_with("HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\n"));
    assert!(refused.ends_with("needed: GET /b\"}\n"), "{refused}");
}

/// The guard's own response does not interrupt a response of the engine.
#[test]
fn a_refusal_waits_for_the_response_before_it() {
    let slow = |peer: &mut Peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(&OK[..20])?;
        peer.pause(30);
        peer.send(&OK[20..])?;
        peer.read_to_end()
    };
    let both = [head("GET /a", ""), head("GET /b", "")].concat();
    let (got, seen) = guarded(slow, |client| client.write_all(both.as_bytes()));
    assert_eq!(seen, [head("GET /a", "")]);
    let refused = got.strip_prefix(&*String::from_utf8_lossy(OK)).expect("the response");
    assert!(refused.starts_with("HTTP/1.1 403 "), "{got}");
}

#[test]
fn a_refused_head_request_gets_no_content() {
    let (got, seen) =
        guarded(answer_all, |client| client.write_all(head("HEAD /b", "").as_bytes()));
    assert!(got.starts_with("HTTP/1.1 403 ") && got.ends_with("\r\n\r\n"), "{got}");
    assert_eq!(seen, [""]);
}

#[test]
fn a_refused_upgrade_opens_no_tunnel() {
    let refuse = |peer: &mut Peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno")?;
        answer_all(peer)
    };
    let smuggled = head("POST /create", "Content-Length: 2\r\n") + "{}";
    // As one piece, and after the response.
    for wait in [false, true] {
        let (got, seen) = guarded(refuse, |client| {
            client.write_all(head(ATTACH, UPGRADE).as_bytes())?;
            if wait {
                client.read_exact(&mut [0; 47])?;
            }
            client.write_all(head("GET /a", "").as_bytes())?;
            client.write_all(head("GET /b", "").as_bytes())?;
            client.write_all(smuggled.as_bytes())
        });
        assert_eq!(seen, [head(ATTACH, UPGRADE) + &head("GET /a", "")]);
        assert!(got.contains("ok") && got.contains("needed: GET /b\"}\n"), "{got}");
    }
}

#[test]
fn a_tunnel_passes_all_bytes_in_both_directions() {
    let echo = |peer: &mut Peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello ")?;
        peer.read_to_end()?;
        peer.send(b"bye")
    };
    // Bytes that arrive with the head are held until the 101.
    let sent = head(ATTACH, UPGRADE) + "GET /b HTTP/1.1\r\n\r\n";
    let (got, seen) = guarded(echo, |client| {
        client.write_all(sent.as_bytes())?;
        client.shutdown(Shutdown::Write)
    });
    assert_eq!(seen, [sent]);
    assert!(got.ends_with("\r\n\r\nhello bye"), "{got}");
}

#[test]
fn without_an_upgrade_nothing_passes_after_an_attach() {
    let stream = |peer: &mut Peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nout")?;
        peer.pause(20);
        peer.send(b"put")
    };
    let (got, seen) = guarded(stream, |client| {
        client.write_all(head(ATTACH, "").as_bytes())?;
        client.write_all(b"stdin")?;
        client.write_all(head("GET /a", "").as_bytes())
    });
    assert_eq!(seen, [head(ATTACH, "")]);
    assert!(got.ends_with("\r\n\r\noutput"), "{got}");
}

#[test]
fn an_unrequested_101_opens_no_tunnel() {
    let evil = |peer: &mut Peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")?;
        peer.shutdown_write()?;
        peer.read_to_end()
    };
    let (_, seen) = guarded(evil, |client| {
        client.write_all(head("GET /a", "").as_bytes())?;
        client.read_exact(&mut [0; 60])?;
        client.write_all(head("GET /b", "").as_bytes())
    });
    assert_eq!(seen, [head("GET /a", "")]);
}

#[test]
fn an_archive_passes_unchanged_and_at_once() {
    let chunked = "Transfer-Encoding: chunked\r\n";
    let body = "5;x=y\r\nhello\r\n3\r\ntar\r\n0\r\nX: y\r\n\r\n";
    let archive = "Content-Type: application/x-tar\r\n";
    let take = |peer: &mut Peer| {
        peer.read_until(b"0\r\n\r\n")?;
        peer.send(OK)?;
        peer.read_until(b"\r\n\r\n")?;
        peer.read(4)?;
        peer.send(OK)
    };
    let sized = head("PUT /archive", "Expect: 100-continue\r\nContent-Length: 4\r\n");
    let (got, seen) = guarded(take, |client| {
        client.write_all((head("PUT /archive", chunked) + body).as_bytes())?;
        client.write_all((sized + "tar2").as_bytes())
    });
    let first = head("PUT /archive", &(archive.to_owned() + chunked));
    let second = head("PUT /archive", &(archive.to_owned() + "Content-Length: 4\r\n"));
    assert_eq!(seen, [first + "8\r\nhellotar\r\n0\r\n\r\n" + &second + "tar2"]);
    let ok = String::from_utf8_lossy(OK);
    assert_eq!(got, format!("{ok}HTTP/1.1 100 Continue\r\n\r\n{ok}"));
}

#[test]
fn a_body_is_read_whole_and_has_a_limit() {
    let body = r#"{"Image":"busy"}"#;
    let create = head("POST /create", "Content-Type: application/json\r\nContent-Length: 16\r\n");
    let (got, seen) = guarded(
        |peer| {
            peer.read_until(b"}")?;
            peer.send(OK)
        },
        |client| {
            client.write_all(head("POST /create", "Transfer-Encoding: chunked\r\n").as_bytes())?;
            for byte in body.bytes() {
                client.write_all(&[b"1\r\n", &[byte][..], b"\r\n"].concat())?;
            }
            client.write_all(b"0\r\n\r\n")
        },
    );
    assert_eq!((got.as_bytes(), seen), (OK, vec![create + body]));
    let long = format!("{{\"Image\":\"{}\"}}", "x".repeat(300_000));
    let length = format!("Content-Length: {}\r\n", long.len());
    let (got, seen) = guarded(answer_all, |client| {
        // The guard may have answered and closed before everything is written.
        _ = client.write_all((head("POST /create", &length) + &long).as_bytes());
        Ok(())
    });
    assert!(got.contains("the rule lacks <; needed: POST /create <"), "{got}");
    assert_eq!(seen, [""]);
}

#[test]
fn bytes_that_are_not_http_are_refused() {
    for (sent, status) in [
        ("GET /a HTTP/1.1\r\n\r\n", "400"),
        ("GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400"),
        ("GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n", "400"),
        ("PUT /archive HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "400"),
        (
            "PUT /archive HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\
             Transfer-Encoding: chunked\r\n\r\n",
            "400",
        ),
        ("GET /a HTTP/2.0\r\n\r\n", "400"),
        ("GET  /a HTTP/1.1\r\n\r\n", "400"),
        ("CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n", "403"),
    ] {
        let (got, seen) = guarded(answer_all, |client| client.write_all(sent.as_bytes()));
        assert!(got.starts_with(&format!("HTTP/1.1 {status} ")), "{sent}: {got}");
        assert_eq!(seen, [""], "{sent}");
    }
}

/// The client's end reaches the engine while it answers.
#[test]
fn the_engine_notices_that_the_client_has_left() {
    let events = |peer: &mut Peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        peer.read_to_end()
    };
    let (_, seen) = guarded(events, |client| {
        client.write_all(head("GET /a", "").as_bytes())?;
        client.read_exact(&mut [0; 47])?;
        client.shutdown(Shutdown::Write)
    });
    assert_eq!(seen, [head("GET /a", "")]);
}
