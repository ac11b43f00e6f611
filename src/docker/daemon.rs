//! Finds the daemon by the rules of the [module above](super).

use super::context::{self, StoredContext};
use super::environment::{Environment, set};
use super::host::DockerHost;
use super::resolve_error::{DaemonRule, ResolveError};
use super::tls::TlsOptions;
use super::tls_settings::{self, TlsAndNotes, config_dir};
use crate::client::{Client, ClientBuilder};
use crate::transport::{Endpoint, EndpointError};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// The flags that choose a daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DaemonFlags {
    /// A context's name; an empty name counts as none.
    pub context: Option<OsString>,
    /// A host; an empty host is the default host.
    pub host: Option<OsString>,
}

/// A daemon, and how it was found.
///
/// ```
/// use unix_http::{Endpoint, docker::{Daemon, DaemonFlags, ProcessEnvironment, DaemonRule}};
///
/// let host = Some("unix:///run/podman/podman.sock".into());
/// let flags = DaemonFlags { host, ..DaemonFlags::default() };
/// let found = Daemon::resolve(&ProcessEnvironment, &flags)?;
/// assert_eq!(found.rule, DaemonRule::HostFlag);
/// assert_eq!(found.endpoint, Endpoint::Unix("/run/podman/podman.sock".into()));
/// # Ok::<(), unix_http::docker::ResolveError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Daemon {
    /// The endpoint to connect to, with TLS if it is on.
    pub endpoint: Endpoint,
    /// The prefix of every path of the API, as in [`DockerHost::prefix`].
    pub prefix: String,
    /// The TLS settings, for a TCP address only.
    pub tls: Option<TlsOptions>,
    /// The context's name.
    pub context: String,
    /// The host, as the docker CLI shows it.
    pub host: String,
    /// Which rule decided on the context.
    pub rule: DaemonRule,
    /// The file of the store that names the host, for a stored context.
    pub meta: Option<PathBuf>,
    /// Notes for the user, one line each.
    pub notes: Vec<String>,
}

impl Daemon {
    /// Finds the daemon that the docker CLI would use, without connecting to it.
    ///
    /// # Errors
    /// [`ResolveError`], which names the remedy.
    pub fn resolve(env: &impl Environment, flags: &DaemonFlags) -> Result<Self, ResolveError> {
        let (rule, name) = choose(env, flags)?;
        match name.filter(|name| name != "default") {
            Some(name) => Self::of_context(env, rule, &name),
            None => Self::of_default(env, rule, flags),
        }
    }

    /// Builds a client of this daemon, including its path prefix.
    pub fn client(&self) -> ClientBuilder {
        Client::builder(self.endpoint.clone()).prefix(&self.prefix)
    }

    fn of_default(
        env: &impl Environment,
        rule: DaemonRule,
        flags: &DaemonFlags,
    ) -> Result<Self, ResolveError> {
        let verify = set(env, "DOCKER_TLS_VERIFY").is_some();
        let tls = verify || set(env, "DOCKER_TLS").is_some();
        let (text, variable) = match &flags.host {
            Some(host) => (host.clone(), None),
            None => (env.var("DOCKER_HOST").unwrap_or_default(), Some("DOCKER_HOST".into())),
        };
        let refused = |error| ResolveError::Host { place: variable.clone(), error };
        let host = DockerHost::given(&text, tls).map_err(refused)?;
        let tls =
            if tls { tls_settings::of_variables(env, verify)? } else { TlsAndNotes::default() };
        let shown = match host.endpoint {
            Endpoint::Program(_) => text.to_string_lossy().trim().to_owned(),
            _ => format!("{}{}", host.endpoint, host.prefix),
        };
        let found = Self::new(host, rule, "default".into(), shown);
        found.with_tls(tls).map_err(refused)
    }

    fn of_context(
        env: &impl Environment,
        rule: DaemonRule,
        name: &OsStr,
    ) -> Result<Self, ResolveError> {
        let StoredContext { meta, host: text, tls, mut notes } =
            context::stored(env, &config_dir(env)?, name, rule)?;
        let refused = |error| ResolveError::Host { place: Some(meta.clone()), error };
        let host = DockerHost::stored(&text, tls.is_some()).map_err(refused)?;
        let shown = text.to_string_lossy();
        if let Endpoint::Tcp { port, .. } = host.endpoint
            && !shown.contains(&format!(":{port}"))
        {
            let why = "the stored host has no port; the docker CLI dials";
            notes.push(format!("{why} {port} then, and so do we"));
        }
        let shown = if text.is_empty() { host.endpoint.to_string() } else { shown.into_owned() };
        let name = name.to_string_lossy().into_owned();
        let found = Self::new(host, rule, name, shown).with_tls((tls, notes)).map_err(refused)?;
        Ok(Daemon { meta: Some(meta), ..found })
    }

    fn new(host: DockerHost, rule: DaemonRule, context: String, shown: String) -> Daemon {
        let DockerHost { endpoint, prefix } = host;
        let (tls, meta, notes) = (None, None, Vec::new());
        Daemon { endpoint, prefix, tls, context, host: shown, rule, meta, notes }
    }

    /// Turns TLS on for TCP. A socket file needs none, and ssh has its own.
    fn with_tls(self, (tls, notes): TlsAndNotes) -> Result<Self, EndpointError> {
        let Endpoint::Tcp { host, port } = &self.endpoint else { return Ok(self) };
        let endpoint = match &tls {
            Some(tls) => Endpoint::tls(host, *port, tls.clone())?,
            None => self.endpoint,
        };
        Ok(Daemon { endpoint, tls, notes, ..self })
    }

    /// Lists the settings that `self.rule` overrides, one line each.
    pub fn overruled(&self, env: &impl Environment, flags: &DaemonFlags) -> Vec<String> {
        let config = || context::current_context(env, &config_dir(env).ok()?).ok().flatten();
        let said = [
            (DaemonRule::HostVariable, set(env, "DOCKER_HOST")),
            (DaemonRule::ContextVariable, set(env, "DOCKER_CONTEXT")),
            (DaemonRule::ConfigFile, config()),
        ];
        let used_host = self.context == "default" && flags.host.is_none();
        said.into_iter()
            .filter(|(rule, _)| self.rule < *rule)
            .filter(|(rule, _)| !(used_host && *rule == DaemonRule::HostVariable))
            .filter_map(|(rule, value)| {
                Some(format!("{rule} ({}) is overruled", value?.to_string_lossy()))
            })
            .collect()
    }
}

/// Returns the first rule that applies and the context that it names, if not the default one.
fn choose(
    env: &impl Environment,
    flags: &DaemonFlags,
) -> Result<(DaemonRule, Option<OsString>), ResolveError> {
    let context = flags.context.clone().filter(|name| !name.is_empty());
    Ok(match (context, &flags.host) {
        (Some(_), Some(_)) => return Err(ResolveError::BothFlags),
        (Some(name), None) => (DaemonRule::ContextFlag, Some(name)),
        (None, Some(_)) => (DaemonRule::HostFlag, None),
        _ if set(env, "DOCKER_HOST").is_some() => (DaemonRule::HostVariable, None),
        _ => match set(env, "DOCKER_CONTEXT") {
            Some(name) => (DaemonRule::ContextVariable, Some(name)),
            None => match context::current_context(env, &config_dir(env)?)? {
                Some(name) => (DaemonRule::ConfigFile, Some(name)),
                None => (DaemonRule::Default, None),
            },
        },
    })
}
