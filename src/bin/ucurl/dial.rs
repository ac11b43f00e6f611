//! Which endpoint a URL is asked of.

use crate::config::{Group, Socket};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::path;
use crate::url::Url;
use std::os::unix::ffi::OsStringExt as _;
use unix_http::Endpoint;

/// Where the engine listens when nothing says otherwise.
const DEFAULT: &str = "/var/run/docker.sock";

/// The endpoint for a URL:
///
/// 1. what the command line names: `--unix-socket`, `--abstract-unix-socket`, `--endpoint`, `--proxy-command`;
/// 2. the host in the URL, by TCP, when it is not `localhost` without a port;
/// 3. `DOCKER_HOST`;
/// 4. the default socket.
///
/// Which of them it was is told too.
pub fn endpoint(group: &Group, url: &Url) -> Result<(Endpoint, &'static str), Failure> {
    let parsed = |text: &[u8], from: &str| {
        let text = std::ffi::OsStr::new(path(text));
        Endpoint::parse(text).map_err(|error| Failure::new(Exit::Usage, format!("{from}: {error}")))
    };
    match (&group.socket, &group.endpoint, &group.proxy_command) {
        (Some(Socket::Path(name)), _, _) => {
            return Ok((Endpoint::Unix(path(name).to_path_buf()), "--unix-socket names it"));
        }
        (Some(Socket::Abstract(name)), _, _) => {
            return Ok((Endpoint::Abstract(name.clone()), "--abstract-unix-socket names it"));
        }
        (None, Some(text), _) => return Ok((parsed(text, "--endpoint")?, "--endpoint names it")),
        (None, None, Some(command)) => {
            let endpoint = Endpoint::proxy_command(path(command), &host_name(url), url.port_or_80());
            let usage = |error| Failure::new(Exit::Usage, format!("--proxy-command: {error}"));
            return Ok((endpoint.map_err(usage)?, "--proxy-command names it"));
        }
        (None, None, None) => {}
    }
    if url.port.is_some() || url.host != b"localhost" {
        return Ok((
            Endpoint::Tcp { host: host_name(url), port: url.port_or_80() },
            "the URL names a host and a port of its own",
        ));
    }
    match std::env::var_os("DOCKER_HOST").filter(|value| !value.is_empty()) {
        Some(value) => Ok((parsed(&value.into_vec(), "DOCKER_HOST")?, "the variable DOCKER_HOST names it")),
        None => Ok((Endpoint::Unix(DEFAULT.into()), "nothing names another, so it is the default socket")),
    }
}

/// The host as a resolver takes it: an IPv6 address without its brackets.
fn host_name(url: &Url) -> String {
    let host = String::from_utf8_lossy(&url.host);
    host.trim_start_matches('[').trim_end_matches(']').to_owned()
}
