//! The server of the benches. It sends prepared responses, so that the benches measure the client.
//! It expects each small request in one read, which holds on a Unix socket.

#![allow(dead_code, reason = "each bench uses its own part")]

use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::{env, fs, process, thread};

/// dockerd's answer to `GET /version`, and to `POST /containers/create`.
pub const VERSION: &[u8] = include_bytes!("../../tests/recorded/docker-version.response");
pub const CREATED: &[u8] = include_bytes!("../../tests/recorded/docker-201-create.response");

/// The approximate size of each write of a long response.
const BLOCK: usize = 256 * 1024;

/// A private directory. Dropping it removes the directory.
pub struct Place(PathBuf);

impl Place {
    pub fn new() -> io::Result<Place> {
        let path = env::temp_dir().join(format!("uh-bench-{}", process::id()));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Place(path))
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Listens on `path`. Serves four connections at a time, each until its client closes it.
///
/// | request | answer |
/// |---|---|
/// | `GET /version`, `POST /containers/create` | dockerd's |
/// | `GET /length/N` | N bytes with a Content-Length |
/// | `GET /chunked/N/C` | N bytes in chunks of C |
/// | `PUT` with a length or chunked | 204 after the last byte |
pub fn listen(path: &Path) -> io::Result<()> {
    let listener = UnixListener::bind(path)?;
    for _ in 0..4 {
        let listener = listener.try_clone()?;
        thread::spawn(move || {
            listener.incoming().map_while(Result::ok).for_each(|stream| drop(serve(stream)))
        });
    }
    Ok(())
}

fn serve(mut stream: UnixStream) -> io::Result<()> {
    let mut buffer = vec![0; BLOCK];
    loop {
        let n = stream.read(&mut buffer)?;
        if n == 0 {
            return Ok(());
        }
        let request = &buffer[..n];
        if request.starts_with(b"GET /version") {
            stream.write_all(VERSION)?;
        } else if request.starts_with(b"POST") {
            stream.write_all(CREATED)?;
        } else if request.starts_with(b"PUT") {
            take(&mut stream, &mut buffer, n)?;
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
        } else {
            let line = String::from_utf8_lossy(request).into_owned();
            let target = line.split(' ').nth(1).unwrap_or_default();
            let number = |at: usize| target.split('/').nth(at).and_then(|n| n.parse().ok());
            long(&mut stream, number(2).unwrap_or(0), number(3))?;
        }
    }
}

/// Writes `n` bytes of content, optionally in chunks of `of` bytes.
fn long(stream: &mut UnixStream, n: usize, of: Option<usize>) -> io::Result<()> {
    let (head, one, last) = match of {
        None => (format!("Content-Length: {n}"), vec![b'x'; BLOCK.min(n)], &b""[..]),
        Some(of) => ("Transfer-Encoding: chunked".to_owned(), chunk(of), &b"0\r\n\r\n"[..]),
    };
    stream.write_all(
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n{head}\r\n\r\n").as_bytes(),
    )?;
    let of = of.unwrap_or(one.len()).max(1);
    let (whole, rest) = (n / of, n % of);
    let at_once = (BLOCK / one.len().max(1)).clamp(1, whole.max(1));
    let block = one.repeat(at_once);
    for _ in 0..whole / at_once {
        stream.write_all(&block)?;
    }
    stream.write_all(&one.repeat(whole % at_once))?;
    match (rest, last.is_empty()) {
        (0, _) => {}
        (_, true) => stream.write_all(&one[..rest])?,
        (_, false) => stream.write_all(&chunk(rest))?,
    }
    stream.write_all(last)
}

pub fn chunk(of: usize) -> Vec<u8> {
    [format!("{of:x}\r\n").as_bytes(), &vec![b'x'; of], b"\r\n"].concat()
}

/// Reads the content of a request whose first `n` bytes are in the buffer.
fn take(stream: &mut UnixStream, buffer: &mut [u8], n: usize) -> io::Result<()> {
    let head = buffer[..n].windows(4).position(|w| w == b"\r\n\r\n").map_or(n, |at| at + 4);
    let lower = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
    if let Some(length) =
        lower.split("content-length: ").nth(1).and_then(|l| l.split('\r').next()?.parse().ok())
    {
        let mut came = n - head;
        while came < length {
            match stream.read(buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => came += n,
            }
        }
        return Ok(());
    }
    // Chunked; the content does not contain the bytes of a last chunk.
    let mut end = buffer[head..n].to_vec();
    while !end.ends_with(b"0\r\n\r\n") {
        let n = stream.read(buffer)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        end.extend_from_slice(&buffer[n.saturating_sub(5)..n]);
        end.drain(..end.len().saturating_sub(5));
    }
    Ok(())
}
