//! `--hijack`: the raw connection after a 101, stdin one way and the container's output the other.
//!
//! ```text
//!   stdin ──thread──▶ connection ──▶ content ──▶ stdout (and stderr)
//!      └ its end is the end of this direction: the container's stdin is closed, its output goes on
//! ```
//!
//! Where nobody reads what we would send (an attach without `stdin=1`, an exec without
//! `AttachStdin`), stdin is left to whom it belongs: the rest of the script.

use crate::args::exit::Exit;
use crate::fetch::attached::Attached;
use crate::fetch::failure::Failure;
use crate::output::content::Content;
use crate::output::sink::Sink;
use crate::output::terminal::{Raw, Sizes};
use crate::output::trace::Tracer;
use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::sync::{Arc, Mutex};
use std::thread;
use unix_http::base::sync::lock;
use unix_http::client::WriteHalf;
use unix_http::transport::{ConnectError, Timeout};
use unix_http::{Client, Error, Response};

/// A piece is read at most so large.
const PIECE: usize = 64 * 1024;

/// What a raw connection is joined with.
pub struct Join<'t> {
    pub client: &'t Client,
    /// The container or exec, where there is one.
    pub attached: Option<Attached>,
    /// It has a terminal.
    pub tty: bool,
    /// It reads what we send.
    pub stdin: bool,
    pub content: Option<Content>,
    pub tracer: Option<Arc<Tracer>>,
}

impl Join<'_> {
    /// Carries both directions until the daemon ends its own. `received` counts what it sent.
    pub fn run(
        mut self,
        response: Response,
        sink: &mut Sink,
        received: &mut u64,
    ) -> Result<(), Failure> {
        let Ok(upgraded) = response.into_upgraded() else { return Ok(()) };
        let (mut read, write) = upgraded.split().map_err(broken)?;
        let terminal = match self.tty && self.stdin && io::stdin().is_terminal() {
            true => {
                let (terminal, sizes) = Raw::enter()?;
                self.follow(sizes)?;
                Some(terminal)
            }
            false => None,
        };
        if self.tty {
            sink.allow_any_bytes();
        }
        let trouble = Arc::new(Mutex::new(None));
        if self.stdin {
            let (told, tracer) = (Arc::clone(&trouble), self.tracer.clone());
            let stdin = io::stdin().as_fd().try_clone_to_owned().map(File::from).map_err(broken)?;
            let work = move || {
                let end = send(stdin, &write, tracer.as_deref());
                if end.is_err() {
                    *lock(&told) = end.err();
                    _ = write.stream().shutdown(Shutdown::Both);
                }
            };
            // Not joined: it may wait for a key that nobody presses any more.
            thread::Builder::new().name("stdin".into()).spawn(work).map_err(broken)?;
        } else if let Some(tracer) = &self.tracer {
            tracer.info("stdin is not read: nobody asked for it (stdin=1, AttachStdin)");
        }
        let mut piece = vec![0; PIECE];
        let result = loop {
            let content = match read.read(&mut piece) {
                Ok(0) => break Ok(()),
                Ok(n) => &piece[..n],
                Err(error) => break Err(broken(error)),
            };
            *received += content.len() as u64;
            if let Err(failure) = self.show(content, sink, *received) {
                break Err(failure);
            }
        };
        drop(terminal);
        // What broke our direction has broken the other.
        match lock(&trouble).take() {
            Some(failure) => return Err(failure),
            None => result?,
        }
        self.content.map_or(Ok(()), |content| content.finish(sink))
    }

    fn show(&mut self, content: &[u8], sink: &mut Sink, received: u64) -> Result<(), Failure> {
        if let Some(tracer) = &self.tracer {
            tracer.raw(content, true);
        }
        match &mut self.content {
            Some(stages) => stages.feed(content, sink)?,
            None => sink.write(content)?,
        }
        sink.moved(received)
    }

    /// The other terminal's window gets the size of ours, as long as we have one.
    fn follow(&self, sizes: Sizes) -> Result<(), Failure> {
        let Some(attached) = self.attached.clone() else { return Ok(()) };
        let client = self.client.clone();
        let work =
            move || sizes.for_each(|(rows, columns)| attached.resize(&client, rows, columns));
        thread::Builder::new().name("size".into()).spawn(work).map_err(broken).map(drop)
    }
}

/// Sends stdin and its end. A peer that listens no more is no error here: what it has to say comes
/// the other way.
fn send(mut stdin: File, write: &WriteHalf, tracer: Option<&Tracer>) -> Result<(), Failure> {
    let mut piece = vec![0; PIECE];
    loop {
        let content = match stdin.read(&mut piece) {
            Ok(0) => break,
            Ok(n) => &piece[..n],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                return Err(Failure::new(Exit::Read, format!("cannot read stdin: {error}")));
            }
        };
        // Told first: what answers it may be here, and all over, before this goes on.
        if let Some(tracer) = tracer {
            tracer.raw(content, false);
        }
        if write.stream().write_all(content).is_err() {
            return Ok(());
        }
    }
    match write.stream().shutdown(Shutdown::Write) {
        // Whoever waits for the end of its stdin would wait for ever, and we for it.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            Err(Failure::new(Exit::Send, error.to_string()))
        }
        _ => Ok(()),
    }
}

fn broken(error: io::Error) -> Failure {
    if let Some(timeout) = Timeout::of(&error) {
        return Error::Timeout(timeout).into();
    }
    match error.downcast::<ConnectError>() {
        // A program that carries the connection has failed.
        Ok(failure) => Error::Connect(failure).into(),
        Err(error) => Failure::new(Exit::Receive, format!("the raw connection: {error}")),
    }
}
