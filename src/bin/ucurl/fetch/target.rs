//! The endpoint that a URL is requested from.

use crate::args::exit::Exit;
use crate::fetch::url::Url;
use crate::output::failure::Failure;
use crate::plan::{self, Operation};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use unix_http::Endpoint;
use unix_http::docker::{Daemon, DaemonFlags};

pub struct Target {
    pub endpoint: Endpoint,
    /// Precedes every path there.
    pub prefix: String,
    /// The rule that decided, for `--explain`.
    pub why: String,
}

/// Chooses the target of a URL:
///
/// 1. the one that the command line names: `--demo`, `--unix-socket`, `--abstract-unix-socket`,
///    `--proxy-command`;
/// 2. `--endpoint` and `--context`, read as the docker command reads `--host` and `--context`;
/// 3. the host of the URL, by TCP, unless it is `localhost` without a port;
/// 4. the one that the docker command uses: `DOCKER_HOST`, `DOCKER_CONTEXT`, its `config.json`, the
///    default socket.
pub fn choose(operation: &Operation, demo: bool, url: &Url) -> Result<Target, Failure> {
    let flags = &operation.flags;
    let named =
        |endpoint, why: &str| Ok(Target { endpoint, prefix: String::new(), why: why.to_owned() });
    if let Some(socket) = &operation.socket {
        let why = match socket {
            _ if demo => "--demo has started an engine there",
            Endpoint::Abstract(_) => "--abstract-unix-socket names it",
            _ => "--unix-socket names it",
        };
        return named(socket.clone(), why);
    }
    let (host, port) = (host_name(url), url.port_or_80());
    if let Some(command) = &flags.proxy_command {
        let endpoint = Endpoint::proxy_command(plan::path(command), &host, port)
            .map_err(|error| Failure::new(Exit::Usage, format!("--proxy-command: {error}")))?;
        return named(endpoint, "--proxy-command names it");
    }
    let is_daemon = flags.endpoint.is_some() || flags.context.is_some();
    if !is_daemon && !url.is_default_host() {
        return named(Endpoint::Tcp { host, port }, "the URL names its own host and port");
    }
    let flags = &DaemonFlags {
        host: flags.endpoint.clone().map(OsString::from_vec),
        context: flags.context.clone().map(OsString::from_vec),
    };
    let daemon =
        Daemon::resolve(flags).map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    let why = [format!("{} names it", daemon.rule)].into_iter().chain(daemon.notes);
    let why = why.collect::<Vec<_>>().join("; ");
    Ok(Target { endpoint: daemon.endpoint, prefix: daemon.prefix, why })
}

/// Returns the host for a resolver: an IPv6 address without its brackets.
fn host_name(url: &Url) -> String {
    let host = String::from_utf8_lossy(&url.host);
    host.trim_start_matches('[').trim_end_matches(']').to_owned()
}
