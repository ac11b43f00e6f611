//! # Lesson 4: `POST /containers/create` by hand
//!
//! Goal: send a body, with its type and its length.
//!
//! A request with a body needs two more fields. Content-Type says what the bytes are, and the
//! engine accepts only JSON here. Content-Length says how many bytes there are. This is all that
//! `docker create --name mypy busybox echo hi` does.
//!
//! ```console engine
//! $ cargo run -q --example create_by_hand
//! > POST /containers/create?name=mypy HTTP/1.1\r\n
//! > Host: localhost\r\n
//! > Content-Type: application/json\r\n
//! > Content-Length: 75\r\n
//! > Connection: close\r\n
//! > \r\n
//! {"Image":"busybox","Cmd":["echo","hi"],"HostConfig":{"NetworkMode":"none"}}
//! < HTTP/1.1 201 Created\r\n
//! …
//! < \r\n
//! {"Id":"…","Warnings":[…]}
//! $ cargo run -q --example create_by_hand | grep -a -A1 -e HTTP/1.1.409 -e message
//! < HTTP/1.1 409 Conflict\r\n
//! …
//! {"message":"Conflict. The container name \"/mypy\" is already in use by container …"}
//! $ ucurl -s -X DELETE /containers/mypy
//! ```
//!
//! The socket (`unix:///path`) is the first argument, or DOCKER_HOST, or /var/run/docker.sock. If
//! the engine answers 404, it does not have the image: `docker pull busybox`.
//!
//! Look at:
//!
//! 1. `BODY.len()`: counts bytes. A character can be up to four of them.
//! 2. `Content-Type`: without it, dockerd takes the body for a form and answers 400.
//! 3. `write_all`: head and body travel in one write. They are one stream, not two messages.
//!
//! Read: RFC 9112 §6.2 (Content-Length), RFC 9110 §8.3 (Content-Type), §15.3.2 (201 Created),
//! §15.5.10 (409 Conflict).
//!
//! Exercise: state a Content-Length of 74, then of 76. Before you run it, guess what the engine
//! answers in each case. Does it wait for the byte that never comes?
//!
//! Hint: a JSON parser knows from the last `}` that the text is complete. Which part of the engine
//! looks at Content-Length, and which part looks at the braces?

use std::env;
use std::io::{self, Error, Read, Write};
use std::os::unix::net::UnixStream;

const BODY: &str = r#"{"Image":"busybox","Cmd":["echo","hi"],"HostConfig":{"NetworkMode":"none"}}"#;

fn main() -> io::Result<()> {
    let head = format!(
        "POST /containers/create?name=mypy HTTP/1.1\r\n\
         Host: localhost\r\n\
         Content-Type: application/json\r\n\
         Content-Length: {}\r\n\
         Connection: close\r\n\
         \r\n",
        BODY.len() // bytes, not characters
    );
    let mut stream = UnixStream::connect(socket()?)?;
    show('>', head.as_bytes());
    println!("{BODY}");
    stream.write_all(format!("{head}{BODY}").as_bytes())?;

    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let head_end =
        answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
    show('<', &answer[..head_end]);
    io::stdout().write_all(&answer[head_end..])
}

fn show(mark: char, head: &[u8]) {
    head.split_inclusive(|&byte| byte == b'\n')
        .for_each(|line| println!("{mark} {}", line.escape_ascii()));
}

/// The first argument, else DOCKER_HOST, else where Docker listens.
fn socket() -> io::Result<String> {
    let said = env::args().nth(1).or(env::var("DOCKER_HOST").ok()).filter(|said| !said.is_empty());
    let host = said.unwrap_or("unix:///var/run/docker.sock".into());
    host.strip_prefix("unix://")
        .map(String::from)
        .ok_or(Error::other(format!("{host} is not unix:///path")))
}
