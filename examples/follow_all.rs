//! # Lesson 20: many streams, and how to end them
//!
//! Goal: read many responses at the same time, and end them all from another thread.
//!
//! A log that is followed ends with its container, and that may take months. The thread that reads
//! it sleeps in the kernel and cannot check a flag. Another thread must wake it by shutting down
//! the connection.
//!
//! ```console engine
//! $ D=$(mktemp -d); touch $D/log
//! $ for NAME in course-1 course-2 course-3; do \
//!     ucurl -s -o $D/created "/containers/create?name=$NAME" \
//!         --json '{"Image":"busybox","Cmd":["sh","-c","echo hello; echo oops >&2; sleep 600"],'\
//! '"Labels":{"course":"20"},"HostConfig":{"NetworkMode":"none"}}'; \
//!     ucurl -s -X POST /containers/$NAME/start; \
//!   done
//! $ until [ "$(wc -l <$D/log)" = 6 ]; do sleep 0.1; done | \
//!     cargo run -q --example follow_all -- '{"label":["course=20"]}' >$D/log
//! $ sort $D/log
//! course-1 stderr: oops
//! course-1 stdout: hello
//! course-2 stderr: oops
//! course-2 stdout: hello
//! course-3 stderr: oops
//! course-3 stdout: hello
//! $ for NAME in course-1 course-2 course-3; do \
//!     ucurl -s -X DELETE "/containers/$NAME?force=1"; \
//!   done; rm -r $D
//! ```
//!
//! The argument is a filter for containers in Docker's JSON. The program follows the logs of all
//! matching containers that run, until its stdin ends: type Ctrl-D. Above, the loop holds stdin
//! open until six lines have arrived. The containers must have no terminal (lesson 9).
//!
//! Look at:
//!
//! 1. `Canceller::default`: one switch for many exchanges, including later ones.
//! 2. `Error::Cancelled`: a cancelled reader fails with this error. Here that is not a failure.
//! 3. `thread::scope`: waits for all readers before the program ends.
//!
//! Read: RFC 9112 §9.6 (how a connection ends, and how the other side notices), shutdown(2).
//!
//! Exercise: end all logs as soon as one container writes to stderr.
//!
//! Hint: the canceller is shared already. Any thread may use it, a reader as well.

use std::error::Error as StdError;
use std::io;
use std::process::exit;
use std::thread;
use unix_http::client::Canceller;
use unix_http::docker::{self, Demux, DockerError, Engine, FrameStream};
use unix_http::json::Value;
use unix_http::{Client, Error};

fn main() {
    if let Err(error) = follow_all() {
        eprintln!("follow_all: {error}");
        exit(1);
    }
}

fn follow_all() -> Result<(), Box<dyn StdError>> {
    let filters = std::env::args().nth(1).unwrap_or("{}".into());
    let engine = Engine::from_env()?;
    let client = engine.client();
    let running = client.get("/containers/json").query("filters", filters).send()?;
    let running = docker::ok(running)?.json()?;

    let canceller = Canceller::default();
    let switch = canceller.clone();
    // The program does not join this thread: stdin may never end.
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        switch.cancel();
    });
    thread::scope(|scope| {
        for container in running.elements() {
            let name = container.pointer("/Names/0").and_then(Value::as_str).unwrap_or_default();
            let (name, canceller) = (name.trim_start_matches('/'), &canceller);
            scope.spawn(move || match follow(client, name, canceller) {
                Ok(()) => println!("{name}: the container has ended"),
                Err(DockerError::Exchange(Error::Cancelled)) => {}
                Err(error) => eprintln!("{name}: {error}"),
            });
        }
    });
    Ok(())
}

fn follow(client: &Client, name: &str, canceller: &Canceller) -> Result<(), DockerError> {
    let target = format!("/containers/{name}/logs?follow=1&stdout=1&stderr=1");
    let logs = docker::ok(client.get(&target).canceller(canceller).send()?)?;
    for frame in Demux::new(logs) {
        let (stream, data) = frame?;
        let stream = if stream == FrameStream::Stderr { "stderr" } else { "stdout" };
        for line in String::from_utf8_lossy(&data).lines() {
            println!("{name} {stream}: {line}");
        }
    }
    Ok(())
}
