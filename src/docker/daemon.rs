//! Finds the daemon by the rules of the [module above](super).

use super::context::{self, TlsAndNotes};
use super::environment::{ResolveError, Variables};
use super::host::DockerHost;
use crate::client::{Client, ClientBuilder};
use crate::transport::{Endpoint, EndpointError};
use std::ffi::{OsStr, OsString};
use std::path::Path;

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
/// use unix_http::{Endpoint, docker::{Daemon, DaemonFlags}};
///
/// let host = Some("tcp://build.example:2375/engine/".into());
/// let found = Daemon::resolve(&DaemonFlags { host, ..DaemonFlags::default() })?;
/// assert_eq!(found.rule, "the host flag");
/// assert_eq!(found.endpoint, Endpoint::Tcp { host: "build.example".into(), port: 2375 });
/// assert_eq!(found.prefix, "/engine");
/// # Ok::<(), unix_http::docker::ResolveError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Daemon {
    /// The endpoint to connect to, with TLS if it is on.
    pub endpoint: Endpoint,
    /// The prefix of every path of the API, such as the `/p` of `tcp://h:1/p`: empty, or a slash
    /// and path segments without a final slash.
    pub prefix: String,
    /// The context's name.
    pub context: String,
    /// The setting that decided on the context, such as `DOCKER_HOST`.
    pub rule: &'static str,
    /// Notes for the user, one line each: settings that are not used, and the like.
    pub notes: Vec<String>,
}

impl Daemon {
    /// Finds the daemon that the docker CLI would use, without connecting to it.
    ///
    /// # Errors
    /// [`ResolveError`], which names the remedy.
    pub fn resolve(flags: &DaemonFlags) -> Result<Self, ResolveError> {
        Self::resolve_with(flags, &|name| match name {
            // The system knows it even if the variable is not set.
            "HOME" => std::env::home_dir().map(OsString::from),
            _ => std::env::var_os(name),
        })
    }

    /// Does the same with other variables than those of this process.
    ///
    /// # Errors
    /// As [`Daemon::resolve`].
    pub fn resolve_with(
        flags: &DaemonFlags,
        variable: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Self, ResolveError> {
        let vars = Variables(variable);
        let said = settings(vars, flags)?;
        let (rule, value) = said.first().cloned().unwrap_or(("the default", "default".into()));
        let stored = !matches!(rule, HOST_FLAG | HOST_VARIABLE) && value != "default";
        let found = match stored {
            true => Self::of_context(vars, rule, &value)?,
            false => Self::of_default(vars, flags.host.as_deref())?,
        };
        let mut notes = found.notes;
        for (other, value) in &said[said.len().min(1)..] {
            // The context `default` uses the variable, unless a flag replaces it.
            if *other != HOST_VARIABLE || stored || flags.host.is_some() {
                notes.push(format!("{other} ({}) is overruled", value.to_string_lossy()));
            }
        }
        let context = if stored { value.to_string_lossy().into_owned() } else { "default".into() };
        Ok(Daemon { context, rule, notes, ..found })
    }

    /// Builds a client of this daemon, including its path prefix.
    pub fn client(&self) -> ClientBuilder {
        Client::builder(self.endpoint.clone()).prefix(&self.prefix)
    }

    fn of_default(vars: Variables<'_>, flag: Option<&OsStr>) -> Result<Self, ResolveError> {
        let verify = vars.get("DOCKER_TLS_VERIFY").is_some();
        let tls = verify || vars.get("DOCKER_TLS").is_some();
        let variable = (vars.0)(HOST_VARIABLE).unwrap_or_default();
        let refused = |error: EndpointError| match flag {
            Some(_) => ResolveError(error.to_string()),
            None => ResolveError::about(Path::new(HOST_VARIABLE), error),
        };
        let host = DockerHost::given(flag.unwrap_or(&variable), tls).map_err(refused)?;
        let tls = match tls {
            true => context::tls_of_variables(vars, verify)?,
            false => TlsAndNotes::default(),
        };
        Self::new(host, tls).map_err(refused)
    }

    fn of_context(vars: Variables<'_>, rule: &str, name: &OsStr) -> Result<Self, ResolveError> {
        let stored = context::stored(&vars.config_dir()?, name, rule)?;
        let refused = |error| ResolveError::about(&stored.meta, error);
        let (tls, mut notes) = stored.tls;
        let host = DockerHost::stored(&stored.host, tls.is_some()).map_err(refused)?;
        if let Endpoint::Tcp { port, .. } = host.endpoint
            && !stored.host.to_string_lossy().contains(&format!(":{port}"))
        {
            let why = "the stored host has no port; the docker CLI dials";
            notes.push(format!("{why} {port} then, and so do we"));
        }
        Self::new(host, (tls, notes)).map_err(refused)
    }

    /// Turns TLS on for TCP. A socket file needs none, and ssh has its own.
    fn new(
        DockerHost { endpoint, prefix }: DockerHost,
        (tls, notes): TlsAndNotes,
    ) -> Result<Self, EndpointError> {
        let (endpoint, notes) = match (endpoint, tls) {
            (Endpoint::Tcp { host, port }, Some(tls)) => (Endpoint::tls(&host, port, tls)?, notes),
            (endpoint @ Endpoint::Tcp { .. }, None) => (endpoint, notes),
            (endpoint, _) => (endpoint, Vec::new()),
        };
        Ok(Daemon { endpoint, prefix, context: String::new(), rule: "", notes })
    }
}

const HOST_FLAG: &str = "the host flag";
const HOST_VARIABLE: &str = "DOCKER_HOST";

/// Lists the settings that name a context or a host. The first of them decides.
fn settings(
    vars: Variables<'_>,
    flags: &DaemonFlags,
) -> Result<Vec<(&'static str, OsString)>, ResolveError> {
    let context = flags.context.clone().filter(|name| !name.is_empty());
    if context.is_some() && flags.host.is_some() {
        let why = "a context and a host were both given; give one of them";
        return Err(ResolveError(why.into()));
    }
    let first = [
        ("the context flag", context),
        (HOST_FLAG, flags.host.clone()),
        (HOST_VARIABLE, vars.get(HOST_VARIABLE)),
        ("DOCKER_CONTEXT", vars.get("DOCKER_CONTEXT")),
    ];
    let mut said: Vec<_> =
        first.into_iter().filter_map(|(rule, value)| Some((rule, value?))).collect();
    match vars.config_dir().and_then(|dir| context::current_context(&dir)) {
        Ok(current) => said.extend(current.map(|name| ("currentContext of config.json", name))),
        Err(error) if said.is_empty() => return Err(error),
        // The file decides nothing.
        Err(_) => {}
    }
    Ok(said)
}
