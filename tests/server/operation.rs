//! Operating a server: the events of an observer, and how to stop it.

use crate::support::serve::{PATIENCE, send_reader, serve, until};
use crate::support::temp::TempDir;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};
use unix_http::Client;
use unix_http::server::{Handle, Refusal, Request, Responder, Sent, Server};
use unix_http::transport::Endpoint;

/// An event of the observer: its line without the time, and whether the error is an [`io::Error`].
type Line = (String, bool);

fn observed<H>(dir: &TempDir, handler: H) -> (Handle, Receiver<Line>)
where
    H: Fn(&mut Request<'_>, Responder<'_>) -> io::Result<Sent> + Send + Sync + 'static,
{
    let (lines, heard) = channel();
    let server = Server::bind(&Endpoint::Unix(dir.join("s"))).unwrap().observe(move |access| {
        let time = format!(" {:.1?}", access.took);
        let line = access.to_string().replacen(&time, "", usize::from(access.status.is_some()));
        let io = access.error.is_some_and(|error| error.is::<io::Error>());
        lines.send((line, io)).unwrap();
    });
    (server.spawn(handler).unwrap(), heard)
}

fn handler(request: &mut Request<'_>, responder: Responder<'_>) -> io::Result<Sent> {
    let path = String::from_utf8_lossy(request.path()).into_owned();
    match path.as_str() {
        "/ok" => responder.send("six by"),
        "/stream" => {
            let mut body = responder.stream()?;
            body.write_all(b"one")?;
            body.flush()?;
            body.write_all(b"three")?;
            body.finish()
        }
        "/reader" => send_reader(responder, io::repeat(b'x'), 300_000),
        "/status" => responder.status(103).send(""),
        "/field" => responder.field("X", "a\r\nSet-Cookie: b").send("ok"),
        "/coding" => responder.field("Transfer-Encoding", "chunked").send("ok"),
        "/204" => responder.status(204).send("body"),
        "/error" => Err(io::Error::other("db \x1b[2Jgone")),
        "/refusal" => Err(Refusal::new(403, "not you").into()),
        "/panic" => panic!("on purpose: {}", request.method()),
        "/cut" => {
            let mut body = responder.stream()?;
            body.write_all(b"half")?;
            body.flush()?;
            Err(io::Error::other("gave up"))
        }
        "/observer-panics" => responder.send("x"),
        _ => responder.status(404).send("no\n"),
    }
}

#[test]
fn an_observer_learns_how_each_exchange_ended() {
    let dir = TempDir::new();
    let (_handle, heard) = observed(&dir, handler);
    let client = Client::unix(dir.join("s"));
    for (target, want) in [
        ("/ok", "200 6"),
        ("/stream", "200 8"),
        ("/reader", "200 300000"),
        ("/nope?a=1", "404 3"),
        ("/status", "500 55: an interim response is no answer (RFC 9110 §15.2)"),
        ("/coding", "500 55: Transfer-Encoding and Connection are the server's to write"),
        ("/204", "500 55: content with a status-code that has none (RFC 9110 §15)"),
        ("/error", r"500 55: db \x1b[2Jgone"),
        ("/refusal", "403 23: 403 Forbidden: not you"),
        ("/panic", "500 55: the handler panicked: on purpose: GET"),
        ("/cut", "200 4: gave up"),
    ] {
        _ = client.get(target).send().map(unix_http::Response::bytes);
        let (line, is_io) = heard.recv_timeout(PATIENCE).unwrap();
        assert_eq!(line, format!("GET {target} {want}"));
        assert_eq!(is_io, want.contains(':'), "{target}");
    }
    _ = client.get("/field").send();
    assert!(heard.recv_timeout(PATIENCE).unwrap().0.starts_with("GET /field 500 55: "));
    // A response to HEAD has no content.
    _ = client.head("/ok").send().unwrap();
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap().0, "HEAD /ok 200 0");
}

