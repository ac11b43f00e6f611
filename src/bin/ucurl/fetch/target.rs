//! The endpoint that a URL is requested from.

use crate::args::exit::Exit;
use crate::fetch::url::Url;
use crate::output::failure::Failure;
use crate::plan::TargetChoice;
use unix_http::Endpoint;
use unix_http::docker::{Daemon, DaemonFlags, ProcessEnvironment};

pub struct Target {
    pub endpoint: Endpoint,
    /// What stands before every path there.
    pub prefix: String,
    /// The rule that decided, for `--explain`.
    pub why: String,
}

/// The target of a URL:
///
/// 1. the one that the command line names: `--unix-socket`, `--abstract-unix-socket`,
///    `--proxy-command`;
/// 2. `--endpoint` and `--context`, read as the docker command reads `--host` and `--context`;
/// 3. the host of the URL, by TCP, unless it is `localhost` without a port;
/// 4. the one that the docker command uses: `DOCKER_HOST`, `DOCKER_CONTEXT`, its `config.json`, the
///    default socket.
pub fn choose(choice: &TargetChoice, url: &Url) -> Result<Target, Failure> {
    let (endpoint, why) = match choice {
        TargetChoice::Endpoint(endpoint, why) => (endpoint.clone(), *why),
        TargetChoice::ProxyCommand(command) => {
            let endpoint = Endpoint::proxy_command(command, &host_name(url), url.port_or_80());
            let usage = |error| Failure::new(Exit::Usage, format!("--proxy-command: {error}"));
            (endpoint.map_err(usage)?, "--proxy-command names it")
        }
        TargetChoice::Docker(flags) => return daemon_target(flags),
        TargetChoice::Url if url.port.is_none() && url.host == b"localhost" => {
            return daemon_target(&DaemonFlags::default());
        }
        TargetChoice::Url => {
            let endpoint = Endpoint::Tcp { host: host_name(url), port: url.port_or_80() };
            (endpoint, "the URL names a host and a port of its own")
        }
    };
    Ok(Target { endpoint, prefix: String::new(), why: why.to_owned() })
}

fn daemon_target(flags: &DaemonFlags) -> Result<Target, Failure> {
    let usage = |error: String| Failure::new(Exit::Usage, error);
    let daemon =
        Daemon::resolve(&ProcessEnvironment, flags).map_err(|error| usage(error.to_string()))?;
    let mut why = format!("{} says so", daemon.rule);
    for note in daemon.notes.iter().chain(&daemon.overruled(&ProcessEnvironment, flags)) {
        why = [&why, "; ", note].concat();
    }
    Ok(Target { endpoint: daemon.endpoint, prefix: daemon.prefix, why })
}

/// The host as a resolver takes it: an IPv6 address without its brackets.
fn host_name(url: &Url) -> String {
    let host = String::from_utf8_lossy(&url.host);
    host.trim_start_matches('[').trim_end_matches(']').to_owned()
}
