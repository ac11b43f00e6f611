//! # Lesson 10, second half: an upload of unknown length
//!
//! Goal: build an image from a directory, without knowing its size in advance.
//!
//! `docker build` sends a directory as a tar archive. Its length is unknown when the request
//! begins, so it travels in chunks, and the engine answers while it still reads. A client that
//! sends everything before it reads can block: each side waits until the other reads. Here a second
//! thread sends.
//!
//! ```console engine
//! $ D=$(mktemp -d)
//! $ printf 'FROM scratch\nCOPY hello.txt /\n' >$D/Dockerfile; echo hello >$D/hello.txt
//! $ cargo run -q --example build_image -- $D course-image
//! Step 1/2 : FROM scratch
//!  --->…
//! Step 2/2 : COPY hello.txt /
//!  ---> …
//! Successfully built …
//! Successfully tagged course-image:latest
//! $ printf 'FROM scratch\nCOPY no-such.txt /\n' >$D/Dockerfile
//! $ cargo run -q --example build_image -- $D course-image; echo "exit code $?"
//! Step 1/2 : FROM scratch
//!  --->…
//! Step 2/2 : COPY no-such.txt /
//! 200 OK, and yet: COPY failed: …no-such.txt…
//! exit code 1
//! $ ucurl -s -o $D/deleted -X DELETE /images/course-image; rm -r $D
//! ```
//!
//! Arguments: a directory with a Dockerfile, and a name for the image. The program asks the engine
//! that the `docker` command would ask.
//!
//! The second build failed, and yet its status was 200. The engine sent the status before it knew.
//! It reports a later error inside the body, as an object with the member `error`. A client that
//! looks only at the status takes the failure for success.
//!
//! Look at:
//!
//! 1. `Body::reader`: here a body without a length. The library sends it in chunks.
//! 2. `pipe()?`: joins the thread that writes the archive to the thread that sends it.
//! 3. `struct Archive`: an error of the writing thread becomes an error of the body. The last chunk
//!    is then never sent, and the engine does not mistake half a directory for a whole one.
//!
//! Read: RFC 9112 §7.1 (chunks, in requests as well), §6.3 (why a request cannot end with its
//! connection), Docker Engine API v1.41 `POST /build`.
//!
//! Exercise: accept a third argument, and pass it to the build as the build argument `NAME`.
//!
//! Hint: the API wants the query parameter `buildargs`, with a JSON object. The Dockerfile needs
//! `ARG NAME` before it can use `$NAME`, for example in a `LABEL`.

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
    let dir: PathBuf =
        std::env::args_os().nth(1).ok_or("usage: build_image DIRECTORY NAME")?.into();
    let name = std::env::args().nth(2).ok_or("usage: build_image DIRECTORY NAME")?;

    // A thread writes the archive into a pipe. The client reads the pipe and sends chunks.
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
    let response = docker::ok(request.body(Body::reader(archive, None)).send()?)?;
    for line in response.lines() {
        let line = line?;
        if line.is_empty() {
            continue; // objects are separated by one or two CR LF
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

/// The archive, read from a pipe. At the end of the pipe, this asks the writing thread whether it
/// succeeded. If it failed, reading fails, and the last chunk is never sent.
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
