//! # Lesson 6, second half: `POST /containers/create` with the library
//!
//! Goal: make the request of lesson 4 with the library.
//!
//! ```console engine
//! $ cargo run -q --example create_container -- with-library
//! 201 Created
//! {"Id":"…","Warnings":[…]}
//! $ ucurl -s -X DELETE /containers/with-library
//! ```
//!
//! Compare with `create_by_hand`. The argument is the name of the container. The engine needs the
//! image `busybox` (`docker pull busybox`).
//!
//! Look at:
//!
//! 1. `Engine::from_env`: the engine that the `docker` command would ask.
//! 2. `json(`: sets Content-Type and Content-Length.
//! 3. `response.status()`: a 409 is a response too. Only a failed exchange is an `Err`.
//!
//! Read: RFC 9110 §8.6 (Content-Length), §15.5 (4xx), Docker Engine API v1.41 `POST
//! /containers/create`.
//!
//! Exercise: delete the container at the end of the program, and print the status of that response.
//! Why does it have no content?
//!
//! Hint: `client.delete("/containers/NAME")`, and RFC 9110 §15.3.5.

use std::error::Error;
use std::process::exit;
use unix_http::docker::Engine;

fn main() {
    if let Err(error) = create_container() {
        eprintln!("create_container: {error}");
        exit(1);
    }
}

fn create_container() -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "mypy".into());
    let engine = Engine::from_env()?;
    let client = engine.client();

    let target = format!("/containers/create?name={name}");
    let response =
        client.post(&target).json(r#"{"Image":"busybox","Cmd":["echo","hello"]}"#).send()?;
    println!("{} {}", response.status(), String::from_utf8_lossy(response.reason()));
    println!("{}", response.text()?.trim_end());
    Ok(())
}
