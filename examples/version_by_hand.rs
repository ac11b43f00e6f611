//! # Lesson 3: `GET /version` by hand
//!
//! Goal: ask Docker for its version with four lines of text, and read its answer.
//!
//! The Docker API is HTTP/1.1 on a Unix socket, and HTTP/1.1 is text. This program uses nothing but
//! the standard library: it connects, writes four lines, and reads to the end. `>` marks the bytes
//! that it sends, `<` those of the answer.
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
//! The socket (`unix:///path`) is the first argument, or DOCKER_HOST, or /var/run/docker.sock.
//!
//! Look at:
//!
//! 1. `REQUEST`: a request-line, field lines, and an empty line. Every line ends with CR LF.
//! 2. `read_to_end`: enough here, because `Connection: close` makes the server end the stream.
//! 3. `windows(4)`: the head ends at the first empty line, and the body follows.
//!
//! Read: RFC 9112 §2.1 (the parts of a message), §3 (the request-line), §9.6 (`Connection: close`),
//! RFC 9110 §7.2 (an HTTP/1.1 request needs `Host`).
//!
//! Exercise: remove `Connection: close`. The program now waits for the server, which keeps the
//! connection open. Make it stop at the end of the answer.
//!
//! Hint: one field of the answer states how long the body is. Read the head line by line first.

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
