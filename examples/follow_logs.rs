//! # Lesson 9: the frames of a log
//!
//! Goal: separate two streams that share one connection.
//!
//! A container writes to stdout and to stderr, and one connection carries both. Docker cuts them
//! into frames: one byte for the stream, three zeros, the length in four bytes, and the data. Plain
//! curl prints these bytes as they are. This program sends each stream to its place.
//!
//! ```console engine
//! $ D=$(mktemp -d)
//! $ ucurl -s '/containers/create?name=two-streams' -o $D/created \
//!     --json '{"Image":"busybox","Cmd":["sh","-c","echo out; echo err >&2"],'\
//! '"HostConfig":{"NetworkMode":"none"}}'
//! $ ucurl -s -X POST /containers/two-streams/start /containers/two-streams/wait
//! {…"StatusCode":0}
//! $ ucurl -s '/containers/two-streams/logs?stderr=1' | od -An -c
//!  002  \0  \0  \0  \0  \0  \0 004   e   r   r  \n
//! $ cargo run -q --example follow_logs -- two-streams 2>$D/err
//! out
//! $ cat $D/err
//! err
//! $ ucurl -s -X DELETE /containers/two-streams; rm -r $D
//! ```
//!
//! The argument is a container. The program follows its log until the container ends, as `docker
//! logs -f` does. It asks the engine that the `docker` command would ask, and the engine needs the
//! image `busybox` (`docker pull busybox`).
//!
//! Look at:
//!
//! 1. `docker::ok`: turns a 4xx into an error that carries the engine's message.
//! 2. `/Config/Tty`: a container with a terminal has one stream and no frames. Content-Type should
//!    tell them apart, but older engines send `raw-stream` for both, or nothing.
//! 3. `Demux::new`: reads frames. A frame that is cut short is an error.
//!
//! Read: Docker Engine API v1.41 `POST /containers/{id}/attach`, "Stream format"; RFC 9110 §8.3
//! (Content-Type).
//!
//! Exercise: run the same container with a terminal (`"Tty":true`), and print its log with `od -c`.
//! Where have the frames gone? Which bytes are new, and who added them?
//!
//! Hint: a terminal is one device, with one output. It also translates line ends.

use std::error::Error;
use std::io::{copy, stderr, stdout};
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
    let container = std::env::args().nth(1).ok_or("usage: follow_logs CONTAINER")?;
    let engine = Engine::from_env()?;
    let client = engine.client();

    // A 4xx is a response too. `ok` turns it into an error with the engine's message.
    let inspected = docker::ok(client.get(&format!("/containers/{container}/json")).send()?)?;
    let inspected = inspected.json()?;
    let tty = inspected.pointer("/Config/Tty").and_then(Value::as_bool).ok_or("no Config.Tty")?;

    let logs = format!("/containers/{container}/logs?follow=1&stdout=1&stderr=1");
    let mut logs = docker::ok(client.get(&logs).send()?)?;
    if tty {
        copy(&mut logs, &mut stdout())?;
    } else {
        Demux::new(logs).copy_to(&mut stdout(), &mut stderr())?;
    }
    Ok(())
}
