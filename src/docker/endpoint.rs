//! Which daemon is meant: the docker CLI's rules, and which of them decided.
//!
//! The rules stand in the [module above](super).
//!
//! ```
//! use unix_http::docker::{Endpoint, Flags, Process};
//!
//! let flags = Flags { host: Some("tcp://build.example:2375".into()), ..Flags::default() };
//! let endpoint = Endpoint::resolve(&Process, &flags)?;
//! assert_eq!(endpoint.explain(), "context: default (the host flag)\nhost: tcp://build.example:2375\n");
//! # Ok::<(), unix_http::docker::ResolveError>(())
//! ```

use super::context::{self, Stored};
use super::environment::{Environment, set};
use super::host::{Address, Host, Place};
use super::resolve_error::ResolveError;
use super::tls::{self, Told};
use crate::transport::TlsOptions;
use std::ffi::{OsStr, OsString};
use std::fmt::{self, Write};
use std::path::PathBuf;

/// The flags that choose a daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// A context's name; an empty one is none.
    pub context: Option<OsString>,
    /// A host; an empty one is the default host.
    pub host: Option<OsString>,
}

/// Which rule decided: the first in this order that says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The context flag.
    ContextFlag,
    /// The host flag.
    HostFlag,
    /// `DOCKER_HOST`.
    HostVariable,
    /// `DOCKER_CONTEXT`.
    ContextVariable,
    /// `currentContext` of `config.json`.
    ConfigFile,
    /// Nothing else was said.
    Default,
}

/// A daemon, and how it was found.
///
/// ```
/// use unix_http::docker::{Address, Endpoint, Flags, Process, Rule};
///
/// let flags = Flags { host: Some("unix:///run/podman/podman.sock".into()), ..Flags::default() };
/// let found = Endpoint::resolve(&Process, &flags)?;
/// assert_eq!(found.rule, Rule::HostFlag);
/// assert_eq!(found.address, Address::Unix("/run/podman/podman.sock".into()));
/// # Ok::<(), unix_http::docker::ResolveError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// What is dialled.
    pub address: Address,
    /// What goes before every path of the API: empty, or as in [`Host::prefix`].
    pub prefix: String,
    /// TLS, for a TCP address only.
    pub tls: Option<TlsOptions>,
    /// The context's name.
    pub context: String,
    /// The host, as the docker CLI shows it.
    pub host: String,
    /// Which rule decided on the context.
    pub rule: Rule,
    /// The file of the store that says the host, when one does.
    pub meta: Option<PathBuf>,
    /// What a user may want to know besides, a line each.
    pub notes: Vec<String>,
}

impl Endpoint {
    /// Finds the daemon that is meant, without dialling it.
    ///
    /// # Errors
    /// [`ResolveError`], each of which says what to do.
    pub fn resolve(env: &impl Environment, flags: &Flags) -> Result<Endpoint, ResolveError> {
        let (rule, name) = choose(env, flags)?;
        match name.filter(|name| name != "default") {
            Some(name) => Endpoint::of_context(env, rule, &name),
            None => Endpoint::of_default(env, rule, flags),
        }
    }

    /// The context `default`.
    fn of_default(
        env: &impl Environment,
        rule: Rule,
        flags: &Flags,
    ) -> Result<Endpoint, ResolveError> {
        let verify = set(env, "DOCKER_TLS_VERIFY").is_some();
        let tls = verify || set(env, "DOCKER_TLS").is_some();
        let (text, variable) = match &flags.host {
            Some(host) => (host.clone(), None),
            None => (env.var("DOCKER_HOST").unwrap_or_default(), Some("DOCKER_HOST")),
        };
        let host = Host::parse_at(Place::Given, &text, tls)
            .map_err(|error| ResolveError::Host { place: variable.map(PathBuf::from), error })?;
        let tls = if tls { tls::of_variables(env, verify)? } else { (None, Vec::new()) };
        let shown = match host.address {
            Address::Ssh(_) => text.to_string_lossy().trim().to_owned(),
            _ => format!("{}{}", host.address, host.prefix),
        };
        Ok(Endpoint::found(host, tls, ("default".into(), shown), rule, None))
    }

