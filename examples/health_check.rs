//! # Lesson 15: a health check for an image FROM scratch
//!
//! Goal: report health from an image that has neither a shell nor curl.
//!
//! `HEALTHCHECK CMD curl -f …` needs both. This program is one static file, and its exit code is
//! the answer.
//!
//! ```dockerfile
//! FROM scratch
//! COPY app health_check /
//! CMD ["/app"]
//! HEALTHCHECK CMD ["/health_check", "unix:///run/app.sock", "/health"]
//! ```
//!
//! ```console engine
//! $ cargo run -q --example health_check -- "$DOCKER_HOST" /_ping; echo "exit code $?"
//! exit code 0
//! $ cargo run -q --example health_check -- "$DOCKER_HOST" /no-such-page; echo "exit code $?"
//! unhealthy: 404 Not Found
//! exit code 1
//! $ cargo run -q --example health_check -- unix:///no/such.sock /; echo "exit code $?"
//! unhealthy: cannot connect to unix:///no/such.sock: …
//! exit code 1
//! ```
//!
//! Arguments: an endpoint (`unix:///path` or `tcp://host:port`), and the path to GET. With your own
//! Docker, set DOCKER_HOST first: `export DOCKER_HOST=unix:///var/run/docker.sock`. To link
//! everything into one file, here for x86-64: `RUSTFLAGS="-C target-feature=+crt-static" cargo
//! build --release --target x86_64-unknown-linux-gnu --example health_check`.
//!
//! Look at:
//!
//! 1. `Timeouts`: without a limit, a server that accepts and says nothing would block the check.
//! 2. `response.is_success()`: 2xx. A redirect is not healthy.
//! 3. `ExitCode`: 0 is healthy and 1 is not. Docker reserves 2.
//!
//! Read: RFC 9110 §15.3 (2xx), §15.6.4 (503), Dockerfile reference, HEALTHCHECK.
//!
//! Exercise: a server sends one byte each second, forever. Does the check end? Would it end with
//! the limit `idle` instead of `total`?
//!
//! Hint: [`Timeouts`](unix_http::Timeouts) describes both. `socat` can play such a server.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;
use unix_http::{Client, Endpoint, Timeouts};

fn main() -> ExitCode {
    match check() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // Docker keeps the first 4096 bytes of this for `docker inspect`.
            eprintln!("unhealthy: {why}");
            ExitCode::FAILURE
        }
    }
}

fn check() -> Result<(), Box<dyn Error>> {
    let endpoint = std::env::args().nth(1).unwrap_or("unix:///run/app.sock".into());
    let target = std::env::args().nth(2).unwrap_or("/health".into());

    let timeouts = Timeouts::default().total(Duration::from_secs(3));
    let client = Client::builder(Endpoint::parse(&endpoint)?).timeouts(timeouts).build();
    let response = client.get(&target).send()?;
    if response.is_success() {
        return Ok(());
    }
    Err(format!("{} {}", response.status(), String::from_utf8_lossy(response.reason())).into())
}
