//! One client sends many requests of every kind, without a leak of memory or descriptors.
//!
//! `UNIX_HTTP_TEST_REQUESTS=1000000 cargo test --release --test client many_requests:: --
//! --nocapture` sends a million and prints the figures.

use crate::support::again::alone;
use crate::support::serve::serve;
use std::fs;
use std::io::{self, Read, Write};
use unix_http::server::{Request, Responder, Sent};
use unix_http::{Body, Client};

fn answer(request: &mut Request<'_>, responder: Responder<'_>) -> io::Result<Sent> {
    match (request.method(), request.path()) {
        ("GET", b"/chunked") => {
            let mut body = responder.stream()?;
            for part in [&b"one "[..], b"two ", b"three"] {
                body.write_all(part)?;
                body.flush()?;
            }
            body.finish()
        }
        ("POST" | "PUT", _) => {
            let n = io::copy(request, &mut io::sink())?;
            responder.status(201).send(n.to_string())
        }
        ("GET", b"/large") => responder.send(vec![b'x'; 100_000]),
        ("GET" | "HEAD", b"/") => responder.send("ok"),
        _ => responder.status(404).send("{\"message\":\"No such container: x\"}\n"),
    }
}

/// Sends request `n`, whose number decides its kind.
fn ask(client: &Client, n: u64) {
    let text = |response: unix_http::Response| response.text().expect("its body");
    let sent = "an answer";
    match n % 100 {
        0 => {
            let body = Body::reader(io::Cursor::new(vec![b'x'; 5000]), None);
            assert_eq!(text(client.put("/archive").body(body).send().expect(sent)), "5000");
        }
        1 => {
            assert_eq!(text(client.get("/").field("Connection", "close").send().expect(sent)), "ok")
        }
        // Left unread: the connection cannot be kept.
        2 => drop(client.get("/large").send().expect(sent)),
        3 => {
            let mut response = client.get("/chunked").send().expect(sent);
            response.read_exact(&mut [0; 3]).expect("a beginning");
        }
        4..30 => {
            assert_eq!(text(client.post("/create?name=x").json("{}").send().expect(sent)), "2")
        }
        30..50 => assert_eq!(text(client.get("/chunked").send().expect(sent)), "one two three"),
        50..60 => assert_eq!(client.head("/").send().expect(sent).status(), 200),
        60..70 => assert_eq!(client.get("/containers/x/json").send().expect(sent).status(), 404),
        _ => assert_eq!(text(client.get("/").send().expect(sent)), "ok"),
    }
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

#[test]
fn memory_and_descriptors_do_not_grow() {
    if !alone(module_path!(), "memory_and_descriptors_do_not_grow") {
        return;
    }
    let count = std::env::var("UNIX_HTTP_TEST_REQUESTS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(20_000_u64);
    let server = serve(answer);
    let client = server.client();
    // By then every buffer has its final size and every arena of the allocator exists.
    let warm = (count / 10).min(10_000);
    (0..warm).for_each(|n| ask(&client, n));
    let (memory, open) = (resident_kib(), descriptors());
    (warm..count).for_each(|n| ask(&client, n));
    let (memory_after, open_after) = (resident_kib(), descriptors());
    println!("{warm} requests: {memory} KiB resident, {open} descriptors");
    println!("{count} requests: {memory_after} KiB resident, {open_after} descriptors");
    // The server's threads may not have closed the last connections yet.
    assert!(open_after <= open + 8, "{open} descriptors, then {open_after}");
    assert!(memory_after < memory + 4096, "{memory} KiB, then {memory_after} KiB");
}
