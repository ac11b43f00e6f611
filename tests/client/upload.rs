//! Uploads from every kind of file and pipe: the server receives the same bytes on every path.

use crate::support::child::{run, ucurl};
use crate::support::fake::Fake;
use crate::support::serve::{PATIENCE, Served, serve};
use crate::support::temp::TempDir;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use unix_http::client::ClientEvent;
use unix_http::{Body, Client, Error};

/// Starts a server that answers with the framing of the request, then its content.
fn echo() -> Served {
    serve(|request, responder| {
        let length = request.length().map_or("chunked".to_owned(), |length| length.to_string());
        let content = request.bytes(64 << 20)?;
        responder.send([format!("{length}:").into_bytes(), content].concat())
    })
}

/// Returns bytes in which all pages differ.
fn varied(n: usize) -> Vec<u8> {
    (0..n).map(|at| (at.wrapping_mul(0x9e37_79b1) >> 13) as u8 ^ (at >> 12) as u8).collect()
}

#[track_caller]
fn arrives(answer: &[u8], how: &str, content: &[u8]) {
    let colon = answer.iter().position(|b| *b == b':').unwrap();
    assert_eq!(String::from_utf8_lossy(&answer[..colon]), how);
    let answer = &answer[colon + 1..];
    let first = || answer.iter().zip(content).position(|(came, sent)| came != sent);
    assert!(
        answer == content,
        "{} bytes of {}, first difference at {:?}",
        answer.len(),
        content.len(),
        first()
    );
}

fn file_of(dir: &Path, content: &[u8]) -> File {
    let path = dir.join("content");
    fs::write(&path, content).unwrap();
    File::open(path).unwrap()
}

/// Enough to fill pipes and sockets several times; not a multiple of the page size.
const LONG: usize = (1 << 20) + 4321;

#[test]
fn a_file_is_sent_from_its_current_position() {
    let (server, dir) = (echo(), TempDir::new());
    let client = server.client();
    let content = varied(LONG);
    let in_memory = Path::new("/dev/shm")
        .is_dir()
        .then(|| format!("/dev/shm/uh-upload-{}", std::process::id()));
    let in_memory = in_memory.inspect(|path| fs::create_dir(path).unwrap());
    for place in [Some(dir.path()), in_memory.as_deref().map(Path::new)].into_iter().flatten() {
        for start in [0, 1, 4096, 5000, LONG - 70_000, LONG - 1, LONG] {
            let mut file = file_of(place, &content);
            file.seek(SeekFrom::Start(start as u64)).unwrap();
            let answer =
                client.put("/").body(Body::file(file).unwrap()).send().unwrap().bytes().unwrap();
            arrives(&answer, &(LONG - start).to_string(), &content[start..]);
            // The same, in chunks.
            let mut file = file_of(place, &content);
            file.seek(SeekFrom::Start(start as u64)).unwrap();
            let answer =
                client.put("/").body(Body::reader(file, None)).send().unwrap().bytes().unwrap();
            arrives(&answer, "chunked", &content[start..]);
        }
    }
    in_memory.map_or(Ok(()), fs::remove_dir_all).unwrap();
}

#[test]
fn unreadable_and_special_files_are_sent_or_reported() {
    let (server, dir) = (echo(), TempDir::new());
    let client = server.client();
    file_of(dir.path(), &varied(LONG));
    let unreadable = File::options().write(true).open(dir.path().join("content")).unwrap();
    let error = client.put("/").body(Body::file(unreadable).unwrap()).send().unwrap_err();
    assert!(matches!(error, Error::Source(_)), "{error}");
    // A file that is longer than its metadata says, and one with the right length.
    for name in ["/proc/self/limits", "/sys/kernel/btf/vmlinux"] {
        let Ok(content) = fs::read(name) else { continue };
        let answer = client
            .put("/")
            .body(Body::reader(File::open(name).unwrap(), None))
            .send()
            .unwrap()
            .bytes()
            .unwrap();
        assert!(content.len() > 500, "{name}");
        arrives(&answer, "chunked", &content);
    }
    let zeros = Body::reader(File::open("/dev/zero").unwrap(), None);
    let answer = client
        .put("/")
        .field("Content-Length", "1000000")
        .body(zeros)
        .send()
        .unwrap()
        .bytes()
        .unwrap();
    arrives(&answer, "1000000", &vec![0; 1_000_000]);
}

