//! The recording server: it keeps every byte that it is sent, by connection, and answers by path.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};
use unix_http::base::time::http_date;

/// What was received, connection by connection.
pub type Record = Vec<Vec<u8>>;

/// A listening server, until it is dropped.
pub struct Server {
    path: PathBuf,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    record: Mutex<Record>,
    /// The same bytes as they came, over all connections.
    log: Mutex<Vec<u8>>,
    open: AtomicUsize,
    /// How often each path was asked for.
    asked: Mutex<Vec<String>>,
}

impl Server {
    pub fn listen(path: &Path) -> Server {
        let listener = UnixListener::bind(path).expect("the recording server listens");
        let shared = Arc::new(Shared::default());
        let server = Server { path: path.to_owned(), shared: Arc::clone(&shared) };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let number = {
                    let mut record = shared.record.lock().unwrap();
                    record.push(Vec::new());
                    record.len() - 1
                };
                shared.open.fetch_add(1, Ordering::SeqCst);
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    _ = Connection { stream, shared: &shared, number, ahead: Vec::new() }.serve();
                    shared.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        server
    }

    /// What has been received, once every connection is over.
    pub fn take(&self) -> (Record, Vec<u8>) {
        // Connections are accepted in order: once one of ours is over, all before it are known.
        let ours = UnixStream::connect(&self.path).expect("the recording server listens");
        _ = ours.shutdown(Shutdown::Write).and_then(|()| (&ours).read(&mut [0]));
        let start = Instant::now();
        while self.shared.open.load(Ordering::SeqCst) > 0
            && start.elapsed() < Duration::from_secs(3)
        {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.shared.asked.lock().unwrap().clear();
        let mut record = std::mem::take(&mut *self.shared.record.lock().unwrap());
        record.retain(|bytes| !bytes.is_empty());
        (record, std::mem::take(&mut *self.shared.log.lock().unwrap()))
    }
}

struct Connection<'s> {
    stream: UnixStream,
    shared: &'s Shared,
    number: usize,
    ahead: Vec<u8>,
}

