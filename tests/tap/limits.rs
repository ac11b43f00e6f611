//! The tap under load and under attack: a thousand connections, clients that never finish, no
//! descriptors left, and ambiguous requests.

use crate::support::child::ucurl;
use crate::support::serve::{PATIENCE, Served, serve, statuses};
use crate::support::temp::TempDir;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use unix_http::tap::{Relay, TapStopper};
use unix_http::traffic::{Event, Observer, Side};
use unix_http::transport::{Endpoint, Listener};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A tap as a process.
struct Tap {
    front: Child,
    /// The relaying process.
    pid: String,
    path: PathBuf,
    dir: TempDir,
}

impl Tap {
    /// `limit` is a shell command that runs before it.
    fn start(limit: &str, to: &Path) -> Tap {
        let dir = TempDir::new();
        let path = dir.join("tap");
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{limit}; exec \"$@\""), "sh"])
            .arg(ucurl().get_program())
            .arg("tap");
        command.arg("--listen").arg(&path).arg("--to").arg(to).arg("-o").arg(dir.join("view"));
        command.env("XDG_RUNTIME_DIR", dir.path()).stdin(Stdio::null()).stderr(Stdio::piped());
        let mut front = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(front.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("ucurl tap: listening"), "{line}");
        let id = front.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        let tap = Tap { front, pid: children.trim().to_owned(), path, dir };
        // The last of its own threads. Later threads belong to connections.
        wait_for("the viewer", || {
            let names = fs::read_dir(format!("/proc/{}/task", tap.pid)).unwrap().flatten();
            names
                .map(|thread| thread.path().join("comm"))
                .any(|comm| fs::read(comm).is_ok_and(|n| n == b"tap-viewer\n"))
        });
        tap
    }

    /// Returns a number from its `/proc/PID/status`.
    fn status(&self, name: &str) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid)).unwrap().count()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.front.id().to_string()).status();
        let _ = self.front.wait();
    }
}

