//! A client of the daemon that the docker CLI uses, in an API version that both sides support.
//!
//! The first path triggers one request for the version: the response to HEAD `/_ping` (or to GET,
//! where HEAD is refused) has an Api-Version field (Docker Engine API v1.41, Versioning).
//! `DOCKER_API_VERSION` replaces that request.

use super::daemon::{Daemon, DaemonFlags};
use super::environment::{ResolveError, Variables};
use super::error::DockerError;
use super::version::ApiVersion;
use crate::client::Client;
use std::sync::OnceLock;

/// A client of a Docker engine, which negotiates the API version.
///
/// ```no_run
/// use unix_http::docker::Engine;
///
/// let engine = Engine::from_env()?;
/// let target = engine.target("/containers/json")?; // /v1.41/containers/json
/// println!("{}", engine.client().get(&target).send()?.text()?);
/// # Ok::<(), unix_http::docker::DockerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Engine {
    client: Client,
    version: OnceLock<Option<ApiVersion>>,
}

impl Engine {
    /// Finds the engine that the docker CLI would use here.
    ///
    /// # Errors
    /// [`ResolveError`]. The first request connects.
    pub fn from_env() -> Result<Self, ResolveError> {
        let daemon = Daemon::resolve(&DaemonFlags::default())?;
        Ok(Self::new(daemon.client().build()))
    }

    /// Wraps a client of an engine.
    pub fn new(client: Client) -> Engine {
        Engine { client, version: OnceLock::new() }
    }

    /// Returns the client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the negotiated version, or `None` if the engine names none. The first call asks.
    ///
    /// # Errors
    /// [`DockerError::Resolve`] for a malformed version, [`DockerError::Exchange`].
    pub fn version(&self) -> Result<Option<ApiVersion>, DockerError> {
        if let Some(known) = self.version.get() {
            return Ok(*known);
        }
        let mut version = ApiVersion::pinned(Variables(&|name| std::env::var_os(name)))?;
        if version.is_none() {
            let mut ping = self.client.head("/_ping").send()?;
            if !ping.is_success() {
                ping = self.client.get("/_ping").send()?;
            }
            version = ApiVersion::negotiate(ping.field("Api-Version").unwrap_or_default())?;
        }
        Ok(*self.version.get_or_init(|| version))
    }

    /// Builds the request-target for a path of the API: version, path. Adds no version to a path
    /// that has one, to `/_ping`, and to podman's `/libpod/`, which has its own versions.
    ///
    /// # Errors
    /// Those of [`Engine::version`].
    pub fn target(&self, path: &str) -> Result<String, DockerError> {
        let version = self.version()?;
        Ok(version.map_or(path.to_owned(), |version| version.target(path)))
    }
}
