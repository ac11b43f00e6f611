//! Where a verb listens, and what it serves there: clients until Ctrl-C, or one command.

use crate::verbs::supervise::{self, Front};
use crate::verbs::verb::Given;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use unix_http::Endpoint;
use unix_http::transport::{Admission, ListenErrorKind, Listener, PrivateDir};

/// How `--listen`, `--mode` and `--allow-remote` would have it. Without `--listen` the socket is in
/// a private directory, which goes when the first value does: bound first, it is dropped last.
///
/// # Errors
/// What is wrong with them, or in the way.
pub fn listener(given: &Given) -> Result<(Option<PrivateDir>, Listener), String> {
    let mode = match given
        .value("mode")
        .map(|text| text.to_str().map(|text| u32::from_str_radix(text, 8)))
    {
        None => 0o600,
        Some(Some(Ok(mode @ 0..=0o777))) => mode,
        Some(_) => return Err("--mode: needs an octal number up to 777".into()),
    };
    let admission = Admission { mode, beyond_loopback: given.has("allow-remote") };
    let (endpoint, directory) = match given.value("listen") {
        Some(text) => (Endpoint::parse(text).map_err(|error| error.to_string())?, None),
        None => {
            let directory = PrivateDir::new_in(supervise::runtime_dir());
            let directory = directory.map_err(|error| format!("no private directory: {error}"))?;
            (Endpoint::Unix(directory.path().join("docker.sock")), Some(directory))
        }
    };
    let listener = Listener::bind_for(&endpoint, admission).map_err(|error| {
        match given.has("allow-remote") {
            false if error.kind() == ListenErrorKind::BeyondLoopback => {
                format!("{error} (--allow-remote)")
            }
            _ => error.to_string(),
        }
    })?;
    Ok((directory, listener))
}

/// Serves what `given` says: a command, whose exit code is the result, or clients until it is asked
/// to stop.
pub fn serve(given: &Given, host: &Endpoint, front: &Front, verb: &str) -> i32 {
    match &given.command {
        Some(words) => command(words, host, front, verb),
        None => {
            let how = match host {
                Endpoint::Tcp { .. } | Endpoint::Unix(_) => {
                    format!("; use it with: export DOCKER_HOST={host}")
                }
                _ => format!(" on {host}"),
            };
            // Where nobody reads this, nobody misses it.
            _ = writeln!(io::stderr(), "ucurl {verb}: listening{how}");
            front.wait_for_stop();
            0
        }
    }
}

/// Runs a command with `DOCKER_HOST` set: its exit code, as a shell has it.
fn command(words: &[OsString], host: &Endpoint, front: &Front, verb: &str) -> i32 {
    let (program, arguments) = match words {
        [program, arguments @ ..] => (program.as_os_str(), arguments),
        [] => (OsStr::new(""), words),
    };
    let mut command = Command::new(program);
    command.args(arguments);
    // podman's remote client reads the second one.
    command.env("DOCKER_HOST", host.to_string()).env("CONTAINER_HOST", host.to_string());
    for variable in ["DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"] {
        command.env_remove(variable);
    }
    match front.start(&mut command) {
        Ok(mut child) => {
            let status = front.wait(&mut child);
            status.map_or(1, |status| {
                status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(1)
            })
        }
        Err(error) => {
            crate::say(&format!("{verb}: {}: {error}", program.display()));
            if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 }
        }
    }
}
