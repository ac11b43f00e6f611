//! # POST /containers/create with the library
//!
//! ```console engine
//! $ cargo run -q --example create_container -- mypy
//! 201 Created
//! {"Id":"…","Warnings":[…]}
//! ```
//!
//! Compare with `create_by_hand`: `json` sets Content-Type, `body` and `json` set Content-Length.
//! `DOCKER_HOST` says where; the image `busybox` has to be there. A second run answers 409: the
//! name is taken. A 4xx is a response, not an error.
//!
//! Sections: `RFC 9110 §8.6` (Content-Length), `Docker Engine API v1.41 POST /containers/create`.
//!
//! Exercise: delete the container with `client.delete("/containers/mypy")` and print the status.
//! Why is there no content?

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
