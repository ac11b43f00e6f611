//! # A client on a Unix socket
//!
//! Connects to the file `echo_server` listens on, sends a line, reads until the server ends the
//! stream. The same with other tools: `echo hello | socat - UNIX-CONNECT:$D/echo.sock`.
//!
//! ```console
//! $ D=$(mktemp -d)
//! $ cargo run -q --example echo_server -- $D/echo.sock >$D/log &
//! $ until [ -S $D/echo.sock ]; do sleep 0.05; done
//! $ cargo run -q --example echo_client -- $D/echo.sock over a file
//! sent:     over a file
//! received: OVER A FILE
//! $ cat $D/log
//! listening on …/echo.sock
//! server got 12 bytes: "over a file\n"
//! ```
//!
//! `shutdown(Write)` ends our half and leaves the other open: the server reads its end of stream,
//! answers what is left, closes, and only then are we done. Docker ends a container's standard
//! input in just this way, and a program that closes the whole socket instead loses the answer.
//! (RFC 9112 §9.6 is about this moment in HTTP.)
//!
//! Exercise: leave the `shutdown` out. Who waits for whom, and why does it never end?

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
