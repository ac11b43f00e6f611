//! # Lesson 6, first half: `GET /version` with the library
//!
//! Goal: make the request of lesson 3 with the library.
//!
//! ```console engine
//! $ cargo run -q --example version
//! 200 OK, HTTP/1.1, … fields
//! {"Platform":{…
//! ```
//!
//! Compare with `version_by_hand`. The same bytes travel. The first argument says where to, as
//! `docker -H` does; without it, the program asks the engine that the `docker` command would ask.
//!
//! Look at:
//!
//! 1. `Daemon::resolve`: finds the engine by the rules of the `docker` command.
//! 2. `client.get`: the path and the method are all that you state. The library adds Host.
//! 3. `copy`: reads exactly the body. The connection stays open for another request.
//!
//! Read: RFC 9112 §6.3 (where a body ends: a list of rules in order), RFC 9110 §15.1 (status
//! codes).
//!
//! Exercise: print which rule of RFC 9112 §6.3 decided where the body ends.
//!
//! Hint: a response has a method `decision`, and a decision has a field `rule`.

use std::error::Error;
use std::io::{Write, copy, stdout};
use std::process::exit;
use unix_http::docker::{Daemon, DaemonFlags};

fn main() {
    if let Err(error) = version() {
        eprintln!("version: {error}");
        exit(1);
    }
}

fn version() -> Result<(), Box<dyn Error>> {
    let flags = DaemonFlags { host: std::env::args_os().nth(1), ..DaemonFlags::default() };
    let client = Daemon::resolve(&flags)?.client().build();

    let mut response = client.get("/version").send()?;
    let reason = String::from_utf8_lossy(response.reason()).into_owned();
    println!(
        "{} {reason}, {}, {} fields",
        response.status(),
        response.head().version(),
        response.fields().len()
    );
    copy(&mut response, &mut stdout())?;
    stdout().flush()?;
    Ok(())
}
