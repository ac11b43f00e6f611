//! # The frames of a log
//!
//! A container has a stdout and a stderr, and one connection has to carry both. So Docker cuts them
//! into frames: a byte for the stream, three zeros, the length as four bytes, that much data. What
//! plain curl prints of a log begins with those bytes; here each stream goes where it belongs.
//!
//! ```console engine
//! $ ucurl -s "/containers/create?name=mypy" -o "$TMPDIR/created" \
//!     --json '{"Image":"busybox","Cmd":["sh","-c","echo out; echo err >&2"],"HostConfig":{"NetworkMode":"none"}}'
//! $ ucurl -sX POST "/containers/mypy/start" "/containers/mypy/wait"
//! {…"StatusCode":0}
//! $ ucurl -s "/containers/mypy/logs?stderr=1" | od -An -c
//!  002  \0  \0  \0  \0  \0  \0 004   e   r   r  \n
//! $ cargo run -q --example follow_logs -- mypy 2>"$TMPDIR/err"
//! out
//! $ cat "$TMPDIR/err"
//! err
//! ```
//!
//! The argument is a container. The engine is the one that the docker command would ask. It follows
//! the log until the container ends, as `docker logs -f`.
//!
//! A container with a terminal (`docker run -t`) has one stream and no frames. Content-Type should
//! tell, but older engines say `raw-stream` for both, or nothing; the certain answer is
//! `Config.Tty` of the container.
//!
//! Read with it: Docker Engine API v1.41 `POST /containers/{id}/attach`, "Stream format"; RFC 9110
//! §8.3 (Content-Type).
//!
//! Exercise: a frame's data is what one `write` of the program left in the pipe. Write a container
//! whose stdout and stderr arrive in another order than they were written. (Two pipes, one reader:
//! who promises an order?)

use std::error::Error;
use std::io::{stderr, stdout};
use std::process::exit;
use unix_http::docker::{self, Demux, Engine};
use unix_http::json::Value;

fn main() {
    if let Err(error) = follow_logs() {
        eprintln!("follow_logs: {error}");
        exit(1);
    }
}

fn follow_logs() -> Result<(), Box<dyn Error>> {
    let container = std::env::args().nth(1).ok_or("which container?")?;
    let engine = Engine::from_env()?;
    let client = engine.client();

    // A 4xx is a response too: `ok` makes an error of it, with the engine's message.
    let inspected = docker::ok(client.get(&format!("/containers/{container}/json")).send()?)?;
    let inspected = inspected.json()?;
    let tty = inspected.pointer("/Config/Tty").and_then(Value::as_bool).ok_or("no Config.Tty")?;

    let logs = format!("/containers/{container}/logs?follow=1&stdout=1&stderr=1");
    let mut logs = docker::ok(client.get(&logs).send()?)?;
    if tty {
        logs.copy_to(&mut stdout())?;
    } else {
        Demux::new(logs).copy_to(&mut stdout(), &mut stderr())?;
    }
    Ok(())
}