#[test]
fn a_file_may_shrink_or_grow_while_it_is_sent() {
    let dir = TempDir::new();
    let content = varied(LONG);
    file_of(dir.path(), &content);
    let path = dir.path().join("content");
    let write = move |n: u64| File::options().write(true).open(&path).unwrap().set_len(n).unwrap();
    for (becomes, whole) in [(100_000, false), (2 * LONG as u64, true)] {
        let write = write.clone();
        write(LONG as u64);
        let server = Fake::start(move |peer| {
            peer.read_until(b"\r\n\r\n")?;
            // The rest of the file is larger than the socket's buffer.
            write(becomes);
            peer.read(LONG)?;
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
        });
        let file = File::open(dir.path().join("content")).unwrap();
        let sent = Client::unix(server.path()).put("/").body(Body::file(file).unwrap()).send();
        match sent {
            Ok(response) => assert!(whole && response.text().unwrap() == "OK"),
            Err(Error::SourceLength { announced, found }) => {
                assert!(
                    !whole && announced == LONG as u64 && found < announced,
                    "{found} of {announced}"
                );
            }
            Err(error) => panic!("{error}"),
        }
        let received = server.received().remove(0);
        let head = received.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
        assert!(!whole || received[head..head + 100_000] == content[..100_000]);
    }
}

#[test]
fn pipes_sockets_and_readers_are_sent_whole() {
    let server = echo();
    let client = server.client();
    let content = varied(LONG);
    for piece in [1 << 20, 65_536, 10_240, 4097, 512, 100] {
        let content = &content[..LONG.min(piece * 2000)];
        let fed = |source: OwnedFd, mut feeder: Box<dyn Write + Send>, length: Option<usize>| {
            std::thread::scope(|scope| {
                scope.spawn(move || {
                    content.chunks(piece).try_for_each(|piece| feeder.write_all(piece)).unwrap();
                });
                let mut request = client.put("/").body(Body::reader(File::from(source), None));
                if let Some(length) = length {
                    request = request.field("Content-Length", length.to_string());
                }
                request.send().and_then(|response| response.bytes())
            })
        };
        let (source, feeder) = io::pipe().unwrap();
        arrives(&fed(source.into(), Box::new(feeder), None).unwrap(), "chunked", content);
        let (source, feeder) = io::pipe().unwrap();
        let length = Some(content.len());
        arrives(
            &fed(source.into(), Box::new(feeder), length).unwrap(),
            &content.len().to_string(),
            content,
        );
        let (source, feeder) = UnixStream::pair().unwrap();
        arrives(&fed(source.into(), Box::new(feeder), None).unwrap(), "chunked", content);
        let (source, feeder) = io::pipe().unwrap();
        let error = fed(source.into(), Box::new(feeder), Some(content.len() + 1)).unwrap_err();
        let (all, more) = (content.len() as u64, content.len() as u64 + 1);
        assert!(
            matches!(error, Error::SourceLength { announced, found } if (announced, found) == (more, all)),
            "{error}"
        );
    }
    let mut child =
        Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    std::thread::scope(|scope| {
        let content = &content;
        scope.spawn(move || stdin.write_all(content).unwrap());
        let answer =
            client.put("/").body(Body::reader(stdout, None)).send().unwrap().bytes().unwrap();
        arrives(&answer, "chunked", content);
    });
    assert!(child.wait().unwrap().success());
}

