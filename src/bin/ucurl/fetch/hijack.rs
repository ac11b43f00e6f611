//! `--hijack`: the raw connection after a 101, stdin one way and the container's output the other.
//!
//! ```text
//!   stdin ──thread──▶ connection ──▶ content ──▶ stdout (and stderr)
//!      └ its end is the end of this direction: the container's stdin is closed, its output goes on
//! ```
//!
//! If the other end does not read (an attach without `stdin=1`, an exec without `AttachStdin`),
//! stdin is left to the rest of the script.

use crate::args::exit::Exit;
use crate::fetch::container_ref::ContainerRef;
use crate::output::body_stages::BodyStages;
use crate::output::failure::Failure;
use crate::output::meter::Monitor;
use crate::output::sink::{Sink, unbuffered};
use crate::output::terminal::{Raw, Sizes};
use crate::output::trace::Tracer;
use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::net::Shutdown;
use std::sync::{Arc, Mutex};
use std::thread;
use unix_http::base::sync::lock;
use unix_http::client::{ReadHalf, WriteHalf};
use unix_http::transport::{ConnectError, Timeout};
use unix_http::{Client, Error, Response};

const PIECE: usize = 64 * 1024;

/// A raw connection and what it is joined to.
pub struct Join<'t, 's> {
    pub client: &'t Client,
    pub container: Option<ContainerRef>,
    /// The other end has a terminal.
    pub tty: bool,
    /// The other end reads stdin.
    pub stdin: bool,
    pub stages: BodyStages,
    pub sink: &'t mut Sink<'s>,
    pub monitor: &'t mut Monitor<'s>,
    pub tracer: &'t Arc<Tracer>,
    /// In bytes.
    pub received: u64,
}

impl Join<'_, '_> {
    /// Carries both directions until the daemon ends its own.
    pub fn run(&mut self, response: Response) -> Result<(), Failure> {
        let Ok(upgraded) = response.into_upgraded() else { return Ok(()) };
        let (mut read, write) = upgraded.split().map_err(broken)?;
        let mut terminal = None;
        if self.tty && self.stdin && io::stdin().is_terminal() {
            let (raw, sizes) = Raw::enter()?;
            self.follow(sizes)?;
            terminal = Some(raw);
        }
        if self.tty {
            self.sink.refuse_binary = false;
        }
        let trouble = Arc::new(Mutex::new(None));
        if self.stdin {
            self.send_stdin(write, Arc::clone(&trouble))?;
        } else {
            self.tracer.info("stdin is not read: nobody asked for it (stdin=1, AttachStdin)");
        }
        let result = self.receive(&mut read);
        drop(terminal);
        // A failure to send ends both directions.
        let result = lock(&trouble).take().map_or(result, Err);
        self.stages.finish(result, self.sink)
    }

    fn receive(&mut self, read: &mut ReadHalf) -> Result<(), Failure> {
        let mut piece = vec![0; PIECE];
        loop {
            let content = match read.read(&mut piece).map_err(broken)? {
                0 => return Ok(()),
                n => &piece[..n],
            };
            self.received += content.len() as u64;
            self.tracer.raw(content, true);
            self.stages.feed(content, self.sink)?;
            self.monitor.received(self.received)?;
        }
    }

    /// Sends stdin from a thread. The thread is not joined: it may wait for a key for ever.
    fn send_stdin(
        &self,
        write: WriteHalf,
        trouble: Arc<Mutex<Option<Failure>>>,
    ) -> Result<(), Failure> {
        let tracer = Arc::clone(self.tracer);
        let stdin = unbuffered(io::stdin()).map_err(broken)?;
        let work = move || {
            if let Err(failure) = send(stdin, &write, &tracer) {
                *lock(&trouble) = Some(failure);
                _ = write.stream().shutdown(Shutdown::Both);
            }
        };
        thread::Builder::new().name("stdin".into()).spawn(work).map_err(broken).map(drop)
    }

    /// Gives the other terminal the size of ours, now and whenever it changes.
    fn follow(&self, sizes: Sizes) -> Result<(), Failure> {
        let Some(container) = self.container.clone() else { return Ok(()) };
        let client = self.client.clone();
        let work =
            move || sizes.for_each(|(rows, columns)| container.resize(&client, rows, columns));
        thread::Builder::new().name("size".into()).spawn(work).map_err(broken).map(drop)
    }
}

/// Sends stdin and its end. A peer that no longer reads is not an error: it reports its reason in
/// the other direction.
fn send(mut stdin: File, write: &WriteHalf, tracer: &Tracer) -> Result<(), Failure> {
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
        // Before it is sent: the answer may come and end everything before this thread goes on.
        tracer.raw(content, false);
        if write.stream().write_all(content).is_err() {
            return Ok(());
        }
    }
    match write.stream().shutdown(Shutdown::Write) {
        // A program that waits for the end of its stdin would wait for ever, and so would we.
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
