//! Time limits of the client: none expires while bytes move, every wait obeys them, and all are
//! reported in the same way.

use crate::support::fake::Fake;
use crate::support::needs;
use crate::support::temp::TempDir;
use std::io::{self, Read};
use std::os::unix::net::UnixListener;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use unix_http::transport::{Timeouts, connect};
use unix_http::{Body, Client, Endpoint, Error};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";
const SHORT: Duration = Duration::from_millis(200);

fn idle() -> Timeouts {
    Timeouts::default().idle(Duration::from_secs(2))
}

fn total() -> Timeouts {
    Timeouts::default().total(SHORT)
}

/// A limit that expires only after an answer, on a busy machine as well.
fn ample() -> Timeouts {
    Timeouts::default().total(Duration::from_secs(2))
}

/// A source that blocks until it is released.
struct Blocked(mpsc::Receiver<()>);

impl Read for Blocked {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        _ = self.0.recv();
        Ok(0)
    }
}

/// Bytes that the kernel accepts count as progress, even within one large write.
#[test]
fn an_upload_that_a_slow_peer_reads_steadily_is_not_idle() {
    // Five seconds in all; what the kernel has taken is read within one.
    const STEP: usize = 4000;
    const LENGTH: usize = 250 * STEP;
    let ask = |body: Body<'static>| {
        let server = Fake::start(|peer| {
            peer.read_until(b"\r\n\r\n")?;
            for _ in 0..LENGTH / STEP {
                peer.read(STEP)?;
                peer.pause(20);
            }
            peer.send(OK)
        });
        let client = Client::builder(Endpoint::Unix(server.path())).timeouts(idle()).build();
        client.put("/up").body(body).send().map(|response| response.status())
    };
    thread::scope(|scope| {
        let bytes = scope.spawn(|| ask(vec![0; LENGTH].into()));
        let sized = ask(Body::reader(io::repeat(0), Some(LENGTH as u64)));
        assert_eq!((bytes.join().unwrap().unwrap(), sized.unwrap()), (200, 200));
    });
}

#[test]
fn the_longest_limit_is_valid() {
    let server = Fake::start(|peer| {
        peer.read_until(b"{}")?;
        peer.send(OK)
    });
    let limits = Timeouts::default().idle(Duration::MAX).total(Duration::MAX).head(Duration::MAX);
    let client = Client::builder(Endpoint::Unix(server.path())).timeouts(limits).build();
    assert_eq!(client.post("/").json("{}").send().unwrap().status(), 200);
}

/// A pause of the caller's source is not silence of the peer.
#[test]
fn an_upload_whose_source_pauses_is_not_idle() {
    struct Slow(u32);
    impl Read for Slow {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            if self.0 == 2 {
                thread::sleep(Duration::from_millis(2500));
            }
            out[0] = b'x';
            Ok(usize::from(self.0 < 4))
        }
    }
    let server = Fake::start(|peer| {
        peer.read_until(b"0\r\n\r\n")?;
        peer.send(OK)
    });
    let client = Client::builder(Endpoint::Unix(server.path())).timeouts(idle()).build();
    assert_eq!(client.put("/up").body(Body::reader(Slow(0), None)).send().unwrap().status(), 200);
}

/// The limit for the head counts from the end of an upload, even if that comes while the client
/// already waits for the head.
#[test]
fn the_head_limit_begins_with_the_end_of_the_request() {
    let server = Fake::start(|peer| peer.read_to_end());
    let limits = Timeouts::default().head(SHORT);
    let client = Client::builder(Endpoint::Unix(server.path())).timeouts(limits).build();
    let (release, blocked) = mpsc::channel();
    let released = thread::spawn(move || {
        thread::sleep(2 * SHORT);
        let end = Instant::now();
        drop(release);
        end
    });
    let error = client.put("/up").body(Body::reader(Blocked(blocked), None)).send().unwrap_err();
    assert_eq!(error.to_string(), "timed out: no complete response head within 200ms");
    assert!(Instant::now() >= released.join().unwrap() + SHORT);
}

/// A head that arrives before the request is finished ends its limit.
#[test]
fn an_early_head_ends_the_limit_for_the_head() {
    let (release, blocked) = mpsc::channel();
    let server = Fake::start(move |peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")?;
        peer.read_until(b"0\r\n\r\n")?;
        peer.pause(2 * SHORT.as_millis() as u64);
        peer.send(b"late")
    });
    let limits = Timeouts::default().head(SHORT);
    let client = Client::builder(Endpoint::Unix(server.path())).timeouts(limits).build();
    let response = client.put("/up").body(Body::reader(Blocked(blocked), None)).send().unwrap();
    drop(release);
    assert_eq!(response.text().unwrap(), "late");
}