#[test]
fn bytes_from_a_pipe_are_sent_at_once() {
    // The next piece is written only after the server has read the chunk of the previous one.
    let sizes = [1, 511, 512, 513, 5000, 65_536];
    let (seen, wait) = mpsc::channel();
    let server = Fake::start(move |peer| {
        peer.read_until(b"\r\n\r\n")?;
        for size in sizes {
            let mut left = size;
            // A pipe may split a piece. The client sends the end of a chunk before it reads more.
            while left > 0 {
                let before = peer.received().len();
                peer.read_until(b"\r\n")?;
                let line = String::from_utf8_lossy(&peer.received()[before..]).trim().to_owned();
                let n = usize::from_str_radix(&line, 16).expect(&line);
                peer.read(n + 2)?;
                left -= n;
            }
            seen.send(()).unwrap();
        }
        peer.read_until(b"0\r\n\r\n")?;
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
    });
    let (source, mut feeder) = io::pipe().unwrap();
    let feeding = std::thread::spawn(move || {
        for size in sizes {
            feeder.write_all(&vec![b'x'; size]).unwrap();
            wait.recv_timeout(PATIENCE).unwrap();
        }
    });
    let client = Client::unix(server.path());
    assert_eq!(
        client.post("/").body(Body::reader(source, None)).send().unwrap().text().unwrap(),
        "OK"
    );
    feeding.join().unwrap();
}

#[test]
fn an_early_response_ends_an_upload() {
    let dir = TempDir::new();
    file_of(dir.path(), &varied(LONG));
    for chunked in [false, true] {
        let server = Fake::start(|peer| {
            peer.read_until(b"\r\n\r\n")?;
            peer.send(
                b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 4\r\n\r\nnope",
            )
        });
        let file = File::open(dir.path().join("content")).unwrap();
        let body = if chunked { Body::reader(file, None) } else { Body::file(file).unwrap() };
        let mut response = Client::unix(server.path()).put("/").body(body).send().unwrap();
        let mut content = String::new();
        response.read_to_string(&mut content).unwrap();
        assert_eq!((response.status(), content.as_str()), (404, "nope"));
    }
}

#[test]
fn an_observer_sees_the_whole_upload() {
    let (server, dir) = (echo(), TempDir::new());
    let content = varied(LONG);
    let (send, sent) = mpsc::channel();
    let endpoint = unix_http::Endpoint::Unix(server.dir.join("s"));
    let client = Client::builder(endpoint).observe(move |event| {
        if let ClientEvent::RequestBody(bytes) = event {
            send.send(bytes.to_vec()).unwrap();
        }
    });
    let client = client.build();
    let body = Body::file(file_of(dir.path(), &content)).unwrap();
    arrives(
        &client.put("/").body(body).send().unwrap().bytes().unwrap(),
        &LONG.to_string(),
        &content,
    );
    drop(client);
    assert!(sent.iter().flatten().eq(content));
}

const LIMIT: Duration = Duration::from_secs(60);

fn put(server: &Served, arguments: &[&str]) -> Command {
    let mut command = ucurl();
    command
        .args(["-s", "-H", "Expect:", "--unix-socket"])
        .arg(server.dir.join("s"))
        .args(arguments);
    command.arg("http://localhost/");
    command
}

#[test]
fn ucurl_sends_files_and_pipes() {
    let (server, dir) = (echo(), TempDir::new());
    let content = varied(LONG);
    file_of(dir.path(), &content);
    let path = dir.path().join("content");
    let length = format!("Content-Length: {LONG}");
    let ways: [(&[&str], &[u8], &str); 3] = [
        (&["-T", path.to_str().unwrap()], b"", &LONG.to_string()),
        (&["-T", "-"], &content, "chunked"),
        (&["-T", "-", "-H", &length], &content, &LONG.to_string()),
    ];
    let answer = dir.path().join("answer");
    for (arguments, stdin, how) in ways {
        let arguments = [arguments, &["-o", answer.to_str().unwrap()]].concat();
        run(&mut put(&server, &arguments), stdin, LIMIT).success();
        arrives(&fs::read(&answer).unwrap(), how, &content);
    }
}

