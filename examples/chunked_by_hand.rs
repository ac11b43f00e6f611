//! # Lesson 5: a chunked body by hand
//!
//! Goal: read a body whose length is unknown when it begins.
//!
//! A server that starts to answer before it knows the length cannot send Content-Length. It sends
//! chunks: a line with a size in hexadecimal, that many bytes, and CR LF. A chunk of size 0 says
//! that the body is complete.
//!
//! ```console engine
//! $ cargo run -q --example chunked_by_hand
//! HTTP/1.1 200 OK
//! …
//! Transfer-Encoding: chunked
//! …
//!
//! "…\r\n" = … bytes
//! {"ID":…
//! …
//! "0\r\n" = 0 bytes
//! "\r\n" = the end of the message
//! ```
//!
//! The first argument is the socket (`unix:///path`), else DOCKER_HOST or /var/run/docker.sock. The
//! second is the path to GET. `/events` shows what chunks are good for: no server can know the
//! length of that answer.
//!
//! Look at:
//!
//! 1. `chunk_size`: accepts hexadecimal digits and nothing else. See the exercise.
//! 2. `copied < size`: a stream that ends inside a chunk is an error, not a shorter body.
//! 3. `read_line`: has a limit, since a line without an end must not fill the memory.
//!
//! Read: RFC 9112 §7.1 (the grammar), §7.1.1 (chunk extensions), §7.1.2 (the trailer section).
//!
//! Exercise: print the number of chunks and the number of content bytes at the end. And think:
//! `from_str_radix` would read `+5` as 5. What can go wrong if a proxy accepts `+5` and the server
//! behind it does not? (RFC 9112 §11.2)
//!
//! Hint: add two counters beside `size`. The last chunk, of size 0, holds no content.

use std::env;
use std::io::{self, BufRead, BufReader, Error, Read, Write};
use std::os::unix::net::UnixStream;

fn main() -> io::Result<()> {
    let mut stream = BufReader::new(UnixStream::connect(socket()?)?);
    let path = env::args().nth(2).unwrap_or("/info".into());
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.get_mut().write_all(request.as_bytes())?;

    let (mut line, mut chunked) = (String::new(), false);
    while line != "\r\n" {
        line = read_line(&mut stream)?;
        print!("{line}");
        let field = line.to_ascii_lowercase();
        chunked |=
            field.strip_prefix("transfer-encoding:").is_some_and(|value| value.trim() == "chunked");
    }
    let mut size = if chunked {
        1
    } else {
        return Err(Error::other("not chunked: look for a Content-Length"));
    };
    while size > 0 {
        let line = read_line(&mut stream)?;
        size =
            chunk_size(&line).ok_or(Error::other(format!("{line:?} is not a chunk-size line")))?;
        println!("{line:?} = {size} bytes");
        let copied = io::copy(&mut stream.by_ref().take(size), &mut io::stdout())?;
        if copied < size || (size > 0 && read_line(&mut stream)? != "\r\n") {
            return Err(Error::other("a chunk is shorter or longer than its size"));
        }
    }
    while read_line(&mut stream)? != "\r\n" {} // the trailer section ends at an empty line
    println!("{:?} = the end of the message", "\r\n");
    Ok(())
}

/// `chunk-size = 1*HEXDIG`; a `;` begins a chunk-ext, which is ignored.
fn chunk_size(line: &str) -> Option<u64> {
    let digits = line.strip_suffix("\r\n")?.split(';').next()?.trim_end_matches([' ', '\t']);
    u64::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
}

/// Reads one line with its end. A line without an end must not fill the memory.
fn read_line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    let count = stream.take(8192).read_line(&mut line)?;
    if count > 0 { Ok(line) } else { Err(Error::other("cut short")) }
}

/// The first argument, else DOCKER_HOST, else where Docker listens.
fn socket() -> io::Result<String> {
    let said = env::args().nth(1).or(env::var("DOCKER_HOST").ok()).filter(|said| !said.is_empty());
    let host = said.unwrap_or("unix:///var/run/docker.sock".into());
    host.strip_prefix("unix://")
        .map(String::from)
        .ok_or(Error::other(format!("{host} is not unix:///path")))
}
