//! The relay forwards every byte at once in both directions, and leaves nothing behind.

use crate::support::again::alone;
use crate::support::temp::TempDir;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use unix_http::tap::{Relay, TapStopper};
use unix_http::traffic::{Event, Observer, Text};
use unix_http::transport::{Endpoint, Listener};

/// The events, in short form.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Observer for Seen {
    fn see(&self, connection: u64, _: Duration, event: &Event<'_>) {
        let line = match event {
            Event::Request(x) => format!("{connection} {}", x.target().escape_ascii()),
            Event::Response(x) => format!("{connection} {}", x.response.as_ref().unwrap().status()),
            Event::Refused(why) => format!("{connection} refused: {why}"),
            Event::Fault(_, side, fault) => format!("{connection} {side}: {fault}"),
            Event::Closed => format!("{connection} closed"),
            _ => return,
        };
        self.0.lock().unwrap().push(line);
    }
}

impl Seen {
    fn of(&self, connection: u64) -> Vec<String> {
        let prefix = format!("{connection} ");
        self.0
            .lock()
            .unwrap()
            .iter()
            .filter_map(|line| line.strip_prefix(&prefix).map(str::to_owned))
            .collect()
    }
}

/// A relay in front of a listener that the test controls.
struct Setup {
    dir: TempDir,
    server: UnixListener,
    seen: Seen,
    stopper: TapStopper,
    run: Option<thread::JoinHandle<Vec<String>>>,
}

impl Setup {
    fn new() -> Setup {
        Setup::observed(|relay| relay)
    }

    fn observed(add: impl FnOnce(Relay) -> Relay) -> Setup {
        let dir = TempDir::new();
        let listener = Listener::bind(&Endpoint::Unix(dir.join("tap"))).unwrap();
        Setup::on(dir, listener, add)
    }

    fn on(dir: TempDir, listener: Listener, add: impl FnOnce(Relay) -> Relay) -> Setup {
        let server = UnixListener::bind(dir.join("server")).unwrap();
        let seen = Seen::default();
        let relay =
            add(Relay::new(listener, Endpoint::Unix(dir.join("server"))).observe(seen.clone()));
        let stopper = relay.stopper().unwrap();
        let run = Some(thread::spawn(move || relay.run()));
        Setup { dir, server, seen, stopper, run }
    }

    fn path(&self) -> PathBuf {
        self.dir.join("tap")
    }

    /// The client's end and the server's end of a connection.
    fn pair(&self) -> (UnixStream, UnixStream) {
        let client = UnixStream::connect(self.path()).unwrap();
        let (server, _) = self.server.accept().unwrap();
        for stream in [&client, &server] {
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            stream.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
        }
        (client, server)
    }

    fn stop(&mut self) -> Seen {
        self.stopper.stop(Duration::from_secs(5));
        self.run.take().unwrap().join().unwrap();
        self.seen.clone()
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        if let Some(run) = self.run.take() {
            self.stopper.stop(Duration::ZERO);
            let _ = run.join();
        }
    }
}

fn read_some(stream: &mut UnixStream) -> Vec<u8> {
    let mut buffer = [0; 4096];
    let n = stream.read(&mut buffer).unwrap();
    buffer[..n].to_vec()
}

fn bytes(n: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..n).map(|_| next()).collect()
}

const GET: &[u8] = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

#[test]
fn any_bytes_pass_in_both_directions_at_once() {
    let mut setup = Setup::new();
    let (mut client, mut server) = setup.pair();
    let (up, down) = (bytes(3 << 20, 1), bytes(5 << 20, 2));
    let (got_up, got_down) = thread::scope(|scope| {
        let read = |mut stream: UnixStream| {
            scope.spawn(move || {
                let mut all = Vec::new();
                stream.read_to_end(&mut all).map(|_| all)
            })
        };
        let readers = (read(server.try_clone().unwrap()), read(client.try_clone().unwrap()));
        scope.spawn(|| {
            client.write_all(&up).and_then(|()| client.shutdown(Shutdown::Write)).unwrap()
        });
        server.write_all(&down).and_then(|()| server.shutdown(Shutdown::Write)).unwrap();
        (readers.0.join().unwrap().unwrap(), readers.1.join().unwrap().unwrap())
    });
    assert!(got_up == up && got_down == down);
    let seen = setup.stop().of(1);
    assert!(
        seen.iter().any(|line| line.starts_with("client: ")),
        "bytes that are no HTTP are said to be none: {seen:?}"
    );
    assert_eq!(seen.last().unwrap(), "closed");
}

/// Each byte is forwarded before the relay waits for the next.
#[test]
fn every_byte_is_forwarded_at_once() {
    let setup = Setup::new();
    let (mut client, mut server) = setup.pair();
    for byte in GET {
        client.write_all(&[*byte]).unwrap();
        assert_eq!(read_some(&mut server), [*byte]);
    }
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!" {
        server.write_all(&[*byte]).unwrap();
        assert_eq!(read_some(&mut client), [*byte]);
    }
    drop((client, server));
}

