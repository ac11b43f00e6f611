//! # A chunked body by hand
//!
//! Who begins to answer before the length is known can state no Content-Length. The answer comes in
//! chunks: a line with a size in hex, that many bytes, CR LF; and a chunk of size 0 to say that
//! this was all.
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
//! The socket (`unix:///path`) is the first argument, else DOCKER_HOST, else /var/run/docker.sock;
//! the second is what to GET. `/events` shows what chunks are for: nobody knows when it ends.
//!
//! Read with it: RFC 9112 §7.1 (the grammar), §7.1.1 (chunk-ext), §7.1.2 (the trailer section).
//!
//! Exercise: `from_str_radix` would take `+5` for 5. What can happen when two programs on one
//! connection disagree on what is a size? (RFC 9112 §11.2.) Then print the trailer section instead
//! of reading past it.

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
        size = chunk_size(&line).ok_or(Error::other(format!("{line:?} is no chunk-size line")))?;
        println!("{line:?} = {size} bytes");
        let copied = io::copy(&mut stream.by_ref().take(size), &mut io::stdout())?;
        if copied < size || (size > 0 && read_line(&mut stream)? != "\r\n") {
            return Err(Error::other("a chunk that is shorter or longer than it says"));
        }
    }
    while read_line(&mut stream)? != "\r\n" {} // the trailer section ends at an empty line
    println!("{:?} = the end of the message", "\r\n");
    Ok(())
}

/// `chunk-size = 1*HEXDIG`; a `;` begins a chunk-ext, which is read past.
fn chunk_size(line: &str) -> Option<u64> {
    let digits = line.strip_suffix("\r\n")?.split(';').next()?.trim_end_matches([' ', '\t']);
    u64::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
}

/// One line with its end. A line without one must not fill the memory.
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
