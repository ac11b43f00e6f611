//! The limits of the live page: what it keeps, and that no page slows the relay.

use super::page::shown;
use crate::support::serve::{PATIENCE, serve};
use crate::support::web::{WebClient, WebEvent, list, number, text};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, SystemTime};
use unix_http::json::Value;
use unix_http::tap::{Origin, Page, Relay};
use unix_http::traffic::Side::{Client, Server};
use unix_http::transport::{Endpoint, Listener};

/// The limits of the page, as its documentation names them.
const EXCHANGE_LIMIT: usize = 10_000;
const BYTE_LIMIT: usize = 32 << 20;
const BODY_LIMIT: usize = 128 << 10;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn old_exchanges_are_dropped_and_counted() {
    let shown = shown();
    let more = 50;
    for n in 0..EXCHANGE_LIMIT + more {
        shown.says(1, Client, 0, format!("GET /{n} HTTP/1.1\r\nHost: x\r\n\r\n"));
        shown.says(1, Server, 0, OK);
    }
    shown.observer.finish();
    let events = shown.web.events(None).until(|event| event.name == "end");
    assert_eq!((events[0].name.as_str(), events[1].name.as_str()), ("about", "dropped"));
    let dropped = &events[1].data;
    assert_eq!((number(dropped, "exchanges"), number(dropped, "before")), (50, 51));
    let ids = events.iter().filter(|event| event.name == "exchange");
    let ids: Vec<i64> = ids.map(|event| number(&event.data, "id")).collect();
    let want: Vec<i64> = (more as i64 + 1..=(EXCHANGE_LIMIT + more) as i64).collect();
    assert_eq!(ids, want);
    assert_eq!(shown.web.get("exchange/50").0, 404);
    assert_eq!(text(shown.web.detail(51, "").get("summary").unwrap(), "target"), "/50");
}

#[test]
fn large_heads_and_bodies_push_out_old_exchanges() {
    let shown = shown();
    let field = "x".repeat(100_000);
    let count = 2 * BYTE_LIMIT / 200_000;
    for _ in 0..count {
        shown.says(1, Client, 0, format!("GET / HTTP/1.1\r\nHost: x\r\nX: {field}\r\n\r\n"));
        shown.says(1, Server, 0, OK);
    }
    shown.observer.finish();
    let events = shown.web.events(None).until(|event| event.name == "end");
    let dropped = number(&events[1].data, "exchanges") as usize;
    assert!((count / 3..count).contains(&dropped), "{dropped} of {count}");
    assert_eq!(events.len(), count - dropped + 3);
}

/// Only the first interim heads of a response are kept, so the others take no room.
#[test]
fn many_interim_heads_push_nothing_out() {
    let shown = shown();
    shown.says(1, Client, 0, "GET /first HTTP/1.1\r\nHost: x\r\n\r\n");
    shown.says(1, Server, 0, OK);
    shown.says(1, Client, 0, "GET /second HTTP/1.1\r\nHost: x\r\n\r\n");
    let interim = "HTTP/1.1 102 Processing\r\n\r\n";
    let many = interim.repeat(1000);
    for _ in 0..BYTE_LIMIT / many.len() {
        shown.says(1, Server, 0, &many);
    }
    shown.says(1, Server, 0, OK);
    shown.observer.finish();
    assert_eq!(text(shown.web.detail(1, "").get("summary").unwrap(), "target"), "/first");
}

/// A large body is counted, its beginning is kept, and few events tell its changes.
#[test]
fn a_body_of_100_mib_is_counted_and_makes_few_events() {
    let shown = shown();
    let size = 100 << 20;
    let head = "Content-Type: application/octet-stream\r\n";
    shown.says(1, Client, 0, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
    shown.says(1, Server, 0, format!("HTTP/1.1 200 OK\r\n{head}Content-Length: {size}\r\n\r\n"));
    let mut events = shown.web.events(None);
    let part = vec![7; 16 << 10];
    for at in 0..size / part.len() {
        shown.says(1, Server, at as u64, &part);
    }
    shown.observer.finish();
    let events = events.until(|event| event.name == "end");
    assert!(events.len() < 600, "{} events", events.len());
    let last = &events[events.len() - 2].data;
    assert_eq!((number(last, "received"), text(last, "state")), (size as i64, "done"));
    let detail = shown.web.detail(1, "");
    let body = list(&detail, "messages")[1].get("body").unwrap();
    assert_eq!((number(body, "bytes"), number(body, "kept")), (size as i64, BODY_LIMIT as i64));
    let hex: usize = list(&detail, "pieces").iter().map(|piece| text(piece, "hex").len()).sum();
    assert_eq!(hex, 2 * BODY_LIMIT);
}

/// The events do not fit into the buffers of a page that never reads. The requests pass the relay.
#[test]
fn a_page_that_does_not_read_does_not_stop_the_relay() {
    let served = serve(|_, responder| responder.send("ok"));
    let target = Endpoint::Unix(served.dir.join("s"));
    let origin = Origin::new("a test", target.clone(), SystemTime::now());
    let any = Endpoint::Tcp { host: "127.0.0.1".into(), port: 0 };
    let page = Page::bind(&any, origin).unwrap();
    let listener = Listener::bind(&Endpoint::Unix(served.dir.join("tap"))).unwrap();
    let relay = Relay::new(listener, target).observe(page.observer());
    let stopper = relay.stopper().unwrap();
    let run = thread::spawn(move || relay.run());

    let web = WebClient::new(page.url());
    let mut deaf = TcpStream::connect(&web.authority).unwrap();
    let request = format!("GET {}events HTTP/1.1\r\nHost: {}\r\n\r\n", web.path, web.authority);
    deaf.write_all(request.as_bytes()).unwrap();
    deaf.read_exact(&mut [0; 12]).unwrap();

    let mut client = UnixStream::connect(served.dir.join("tap")).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let target = "x".repeat(1000);
    let request = format!("GET /{target} HTTP/1.1\r\nHost: x\r\n\r\n").repeat(10);
    let mut got = vec![0; 4096];
    for _ in 0..EXCHANGE_LIMIT / 10 {
        client.write_all(request.as_bytes()).unwrap();
        let mut answers = Vec::new();
        while answers.windows(6).filter(|part| part == b"\r\n\r\nok").count() < 10 {
            let n = client.read(&mut got).unwrap();
            answers.extend_from_slice(&got[..n]);
        }
    }
    // Meanwhile another page gets everything.
    let last = |event: &WebEvent| {
        event.name == "exchange" && number(&event.data, "id") == EXCHANGE_LIMIT as i64
    };
    let events = web.events(None).until(last);
    let bytes: usize = events.iter().map(|event| event.data.to_string().len()).sum();
    assert!(bytes > 8 << 20, "more than the buffers of a socket hold: {bytes}");
    stopper.stop(Duration::ZERO);
    assert_eq!(run.join().unwrap(), [""; 0]);
    drop(page);
    assert_eq!(events[0].data.get("recording"), Some(&Value::Bool(false)));
}