    /// A context of the store.
    fn of_context(
        env: &impl Environment,
        rule: Rule,
        name: &OsStr,
    ) -> Result<Endpoint, ResolveError> {
        let Stored { meta, host: text, tls, mut notes } =
            context::stored(env, &context::config_dir(env)?, name, rule)?;
        let host = Host::parse_at(Place::Stored, &text, tls.is_some())
            .map_err(|error| ResolveError::Host { place: Some(meta.clone()), error })?;
        if let Address::Tcp { port, .. } = host.address
            && !text.to_string_lossy().contains(&format!(":{port}"))
        {
            notes.push(format!(
                "the stored host has no port; the docker CLI dials {port} then, and so do we"
            ));
        }
        let shown = if text.is_empty() {
            host.address.to_string()
        } else {
            text.to_string_lossy().into_owned()
        };
        let name = name.to_string_lossy().into_owned();
        Ok(Endpoint::found(host, (tls, notes), (name, shown), rule, Some(meta)))
    }

    /// TLS is for TCP only: a socket file needs none, and ssh has its own.
    fn found(
        host: Host,
        tls: Told,
        (context, shown): (String, String),
        rule: Rule,
        meta: Option<PathBuf>,
    ) -> Endpoint {
        let Host { address, prefix } = host;
        let (tls, notes) = if let Address::Tcp { .. } = address { tls } else { (None, Vec::new()) };
        Endpoint { address, prefix, tls, context, host: shown, rule, meta, notes }
    }

    /// How the daemon was found, in a few lines for people.
    pub fn explain(&self) -> String {
        let mut out = format!("context: {} ({})\nhost: {}\n", self.context, self.rule, self.host);
        // Writing into a String does not fail.
        if let Some(meta) = &self.meta {
            let _ = writeln!(out, "stored in: {}", meta.display());
        }
        if let Some(tls) = &self.tls {
            let _ = writeln!(out, "TLS: {}", tls::describe(tls));
        }
        if !self.prefix.is_empty() {
            let _ = writeln!(out, "before each path: {}", self.prefix);
        }
        self.notes.iter().for_each(|note| out.extend(["note: ", note, "\n"]));
        out
    }

    /// What was said but had no say, since `self.rule` comes first: a line each.
    pub fn overruled(&self, env: &impl Environment, flags: &Flags) -> Vec<String> {
        let config =
            || context::current_context(env, &context::config_dir(env).ok()?).ok().flatten();
        let said = [
            (Rule::HostVariable, "DOCKER_HOST", set(env, "DOCKER_HOST")),
            (Rule::ContextVariable, "DOCKER_CONTEXT", set(env, "DOCKER_CONTEXT")),
            (Rule::ConfigFile, "currentContext of config.json", config()),
        ];
        let used_host = self.context == "default" && flags.host.is_none();
        said.into_iter()
            .filter(|(rule, ..)| self.rule < *rule)
            .filter(|(rule, ..)| !(used_host && *rule == Rule::HostVariable))
            .filter_map(|(_, what, value)| {
                Some(format!("{what} ({}) is overruled", value?.to_string_lossy()))
            })
            .collect()
    }
}

/// The first rule that says something, and the context it names; the default one when it names
/// none.
fn choose(env: &impl Environment, flags: &Flags) -> Result<(Rule, Option<OsString>), ResolveError> {
    let context = flags.context.clone().filter(|name| !name.is_empty());
    match (context, &flags.host) {
        (Some(_), Some(_)) => return Err(ResolveError::BothFlags),
        (Some(name), None) => return Ok((Rule::ContextFlag, Some(name))),
        (None, Some(_)) => return Ok((Rule::HostFlag, None)),
        (None, None) => {}
    }
    if set(env, "DOCKER_HOST").is_some() {
        return Ok((Rule::HostVariable, None));
    }
    if let Some(name) = set(env, "DOCKER_CONTEXT") {
        return Ok((Rule::ContextVariable, Some(name)));
    }
    match context::current_context(env, &context::config_dir(env)?)? {
        Some(name) => Ok((Rule::ConfigFile, Some(name))),
        None => Ok((Rule::Default, None)),
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rule::ContextFlag => "the context flag",
            Rule::HostFlag => "the host flag",
            Rule::HostVariable => "DOCKER_HOST",
            Rule::ContextVariable => "DOCKER_CONTEXT",
            Rule::ConfigFile => "currentContext of config.json",
            Rule::Default => "the default",
        })
    }
}
