//! # Lesson 8: following events
//!
//! Goal: follow a response that never ends.
//!
//! `GET /events` is a request like any other, but its response does not end. It is chunked, with
//! one JSON object for each event. The command `docker events` does nothing else.
//!
//! ```console engine
//! $ D=$(mktemp -d)
//! $ cargo run -q --example watch_events -- 2 '{"container":["watched"]}' >$D/events &
//! GET /events?filters=%7B%22container%22%3A%5B%22watched%22%5D%7D
//! 200 OK
//! $ cargo run -q --example create_container -- watched
//! 201 Created
//! {"Id":"…","Warnings":[…]}
//! $ ucurl -s -X DELETE /containers/watched
//! $ wait; cat $D/events
//! container create watched
//! container destroy watched
//! $ rm -r $D
//! ```
//!
//! Arguments: the number of events to wait for (without it, the program runs until Ctrl-C), and a
//! filter in Docker's JSON. The program asks the engine that the `docker` command would ask.
//!
//! Look at:
//!
//! 1. `.query(`: percent-encodes the filter. Many servers refuse `{` and `"` in a request-target.
//! 2. `request.send()`: returns when the head has arrived, before the first event.
//! 3. `.lines()`: returns each event when it arrives. No time limit ends a stream that is quiet.
//!
//! Read: RFC 9112 §7.1 (chunks), RFC 3986 §2.1 (percent-encoding), Docker Engine API v1.41 `GET
//! /events`.
//!
//! Exercise: print the events of the last hour, each with its time, and stop.
//!
//! Hint: the query parameters `since` and `until` take seconds since 1970. Every event has a member
//! `time`.

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
    // Many servers refuse `{` and `"` in a request-target. `query` percent-encodes them.
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