/// The standard input of a container ends this way, and the other direction continues.
#[test]
fn a_half_close_passes_in_both_directions() {
    for client_first in [true, false] {
        let mut setup = Setup::new();
        let (client, server) = setup.pair();
        let (mut first, mut second) =
            if client_first { (client, server) } else { (server, client) };
        first.write_all(b"last words").unwrap();
        first.shutdown(Shutdown::Write).unwrap();
        let mut heard = String::new();
        second.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "last words");
        second.write_all(b"answer").unwrap();
        assert_eq!(read_some(&mut first), b"answer");
        drop(second);
        assert_eq!(read_some(&mut first), b"");
        drop(first);
        setup.stop();
    }
}

/// The server answers early and stops reading. Its response must arrive.
#[test]
fn an_early_response_survives_a_broken_upload() {
    let mut setup = Setup::new();
    let (mut client, mut server) = setup.pair();
    client.write_all(b"PUT /big HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n").unwrap();
    let _ = read_some(&mut server);
    let answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnope";
    server.write_all(answer).unwrap();
    drop(server);
    let block = vec![0; 1 << 16];
    let error =
        (0..1000).find_map(|_| client.write_all(&block).err()).expect("the upload breaks off");
    assert!(matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{error}");
    let mut heard = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = client.read(&mut buffer) {
        heard.extend_from_slice(&buffer[..n]);
    }
    assert_eq!(heard, answer);
    drop(client);
    assert!(setup.stop().of(1).contains(&"404".to_owned()));
}

/// A server that keeps writing notices that its client has left, as without the relay.
#[test]
fn the_server_notices_that_its_client_has_left() {
    let mut setup = Setup::new();
    let (mut client, mut server) = setup.pair();
    client.write_all(GET).unwrap();
    let _ = read_some(&mut server);
    drop(client);
    let mut rest = Vec::new();
    server.read_to_end(&mut rest).unwrap();
    let block = vec![0; 1 << 12];
    let error = (0..1000).find_map(|_| server.write_all(&block).err()).expect("nobody reads");
    // It is a reset if the relay had unread bytes when it closed.
    assert!(matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{error}");
    drop(server);
    assert_eq!(
        setup.stop().of(1),
        ["/a", "server: not an HTTP/1 message at byte 0 (RFC 9112 §2.3)", "closed"]
    );
}

/// A response can overtake its request on the way to the observers, but they must see the request
/// first.
#[test]
fn observers_see_a_request_before_its_response() {
    let mut setup = Setup::new();
    let (mut client, mut server) = setup.pair();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(1..) = server.read(&mut buffer) {
                server.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
            }
        });
        for n in 0..2000 {
            client.write_all(format!("GET /{n} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
            assert_eq!(read_some(&mut client).len(), 27);
        }
        drop(client);
    });
    let seen = setup.stop().of(1);
    let want: Vec<String> = (0..2000)
        .flat_map(|n| [format!("/{n}"), "204".to_owned()])
        .chain(["closed".into()])
        .collect();
    assert_eq!(seen, want);
}

/// A blocked observer delays reading from one side, but neither the bytes already read nor the
/// other side.
#[test]
fn a_blocked_observer_does_not_delay_bytes_already_read() {
    #[derive(Clone, Default)]
    struct Stuck(Arc<(Mutex<bool>, Condvar)>);
    impl Observer for Stuck {
        fn see(&self, _: u64, _: Duration, event: &Event<'_>) {
            if let Event::Request(_) = event {
                let free = self.0.0.lock().unwrap();
                drop(self.0.1.wait_while(free, |free| !*free).unwrap());
            }
        }
    }
    let stuck = Stuck::default();
    let mut setup = Setup::observed(|relay| relay.observe(stuck.clone()));
    let (mut client, mut server) = setup.pair();
    client.write_all(GET).unwrap();
    assert_eq!(read_some(&mut server), GET);
    server.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
    assert_eq!(read_some(&mut client).len(), 27);
    *stuck.0.0.lock().unwrap() = true;
    stuck.0.1.notify_all();
    drop((client, server));
    assert_eq!(setup.stop().of(1), ["/a", "204", "closed"]);
}

#[test]
fn a_missing_target_is_reported_in_http() {
    let mut setup = Setup::new();
    fs::remove_file(setup.dir.join("server")).unwrap();
    let mut client = UnixStream::connect(setup.path()).unwrap();
    client.write_all(GET).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n") && answer.contains("no such socket"),
        "{answer}"
    );
    drop(client);
    assert!(setup.stop().of(1)[0].starts_with("refused: cannot connect to unix://"));
}

