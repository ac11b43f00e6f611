//! # GET /version with the library
//!
//! ```console engine
//! $ cargo run -q --example version
//! 200 OK, HTTP/1.1, … fields
//! {"Platform":{…
//! ```
//!
//! Compare with `version_by_hand`: the same bytes travel. `DOCKER_HOST`, or the first argument,
//! says where.
//!
//! Exercise: print `response.decision()`. Which rule of `RFC 9112 §6.3` decided where the body
//! ends?

use std::error::Error;
use std::io::{Write, stdout};
use std::process::exit;
use unix_http::docker::{Daemon, DaemonFlags, ProcessEnvironment};

fn main() {
    if let Err(error) = version() {
        eprintln!("version: {error}");
        exit(1);
    }
}

fn version() -> Result<(), Box<dyn Error>> {
    let flags = DaemonFlags { host: std::env::args_os().nth(1), ..DaemonFlags::default() };
    let client = Daemon::resolve(&ProcessEnvironment, &flags)?.client().build();

    let mut response = client.get("/version").send()?;
    let reason = String::from_utf8_lossy(response.reason()).into_owned();
    println!(
        "{} {reason}, {}, {} fields",
        response.status(),
        response.version(),
        response.fields().len()
    );
    response.copy_to(&mut stdout())?;
    stdout().flush()?;
    Ok(())
}
