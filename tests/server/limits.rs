//! The server with many connections: time limits, the connection limit, and shutdown.

use crate::support::again::alone;
use crate::support::serve::{PATIENCE, Served, rest, serve, serve_within, statuses, until};
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use unix_http::Error;
use unix_http::server::{Limits, Request, Responder, Sent, Server};
use unix_http::transport::Endpoint;

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
/// Longer than a busy machine delays a thread.
const SHORT: Option<Duration> = Some(Duration::from_millis(400));

/// A gate at which handlers wait.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<(usize, bool)>, Condvar)>);

impl Gate {
    fn pass(&self) {
        let mut state = self.0.0.lock().unwrap();
        state.0 += 1;
        self.0.1.notify_all();
        drop(self.0.1.wait_while(state, |state| !state.1).unwrap());
    }

    /// Waits until this many handlers wait.
    fn reached_by(&self, count: usize) {
        let state = self.0.0.lock().unwrap();
        let (state, late) =
            self.0.1.wait_timeout_while(state, PATIENCE, |state| state.0 < count).unwrap();
        assert!(!late.timed_out(), "{} handlers of {count}", state.0);
    }

    fn open(&self) {
        self.0.0.lock().unwrap().1 = true;
        self.0.1.notify_all();
    }
}

fn ok(_: &mut Request<'_>, responder: Responder<'_>) -> io::Result<Sent> {
    responder.send("ok")
}

fn read_all(request: &mut Request<'_>, responder: Responder<'_>) -> io::Result<Sent> {
    let n = io::copy(request, &mut io::sink())?;
    responder.send(n.to_string())
}

/// Sends a request on a connection that stays open, and reads the response.
#[track_caller]
fn ask(stream: &mut UnixStream) {
    stream.write_all(GET).unwrap();
    let answer = until(stream, "ok");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[test]
fn a_head_must_arrive_within_its_limit() {
    let server = serve_within(Limits::default().head(SHORT), ok);
    let mut stream = server.connect();
    stream.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    let answer = rest(&mut stream);
    assert_eq!(statuses(&answer).unwrap(), [408]);
    assert!(
        answer.ends_with("408 Request Timeout: the head did not come whole within 400ms\n"),
        "{answer}"
    );

    // A byte now and then does not help.
    let mut stream = server.connect();
    for byte in b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: abcdefghijkl" {
        let _ = stream.write_all(&[*byte]);
        thread::sleep(Duration::from_millis(12));
    }
    assert_eq!(statuses(&rest(&mut stream)).unwrap(), [408]);
}

#[test]
fn an_idle_connection_is_closed_without_a_response() {
    let server = serve_within(Limits::default().idle(SHORT), ok);
    let mut stream = server.connect();
    assert_eq!(rest(&mut stream), "");
    let mut stream = server.connect();
    ask(&mut stream);
    assert_eq!(rest(&mut stream), "");
}

#[test]
fn content_must_keep_moving() {
    let server = serve_within(Limits::default().silence(SHORT), read_all);
    let mut stream = server.connect();
    stream.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc").unwrap();
    let answer = rest(&mut stream);
    assert_eq!(statuses(&answer).unwrap(), [408]);
    assert!(answer.ends_with("408 Request Timeout: nothing came for 400ms\n"), "{answer}");
    // Nor may a client stop reading the response.
    let ended = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&ended);
    let server = serve_within(Limits::default().silence(SHORT), move |_, responder| {
        let sent = responder.send(vec![0; 8 << 20]);
        flag.store(true, Ordering::SeqCst);
        sent
    });
    let mut stream = server.connect();
    stream.write_all(GET).unwrap();
    let begun = Instant::now();
    while !ended.load(Ordering::SeqCst) {
        assert!(begun.elapsed() < PATIENCE, "it still waits for its client");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn the_connection_that_is_idle_longest_makes_room() {
    let server = serve_within(Limits::default().connections(4), ok);
    let mut streams: Vec<UnixStream> = Vec::new();
    for _ in 0..20 {
        // Each is answered before the next connects, so their order is certain.
        let mut stream = server.connect();
        ask(&mut stream);
        streams.push(stream);
    }
    // The last connection found the server full: the server has closed the oldest one and kept the
    // others.
    let mut oldest = streams.remove(0);
    assert_eq!(rest(&mut oldest), "");
    assert!(statuses(&answer_now(&server)).unwrap() == [200]);
}

fn answer_now(server: &Served) -> String {
    server.talk(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
}

#[test]
fn slow_heads_do_not_keep_others_out() {
    let server = serve_within(Limits::default().connections(8), ok);
    let slow: Vec<UnixStream> = (0..40)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX").unwrap();
            stream
        })
        .collect();
    for _ in 0..20 {
        assert_eq!(statuses(&answer_now(&server)).unwrap(), [200]);
    }
    drop(slow);
}