fn wait_for(what: &str, mut met: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !met() {
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn client(path: &Path) -> UnixStream {
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Returns all remaining bytes. A reset counts as an end.
fn rest(mut stream: impl Read) -> String {
    let (mut heard, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(n @ 1..) = stream.read(&mut buffer) {
        heard.extend_from_slice(&buffer[..n]);
    }
    String::from_utf8_lossy(&heard).into_owned()
}

#[test]
fn a_thousand_idle_connections_take_little_memory() {
    let dir = TempDir::new();
    let listener = UnixListener::bind(dir.join("server")).unwrap();
    let tap = Tap::start("ulimit -n $(ulimit -H -n)", &dir.join("server"));
    let (threads, descriptors, before) =
        (tap.status("Threads:"), tap.descriptors(), tap.status("VmRSS:"));
    let mut open = Vec::new();
    // Each connection takes two descriptors, in this process and in the tap.
    let room = (allowed() - 100) / 2;
    while open.len() < room.min(1000) {
        let mut client = client(&tap.path);
        client.write_all(GET).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        server.read_exact(&mut vec![0; GET.len()]).unwrap();
        server.write_all(OK).unwrap();
        client.read_exact(&mut vec![0; OK.len()]).unwrap();
        open.push((client, server));
    }
    let (count, grown) = (open.len(), tap.status("VmRSS:").saturating_sub(before));
    println!("{count} idle connections on the tap: {grown} KiB, {} each", grown / count);
    assert!(count >= 400 && grown / count < 100, "{count} connections, {grown} KiB");
    // The first connection still works as well as the last.
    let (client, server) = &mut open[0];
    client.write_all(GET).unwrap();
    server.read_exact(&mut vec![0; GET.len()]).unwrap();
    drop(open);
    let end = Instant::now() + 3 * PATIENCE;
    loop {
        let now = (tap.status("Threads:"), tap.descriptors());
        if now.0 <= threads && now.1 <= descriptors {
            break;
        }
        assert!(
            Instant::now() < end,
            "{now:?} threads and descriptors, {:?} before",
            (threads, descriptors)
        );
        thread::sleep(Duration::from_millis(5));
    }
    // The allocator keeps memory of the threads, but a second round does not add any.
    assert!(tap.status("VmRSS:") < before + 100 * count);
}

/// Returns the limit of descriptors for this process.
fn allowed() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line =
        limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap_or("1024");
    line.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(1024)
}

/// Without descriptors, a tap rejects clients or lets them wait, reports that, and recovers.
#[test]
fn a_tap_without_descriptors_recovers() {
    let server = serve(|_, responder| responder.send("ok"));
    let tap = Tap::start("ulimit -n 40", &server.dir.join("s"));
    let clients: Vec<UnixStream> = (0..60).map(|_| client(&tap.path)).collect();
    let view = || fs::read_to_string(tap.dir.join("view")).unwrap_or_default();
    wait_for("it to say so", || {
        view().contains("Too many open files") || view().contains("os error 24")
    });
    for mut stream in &clients {
        let _ = stream.write_all(GET);
    }
    drop(clients);
    wait_for("a client to be served", || {
        let mut stream = client(&tap.path);
        let _ = stream
            .write_all(b"GET /after HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        rest(stream).starts_with("HTTP/1.1 200 OK\r\n")
    });
}

/// A relay of the library, on a Unix socket or on TCP, in front of a server of the library.
struct Setup {
    at: Endpoint,
    handled: Arc<Mutex<Vec<String>>>,
    seen: Seen,
    stopper: TapStopper,
    run: Option<thread::JoinHandle<Vec<String>>>,
    server: Served,
}

/// An exchange that the relay saw: `METHOD target content`, whether the request was complete, and
/// the status-code of its response.
type Exchanged = (String, bool, u16);

/// For each connection: its finished exchanges, the content so far, and whether it has ended.
#[derive(Clone, Default)]
struct Seen(Arc<(Mutex<Connections>, Condvar)>);

type Connections = Vec<(u64, Connection)>;

#[derive(Default)]
struct Connection {
    over: Vec<Exchanged>,
    content: Vec<(u64, Vec<u8>)>,
    faults: Vec<String>,
    closed: bool,
}

impl Observer for Seen {
    fn see(&self, connection: u64, _: Duration, event: &Event<'_>) {
        let mut all = self.0.0.lock().unwrap();
        if !all.iter().any(|(number, _)| *number == connection) {
            all.push((connection, Connection::default()));
        }
        let (_, seen) = all.iter_mut().find(|(number, _)| *number == connection).unwrap();
        match event {
            Event::Content(x, Side::Client, bytes) => seen.content.push((x.number, bytes.to_vec())),
            Event::Done(x) => {
                let content = seen.content.iter().filter(|(number, _)| *number == x.number);
                let content = content.flat_map(|(_, bytes)| bytes.clone()).collect::<Vec<u8>>();
                let line = format!(
                    "{} {} {}",
                    x.method(),
                    x.target().escape_ascii(),
                    content.escape_ascii()
                );
                seen.over.push((
                    line,
                    x.sent.complete,
                    x.response.as_ref().map_or(0, |head| head.status()),
                ));
            }
            Event::Fault(_, side, fault) => seen.faults.push(format!("{side}: {fault}")),
            Event::Refused(why) => seen.faults.push((*why).to_owned()),
            Event::Closed => seen.closed = true,
            _ => {}
        }
        self.0.1.notify_all();
    }
}

impl Seen {
    /// Returns and forgets the exchanges of the only connection, once it has ended.
    fn take(&self) -> Connection {
        let open = |all: &mut Connections| !all.first().is_some_and(|(_, seen)| seen.closed);
        let (mut all, late) =
            self.0.1.wait_timeout_while(self.0.0.lock().unwrap(), PATIENCE, open).unwrap();
        assert!(!late.timed_out(), "the connection is not over");
        assert_eq!(all.len(), 1);
        all.remove(0).1
    }
}

impl Setup {
    fn new(tcp: bool) -> Setup {
        let handled = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&handled);
        let server = serve(move |request, responder| {
            let line = format!("{} {}", request.method(), request.target().escape_ascii());
            let content = request.bytes(1000)?;
            list.lock().unwrap().push(format!("{line} {}", content.escape_ascii()));
            responder.send("ok")
        });
        let at = match tcp {
            true => Endpoint::Tcp { host: "127.0.0.1".into(), port: 0 },
            false => Endpoint::Unix(server.dir.join("tap")),
        };
        let (listener, seen) = (Listener::bind(&at).unwrap(), Seen::default());
        let relay =
            Relay::new(listener, Endpoint::Unix(server.dir.join("s"))).observe(seen.clone());
        let (at, stopper) = (relay.endpoint().clone(), relay.stopper().unwrap());
        let run = Some(thread::spawn(move || relay.run()));
        Setup { at, handled, seen, stopper, run, server }
    }

    fn connect(&self) -> Box<dyn Stream> {
        match &self.at {
            Endpoint::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                Box::new(stream)
            }
            _ => Box::new(client(&self.server.dir.join("tap"))),
        }
    }

    /// Sends these bytes, whole or one by one, half-closes, and returns the whole answer.
    fn talk(&self, bytes: &[u8], one_by_one: bool) -> String {
        let mut stream = self.connect();
        // The other side may have answered and closed before the last byte.
        let parts = bytes.chunks(if one_by_one { 1 } else { bytes.len() });
        let _ = parts.into_iter().try_for_each(|part| stream.write_all(part));
        let _ = stream.end();
        rest(stream)
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        self.stopper.stop(Duration::ZERO);
        let _ = self.run.take().unwrap().join();
    }
}

trait Stream: Read + Write {
    fn end(&self) -> std::io::Result<()>;
}

impl Stream for UnixStream {
    fn end(&self) -> std::io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

impl Stream for TcpStream {
    fn end(&self) -> std::io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

/// Clients that send a head byte by byte and stop in the middle do not delay others. In the end
/// they get their response.
#[test]
fn slow_heads_do_not_delay_others() {
    for tcp in [false, true] {
        let setup = Setup::new(tcp);
        let slow = b"GET /slow HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Slow: 1";
        let mut waiting: Vec<_> = (0..100).map(|_| setup.connect()).collect();
        for byte in slow {
            waiting.iter_mut().for_each(|stream| stream.write_all(&[*byte]).unwrap());
        }
        let answer = setup
            .talk(b"GET /quick HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", false);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert_eq!(*setup.handled.lock().unwrap(), ["GET /quick "]);
        for mut stream in waiting {
            stream.write_all(b"\r\n\r\n").unwrap();
            assert!(rest(stream).starts_with("HTTP/1.1 200 OK\r\n"));
        }
        assert_eq!(setup.handled.lock().unwrap().len(), 101);
    }
}

/// An endless head is refused: on a Unix socket by the server, which sees every byte; on TCP by the
/// tap, which forwards none of it.
#[test]
fn an_endless_head_is_refused() {
    for tcp in [false, true] {
        let setup = Setup::new(tcp);
        let mut stream = setup.connect();
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ");
        wait_for("the end of it", || stream.write_all(&[b'x'; 65_536]).is_err());
        let answer = rest(stream);
        // Unread input at the close of a TCP connection can destroy the response (RFC 9112 §9.6).
        let status = answer.get(9..12).unwrap_or(if tcp { "400" } else { "" });
        assert_eq!(status, if tcp { "400" } else { "431" }, "{answer}");
        assert_eq!(setup.handled.lock().unwrap().len(), 0);
        let seen = setup.seen.take();
        let told = match tcp {
            true => seen.faults.iter().any(|fault| fault.contains("limit")),
            false => seen.over.iter().any(|(_, _, status)| *status == 431),
        };
        assert!(told, "{:?} {:?}", seen.faults, seen.over);
    }
}

/// The expected result: the requests that the server handles, and whether the connection ends with
/// a refusal.
struct Case {
    id: &'static str,
    wire: String,
    handled: &'static [&'static str],
    refused: bool,
}

fn case(id: &'static str, wire: impl Into<String>, handled: &'static [&'static str]) -> Case {
    Case { id, wire: wire.into(), handled, refused: false }
}

/// Attacks by request smuggling, with a second request where some reader would see it, and similar
/// valid requests.
fn cases() -> Vec<Case> {
    const LAST: &str = "GET /last HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let post = |fields: &str, body: &str| {
        format!("POST /p HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n\r\n{body}{LAST}")
    };
    let chunked = |body: &str| post("Transfer-Encoding: chunked", body);
    let refused = |id, wire: String| Case { id, wire, handled: &[], refused: true };
    let both = |id, wire| case(id, wire, &["POST /p hello", "GET /last "]);
    let mut cases = vec![
        both("cl", post("Content-Length: 5", "hello")),
        both("cl-twice-the-same", post("Content-Length: 5\r\nContent-Length: 5", "hello")),
        both("cl-list-of-the-same", post("Content-Length: 5, 5", "hello")),
        both("te", chunked("5\r\nhello\r\n0\r\n\r\n")),
        both("te-any-case", post("transfer-ENCODING: cHunKed", "5\r\nhello\r\n0\r\n\r\n")),
        both(
            "te-bare-lf-before",
            post("X: y\nTransfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"),
        ),
        both(
            "te-under-another-name",
            post("Transfer_Encoding: chunked\r\nContent-Length: 5", "hello"),
        ),
        both("chunk-ext", chunked("5;a=b;c=\"d;e\"\r\nhello\r\n0;f\r\n\r\n")),
        both("chunk-ext-bws", chunked("5 ; a = b\r\nhello\r\n0\r\n\r\n")),
        both("chunk-size-zeros", chunked("0005\r\nhello\r\n000\r\n\r\n")),
        both(
            "trailers-that-frame-nothing",
            chunked("5\r\nhello\r\n0\r\nContent-Length: 99\r\n\r\n"),
        ),
        case(
            "bare-lf-everywhere",
            format!("GET /a HTTP/1.1\nHost: localhost\n\n{LAST}"),
            &["GET /a ", "GET /last "],
        ),
        case("an-empty-line-first", format!("\r\n{LAST}"), &["GET /last "]),
        case(
            "a-request-in-content",
            format!(
                "GET /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{LAST}",
                LAST.len()
            ),
            &[r"GET /a GET /last HTTP/1.1\r\nHost: localhost\r\n\r\n"],
        ),
        case(
            "an-upgrade-that-is-not-granted",
            format!(
                "GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n{LAST}"
            ),
            &["GET /a ", "GET /last "],
        ),
    ];
    let zero = "0\r\n\r\n";
    for (id, fields) in [
        ("cl-te", "Content-Length: 5\r\nTransfer-Encoding: chunked"),
        ("te-cl", "Transfer-Encoding: chunked\r\nContent-Length: 5"),
        ("te-te", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        ("te-te-cow", "Transfer-Encoding: chunked\r\nTransfer-encoding: cow"),
        ("te-identity", "Transfer-Encoding: identity"),
        ("te-list", "Transfer-Encoding: chunked, chunked"),
        ("te-not-last", "Transfer-Encoding: chunked, gzip"),
        ("te-x", "Transfer-Encoding: xchunked"),
        ("te-empty", "Transfer-Encoding:"),
        ("te-quoted", "Transfer-Encoding: \"chunked\""),
        ("te-vt", "Transfer-Encoding: \x0bchunked"),
        ("te-nul", "Transfer-Encoding: chunked\0"),
        ("te-space-before-colon", "Transfer-Encoding : chunked"),
        ("te-tab-before-colon", "Transfer-Encoding\t: chunked"),
        ("te-folded", "Transfer-Encoding:\r\n chunked"),
        ("te-folded-first", " Transfer-Encoding: chunked"),
        ("te-bare-cr", "X: y\rTransfer-Encoding: chunked"),
    ] {
        cases.push(refused(id, post(fields, zero)));
    }
    cases.push(refused(
        "te-in-1.0",
        post("Transfer-Encoding: chunked", zero).replacen("1.1", "1.0", 1),
    ));
    for (id, fields) in [
        ("cl-differs", "Content-Length: 5\r\nContent-Length: 0"),
        ("cl-list-differs", "Content-Length: 5, 0"),
        ("cl-plus", "Content-Length: +5"),
        ("cl-minus", "Content-Length: -5"),
        ("cl-hex", "Content-Length: 0x5"),
        ("cl-two-words", "Content-Length: 5 5"),
        ("cl-empty", "Content-Length:"),
        ("cl-space-before-colon", "Content-Length : 5"),
        ("cl-overflow", "Content-Length: 18446744073709551621"),
        ("cl-bare-cr", "Content-Length: 5\rX: y"),
    ] {
        cases.push(refused(id, post(fields, "hello")));
    }
    for (id, body) in [
        ("chunk-bare-lf", "5\nhello\r\n0\r\n\r\n"),
        ("chunk-ext-bare-lf", "5;\nhello\r\n0\r\n\r\n"),
        ("chunk-ext-bare-cr", "5;a\rb\r\nhello\r\n0\r\n\r\n"),
        ("chunk-data-bare-lf", "5\r\nhello\n0\r\n\r\n"),
        ("chunk-data-longer", "5\r\nhello!\r\n0\r\n\r\n"),
        ("chunk-plus", "+5\r\nhello\r\n0\r\n\r\n"),
        ("chunk-0x", "0x5\r\nhello\r\n0\r\n\r\n"),
        ("chunk-underscore", "0_5\r\nhello\r\n0\r\n\r\n"),
        ("chunk-space-first", " 5\r\nhello\r\n0\r\n\r\n"),
        ("chunk-overflow", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
        ("chunk-empty-size", "\r\nhello\r\n0\r\n\r\n"),
        ("trailer-bare-lf", "5\r\nhello\r\n0\r\n\n"),
        ("trailer-folded", "5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n"),
        ("trailer-space-before-colon", "5\r\nhello\r\n0\r\nX : y\r\n\r\n"),
    ] {
        cases.push(refused(id, chunked(body)));
    }
    for (id, head) in [
        ("host-missing", "GET / HTTP/1.1"),
        ("host-twice", "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost"),
        ("two-targets", "GET / /last HTTP/1.1\r\nHost: localhost"),
        ("connect", "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost"),
        ("version-2", "GET / HTTP/2.0\r\nHost: localhost"),
        ("empty-lines-first", "\r\n\r\nGET / HTTP/1.1\r\nHost: localhost"),
    ] {
        cases.push(refused(id, format!("{head}\r\n\r\n{LAST}")));
    }
    // The same after a valid request.
    let first = "GET /first HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let second = post("Content-Length: 5\r\nTransfer-Encoding: chunked", zero);
    cases.push(Case {
        id: "second",
        wire: [first, &second].concat(),
        handled: &["GET /first "],
        refused: true,
    });
    cases
}

/// The relay and the server behind it see the same requests, and the relay and the client the same
/// responses.
#[test]
fn relay_and_server_agree_about_the_end_of_a_request() {
    let setup = Setup::new(false);
    for Case { id, wire, handled, refused } in cases() {
        for one_by_one in [false, true] {
            let answers = setup.talk(wire.as_bytes(), one_by_one);
            let seen = setup.seen.take();
            let mine = std::mem::take(&mut *setup.handled.lock().unwrap());
            assert_eq!(mine, handled, "{id}: {answers}");
            let answered: Vec<&str> = seen
                .over
                .iter()
                .filter(|(_, _, status)| *status == 200)
                .map(|(line, ..)| line.as_str())
                .collect();
            assert_eq!(answered, handled, "{id}");
            // Every complete request was answered: with 200, or with the refusal that ends the
            // connection.
            let came: Vec<u16> = seen
                .over
                .iter()
                .map(|(_, _, status)| *status)
                .filter(|status| *status > 0)
                .collect();
            assert_eq!(statuses(&answers).unwrap(), came, "{id}: {answers}");
            assert_eq!(
                came.iter().filter(|status| **status != 200).count(),
                usize::from(refused),
                "{id}: {came:?}"
            );
            // Only requests after the refusal have no response.
            let unanswered =
                seen.over.iter().position(|(_, _, status)| *status == 0).unwrap_or(came.len());
            assert!(
                unanswered == came.len() && (refused || came.len() == seen.over.len()),
                "{id}: {:?}",
                seen.over
            );
        }
    }
}

/// On TCP the tap refuses ambiguous requests before the server gets a byte of them.
#[test]
fn ambiguous_requests_do_not_pass_a_tcp_port() {
    let setup = Setup::new(true);
    for Case { id, wire, handled, refused } in cases() {
        for one_by_one in [false, true] {
            let answers = setup.talk(wire.as_bytes(), one_by_one);
            let seen = setup.seen.take();
            let mine = std::mem::take(&mut *setup.handled.lock().unwrap());
            assert_eq!(mine, handled, "{id}: {answers}");
            let turned_away =
                !seen.faults.is_empty() || seen.over.iter().any(|(_, _, status)| *status >= 400);
            assert_eq!(turned_away, refused, "{id}: {:?} {:?}", seen.faults, seen.over);
        }
    }
}
