//! # Following events
//!
//! `GET /events` is a request like any other. Only its answer does not end: it comes chunked, an
//! object of JSON for each thing that happens. `docker events` is this and nothing else.
//!
//! ```console engine
//! $ cargo run -q --example watch_events -- 2 '{"type":["container"]}' >"$TMPDIR/events" &
//! GET /events?filters=%7B%22type%22%3A%5B%22container%22%5D%7D
//! 200 OK
//! $ cargo run -q --example create_container -- mypy
//! 201 Created
//! {"Id":"…","Warnings":[…]}
//! $ ucurl -sX DELETE /containers/mypy -w '%{http_code}\n'
//! 204
//! $ wait; cat "$TMPDIR/events"
//! container create mypy
//! container destroy mypy
//! ```
//!
//! Arguments: how many events to wait for (else for ever), and a filter in Docker's JSON.
//! The engine is the one that the docker command would ask.
//!
//! Three things that many clients get wrong: the head comes at once, so `send` returns before
//! anything has happened; no event is held back until a buffer is full; and no time limit ends a
//! stream that is quiet because nothing happens.
//!
//! Read with it: RFC 9112 §7.1 (chunks), RFC 3986 §2.1 (`%7B`), Docker Engine API v1.41 `GET
//! /events`.
//!
//! Exercise: `?since=0&until=0` asks for events of the past, and then the answer ends. Print the
//! `time` of each.

use std::error::Error;
use std::io::BufRead;
use std::process::exit;
use unix_http::docker::{self, Engine};
use unix_http::json::Value;

fn main() {
    if let Err(error) = watch_events() {
        eprintln!("watch_events: {error}");
        exit(1);
    }
}

fn watch_events() -> Result<(), Box<dyn Error>> {
    let count = std::env::args().nth(1).map_or(Ok(usize::MAX), |count| count.parse())?;
    let filters = std::env::args().nth(2).unwrap_or("{}".into());

    let engine = Engine::from_env()?;
    // A `{` or `"` in a request-target is refused by many servers: `query` percent-encodes them.
    let request = engine.client().get("/events").query("filters", filters);
    eprintln!("GET {}", request.target().escape_ascii());
    let events = request.send()?;
    eprintln!("{} {}", events.status(), String::from_utf8_lossy(events.reason()));
    let events = docker::ok(events)?;
    for line in events.lines().take(count) {
        let event = Value::parse(line?.as_bytes())?;
        let text = |name| event.get(name).and_then(Value::as_str).unwrap_or("?");
        let actor = event.get("Actor");
        let name = actor.and_then(|actor| actor.get("Attributes")?.get("name").or(actor.get("ID")));
        println!(
            "{} {} {}",
            text("Type"),
            text("Action"),
            name.and_then(Value::as_str).unwrap_or("?")
        );
    }
    Ok(())
}