#[test]
fn many_connections_leave_nothing_behind() {
    if !alone(module_path!(), "many_connections_leave_nothing_behind") {
        return;
    }
    let process = |what: &str| fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
    let mut setup = Setup::new();
    let before = process("fd");
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..200 {
                let (mut server, _) = setup.server.accept().unwrap();
                scope.spawn(move || {
                    let n = server.read(&mut [0; 100]).unwrap();
                    server.write_all(format!("HTTP/1.1 200 OK\r\n\r\n{n}").as_bytes()).unwrap();
                });
            }
        });
        for n in 0..200 {
            let path = setup.path();
            scope.spawn(move || {
                let mut client = UnixStream::connect(path).unwrap();
                client
                    .write_all(format!("GET /{n} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())
                    .unwrap();
                let mut answer = String::new();
                client.read_to_string(&mut answer).unwrap();
                assert_eq!(answer, format!("HTTP/1.1 200 OK\r\n\r\n{}", 27 + n.to_string().len()));
            });
        }
    });
    let seen = setup.stop();
    for connection in 1..=200 {
        let seen = seen.of(connection);
        assert!(
            seen.len() == 3 && seen[1] == "200" && seen[2] == "closed",
            "{connection}: {seen:?}"
        );
    }
    // Other tests run in this process, so check only the 400 sockets of this one.
    assert!(process("fd") < before + 100, "{} descriptors, {before} before", process("fd"));
    assert!(!setup.path().exists(), "the socket file is gone");
}

/// Collects the time of each event, with its connection.
#[derive(Clone, Default)]
struct Times(Arc<Mutex<Vec<(Duration, u64)>>>);

impl Observer for Times {
    fn see(&self, connection: u64, at: Duration, _: &Event<'_>) {
        self.0.lock().unwrap().push((at, connection));
    }
}

#[test]
fn events_of_all_connections_are_in_order_of_time() {
    let times = Times::default();
    let seen = times.clone();
    let mut setup = Setup::observed(|relay| relay.observe(seen));
    thread::scope(|scope| {
        for _ in 0..8 {
            let (mut client, mut server) = setup.pair();
            scope.spawn(move || {
                // Relay threads show large pieces, the viewer thread the others.
                for answer in [10, 20_000, 100, 70_000, 0].repeat(10) {
                    client.write_all(GET).unwrap();
                    server.read_exact(&mut [0; GET.len()]).unwrap();
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {answer}\r\n\r\n");
                    let answer = [head.into_bytes(), vec![b'x'; answer]].concat();
                    let mut got = vec![0; answer.len()];
                    thread::scope(|scope| {
                        scope.spawn(|| server.write_all(&answer).unwrap());
                        client.read_exact(&mut got).unwrap();
                    });
                    assert!(got == answer);
                }
            });
        }
    });
    setup.stop();
    let times = times.0.lock().unwrap();
    assert!(times.is_sorted_by_key(|(at, _)| *at));
    let changes = times.windows(2).filter(|pair| pair[0].1 != pair[1].1).count();
    assert!(changes > 8, "they overlapped");
}

#[test]
fn stopping_cuts_connections_that_do_not_end() {
    let mut setup = Setup::new();
    let (mut client, mut server) = setup.pair();
    client.write_all(GET).unwrap();
    let _ = read_some(&mut server);
    let start = Instant::now();
    setup.stopper.stop(Duration::from_millis(20));
    assert!(start.elapsed() >= Duration::from_millis(20));
    setup.run.take().unwrap().join().unwrap();
    assert_eq!((read_some(&mut client), read_some(&mut server)), (vec![], vec![]));
    assert!(UnixStream::connect(setup.path()).is_err());
    assert_eq!(setup.seen.of(1), ["/a", "server: no response to this request", "closed"]);
}

