//! # A chunked body with the library
//!
//! The chunks of `chunked_by_hand` are gone: a [`Response`](unix_http::Response) is `Read` and
//! `BufRead`, and hands out content. What it keeps from you is where one chunk ends and the next
//! begins, and rightly: they say nothing about the content. What it does not keep from you is a
//! body that ends before its last chunk: that is an error.
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
//! The first argument is what to GET. With `/events` pieces come when something happens.
//! The engine is the one that the docker command would ask.
//!
//! Read with it: RFC 9112 §6.3 (who decides where a body ends), §7.1 (chunks), §8 (a body that is
//! cut short).
//!
//! Exercise: put `.raw()` before `.send()`: the chunk-size lines are back. Are the pieces you see
//! the chunks now? Why not?

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

    loop {
        let piece = response.fill_buf()?; // as much as there is: what came last is not waited for
        if piece.is_empty() {
            break;
        }
        println!("{} bytes: \"{}\"", piece.len(), piece.escape_ascii());
        let used = piece.len();
        response.consume(used);
    }
    let trailers = response.trailers().map_or(0, |fields| fields.len());
    println!("that was all: {} bytes of content, {trailers} trailer fields", response.received());
    Ok(())
}
