//! # Lesson 1, second half: a client on a Unix socket
//!
//! Goal: send a line, say that nothing follows, and read until the server has said everything.
//!
//! `echo hello | socat - UNIX-CONNECT:$D/echo.sock` does the same.
//!
//! ```console
//! $ D=$(mktemp -d)
//! $ cargo run -q --example echo_server -- $D/echo.sock >$D/log &
//! $ until grep -qs listening $D/log; do sleep 0.05; done
//! $ cargo run -q --example echo_client -- $D/echo.sock over a file
//! sent:     over a file
//! received: OVER A FILE
//! $ cat $D/log
//! listening on …/echo.sock
//! server got 12 bytes: "over a file\n"
//! $ kill $!; rm -r $D
//! ```
//!
//! A connection has two directions, and each ends by itself. `shutdown(Write)` ends ours and leaves
//! the other open. The server reads the end of the stream, answers the rest, and closes. Docker
//! ends the standard input of a container in the same way. A program that closes the whole socket
//! instead loses the answer. (RFC 9112 §9.6 describes this moment in HTTP.)
//!
//! Look at:
//!
//! 1. `write_all`: a stream may take fewer bytes than `write` offers. `write_all` repeats.
//! 2. `Shutdown::Write`: the half-close.
//! 3. `read_to_string`: returns at the end of the stream, not at the end of a line.
//!
//! Exercise: remove the line with `shutdown`. Which program waits for which, and why does neither
//! stop?
//!
//! Hint: the server's loop ends when `read_line` returns 0.

use std::env;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

fn main() -> io::Result<()> {
    let mut args = env::args().skip(1);
    let path = args.next().unwrap_or_else(|| "echo.sock".into());
    let message = args.collect::<Vec<_>>().join(" ");

    let mut stream = UnixStream::connect(&path)?;
    println!("sent:     {message}");
    stream.write_all(format!("{message}\n").as_bytes())?;
    stream.shutdown(Shutdown::Write)?;

    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    println!("received: {}", answer.trim_end());
    Ok(())
}
