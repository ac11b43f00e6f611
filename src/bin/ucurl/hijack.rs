//! `--hijack`: the raw connection after a 101, stdin one way and the container's output the other.
//!
//! ```text
//!   stdin ──thread──▶ connection ──▶ content ──▶ stdout (and stderr)
//!      └ its end is the end of this direction: the container's stdin is closed, its output goes on
//! ```

use crate::content::Content;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::sink::Sink;
use crate::terminal::Raw;
use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::os::fd::AsFd as _;
use unix_http::client::WriteHalf;
use unix_http::{Client, Response, json};

/// A piece of output is read at most so large.
const PIECE: usize = 64 * 1024;

/// Carries both directions until the daemon ends its own; how many bytes it sent.
pub fn run(response: Response, mut content: Option<Content>, tty: bool, sink: &mut Sink) -> Result<u64, Failure> {
    let Ok(upgraded) = response.into_upgraded() else { return Ok(0) };
    let receive = |error: io::Error| Failure::new(Exit::Receive, format!("the raw connection: {error}"));
    let (mut read, write) = upgraded.split().map_err(receive)?;
    let terminal = if tty && io::stdin().is_terminal() { Some(Raw::enter()?) } else { None };
    let stdin = io::stdin().as_fd().try_clone_to_owned().map(File::from).map_err(receive)?;
    // Not joined: it may wait for a key that nobody presses any more.
    std::thread::Builder::new().name("stdin".into()).spawn(|| send(stdin, write)).map_err(receive)?;
    let (mut piece, mut received) = (vec![0; PIECE], 0);
    let result = loop {
        let n = match read.read(&mut piece) {
            Ok(0) => break Ok(()),
            Ok(n) => n,
            Err(error) => break Err(receive(error)),
        };
        received += n as u64;
        let shown = match &mut content {
            Some(content) => content.feed(&piece[..n], sink),
            None => sink.write(&piece[..n]),
        };
        if shown.is_err() {
            break shown;
        }
    };
    drop(terminal);
    result?;
    content.map_or(Ok(()), |content| content.finish(sink)).map(|()| received)
}

/// An error here is that the daemon listens no more: what it has to say comes the other way.
fn send(mut stdin: File, mut write: WriteHalf) {
    let mut piece = vec![0; PIECE];
    loop {
        match stdin.read(&mut piece) {
            Ok(0) => {
                _ = write.close();
                break;
            }
            Ok(n) if write.write_all(&piece[..n]).is_ok() => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            _ => break,
        }
    }
}

/// Whether the container or the exec that a path names has a terminal: `Config.Tty`, or `ProcessConfig.tty`, is the only
/// certain answer. `None` for a path that names neither, or where nobody answers.
pub fn asks_for_terminal(client: &Client, path: &str) -> Option<bool> {
    let path = path.split('?').next().unwrap_or_default();
    let (at, pointer) = match (path.find("/containers/"), path.find("/exec/")) {
        (Some(at), _) => (at + "/containers/".len(), "/Config/Tty"),
        (None, Some(at)) => (at + "/exec/".len(), "/ProcessConfig/tty"),
        (None, None) => return None,
    };
    let id = path[at..].split('/').next()?;
    let mut select = json::Select::new(json::Pointer::parse(pointer).ok()?);
    let mut answer = Vec::new();
    let mut response = client.get(&[&path[..at], id, "/json"].concat()).send().ok()?;
    if !response.is_success() {
        return None;
    }
    let mut piece = vec![0; PIECE];
    loop {
        match response.read(&mut piece).ok()? {
            0 => break,
            n => select.feed(&piece[..n], &mut answer).ok()?,
        }
    }
    match answer.trim_ascii() {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}
