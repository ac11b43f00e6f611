//! The part that `demo`, `tap` and `replay` share: they serve clients until Ctrl-C, or a command.

use super::supervise::{Front, private_socket};
use crate::args::given::Given;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use unix_http::Endpoint;
use unix_http::transport::{Admission, ListenErrorKind, Listener, PrivateDir};

/// Binds as `--listen`, `--mode` and `--allow-remote` say. Without `--listen` the socket is in a
/// private directory, which dropping the first value removes.
pub fn listener(given: &Given) -> Result<(Option<PrivateDir>, Listener), String> {
    let octal = |text: &OsStr| text.to_str().and_then(|text| u32::from_str_radix(text, 8).ok());
    let mode = given.value("mode").map_or(Some(0o600), octal).filter(|mode| *mode <= 0o777);
    let mode = mode.ok_or("--mode: needs an octal number up to 777")?;
    let admission = Admission { mode, beyond_loopback: given.has("allow-remote") };
    let (endpoint, directory) = match given.value("listen") {
        Some(text) => (Endpoint::parse(text).map_err(|error| error.to_string())?, None),
        None => {
            let (endpoint, directory) =
                private_socket().map_err(|error| format!("no private directory: {error}"))?;
            (endpoint, Some(directory))
        }
    };
    let listener =
        Listener::bind_for(&endpoint, admission).map_err(|error| match error.kind() {
            ListenErrorKind::BeyondLoopback => format!("{error} (--allow-remote)"),
            _ => error.to_string(),
        })?;
    Ok((directory, listener))
}

/// Serves a command, whose exit code it returns, or clients until the front asks to stop.
pub fn serve(given: &Given, host: &Endpoint, front: &Front) -> i32 {
    let verb = given.verb.name();
    if let Some([program, arguments @ ..]) = given.command.as_deref() {
        return command(program, arguments, host, front).unwrap_or_else(|error| {
            crate::console::say(&format!("{verb}: {}: {error}", program.display()));
            if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 }
        });
    }
    let how = match host {
        Endpoint::Tcp { .. } | Endpoint::Unix(_) => {
            format!("; use it with: export DOCKER_HOST={host}")
        }
        _ => format!(" on {host}"),
    };
    _ = writeln!(io::stderr(), "ucurl {verb}: listening{how}");
    front.wait_for_stop();
    0
}

/// Runs a command with `DOCKER_HOST` set and returns its exit code as a shell does.
fn command(
    program: &OsStr,
    arguments: &[OsString],
    host: &Endpoint,
    front: &Front,
) -> io::Result<i32> {
    let mut command = Command::new(program);
    command.args(arguments);
    // podman's remote client reads the second one.
    command.env("DOCKER_HOST", host.to_string()).env("CONTAINER_HOST", host.to_string());
    for variable in ["DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"] {
        command.env_remove(variable);
    }
    let mut child = front.start(&mut command)?;
    let status = front.wait(&mut child).ok();
    let code =
        status.and_then(|status| status.code().or(status.signal().map(|signal| 128 + signal)));
    Ok(code.unwrap_or(1))
}
