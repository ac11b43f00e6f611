//! The state that the transfers of one command line share, and the endpoint of each URL.

use crate::args::config::Global;
use crate::args::exit::Exit;
use crate::fetch::url::Url;
use crate::output::messages::{Failure, Messages};
use crate::output::trace::Tracer;
use crate::plan::{self, Operation};
use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::fs::File;
use std::os::unix::ffi::OsStringExt as _;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use unix_http::base::sync::lock;
use unix_http::docker::{Daemon, DaemonFlags, Engine};
use unix_http::{Client, Endpoint};

pub struct Session {
    pub messages: Messages,
    pub tracer: Arc<Mutex<Tracer>>,
    pub stdout: File,
    pub global: Global,
    pub servers: RefCell<Vec<Rc<Server>>>,
}

/// The client of one endpoint, with its facts about the server.
pub struct Server {
    pub engine: Engine,
    prefix: String,
    /// Whether the server has answered with HTTP/1.0 in this transfer, or on the kept connection.
    pub http10: Cell<bool>,
}

impl Session {
    /// Reports a failure and returns its exit code. `-v`, `--trace` and `--explain` show it even
    /// with `-s`.
    pub fn report(&self, failure: &Failure) -> Exit {
        let told = self.messages.error(failure);
        if !failure.quiet {
            lock(&self.tracer).failure(&failure.text, told);
        }
        failure.exit
    }

    /// Returns the server of a URL. Transfers to one endpoint share its connection.
    pub fn server(&self, operation: &Operation, url: &mut Url) -> Result<Rc<Server>, Failure> {
        let (endpoint, prefix, why) = choose(operation, self.global.demo, url)?;
        if let Some(authority) = endpoint.authority().filter(|_| url.is_default_host()) {
            // The engine's own name: a virtual host does not answer to localhost.
            _ = url.set_authority(&authority);
        }
        let text = format!("the endpoint is {endpoint}: {why}");
        lock(&self.tracer).explain(&text, "");
        let mut servers = self.servers.borrow_mut();
        let is = |server: &&Rc<Server>| {
            *server.engine.client().endpoint() == endpoint && server.prefix == prefix
        };
        if let Some(known) = servers.iter().find(is) {
            return Ok(Rc::clone(known));
        }
        // The limits also apply to requests outside the transfers, such as the one for the version.
        let builder = Client::builder(endpoint).prefix(&prefix).timeouts(operation.timeouts);
        let tracer = Arc::clone(&self.tracer);
        let builder = builder.observe_bodies(lock(&tracer).shows_bodies());
        let engine = Engine::new(builder.observe(move |event| lock(&tracer).on(event)).build());
        let server = Rc::new(Server { engine, prefix, http10: Cell::new(false) });
        servers.push(Rc::clone(&server));
        Ok(server)
    }
}

/// Chooses the endpoint of a URL, the prefix of every path there, and says why, for `--explain`:
///
/// 1. the one that the command line names: `--demo`, `--unix-socket`, `--abstract-unix-socket`,
///    `--proxy-command`;
/// 2. `--endpoint` and `--context`, read as the docker command reads `--host` and `--context`;
/// 3. the host of the URL, by TCP, unless it is `localhost` without a port;
/// 4. the one that the docker command uses: `DOCKER_HOST`, `DOCKER_CONTEXT`, its `config.json`, the
///    default socket.
fn choose(
    operation: &Operation,
    demo: bool,
    url: &Url,
) -> Result<(Endpoint, String, String), Failure> {
    let flags = &operation.flags;
    let named = |endpoint, why: &str| Ok((endpoint, String::new(), why.to_owned()));
    if let Some(socket) = &operation.socket {
        let why = match socket {
            _ if demo => "--demo has started an engine there",
            Endpoint::Abstract(_) => "--abstract-unix-socket names it",
            _ => "--unix-socket names it",
        };
        return named(socket.clone(), why);
    }
    // A resolver takes an IPv6 address without its brackets.
    let host = String::from_utf8_lossy(&url.host).trim_matches(['[', ']']).to_owned();
    let port = url.port_or_80();
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
    Ok((daemon.endpoint, daemon.prefix, why))
}
