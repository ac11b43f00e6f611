//! Exchanges that another thread ends.

use crate::support::fake::Fake;
use std::io::{self, Read};
use std::sync::mpsc;
use std::thread;
use unix_http::client::Canceller;
use unix_http::{Body, Client, Error};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";

/// Answers with `answer`, then waits for the client's end.
fn silent_after(answer: &'static [u8]) -> Fake {
    Fake::start(move |peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(answer)?;
        peer.read_to_end()
    })
}

/// Cancels after `content` was received, and returns the error of the next read.
fn cancelled_after(answer: &'static [u8], content: &[u8]) -> Error {
    let server = silent_after(answer);
    let (client, canceller) = (Client::unix(server.path()), Canceller::default());
    let mut response = client.get("/logs?follow=1").canceller(&canceller).send().unwrap();
    let (arrived, has_arrived) = mpsc::channel();
    let stop = thread::spawn(move || {
        has_arrived.recv().unwrap();
        canceller.cancel();
    });
    let mut got = vec![0; content.len()];
    response.read_exact(&mut got).unwrap();
    assert_eq!(got, content);
    arrived.send(()).unwrap();
    let error = io::copy(&mut response, &mut io::sink()).unwrap_err();
    response.read(&mut [0]).expect_err("the error stays");
    stop.join().unwrap();
    error.downcast().unwrap()
}

#[test]
fn a_cancelled_body_ends_with_its_own_error() {
    let answers: [&[u8]; 3] = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\none\n",
        // A closed connection would end this body, but a cancelled one must not.
        b"HTTP/1.1 200 OK\r\n\r\none\n",
    ];
    for answer in answers {
        let error = cancelled_after(answer, b"one\n");
        assert!(matches!(error, Error::Cancelled), "{error}");
        let error = io::Error::from(error);
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
        assert_eq!(error.to_string(), "the exchange was cancelled");
    }
}

/// Without the cancellation, a GET on a kept connection would be retried on a new one.
#[test]
fn a_cancelled_request_ends_and_is_not_retried() {
    let (asked, is_asked) = mpsc::channel();
    let server = Fake::start(move |peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(OK)?;
        peer.read_until(b"\r\n\r\n")?;
        asked.send(()).unwrap();
        peer.read_to_end()
    });
    let client = Client::unix(server.path());
    client.get("/").send().unwrap().bytes().unwrap();
    let canceller = Canceller::default();
    let error = thread::scope(|scope| {
        let stop = canceller.clone();
        scope.spawn(move || {
            is_asked.recv().unwrap();
            stop.cancel();
        });
        client.get("/wait").canceller(&canceller).send().unwrap_err()
    });
    assert!(matches!(error, Error::Cancelled), "{error}");
    let error = client.get("/later").canceller(&canceller).send().unwrap_err();
    assert!(matches!(error, Error::Cancelled), "{error}");
    drop(client);
    let received = server.received();
    assert!(received.iter().all(|requests| !requests.windows(5).any(|part| part == b"later")));
}

#[test]
fn an_upload_with_a_blocked_source_can_be_cancelled() {
    struct Blocked(mpsc::Receiver<()>);
    impl Read for Blocked {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            _ = self.0.recv();
            Ok(0)
        }
    }
    let server = silent_after(OK);
    let (release, blocked) = mpsc::channel();
    let (client, canceller) = (Client::unix(server.path()), Canceller::default());
    let request = client.put("/up").body(Body::reader(Blocked(blocked), None));
    let mut response = request.canceller(&canceller).send().unwrap();
    thread::spawn(move || canceller.cancel());
    let error = response.read_to_end(&mut Vec::new()).unwrap_err().downcast().unwrap();
    assert!(matches!(error, Error::Cancelled), "{error}");
    drop((response, release));
}

/// By then the connection belongs to the next exchange.
#[test]
fn cancelling_a_finished_exchange_has_no_effect() {
    let server = Fake::start(|peer| {
        loop {
            peer.read_until(b"\r\n\r\n")?;
            peer.send(OK)?;
        }
    });
    let client = Client::unix(server.path());
    let canceller = Canceller::default();
    let response = client.get("/").canceller(&canceller).send().unwrap();
    assert_eq!(response.text().unwrap(), "OK");
    let response = client.get("/").send().unwrap();
    canceller.cancel();
    assert!(response.is_reused());
    assert_eq!(response.text().unwrap(), "OK");
    assert!(client.get("/").send().unwrap().is_reused());
}