/// The end of the response waits for the upload, but not beyond the total.
#[test]
fn the_total_limit_applies_while_the_source_of_an_upload_blocks() {
    let server = Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(OK)?;
        peer.read_to_end()
    });
    let client = Client::builder(Endpoint::Unix(server.path())).timeouts(ample()).build();
    let (release, blocked) = mpsc::channel();
    let body = Body::reader(Blocked(blocked), None);
    let mut response = client.put("/up").body(body).send().unwrap();
    let mut content = Vec::new();
    let error = response.read_to_end(&mut content).unwrap_err();
    assert_eq!((content, error.kind()), (b"OK".to_vec(), io::ErrorKind::TimedOut));
    let error = error.downcast::<Error>().unwrap();
    assert!(matches!(error, Error::Timeout(_)), "{error}");
    assert_eq!(error.to_string(), "timed out: the exchange was not finished within 2s");
    response.read(&mut [0]).expect_err("the error stays");
    drop((response, release));
}

#[test]
fn the_total_limit_applies_while_source_and_peer_are_silent() {
    let server = Fake::start(|peer| peer.read_to_end());
    let client = Client::builder(Endpoint::Unix(server.path())).timeouts(total()).build();
    let (release, blocked) = mpsc::channel();
    let error = client.put("/up").body(Body::reader(Blocked(blocked), None)).send().unwrap_err();
    assert!(error.is_timeout() && !error.is_connect(), "{error}");
    drop(release);
}

/// The timeout of a connect names the limit that the caller set.
#[test]
fn a_late_connect_reports_the_limit_that_the_caller_set() {
    let dir = TempDir::new();
    let endpoint = Endpoint::Unix(dir.join("s"));
    let _listener = UnixListener::bind(dir.join("s")).unwrap();
    let mut held = Vec::new();
    // A single late connection may only show that the machine is busy.
    let mut late = 0;
    while late < 3 {
        match connect(&endpoint, Some(SHORT)) {
            Ok(stream) => held.push(stream),
            Err(_) => late += 1,
        }
        assert!(held.len() < 10_000, "no backlog is that long");
    }
    let none = Timeouts::default();
    let long = Some(Duration::from_secs(60));
    for (limit, timeouts) in [
        ("no connection", none.connect(SHORT).total(long)),
        ("the exchange was not finished", none.connect(long).total(SHORT)),
        ("the exchange was not finished", none.total(SHORT)),
    ] {
        let client = Client::builder(endpoint.clone()).timeouts(timeouts).build();
        let error = client.get("/").send().unwrap_err();
        if !error.is_timeout() {
            return needs::left_out("many open files", "raise `ulimit -n`").unwrap_or(());
        }
        assert!(error.is_connect(), "{error}");
        assert!(error.to_string().contains("not accepted within 200ms: "), "{error}");
        let source = std::error::Error::source(&error).unwrap().source().unwrap();
        assert_eq!(source.to_string(), format!("timed out: {limit} within 200ms"));
        let error = io::Error::from(error);
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(error.downcast::<Error>().unwrap().is_timeout());
    }
    // Never zero for the connect, which would be no limit.
    let client = Client::builder(endpoint).timeouts(none.total(Duration::ZERO)).build();
    assert!(client.get("/").send().unwrap_err().is_timeout());
}

/// Converted to an I/O error, a connect error keeps the kind of its cause.
#[test]
fn a_missing_and_a_stale_socket_have_different_kinds() {
    let dir = TempDir::new();
    let kind = |path| {
        let error = Client::unix(path).get("/").send().unwrap_err();
        assert!(error.is_connect() && !error.is_timeout(), "{error}");
        io::Error::from(error).kind()
    };
    assert_eq!(kind(dir.join("missing")), io::ErrorKind::NotFound);
    drop(UnixListener::bind(dir.join("stale")).unwrap());
    assert_eq!(kind(dir.join("stale")), io::ErrorKind::ConnectionRefused);
}

/// An upgraded connection keeps the limits of the exchange until the caller sets others.
#[test]
fn limits_can_be_removed_from_an_upgraded_connection() {
    let (go_on, asked) = mpsc::channel();
    let server = Fake::start(move |peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")?;
        asked.recv().unwrap();
        peer.pause(2 * SHORT.as_millis() as u64);
        peer.send(b"over")?;
        peer.read_to_end()
    });
    let client = Client::builder(Endpoint::Unix(server.path())).timeouts(ample()).build();
    let response = client.post("/attach").upgrade("tcp").send().unwrap();
    let mut attached = response.into_upgraded().unwrap();
    assert_eq!(attached.read(&mut [0; 9]).unwrap_err().kind(), io::ErrorKind::TimedOut);
    attached.set_timeouts(Timeouts::default()).unwrap();
    go_on.send(()).unwrap();
    assert_eq!(attached.read(&mut [0; 9]).unwrap(), 4);
    attached.set_timeouts(Timeouts::default().idle(SHORT)).unwrap();
    let error = attached.read(&mut [0; 9]).unwrap_err();
    assert_eq!(error.to_string(), "timed out: no byte in either direction within 200ms");
}