impl Connection<'_> {
    fn serve(&mut self) -> std::io::Result<()> {
        // A client that waits for more than it gets is let go.
        self.stream.set_read_timeout(Some(Duration::from_millis(1500)))?;
        loop {
            let Some(end) = self.until(|bytes| find(bytes, b"\r\n\r\n").map(|at| at + 4))? else {
                return Ok(());
            };
            let head =
                String::from_utf8_lossy(&self.ahead.drain(..end).collect::<Vec<u8>>()).into_owned();
            let mut words = head.split([' ', '\r']);
            let method = words.next().unwrap_or_default().to_owned();
            let target = words.next().unwrap_or_default().to_owned();
            let path = target.split('?').next().unwrap_or_default();
            let asked = {
                let mut asked = self.shared.asked.lock().unwrap();
                asked.push(path.to_owned());
                asked.iter().filter(|other| *other == path).count()
            };
            let lower = head.to_ascii_lowercase();
            let field =
                |name: &str| lower.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
            let expects = field("expect:").is_some_and(|value| value.contains("100-continue"));
            let (early, answer, then) = answer(path, asked, expects);
            if expects && !early && path != "/no100" {
                self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            }
            if !early {
                let chunked =
                    field("transfer-encoding:").is_some_and(|value| value.contains("chunked"));
                let length =
                    field("content-length:").and_then(|value| value.parse().ok()).unwrap_or(0);
                let whole = self.until(|bytes| match chunked {
                    true => bytes.ends_with(b"0\r\n\r\n").then_some(bytes.len()),
                    false => (bytes.len() >= length).then_some(length),
                })?;
                let Some(whole) = whole else { return Ok(()) };
                self.ahead.drain(..whole);
            }
            let end = find(&answer, b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
            let head_only = method == "HEAD" && !path.starts_with("/lf");
            if let Then::Slowly(pause) = then {
                self.stream.write_all(&answer[..end])?;
                std::thread::sleep(pause);
                self.stream.write_all(&answer[end..])?;
                continue;
            }
            self.stream.write_all(if head_only { &answer[..end] } else { &answer })?;
            match then {
                Then::Next | Then::Slowly(_) => {}
                Then::Close => return Ok(()),
            }
        }
    }

    /// Reads until `enough` is content; `None` at the end of the stream.
    fn until(&mut self, enough: impl Fn(&[u8]) -> Option<usize>) -> std::io::Result<Option<usize>> {
        let mut buffer = [0; 64 * 1024];
        loop {
            if let Some(length) = enough(&self.ahead) {
                return Ok(Some(length));
            }
            match self.stream.read(&mut buffer)? {
                0 => return Ok(None),
                length => {
                    self.ahead.extend_from_slice(&buffer[..length]);
                    self.shared.record.lock().unwrap()[self.number]
                        .extend_from_slice(&buffer[..length]);
                    self.shared.log.lock().unwrap().extend_from_slice(&buffer[..length]);
                }
            }
        }
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// What happens after an answer.
enum Then {
    Next,
    Close,
    /// The body comes so much later.
    Slowly(Duration),
}

/// The answer to a path: whether it comes before the request's body, its bytes, and what then.
fn answer(path: &str, asked: usize, expects: bool) -> (bool, Vec<u8>, Then) {
    let text = |text: &str| text.as_bytes().to_vec();
    let ok = || text("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n");
    let next = |bytes| (false, bytes, Then::Next);
    let close = |bytes| (false, bytes, Then::Close);
    if let Some((before, name)) = path.split_once("/go") {
        let (code, name) = name.split_once('/').unwrap_or((name, "none"));
        let (code, how) = code.split_once('-').unwrap_or((code, ""));
        let location = location(name, before, asked);
        let bytes = match how {
            "close" => format!(
                "HTTP/1.1 {code} Go\r\n{location}Connection: close\r\nContent-Length: 5\r\n\r\ngone\n"
            ),
            "chunked" => {
                format!(
                    "HTTP/1.1 {code} Go\r\n{location}Transfer-Encoding: chunked\r\n\r\n5\r\ngone\n\r\n0\r\n\r\n"
                )
            }
            _ => format!("HTTP/1.1 {code} Go\r\n{location}Content-Length: 5\r\n\r\ngone\n"),
        };
        let bytes =
            if code == "304" { format!("HTTP/1.1 304 Go\r\n{location}\r\n") } else { bytes };
        return if how == "close" { close(text(&bytes)) } else { next(text(&bytes)) };
    }
    match path {
        "/two" => next(text("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntwo\n")),
        "/lf" => next(text("HTTP/1.1 200 OK\nContent-Length: 3\nX-A: b\n\nok\n")),
        "/chunked" => next(text(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nd\n\r\n0\r\n\r\n",
        )),
        "/chunked-ext" => next(text(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n000000002;c\r\nd\n\r\n0;d\r\n\r\n",
        )),
        "/trailers" => next(text(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n3\r\nabc\r\n0\r\nX-T: t\r\n\r\n",
        )),
        "/close" => close(text("HTTP/1.1 200 OK\r\n\r\nuntil the end\n")),
        "/conn-close" => {
            close(text("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nok\n"))
        }
        "/dies" => close(ok()),
        "/http10" => close(text("HTTP/1.0 200 OK\r\n\r\nold\n")),
        "/http10-keep" => next(text(
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\nold\n",
        )),
        "/http10-go" => close(text("HTTP/1.0 302 Go\r\nLocation: /ok\r\n\r\n")),
        "/204" => next(text("HTTP/1.1 204 No Content\r\nX: y\r\n\r\n")),
        "/304" => next(text("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n")),
        "/404" => next(text("HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\nnot found\n")),
        "/401" => next(text(
            "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 3\r\n\r\nno\n",
        )),
        "/empty" => next(text("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")),
        "/noreason" => next(text("HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nok\n")),
        "/fold" => {
            next(text("HTTP/1.1 200 OK\r\nX-Fold: a\r\n b\r\nContent-Length: 3\r\n\r\nok\n"))
        }
        "/cl-te" => close(text(
            "HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nok\n\r\n0\r\n\r\n",
        )),
        "/twice-length" => {
            next(text("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nok\n"))
        }
        "/103" => next([text("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"), ok()].concat()),
        "/100s" => next(
            [text("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Busy\r\nA: b\r\n\r\n"), ok()].concat(),
        ),
        "/binary" => next(
            [text("HTTP/1.1 200 OK\r\nContent-Length: 256\r\n\r\n"), (0..=255).collect()].concat(),
        ),
        "/many-fields" => {
            let fields: String =
                (0..500).map(|n| format!("X-{n}: {}\r\n", "v".repeat(60))).collect();
            next(text(&format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 3\r\n\r\nok\n")))
        }
        "/long-field" => next(text(&format!(
            "HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: 3\r\n\r\nok\n",
            "v".repeat(60_000)
        ))),
        "/endless-head" => close(text(&format!("HTTP/1.1 200 OK\r\nX: {}", "v".repeat(2_000_000)))),
        "/endless" => close([text("HTTP/1.1 200 OK\r\n\r\n"), vec![b'x'; 8 << 20]].concat()),
        "/typed" => next(text(
            "HTTP/1.1 200 OK\r\nContent-Type:  text/plain; a=b \r\nContent-Length: 3\r\n\r\nok\n",
        )),
        "/fields" => next(text(
            "HTTP/1.1 200 OK\r\nX-One: 1\r\nX-Two: a\r\nx-two: \"b\"\r\nContent-Length: 3\r\n\r\nok\n",
        )),
        "/417" if expects => {
            (true, text("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n"), Then::Next)
        }
        "/413" if expects => (
            true,
            text("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbig\n"),
            Then::Close,
        ),
        "/short" => close(text("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort\n")),
        "/short-chunked" => {
            close(text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nshort"))
        }
        "/nothing" => close(Vec::new()),
        "/reset-body" => close(text("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")),
        "/garbage" => close(text("SSH-2.0-OpenSSH_9.2\r\n")),
        "/bad-chunk" => close(text(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
        )),
        "/bad-length" => close(text("HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nok\n")),
        "/long-length" => close(text("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nall\n")),
        "/http2" => close(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00\x40\x00".to_vec()),
        "/http09" => close(text("<html>no head</html>\n")),
        "/te-gzip" => close(text("HTTP/1.1 200 OK\r\nTransfer-Encoding: nonsense\r\n\r\nok\n")),
        "/status-4digits" => close(text("HTTP/1.1 2000 OK\r\nContent-Length: 3\r\n\r\nok\n")),
        "/no-colon" => close(text("HTTP/1.1 200 OK\r\nnocolon\r\nContent-Length: 3\r\n\r\nok\n")),
        "/space-colon" => {
            close(text("HTTP/1.1 200 OK\r\nX-A : b\r\nContent-Length: 3\r\n\r\nok\n"))
        }
        "/control" => {
            close(text("HTTP/1.1 200 OK\r\nX-A: a\x01b\r\nContent-Length: 3\r\n\r\nok\n"))
        }
        "/slow-404" => (
            false,
            text("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n"),
            Then::Slowly(Duration::from_secs(2)),
        ),
        "/slow" | "/slow-body" => (false, ok(), Then::Slowly(Duration::from_secs(2))),
        "/once503" if asked == 1 => {
            next(text("HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nbusy\n"))
        }
        "/once404" if asked == 1 => {
            next(text("HTTP/1.1 404 Gone\r\nContent-Length: 5\r\n\r\nbusy\n"))
        }
        "/retry-after" => {
            next(text("HTTP/1.1 503 Busy\r\nRetry-After: 30\r\nContent-Length: 5\r\n\r\nbusy\n"))
        }
        // Not in the past: curl 7.88 then sleeps for ever.
        "/retry-date" if asked == 1 => {
            let date = http_date(SystemTime::now() + Duration::from_secs(2));
            let rest = "Content-Length: 5\r\n\r\nbusy\n";
            next(text(&format!("HTTP/1.1 503 Busy\r\nRetry-After: {date}\r\n{rest}")))
        }
        "/retry-words" if asked == 1 => {
            next(text("HTTP/1.1 503 Busy\r\nRetry-After: soon\r\nContent-Length: 5\r\n\r\nbusy\n"))
        }
        "/drip" => (false, ok(), Then::Slowly(Duration::from_millis(3500))),
        _ => next(ok()),
    }
}

/// The Location line for a name. A target that would lead back here leads to `/ok` the second time,
/// but for `self`.
fn location(name: &str, before: &str, asked: usize) -> String {
    let to = match name {
        _ if asked > 1 && name != "self" && name != "query" => "/ok",
        "abs" => "/two?from=here",
        "rel" => "two",
        "up" => "../two",
        "up2" => "../../../two",
        "dot" => "./two",
        "query" if asked > 1 => "/ok",
        "query" => "?again",
        "space" => "/a b/c d",
        "query-space" => "/a?b c",
        "utf8" => "/\u{e9}/?\u{e9}",
        "fragment" => "/two#part",
        "host" => "http://other/two",
        "hostport" => "http://d:81/two",
        "loop-host" => "http://other/go301/back-host",
        "back-host" => "http://d/two",
        "slashes" => "//other/two",
        "upper" => "HTTP://d/two",
        "dots" => "/x/../y/./two",
        "login" => "http://x:y@d/two",
        "login-there" => "http://x:y@other/two",
        "https" => "https://d/two",
        "ftp" => "ftp://d/two",
        "bad" => "http://d:port/two",
        "self" => return format!("Location: {before}/go301/self\r\n"),
        "to404" => "/404",
        "twice" => return "Location: /two\r\nLocation: /ok\r\n".into(),
        "empty" => return "Location: \r\n".into(),
        _ => return String::new(),
    };
    format!("Location: {to}\r\n")
}
