//! `--hijack`: the raw connection after a 101, stdin one way and the container's output the other.
//!
//! ```text
//!   stdin ──thread──▶ connection ──▶ content ──▶ stdout (and stderr)
//!      └ at its end this direction is shut down: the container's stdin closes, its output does not
//! ```
//!
//! If the other end does not read (an attach without `stdin=1`, an exec without `AttachStdin`),
//! stdin is left unread, for the rest of the script.

use crate::args::exit::Exit;
use crate::console::unbuffered;
use crate::fetch::attempt::Attempt;
use crate::fetch::container_ref::ContainerRef;
use crate::output::body_stages::BodyStages;
use crate::output::messages::Failure;
use crate::output::terminal::Raw;
use crate::output::trace::Tracer;
use std::fs::File;
use std::io::{self, BufReader, IsTerminal as _, Read as _, Write as _};
use std::net::Shutdown;
use std::sync::{Arc, Mutex};
use std::thread;
use unix_http::Response;
use unix_http::base::sync::lock;
use unix_http::client::ClientEvent;
use unix_http::transport::Stream;

const PIECE: usize = 64 * 1024;

impl Attempt<'_> {
    /// Joins stdin and the output to the raw connection, until the daemon ends its direction.
    pub fn join(
        &mut self,
        response: Response,
        container: Option<ContainerRef>,
        mut stages: BodyStages,
    ) -> Result<(), Failure> {
        let Ok(upgraded) = response.into_upgraded() else { return Ok(()) };
        let (read, mut write) = upgraded.split().map_err(Failure::of_raw)?;
        let reads_stdin = container.as_ref().is_none_or(|container| container.stdin != Some(false));
        let in_terminal = container.filter(|container| container.terminal == Some(true));
        self.sink.refuse_binary &= in_terminal.is_none();
        let mut terminal = None;
        if let Some(container) = in_terminal
            && reads_stdin
            && io::stdin().is_terminal()
        {
            let (raw, sizes) = Raw::enter()?;
            terminal = Some(raw);
            let client = self.server.engine.client().clone();
            let resize = move |(rows, columns)| container.resize(&client, rows, columns);
            in_background("size", move || sizes.for_each(resize))?;
        }
        let tracer = Arc::clone(&self.session.tracer);
        let trouble = Arc::new(Mutex::new(None));
        if reads_stdin {
            let (tracer, trouble) = (Arc::clone(&tracer), Arc::clone(&trouble));
            let stdin = unbuffered(io::stdin()).map_err(Failure::of_raw)?;
            in_background("stdin", move || {
                if let Err(failure) = send(stdin, &mut write, &tracer) {
                    *lock(&trouble) = Some(failure);
                    _ = write.shutdown(Shutdown::Both);
                }
            })?;
        } else {
            let why = "the request does not attach it (stdin=1, AttachStdin)";
            lock(&tracer).say(&format!("stdin is not read: {why}"));
        }
        let result = self.copy(BufReader::with_capacity(PIECE, read), &mut stages, true);
        drop(terminal);
        // A failure to send ends both directions.
        let result = lock(&trouble).take().map_or(result, Err);
        stages.finish(result, &mut self.sink)?;
        if let Some(explainer) = &mut lock(&tracer).explainer {
            explainer.end(false);
        }
        Ok(())
    }
}

/// Runs a thread that is never joined: it may wait forever for a key or a change of the window.
fn in_background(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    thread::Builder::new().name(name.into()).spawn(work).map_err(Failure::of_raw).map(drop)
}

/// Sends stdin and its end. A peer that no longer reads is not an error: it reports its reason in
/// the other direction.
fn send(mut stdin: File, write: &mut Stream, tracer: &Mutex<Tracer>) -> Result<(), Failure> {
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
        // Counted before it is sent: the answer may end the program before this thread continues.
        lock(tracer).on(&ClientEvent::RequestBody(content));
        if write.write_all(content).is_err() {
            return Ok(());
        }
    }
    match write.shutdown(Shutdown::Write) {
        // A program that waits for the end of its stdin would wait forever, and so would we.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            Err(Failure::new(Exit::Send, error.to_string()))
        }
        _ => Ok(()),
    }
}