#[test]
fn an_observer_learns_why_a_request_was_refused() {
    let dir = TempDir::new();
    let (_handle, heard) = observed(&dir, handler);
    for (wire, want) in [
        ("GET / HTTP/1.1\r\n\r\n", "GET / 400 "),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT a:1 501 "),
        ("\x01\r\n\r\n", "no request 400 "),
        ("GET / HTTP/1.1\r\nHo", "no request 400 "),
    ] {
        let mut stream = UnixStream::connect(dir.join("s")).unwrap();
        stream.write_all(wire.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let (line, _) = heard.recv_timeout(PATIENCE).unwrap();
        assert!(line.starts_with(want) && line.contains(": "), "{wire:?}: {line}");
    }
}

#[test]
fn a_panic_in_an_observer_is_harmless() {
    let dir = TempDir::new();
    let server = Server::bind(&Endpoint::Unix(dir.join("s"))).unwrap();
    let handle = server.observe(|_| panic!("on purpose")).spawn(handler).unwrap();
    let client = Client::unix(dir.join("s"));
    assert_eq!(client.get("/ok").send().unwrap().text().unwrap(), "six by");
    assert_eq!(client.get("/ok").send().unwrap().text().unwrap(), "six by");
    assert_eq!(handle.stop(PATIENCE), 0);
}

/// Endless server-sent events, as for a log that is followed.
fn ticks(request: &mut Request<'_>, responder: Responder<'_>) -> io::Result<Sent> {
    let mut body = responder.stream()?;
    while !request.is_stopping() {
        body.write_all(b"tick\n")?;
        body.flush()?;
        thread::sleep(Duration::from_millis(1));
    }
    body.write_all(b"bye\n")?;
    body.finish()
}

#[test]
fn an_endless_response_ends_properly_when_the_server_stops() {
    let mut server = serve(ticks);
    let mut stream = server.connect();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    until(&mut stream, "tick\n");
    let started = Instant::now();
    assert_eq!(server.stop(PATIENCE), 0);
    assert!(started.elapsed() < PATIENCE, "it did not wait for the limit");
    assert!(until(&mut stream, "0\r\n\r\n").contains("bye\n"));
}

#[test]
fn a_clone_of_the_handle_stops_a_server_while_another_thread_waits() {
    let dir = TempDir::new();
    let handle = Server::bind(&Endpoint::Unix(dir.join("s"))).unwrap().spawn(ticks).unwrap();
    let stopper = handle.clone();
    let mut stream = UnixStream::connect(dir.join("s")).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    until(&mut stream, "tick\n");
    thread::scope(|scope| {
        scope.spawn(|| handle.wait());
        assert_eq!(stopper.stop(PATIENCE), 0);
    });
    // The file is removed with the listener. A clone that is dropped later stops nothing twice.
    assert!(!dir.join("s").exists());
    drop(stopper);
}

#[test]
fn dropping_a_clone_of_the_handle_stops_nothing() {
    let dir = TempDir::new();
    let handle = Server::bind(&Endpoint::Unix(dir.join("s"))).unwrap().spawn(handler).unwrap();
    drop(handle.clone());
    assert_eq!(Client::unix(dir.join("s")).get("/ok").send().unwrap().status(), 200);
    drop(handle);
    assert!(!dir.join("s").exists());
}

#[test]
fn stopping_does_not_wait_for_a_handler_that_hangs() {
    let dir = TempDir::new();
    let hangs = Arc::new(Barrier::new(2));
    let inside = Arc::clone(&hangs);
    let server = Server::bind(&Endpoint::Unix(dir.join("s"))).unwrap();
    let handle = server.spawn(move |_, responder| {
        inside.wait(); // the handler runs
        inside.wait(); // until the test ends
        responder.send("")
    });
    let handle = handle.unwrap();
    let mut stream = UnixStream::connect(dir.join("s")).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    hangs.wait();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| handle.wait());
        assert_eq!(handle.stop(Duration::ZERO), 1);
        waiting.join().unwrap();
    });
    hangs.wait();
}
