//! # Lesson 7: a chunked body with the library
//!
//! Goal: read a chunked body without seeing the chunks.
//!
//! A [`Response`](unix_http::Response) is `Read` and `BufRead`, and both return content. The chunks
//! of lesson 5 are gone: their boundaries say nothing about the content. One thing is not hidden.
//! If the body ends before its last chunk, reading fails.
//!
//! ```console engine
//! $ cargo run -q --example chunked
//! 200 OK
//! Transfer-Encoding: chunked, so the body ends at the last chunk (RFC 9112 §6.3, item 4)
//! … bytes: "{\"ID\":…
//! …
//! that was all: … bytes of content, … trailer fields
//! ```
//!
//! The argument is the path to GET. With `/events`, pieces arrive when something happens. The
//! program asks the engine that the `docker` command would ask.
//!
//! Look at:
//!
//! 1. `response.decision().rule`: the rule that decided where the body ends.
//! 2. `fill_buf`: returns the content that is there, and waits only if there is none.
//! 3. `trailers`: fields can follow a chunked body. They are known when it has been read.
//!
//! Read: RFC 9112 §6.3 (where a body ends), §7.1 (chunks), §8 (a body that is cut short).
//!
//! Exercise: put `.raw()` before `.send()`. The lines with the sizes are back. Are the pieces that
//! you see the chunks now?
//!
//! Hint: run it several times, with `/info` and with `/events`. Who decides how many bytes one
//! `read` returns?

use std::error::Error;
use std::io::BufRead;
use std::process::exit;
use unix_http::docker::Engine;

fn main() {
    if let Err(error) = chunked() {
        eprintln!("chunked: {error}");
        exit(1);
    }
}

fn chunked() -> Result<(), Box<dyn Error>> {
    let target = std::env::args().nth(1).unwrap_or("/info".into());

    let engine = Engine::from_env()?;
    let client = engine.client();
    let mut response = client.get(&target).send()?;
    println!("{} {}", response.status(), String::from_utf8_lossy(response.reason()));
    let rule = response.decision().rule;
    println!("{} (RFC 9112 §6.3, item {})", rule.text(), rule.item());

    let mut received = 0;
    loop {
        let piece = response.fill_buf()?; // waits only if nothing is there
        if piece.is_empty() {
            break;
        }
        println!("{} bytes: \"{}\"", piece.len(), piece.escape_ascii());
        let used = piece.len();
        response.consume(used);
        received += used;
    }
    let trailers = response.trailers().map_or(0, |fields| fields.len());
    println!("that was all: {received} bytes of content, {trailers} trailer fields");
    Ok(())
}
