//! # A health check for an image FROM scratch
//!
//! `HEALTHCHECK CMD curl -f …` needs a shell and a curl, and an image FROM scratch has neither.
//! This is one file without anything beside it, and the exit code is all it says:
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
//! Arguments: `unix:///path`, or `tcp://host:port`; and what to GET. To build it with nothing
//! beside it, here for x86-64: `RUSTFLAGS="-C target-feature=+crt-static" cargo build --release
//! --target x86_64-unknown-linux-gnu --example health_check`.
//!
//! Read with it: RFC 9110 §15.3 (2xx), §15.6.4 (503), Dockerfile reference, HEALTHCHECK: 0 is
//! healthy, 1 is not, and 2 is reserved.
//!
//! Exercise: without a limit a server that accepts and says nothing would hang this for as long as
//! Docker lets it. Which of the limits in [`Timeouts`](unix_http::Timeouts) bounds a server that
//! sends a byte a second?

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

    let timeouts = Timeouts { total: Some(Duration::from_secs(3)), ..Timeouts::default() };
    let client = Client::builder(Endpoint::parse(&endpoint)?).timeouts(timeouts).build();
    let response = client.get(&target).send()?;
    if response.is_success() {
        return Ok(());
    }
    Err(format!("{} {}", response.status(), String::from_utf8_lossy(response.reason())).into())
}
