//! Which endpoint a URL is asked of.

use crate::args::config::{Group, Socket};
use crate::args::exit::Exit;
use crate::fetch::failure::Failure;
use crate::fetch::url::Url;
use crate::output::output::path;
use unix_http::Endpoint;
use unix_http::docker::{Daemon, DaemonFlags, Process};

/// Where a URL is asked, and who said so.
pub struct Place {
    pub endpoint: Endpoint,
    /// What goes before every path there.
    pub prefix: String,
    /// The rule that decided, for `--explain`.
    pub why: String,
}

impl Place {
    fn new(endpoint: Endpoint, why: &str) -> Place {
        Place { endpoint, prefix: String::new(), why: why.to_owned() }
    }
}

/// The place for a URL:
///
/// 1. what the command line names: `--unix-socket`, `--abstract-unix-socket`, `--proxy-command`;
/// 2. `--endpoint` and `--context`, as the docker command reads its `--host` and `--context`;
/// 3. the host in the URL, by TCP, when it is not `localhost` without a port;
/// 4. as the docker command does: `DOCKER_HOST`, `DOCKER_CONTEXT`, its `config.json`, the default
///    socket.
pub fn place(group: &Group, url: &Url) -> Result<Place, Failure> {
    match (&group.socket, &group.proxy_command) {
        (Some(Socket::Path(name)), _) => {
            return Ok(Place::new(
                Endpoint::Unix(path(name).to_path_buf()),
                "--unix-socket names it",
            ));
        }
        (Some(Socket::Abstract(name)), _) => {
            return Ok(Place::new(
                Endpoint::Abstract(name.clone()),
                "--abstract-unix-socket names it",
            ));
        }
        (None, Some(command)) => {
            let endpoint =
                Endpoint::proxy_command(path(command), &host_name(url), url.port_or_80());
            let usage = |error| Failure::new(Exit::Usage, format!("--proxy-command: {error}"));
            return Ok(Place::new(endpoint.map_err(usage)?, "--proxy-command names it"));
        }
        (None, None) => {}
    }
    let named = group.endpoint.is_some() || group.context.is_some();
    if !named && (url.port.is_some() || url.host != b"localhost") {
        let endpoint = Endpoint::Tcp { host: host_name(url), port: url.port_or_80() };
        return Ok(Place::new(endpoint, "the URL names a host and a port of its own"));
    }
    let flag =
        |value: &Option<Vec<u8>>| value.as_ref().map(|text| path(text).as_os_str().to_owned());
    let flags = DaemonFlags { context: flag(&group.context), host: flag(&group.endpoint) };
    let usage = |error: String| Failure::new(Exit::Usage, error);
    let daemon = Daemon::resolve(&Process, &flags).map_err(|error| usage(error.to_string()))?;
    let mut why = format!("{} says so", daemon.rule);
    for more in daemon.notes.iter().chain(&daemon.overruled(&Process, &flags)) {
        why = [&why, "; ", more].concat();
    }
    Ok(Place { endpoint: daemon.endpoint, prefix: daemon.prefix, why })
}

/// The host as a resolver takes it: an IPv6 address without its brackets.
fn host_name(url: &Url) -> String {
    let host = String::from_utf8_lossy(&url.host);
    host.trim_start_matches('[').trim_end_matches(']').to_owned()
}
