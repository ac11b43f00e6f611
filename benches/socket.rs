//! Exchanges and streams over a socket, compared with the bare socket: `taskset -c 1 cargo bench
//! --bench socket`. On more than one core, this would mostly measure how the kernel wakes a core.
//!
//! The floor writes a prepared request, reads the known number of bytes, and parses nothing.

#[path = "support/beside.rs"]
mod beside;
#[path = "support/serve.rs"]
mod serve;

use beside::{Row, beside};
use criterion::Criterion;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use unix_http::connection::Connection;
use unix_http::wire::{
    BodyDecoder, Fields, OVERHEAD_LIMIT, ResponseDecoder, Version, encode_request, framing,
};
use unix_http::{Client, Endpoint, RequestBuilder};

const BUFFER: usize = 64 * 1024;
const CREATE: &[u8] =
    br#"{"Image":"busybox","Cmd":["echo","hi"],"HostConfig":{"NetworkMode":"none"}}"#;

fn request(method: &str, target: &str, content: &[u8]) -> Vec<u8> {
    let length = if content.is_empty() {
        String::new()
    } else {
        format!("Content-Length: {}\r\n", content.len())
    };
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: floor\r\n{length}\r\n"
    );
    [head.as_bytes(), content].concat()
}

fn ask(
    stream: &mut UnixStream,
    request: &[u8],
    mut due: usize,
    buffer: &mut [u8],
) -> io::Result<()> {
    stream.write_all(request)?;
    while due > 0 {
        match stream.read(buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => due -= n,
        }
    }
    Ok(())
}

/// Reads a response like a typical user of the library. Returns the length of its content.
fn drain(request: RequestBuilder<'_>, buffer: &mut [u8]) -> usize {
    let mut response = request.send().expect("an answer");
    let mut content = 0;
    loop {
        match response.read(buffer).expect("content") {
            0 => return content,
            n => content += n,
        }
    }
}

/// Measures one exchange of the connection layer alone, over a socket pair.
fn pair(criterion: &mut Criterion) -> io::Result<()> {
    let peers = || -> io::Result<UnixStream> {
        let (ours, mut theirs) = UnixStream::pair()?;
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while theirs.read(&mut buffer).is_ok_and(|n| n > 0)
                && theirs.write_all(serve::VERSION).is_ok()
            {}
        });
        Ok(ours)
    };
    let (mut bare, mut connection) = (peers()?, Connection::new(peers()?));
    let (request, mut buffer, mut decoder) =
        (request("GET", "/version", b""), vec![0; BUFFER], ResponseDecoder::new());
    let (mut out, mut fields) = (Vec::new(), Fields::new());
    fields.push("Host", "localhost").expect("a field");
    let rows: Vec<Row<'_>> = vec![
        (
            "bare (floor)",
            Box::new(|| {
                ask(&mut bare, &request, serve::VERSION.len(), &mut buffer).expect("an answer")
            }),
        ),
        (
            "Connection",
            Box::new(move || {
                out.clear();
                encode_request(&mut out, "GET", b"/version", Version::Http11, &fields)
                    .expect("a request");
                connection.stream_mut().write_all(&out).expect("a peer");
                decoder.reset(OVERHEAD_LIMIT);
                let len = connection.read_head(&mut decoder).expect("a head").unwrap_or(0);
                let decision = framing::response("GET", decoder.head()).expect("framing");
                let mut body = BodyDecoder::new(decision.framing, len as u64, OVERHEAD_LIMIT);
                while let Ok(content) = connection.fill_body(&mut body)
                    && !content.is_empty()
                {
                    let n = content.len();
                    connection.consume_body(n);
                }
            }),
        ),
    ];
    beside(criterion, "exchange over a socket pair", serve::VERSION.len(), 1, rows);
    Ok(())
}

fn exchanges(criterion: &mut Criterion, path: &Path) -> io::Result<()> {
    let get = &request("GET", "/version", b"");
    let post = &request("POST", "/containers/create", CREATE);
    let kept = Client::unix(path);
    let once = Client::builder(Endpoint::Unix(path.into())).max_idle(0).build();
    let mut buffer = vec![0; BUFFER];

    let mut stream = UnixStream::connect(path)?;
    let mut ours = vec![0; BUFFER];
    let rows: Vec<Row<'_>> = vec![
        (
            "bare (floor)",
            Box::new(|| {
                ask(&mut stream, get, serve::VERSION.len(), &mut buffer).expect("an answer")
            }),
        ),
        ("Client", Box::new(|| assert!(drain(kept.get("/version"), &mut ours) > 0))),
    ];
    beside(criterion, "GET on a kept connection", serve::VERSION.len(), 1, rows);

    let rows: Vec<Row<'_>> = vec![
        (
            "bare (floor)",
            Box::new(|| {
                ask(&mut stream, post, serve::CREATED.len(), &mut buffer).expect("an answer")
            }),
        ),
        (
            "Client",
            Box::new(|| {
                assert!(drain(kept.post("/containers/create").json(CREATE), &mut ours) > 0)
            }),
        ),
    ];
    beside(criterion, "POST on a kept connection", serve::CREATED.len(), 1, rows);

    let rows: Vec<Row<'_>> = vec![
        (
            "bare (floor)",
            Box::new(|| {
                let mut stream = UnixStream::connect(path).expect("a server");
                ask(&mut stream, get, serve::VERSION.len(), &mut buffer).expect("an answer");
            }),
        ),
        ("Client", Box::new(|| assert!(drain(once.get("/version"), &mut ours) > 0))),
    ];
    beside(criterion, "GET on a new connection", serve::VERSION.len(), 1, rows);
    Ok(())
}

/// Measures bodies of 16 MiB. The floor reads the same number of bytes from the socket.
fn streams(criterion: &mut Criterion, path: &Path) -> io::Result<()> {
    const SIZE: usize = 16 << 20;
    let client = Client::unix(path);
    for (name, target) in [
        ("16 MiB with a length", format!("/length/{SIZE}")),
        ("16 MiB in chunks of 32 KiB", format!("/chunked/{SIZE}/32768")),
        ("16 MiB in chunks of 100 B", format!("/chunked/{SIZE}/100")),
    ] {
        let mut stream = UnixStream::connect(path)?;
        let get = request("GET", &target, b"");
        let (mut buffer, mut ours) = (vec![0; BUFFER], vec![0; BUFFER]);
        let due = wire_length(&mut UnixStream::connect(path)?, &get)?;
        let rows: Vec<Row<'_>> = vec![
            (
                "bare (floor)",
                Box::new(|| ask(&mut stream, &get, due, &mut buffer).expect("an answer")),
            ),
            ("Client", Box::new(|| assert_eq!(drain(client.get(&target), &mut ours), SIZE))),
        ];
        beside(criterion, name, SIZE, 1, rows);
    }
    Ok(())
}

/// Returns the length of a response: asks the server, which closes when the client half-closes.
fn wire_length(stream: &mut UnixStream, request: &[u8]) -> io::Result<usize> {
    stream.write_all(request)?;
    stream.shutdown(std::net::Shutdown::Write)?;
    Ok(usize::try_from(io::copy(stream, &mut io::sink())?).unwrap_or(0))
}

fn main() -> io::Result<()> {
    let place = serve::Place::new()?;
    let path = place.join("s");
    serve::listen(&path)?;
    let mut criterion = beside::criterion();
    pair(&mut criterion)?;
    exchanges(&mut criterion, &path)?;
    streams(&mut criterion, &path)?;
    criterion.final_summary();
    Ok(())
}