#[test]
fn a_new_connection_waits_while_all_are_busy() {
    let (gate, at_once, most) =
        (Gate::default(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (for_handler, now, peak) = (gate.clone(), Arc::clone(&at_once), Arc::clone(&most));
    let server = serve_within(Limits::default().connections(3), move |_, responder| {
        peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        for_handler.pass();
        now.fetch_sub(1, Ordering::SeqCst);
        responder.send("ok")
    });
    let mut streams: Vec<UnixStream> = (0..10)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(GET).unwrap();
            stream
        })
        .collect();
    gate.reached_by(3);
    gate.open();
    for stream in &mut streams {
        let answer = until(stream, "ok");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[test]
fn many_threads_share_one_client() {
    let server = serve_within(Limits::default().connections(16), |request, responder| {
        let query = request.query().unwrap_or_default().to_vec();
        responder.send(query)
    });
    let client = server.client();
    thread::scope(|scope| {
        for thread in 0..32 {
            let client = client.clone();
            scope.spawn(move || {
                for i in 0..50 {
                    let target = format!("/?{thread}-{i}");
                    assert_eq!(client.get(&target).send().unwrap().text().unwrap(), target[2..]);
                }
            });
        }
    });
}

#[test]
fn stopping_lets_running_exchanges_finish() {
    let gate = Gate::default();
    let for_handler = gate.clone();
    let mut server = serve(move |_, responder| {
        for_handler.pass();
        responder.send("ok")
    });
    let mut idle = server.connect();
    let mut running = server.connect();
    running.write_all(GET).unwrap();
    gate.reached_by(1);
    let socket = server.dir.join("s");
    thread::scope(|scope| {
        let stopped = scope.spawn(|| server.stop(PATIENCE));
        assert_eq!(rest(&mut idle), "");
        // From then on no client can connect, and the socket file is gone.
        let begun = Instant::now();
        while UnixStream::connect(&socket).is_ok() || socket.exists() {
            assert!(begun.elapsed() < PATIENCE, "still there");
            thread::sleep(Duration::from_millis(2));
        }
        gate.open();
        let answer = rest(&mut running);
        assert!(answer.ends_with("Connection: close\r\n\r\nok"), "{answer}");
        assert_eq!(stopped.join().unwrap(), 0);
    });
}

#[test]
fn stopping_cuts_exchanges_that_do_not_finish() {
    let mut server = serve(|request, responder| {
        let mut body = responder.stream()?;
        body.write_all(b"begun")?;
        body.flush()?;
        io::copy(request, &mut io::sink())?;
        body.finish()
    });
    let client = server.client();
    let mut response = client.post("/").body(unix_http::Body::reader(Silent, None)).send().unwrap();
    let mut begun = [0; 5];
    response.read_exact(&mut begun).unwrap();
    assert_eq!(server.stop(Duration::from_millis(20)), 0);
    let error = response.read(&mut begun).unwrap_err().downcast::<Error>().unwrap();
    assert!(matches!(error, Error::Incomplete(_)), "{error:?}");
}

/// An upload that sends nothing until its connection is closed.
struct Silent;

impl Read for Silent {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        thread::sleep(Duration::from_millis(100));
        out[0] = b'x';
        Ok(1)
    }
}

#[test]
fn a_handler_that_waits_counts_as_a_connection() {
    let gate = Gate::default();
    let for_handler = gate.clone();
    let mut server = serve(move |_, responder| {
        for_handler.pass();
        responder.send("ok")
    });
    let mut stream = server.connect();
    stream.write_all(GET).unwrap();
    gate.reached_by(1);
    assert_eq!(server.stop(Duration::ZERO), 1);
    gate.open();
    assert_eq!(rest(&mut stream), "");
}

#[test]
fn the_socket_file_of_another_server_is_kept() {
    let mut server = serve(ok);
    let socket = server.dir.join("s");
    fs::remove_file(&socket).unwrap();
    let other = UnixListener::bind(&socket).unwrap();
    server.stop(PATIENCE);
    assert!(UnixStream::connect(&socket).is_ok());
    drop(other);
    // A stale socket is replaced, a live one is not.
    let endpoint = Endpoint::Unix(socket);
    let first = Server::bind(&endpoint).unwrap().spawn(ok).unwrap();
    let error = Server::bind(&endpoint).unwrap_err().to_string();
    assert!(error.contains("another process listens on it"), "{error}");
    assert_eq!(first.stop(PATIENCE), 0);
}

#[test]
fn a_handler_notices_that_its_client_has_left() {
    let noticed = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&noticed);
    let server = serve(move |request, responder| {
        let mut body = responder.stream()?;
        body.flush()?;
        while !request.is_gone() {
            thread::sleep(Duration::from_millis(2));
        }
        flag.store(true, Ordering::SeqCst);
        body.finish()
    });
    let mut stream = server.connect();
    // A pipelined request shows that the client is still there, and is not lost.
    stream.write_all(GET).unwrap();
    until(&mut stream, "\r\n\r\n");
    assert!(!noticed.load(Ordering::SeqCst));
    drop(stream);
    let begun = Instant::now();
    while !noticed.load(Ordering::SeqCst) {
        assert!(begun.elapsed() < PATIENCE, "not noticed");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn checking_for_a_client_loses_no_byte() {
    let server = serve(|request, responder| {
        // Polls until the first byte of the next request has arrived.
        let path = request.path().to_vec();
        for _ in 0..50 {
            assert!(path == b"/last" || !request.is_gone());
            thread::sleep(Duration::from_millis(1));
        }
        responder.send("ok")
    });
    let mut stream = server.connect();
    stream.write_all(b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    thread::sleep(Duration::from_millis(5));
    stream.write_all(b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    assert_eq!(statuses(&rest(&mut stream)).unwrap(), [200, 200]);
}

#[test]
fn a_thousand_idle_connections_take_little_memory() {
    if !alone(module_path!(), "a_thousand_idle_connections_take_little_memory") {
        return;
    }
    let limit = Limits::default().connections(1100);
    let server = serve_within(limit, ok);
    let memory = || {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
    };
    let before = memory();
    // Each takes two descriptors, because both ends are in this process.
    let mut streams = Vec::new();
    while streams.len() < 1000 {
        let Ok(mut stream) = UnixStream::connect(server.dir.join("s")) else { break };
        stream.write_all(GET).unwrap();
        streams.push(stream);
        if streams.len() >= 400
            && fs::read_dir("/proc/self/fd").map_or(0, Iterator::count) >= descriptors() - 60
        {
            break;
        }
    }
    for stream in &mut streams {
        until(stream, "ok");
    }
    let (count, grown) = (streams.len() as u64, memory().saturating_sub(before));
    println!("{count} idle connections: {grown} KiB, {} each", grown / count);
    assert!(count >= 400 && grown / count < 64, "{count} connections, {grown} KiB");
    ask(&mut streams[0]);
}

/// Returns the limit of descriptors for this process.
fn descriptors() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line =
        limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap_or("1024");
    line.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(1024)
}
