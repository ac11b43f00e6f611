//! Serves clients until Ctrl-C, or a command: the shared part of `demo`, `tap`, `guard`, `replay`.

use super::supervise::{Front, private_socket};
use crate::args::given::Given;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use unix_http::Endpoint;
use unix_http::transport::{Admission, Listener, PrivateDir};

/// Binds to `--listen` with `--mode` and `--allow-remote`, or takes stdin if it is a listening
/// socket, as with systemd's `StandardInput=socket`. Without `--listen` the socket is in a private
/// directory, which is removed when the first value is dropped.
pub fn listener(given: &Given) -> Result<(Option<PrivateDir>, Listener), String> {
    let octal = |text: &OsStr| text.to_str().and_then(|text| u32::from_str_radix(text, 8).ok());
    let mode = given.value("mode").map_or(Some(0o600), octal).filter(|mode| *mode <= 0o777);
    let mode = mode.ok_or("--mode: needs an octal number up to 777")?;
    let admission = Admission::default().mode(mode).beyond_loopback(given.has("allow-remote"));
    let (endpoint, directory) = match given.value("listen") {
        Some(text) if text == "fd:0" => {
            let socket = io::stdin().as_fd().try_clone_to_owned();
            let listener = socket.map_err(|error| error.to_string()).and_then(|socket| {
                Listener::inherit(socket).map_err(|error| format!("--listen fd:0: {error}"))
            })?;
            return Ok((None, listener));
        }
        Some(text) => (place(text)?, None),
        None => {
            let (endpoint, directory) =
                private_socket().map_err(|error| format!("no private directory: {error}"))?;
            (endpoint, Some(directory))
        }
    };
    let listener =
        Listener::bind_for(&endpoint, admission).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput
                if matches!(endpoint, Endpoint::Tcp { .. }) && !given.has("allow-remote") =>
            {
                format!("{error} (--allow-remote)")
            }
            _ => error.to_string(),
        })?;
    Ok((directory, listener))
}

/// Reads `--listen`. Unlike an endpoint to dial, it may be a bare file name, and port 0 is any free
/// port. A path becomes absolute: the endpoint is printed and exported.
pub fn place(text: &OsStr) -> Result<Endpoint, String> {
    let any_port = text.to_str().and_then(|text| text.strip_suffix(":0"));
    let endpoint = match any_port.map(|host| Endpoint::parse(format!("{host}:1"))) {
        Some(Ok(Endpoint::Tcp { host, .. })) => return Ok(Endpoint::Tcp { host, port: 0 }),
        _ if !text.is_empty() && !text.as_encoded_bytes().contains(&b':') => {
            Ok(Endpoint::Unix(text.into()))
        }
        _ => Endpoint::parse(text),
    };
    match endpoint {
        Ok(Endpoint::Unix(path)) => {
            let path = std::path::absolute(&path);
            path.map(Endpoint::Unix).map_err(|error| format!("--listen: {error}"))
        }
        Ok(endpoint) => Ok(endpoint),
        Err(error) => {
            let text = text.to_string_lossy();
            let host = if text.starts_with(':') { "127.0.0.1" } else { "" };
            let meant = format!("tcp://{host}{text}");
            match Endpoint::parse(&meant) {
                Ok(_) => Err(format!("{error}; did you mean {meant}?")),
                Err(_) => Err(error.to_string()),
            }
        }
    }
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