#[test]
fn a_reader_that_panics_is_an_error() {
    struct Panics;
    impl Read for Panics {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            // Panics without a message on standard error.
            std::panic::resume_unwind(Box::new(()))
        }
    }
    let server = Fake::start(|peer| peer.read_to_end());
    let error =
        Client::unix(server.path()).put("/").body(Body::reader(Panics, None)).send().unwrap_err();
    assert!(
        matches!(&error, Error::Source(_)) && error.to_string().contains("panicked"),
        "{error}"
    );
}

/// Borrowed content of any length is sent on the calling thread.
#[test]
fn borrowed_content_is_sent_on_the_calling_thread() {
    let server = echo();
    let client = server.client();
    for content in [varied(0), varied(5), varied(LONG)] {
        let length = content.len() as u64;
        let sized = Body::borrowed(&content[..], Some(length));
        let answer = client.put("/up").body(sized).send().unwrap().bytes().unwrap();
        arrives(&answer, &length.to_string(), &content);
        let chunked = Body::borrowed(&content[..], None);
        let answer = client.put("/up").body(chunked).send().unwrap().bytes().unwrap();
        arrives(&answer, "chunked", &content);
    }
    let short = client.put("/up").body(Body::borrowed(&b"1234"[..], Some(5))).send();
    assert!(matches!(short, Err(Error::SourceLength { announced: 5, found: 4 })), "{short:?}");
    let request = client.put("/up").body(Body::borrowed(&b"x"[..], None));
    let refused = request.expect_continue(Duration::from_secs(1)).send();
    assert!(matches!(refused, Err(Error::Request(_))), "{refused:?}");
}

/// If the peer answers early and closes, the client reads the response and drops the connection.
#[test]
fn an_early_response_to_borrowed_content_is_returned() {
    let server = Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig")
    });
    let client = Client::unix(server.path());
    let mut endless = io::repeat(0);
    let mut response = client.put("/up").body(Body::borrowed(&mut endless, None)).send().unwrap();
    assert!(matches!(response.upload_error(), Some(Error::Send(_))));
    assert_eq!((response.status(), response.text().unwrap()), (413, "big".into()));
    assert!(!client.put("/up").send().unwrap().is_reused());
}

/// Request and response are forwarded without holding them in memory.
#[test]
fn a_reverse_proxy_takes_twenty_lines() {
    const HOP: [&str; 6] =
        ["Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length", "TE", "Upgrade"];
    let upstream = echo();
    let client = upstream.client();
    let proxy = serve(move |request, responder| {
        let is_hop = |name: &str| HOP.iter().any(|hop| hop.eq_ignore_ascii_case(name));
        let (method, target) = (request.method().to_owned(), request.target().to_vec());
        let mut outgoing = client.request(&method, &target);
        for field in request.fields().iter().filter(|field| !is_hop(field.name())) {
            outgoing = outgoing.field(field.name(), field.value());
        }
        let length = request.length();
        let sent = outgoing.body(Body::borrowed(request, length)).send();
        let mut answer = sent.map_err(io::Error::from)?;
        let mut responder = responder.status(answer.status());
        for field in answer.fields().iter().filter(|field| !is_hop(field.name())) {
            responder = responder.field(field.name(), field.value());
        }
        let mut body = responder.stream()?;
        io::copy(&mut answer, &mut body)?;
        body.finish()
    });
    let content = varied(LONG);
    let client = proxy.client();
    let answer = client.put("/a?b").body(&content[..]).send().unwrap().bytes().unwrap();
    arrives(&answer, &LONG.to_string(), &content);
    let streamed = client.put("/a").body(Body::reader(io::Cursor::new(content.clone()), None));
    arrives(&streamed.send().unwrap().bytes().unwrap(), "chunked", &content);
}