/// Over TCP the gate checks every request before a byte of it is forwarded.
#[test]
fn no_request_of_a_web_page_passes_over_tcp() {
    let listener = Listener::bind(&Endpoint::Tcp { host: "127.0.0.1".into(), port: 0 }).unwrap();
    let Endpoint::Tcp { port, .. } = *listener.endpoint() else { unreachable!() };
    let mut setup = Setup::on(TempDir::new(), listener, |relay| relay.allow_host("engine.test"));
    let ask = |request: &str| {
        let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        client.write_all(request.as_bytes()).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        answer
    };
    let serve = || {
        let (mut server, _) = setup.server.accept().unwrap();
        let mut got = String::new();
        server.read_to_string(&mut got).unwrap();
        let _ = server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        got
    };
    let own = format!("http://127.0.0.1:{port}");
    let cases = [
        ("GET / HTTP/1.1\r\nHost: 127.0.0.1:2375\r\n\r\n".to_owned(), "200"),
        ("GET / HTTP/1.1\r\nHost: LOCALHOST\r\n\r\n".to_owned(), "200"),
        ("GET / HTTP/1.1\r\nHost: api.moby.localhost\r\n\r\n".to_owned(), "200"),
        ("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n".to_owned(), "200"),
        ("GET / HTTP/1.1\r\nHost: engine.test\r\n\r\n".to_owned(), "200"),
        ("GET / HTTP/1.0\r\n\r\n".to_owned(), "200"),
        (format!("POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {own}\r\nContent-Length: 2\r\n\r\nhi"), "200"),
        (format!("GET / HTTP/1.1\r\nHost: evil.example:{port}\r\n\r\n"), "421"),
        ("GET / HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n".to_owned(), "421"),
        (format!("POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://evil.example\r\n\r\n"), "403"),
        (format!("POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:1\r\n\r\n"), "403"),
        (format!("POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: null\r\n\r\n"), "403"),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: localhost\r\n\r\n".to_owned(), "400"),
        (
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(),
            "400",
        ),
        ("\x16\x03\x01".to_owned(), "400"),
    ];
    let fields = [
        ("Origin: http://localhost\r\nOrigin: http://a", "403"),
        ("Sec-Fetch-Site: cross-site", "403"),
        ("sec-fetch-site: same-site", "403"),
        ("Sec-Fetch-Site: none", "200"),
        ("Sec-Fetch-Site: same-origin", "200"),
        ("Referer: http://localhost/x?y", "200"),
        ("Referer: /x", "200"),
        ("Referer: http://localhost.evil.example/", "403"),
        ("Referer: https://evil.example", "403"),
    ];
    let fields = fields.map(|(fields, status)| {
        (format!("GET / HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n\r\n"), status)
    });
    for (request, status) in cases.into_iter().chain(fields) {
        let (got, answer) = thread::scope(|scope| {
            let got = scope.spawn(serve);
            let answer = ask(&request);
            (got.join().unwrap(), answer)
        });
        assert_eq!(answer.get(9..12), Some(status), "{request:?}: {answer:?}");
        assert_eq!(got, if status == "200" { request } else { String::new() });
    }
    // A bad request after a good one: the good one is answered.
    let first = "GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let (got, answer) = thread::scope(|scope| {
        let got = scope.spawn(serve);
        let answer = ask(&format!("{first}GET /2 HTTP/1.1\r\nHost: evil.example\r\n\r\n"));
        (got.join().unwrap(), answer)
    });
    assert_eq!(
        (got.as_str(), answer.as_str()),
        (first, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    );
    setup.stop();
}

/// The end of the response reaches a TCP client that is still sending.
#[test]
fn a_tcp_client_gets_an_early_response_completely() {
    let listener = Listener::bind(&Endpoint::Tcp { host: "127.0.0.1".into(), port: 0 }).unwrap();
    let Endpoint::Tcp { port, .. } = *listener.endpoint() else { unreachable!() };
    let setup = Setup::on(TempDir::new(), listener, |relay| relay);
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    client
        .write_all(b"PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n")
        .unwrap();
    let (mut server, _) = setup.server.accept().unwrap();
    let _ = read_some(&mut server);
    let answer = [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &vec![b'x'; 100_000]].concat();
    let mut sender = client.try_clone().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            let block = vec![0; 1 << 16];
            while sender.write_all(&block).is_ok() {}
        });
        server.write_all(&answer).unwrap();
        drop(server);
        let mut heard = vec![0; answer.len()];
        client.read_exact(&mut heard).unwrap();
        assert!(heard == answer);
        // The connection may be reset already, which ends the sender too.
        let _ = client.shutdown(Shutdown::Both);
    });
}

/// A stopped reader of the view (Ctrl-S in a terminal) delays nothing.
#[test]
fn a_view_without_a_reader_delays_nothing() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let text = Text::new(writer).body_limit(Some(usize::MAX));
    let mut setup = Setup::observed(|relay| relay.observe(text));
    let (mut client, mut server) = setup.pair();
    let line = "x".repeat(9_999) + "\n";
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{line}", line.len());
    let mut got = vec![0; answer.len()];
    for _ in 0..100 {
        client.write_all(GET).unwrap();
        assert_eq!(read_some(&mut server), GET);
        server.write_all(answer.as_bytes()).unwrap();
        client.read_exact(&mut got).unwrap();
        thread::sleep(Duration::from_millis(2));
    }
    drop((client, server));
    let read = thread::spawn(move || {
        let mut shown = String::new();
        reader.read_to_string(&mut shown).map(|_| shown)
    });
    setup.stop();
    drop(setup);
    let shown = read.join().unwrap().unwrap();
    assert_eq!(shown.matches("200 OK: waited").count(), 100);
    assert!(shown.ends_with("1 * closed\n"), "{shown}");
}
