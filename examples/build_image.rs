//! # An upload of unknown length: an image is built
//!
//! `docker build` sends a tar of a directory. Nobody has added up its files before it begins, so it
//! goes out in chunks, as it is written; and the daemon answers while it still reads. A client that
//! sends all before it listens would stop a build half-way: each side waits for the other to read.
//! Here a thread sends.
//!
//! ```console engine
//! $ mkdir "$TMPDIR/hello"; printf 'FROM scratch\nCOPY hello.txt /\n' >"$TMPDIR/hello/Dockerfile"
//! $ echo hello >"$TMPDIR/hello/hello.txt"
//! $ cargo run -q --example build_image -- "$TMPDIR/hello" mypy-image
//! Step 1/2 : FROM scratch
//!  --->…
//! Step 2/2 : COPY hello.txt /
//!  ---> …
//! Successfully built …
//! Successfully tagged mypy-image:latest
//! $ printf 'FROM scratch\nCOPY no-such.txt /\n' >"$TMPDIR/hello/Dockerfile"
//! $ cargo run -q --example build_image -- "$TMPDIR/hello" mypy-image; echo "exit code $?"
//! Step 1/2 : FROM scratch
//!  --->…
//! Step 2/2 : COPY no-such.txt /
//! 200 OK, and yet: COPY failed: …no-such.txt…
//! exit code 1
//! $ ucurl -sX DELETE /images/mypy-image -o "$TMPDIR/deleted" -w '%{http_code}\n'
//! 200
//! ```
//!
//! Arguments: a directory with a Dockerfile, and the name of the image.
//! The engine is the one that the docker command would ask.
//!
//! Note the second build: the status-code was 200, since nobody knew better when the answer began.
//! What goes wrong later is said inside the stream, as an object with `error`. Whoever looks at the
//! status alone takes it for success.
//!
//! Read with it: RFC 9112 §7.1 (chunks, in a request too), §6.3 (why a request cannot end with its
//! connection), Docker Engine API v1.41 `POST /build`.
//!
//! Exercise: leave out what `.dockerignore` names.

mod tar;

use std::error::Error;
use std::io::{self, BufRead, PipeReader, Read, Write, pipe, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::{self, JoinHandle};
use unix_http::Body;
use unix_http::docker::{self, Engine};
use unix_http::json::Value;

fn main() -> ExitCode {
    match build_image() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn build_image() -> Result<(), Box<dyn Error>> {
    let dir: PathBuf = std::env::args_os().nth(1).ok_or("which directory?")?.into();
    let name = std::env::args().nth(2).ok_or("what is the image to be called?")?;

    // What one thread writes into the pipe, the client's own thread reads and sends: chunk by
    // chunk.
    let (pipe, mut out) = pipe()?;
    let writer = thread::spawn(move || {
        tar::write_dir(&mut out, &dir, "")?;
        out.write_all(&tar::END)
    });
    let archive = Archive { pipe, writer: Some(writer) };

    let engine = Engine::from_env()?;
    let client = engine.client();
    let target = format!("/build?t={name}");
    let request = client.post(&target).field("Content-Type", "application/x-tar");
    let response = docker::ok(request.body(Body::reader(archive)).send()?)?;
    for line in response.lines() {
        let line = line?;
        if line.is_empty() {
            continue; // the objects are separated by CR LF, some by two
        }
        let message = Value::parse(line.as_bytes())?;
        let text = |name| message.get(name).and_then(Value::as_str);
        if let Some(error) = text("error") {
            return Err(format!("200 OK, and yet: {error}").into());
        }
        print!("{}", text("stream").unwrap_or_default());
        stdout().flush()?;
    }
    Ok(())
}

/// The end of the pipe is the end of the archive only where the writer came to its end too. Else
/// reading fails, the last chunk is never sent, and the daemon does not take half a directory for a
/// whole one.
struct Archive {
    pipe: PipeReader,
    writer: Option<JoinHandle<io::Result<()>>>,
}

impl Read for Archive {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.pipe.read(out)?;
        if n == 0
            && let Some(writer) = self.writer.take()
        {
            writer.join().map_err(|_| io::Error::other("the writer panicked"))??;
        }
        Ok(n)
    }
}
