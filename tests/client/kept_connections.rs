//! Kept connections that the peer closed, or on which it sent bytes, while they were idle.

use crate::support::fake::Fake;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use unix_http::client::ClientEvent;
use unix_http::{Client, Endpoint};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";

/// `RFC 9112 §9.2`: bytes that arrive without a request are not a response. A connection that the
/// peer has closed is not used, even after a short time.
#[test]
fn an_idle_connection_is_checked_before_reuse() {
    const UNASKED: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nNOTYOURS";
    const LATE: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n";
    for (after, is_reused) in [(UNASKED, false), (LATE, false), (b"x", false), (b"", true)] {
        let (said, idle) = mpsc::channel();
        let server = Fake::start(move |peer| {
            peer.read_until(b"\r\n\r\n")?;
            peer.send(OK)?;
            if peer.connection == 0 {
                peer.read_until(b"\r\n\r\n")?;
                peer.send(OK)?;
                peer.send(after)?;
                said.send(()).unwrap();
                peer.read_until(b"\r\n\r\n")?;
                peer.send(OK)?;
            }
            peer.read_to_end()
        });
        let client = Client::unix(server.path());
        let mut response = client.get("/1").send().unwrap();
        response.read_to_end(&mut Vec::new()).unwrap();
        drop(response);
        assert_eq!(client.get("/2").send().unwrap().text().unwrap(), "OK");
        idle.recv().unwrap();
        thread::sleep(Duration::from_millis(5));
        let response = client.post("/3").send().unwrap();
        assert_eq!((response.status(), response.is_reused()), (200, is_reused));
        assert_eq!(response.text().unwrap(), "OK", "{}", after.escape_ascii());
    }
}

/// Reads and answers this many requests without content.
fn answer(peer: &mut (impl Read + Write), requests: usize) {
    for _ in 0..requests {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            peer.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        peer.write_all(OK).unwrap();
    }
}

#[test]
fn a_post_over_tcp_avoids_a_connection_that_the_peer_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    let (closed, is_closed) = mpsc::channel();
    let server = thread::spawn(move || {
        for requests in [2, 1] {
            let (mut peer, _) = listener.accept().unwrap();
            answer(&mut peer, requests);
            drop(peer);
            closed.send(()).unwrap();
        }
    });
    let client = Client::new(endpoint.parse().unwrap());
    client.get("/1").send().unwrap().bytes().unwrap();
    client.get("/2").send().unwrap().bytes().unwrap();
    is_closed.recv().unwrap();
    thread::sleep(Duration::from_millis(5));
    assert!(!client.post("/3").send().unwrap().is_reused());
    server.join().unwrap();
}

/// Returns a client, and a function that returns the events of its connections.
fn observed(server: &Fake) -> (Client, impl Fn() -> String) {
    let (say, heard) = mpsc::channel();
    let client = Client::builder(Endpoint::Unix(server.path())).observe(move |event| {
        let line = match event {
            ClientEvent::Connected(n) => format!("connected {n}"),
            ClientEvent::Reused(n) => format!("reused {n}"),
            ClientEvent::Stale(n) => format!("stale {n}"),
            ClientEvent::Kept(n) => format!("kept {n}"),
            ClientEvent::Upgraded(n) => format!("upgraded {n}"),
            ClientEvent::Closed(n) => format!("closed {n}"),
            _ => return,
        };
        say.send(line).unwrap();
    });
    (client.build(), move || heard.try_iter().collect::<Vec<_>>().join(", "))
}

#[test]
fn every_end_of_a_connection_is_reported() {
    // The second request on the first connection fails, and so does the only one on the second.
    let server = Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        if peer.connection == 0 {
            peer.send(OK)?;
            peer.read_until(b"\r\n\r\n")?;
        }
        Ok(())
    });
    let (client, heard) = observed(&server);
    client.get("/").send().unwrap().bytes().unwrap();
    client.get("/").send().unwrap_err();
    let said = "connected 0, kept 0, reused 0, stale 0, closed 0, connected 1, closed 1";
    assert_eq!(heard(), said);

    // The peer closes while the connection is idle.
    let server = Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(OK)?;
        if peer.connection > 0 { peer.read_to_end() } else { Ok(()) }
    });
    let (client, heard) = observed(&server);
    client.get("/").send().unwrap().bytes().unwrap();
    server.closed(1);
    thread::sleep(Duration::from_millis(5));
    client.get("/").send().unwrap().bytes().unwrap();
    assert_eq!(heard(), "connected 0, kept 0, closed 0, connected 1, kept 1");

    let server = Fake::answer(&b"HTTP/1.1 200 OK\r\n\r\nraw"[..]);
    let (client, heard) = observed(&server);
    client.post("/attach").send().unwrap().into_upgraded().unwrap();
    assert_eq!(heard(), "connected 0, upgraded 0");
}

#[test]
fn a_client_can_use_a_stream_that_the_caller_connected() {
    let answers =
        |mut peer: UnixStream, requests: usize| thread::spawn(move || answer(&mut peer, requests));
    let (ours, theirs) = UnixStream::pair().unwrap();
    let peer = answers(theirs, 2);
    let client = Client::over(ours);
    for is_reused in [false, true] {
        let response = client.get("/").send().unwrap();
        assert_eq!((response.is_reused(), response.text().unwrap()), (is_reused, "OK".into()));
    }
    peer.join().unwrap();
    let error = client.get("/").send().unwrap_err();
    assert!(error.is_connect() && error.to_string().contains("is used up"), "{error}");

    // With an endpoint, the client then connects to it.
    let server = Fake::answer(OK);
    let (ours, theirs) = UnixStream::pair().unwrap();
    let peer = answers(theirs, 1);
    let client = Client::builder(Endpoint::Unix(server.path())).over(OwnedFd::from(ours));
    client.get("/1").send().unwrap().bytes().unwrap();
    peer.join().unwrap();
    assert_eq!(client.get("/2").send().unwrap().text().unwrap(), "OK");
}
