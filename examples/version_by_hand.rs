//! # GET /version by hand
//!
//! The Docker API is HTTP/1.1 over a Unix socket, and HTTP/1.1 is text: connect, write four lines,
//! read to the end. Nothing but the standard library. `>` is what we send, `<` what the engine
//! answers, every byte of a head shown.
//!
//! ```console engine
//! $ cargo run -q --example version_by_hand
//! > GET /version HTTP/1.1\r\n
//! > Host: localhost\r\n
//! > Connection: close\r\n
//! > \r\n
//! < HTTP/1.1 200 OK\r\n
//! < Api-Version: …\r\n
//! < Content-Type: application/json\r\n
//! …
//! < Content-Length: …\r\n
//! …
//! < \r\n
//! {"Platform":…,"ApiVersion":"…",…}
//! ```
//!
//! The socket (`unix:///path`) is the first argument, else DOCKER_HOST, else /var/run/docker.sock.
//!
//! Read with it: RFC 9112 §2.1 (a message: start-line, field lines, an empty line, a body), §3 (the
//! request-line), RFC 9110 §7.2 (Host: an HTTP/1.1 request without it is refused), RFC 9112 §9.6
//! (`Connection: close`: the reason why reading to the end of the stream is enough here).
//!
//! Exercise: leave out `Connection: close` and run it again. Which field would tell you where the
//! answer ends?

use std::env;
use std::io::{self, Error, Read, Write};
use std::os::unix::net::UnixStream;

const REQUEST: &str = "GET /version HTTP/1.1\r\n\
                       Host: localhost\r\n\
                       Connection: close\r\n\
                       \r\n";

fn main() -> io::Result<()> {
    let mut stream = UnixStream::connect(socket()?)?;
    show('>', REQUEST.as_bytes());
    stream.write_all(REQUEST.as_bytes())?;

    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    // The head ends at the first empty line; all that follows is the body.
    let head_end =
        answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
    let (head, body) = answer.split_at(head_end);
    show('<', head);
    io::stdout().write_all(body)
}

fn show(mark: char, head: &[u8]) {
    for line in head.split_inclusive(|&byte| byte == b'\n') {
        println!("{mark} {}", line.escape_ascii());
    }
}

/// The first argument, else DOCKER_HOST, else where Docker listens.
fn socket() -> io::Result<String> {
    let said = env::args().nth(1).or(env::var("DOCKER_HOST").ok()).filter(|said| !said.is_empty());
    let host = said.unwrap_or("unix:///var/run/docker.sock".into());
    host.strip_prefix("unix://")
        .map(String::from)
        .ok_or(Error::other(format!("{host} is not unix:///path")))
}
