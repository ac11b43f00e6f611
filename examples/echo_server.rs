//! # An echo server on a Unix socket
//!
//! A Unix socket is a file that two programs meet at. This end binds the name, listens, and answers
//! each line it is sent in upper case: what Python's `socketserver` tutorial does. The other end is
//! `echo_client`.
//!
//! ```console
//! $ D=$(mktemp -d)
//! $ cargo run -q --example echo_server -- $D/echo.sock &
//! listening on …/echo.sock
//! $ cargo run -q --example echo_client -- $D/echo.sock 'hello, socket'
//! sent:     hello, socket
//! server got 14 bytes: "hello, socket\n"
//! received: HELLO, SOCKET
//! ```
//!
//! A stream has no messages, only bytes in order: both ends agreed that a line is one message. That
//! agreement is a *protocol*, and HTTP/1.1 is a larger one: RFC 9112 §2.1 ends its lines the same
//! way, and §6.3 says where a body ends.
//!
//! Exercise: stop the server with Ctrl-C and start it again. The file is still there, and `bind`
//! fails. When is it safe to remove the file first? (Try to connect: only a refusal says that
//! nobody listens.)

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;

/// A line without an end must not fill the memory.
const LONGEST_LINE: u64 = 1024;

fn main() -> io::Result<()> {
    let path = env::args().nth(1).unwrap_or_else(|| "echo.sock".into());
    let listener = UnixListener::bind(&path)?;
    println!("listening on {path}");
    for stream in listener.incoming() {
        let stream = stream?;
        // A thread for each connection: a client that says nothing keeps nobody else waiting.
        thread::spawn(move || {
            if let Err(error) = echo(&stream) {
                eprintln!("connection: {error}");
            }
        });
    }
    Ok(())
}

fn echo(mut stream: &UnixStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    // 0 bytes read: the client has ended its side.
    while (&mut reader).take(LONGEST_LINE).read_line(&mut line)? > 0 {
        println!("server got {} bytes: {line:?}", line.len());
        stream.write_all(line.to_uppercase().as_bytes())?;
        line.clear();
    }
    Ok(())
}
