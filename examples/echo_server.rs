//! # Lesson 1, first half: an echo server on a Unix socket
//!
//! Goal: exchange lines with another program through a file.
//!
//! A Unix socket is a file at which two programs meet. This program creates the file, listens, and
//! answers each line in upper case, as in the tutorial of Python's `socketserver`. The other
//! program is `echo_client`.
//!
//! ```console
//! $ D=$(mktemp -d)
//! $ cargo run -q --example echo_server -- $D/echo.sock &
//! listening on …/echo.sock
//! $ cargo run -q --example echo_client -- $D/echo.sock 'hello, socket'
//! sent:     hello, socket
//! server got 14 bytes: "hello, socket\n"
//! received: HELLO, SOCKET
//! $ kill $!; rm -r $D
//! ```
//!
//! A stream has no messages, only bytes in order. Both programs agree that a line is one message.
//! Such an agreement is a *protocol*. HTTP/1.1 is a larger one: RFC 9112 §2.1 ends its lines in a
//! similar way, and §6.3 says where a message ends.
//!
//! Look at:
//!
//! 1. `UnixListener::bind`: creates the file. It fails if the file exists.
//! 2. `thread::spawn`: one thread for each connection, so a silent client delays no other client.
//! 3. `LONGEST_LINE`: without a limit, one endless line would fill the memory.
//!
//! Exercise: start the server, stop it with Ctrl-C, and start it again. Why does it fail? Make it
//! remove the file first, but only when no server listens there.
//!
//! Hint: try to connect. One kind of error means that the file is there and no program listens.

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
        // A thread for each connection: a silent client delays no other client.
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
    // 0 bytes: the client has ended its direction.
    while (&mut reader).take(LONGEST_LINE).read_line(&mut line)? > 0 {
        println!("server got {} bytes: {line:?}", line.len());
        stream.write_all(line.to_uppercase().as_bytes())?;
        line.clear();
    }
    Ok(())
}
