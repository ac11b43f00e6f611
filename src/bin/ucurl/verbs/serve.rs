//! What the verbs that serve share: they listen, and serve clients until Ctrl-C or one command.

use super::supervise::{self, Front};
use crate::args::given::Given;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use unix_http::Endpoint;
use unix_http::transport::{Admission, ListenErrorKind, Listener, PrivateDir};

/// Binds as `--listen`, `--mode` and `--allow-remote` say. Without `--listen` the socket is in a
/// private directory, which is removed when the first value is dropped: bound first, it is dropped
/// last.
///
/// # Errors
/// What is wrong with them, or in the way.
pub fn listener(given: &Given) -> Result<(Option<PrivateDir>, Listener), String> {
    let octal = |text: &OsStr| text.to_str().and_then(|text| u32::from_str_radix(text, 8).ok());
    let mode = given.value("mode").map_or(Some(0o600), octal).filter(|mode| *mode <= 0o777);
    let mode = mode.ok_or("--mode: needs an octal number up to 777")?;
    let admission = Admission { mode, beyond_loopback: given.has("allow-remote") };
    let (endpoint, directory) = match given.value("listen") {
        Some(text) => (Endpoint::parse(text).map_err(|error| error.to_string())?, None),
        None => {
            let directory = PrivateDir::new_in(supervise::runtime_dir());
            let directory = directory.map_err(|error| format!("no private directory: {error}"))?;
            (Endpoint::Unix(directory.path().join("docker.sock")), Some(directory))
        }
    };
    let listener =
        Listener::bind_for(&endpoint, admission).map_err(|error| match error.kind() {
            ListenErrorKind::BeyondLoopback => format!("{error} (--allow-remote)"),
            _ => error.to_string(),
        })?;
    Ok((directory, listener))
}

/// Runs a verb that serves in a process of its own, which signals reach by way of its [`Front`].
/// `args` is the whole command line.
pub fn supervised(
    args: &[Vec<u8>],
    given: &Given,
    serve: fn(&Given, &Front) -> Result<i32, String>,
) -> Result<i32, String> {
    supervise::run(args, given.command.is_some(), |front| serve(given, front))
}

/// Serves a command, whose exit code is the result, or clients until the front asks to stop.
pub fn serve(given: &Given, host: &Endpoint, front: &Front) -> i32 {
    if let Some(words) = &given.command {
        return command(words, host, front).unwrap_or_else(|(program, error)| {
            crate::console::say(&format!("{}: {}: {error}", given.verb(), program.display()));
            if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 }
        });
    }
    let how = match host {
        Endpoint::Tcp { .. } | Endpoint::Unix(_) => {
            format!("; use it with: export DOCKER_HOST={host}")
        }
        _ => format!(" on {host}"),
    };
    // A closed stderr is no reason to end.
    _ = writeln!(io::stderr(), "ucurl {}: listening{how}", given.verb());
    front.wait_for_stop();
    0
}

/// Runs a command with `DOCKER_HOST` set and returns its exit code, as a shell has it.
fn command<'w>(
    words: &'w [OsString],
    host: &Endpoint,
    front: &Front,
) -> Result<i32, (&'w OsStr, io::Error)> {
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
    let mut child = front.start(&mut command).map_err(|error| (program, error))?;
    let code = front
        .wait(&mut child)
        .ok()
        .and_then(|status| status.code().or(status.signal().map(|signal| 128 + signal)));
    Ok(code.unwrap_or(1))
}
