//! A client of the daemon that the docker CLI uses, in an API version that both sides support.
//!
//! The first path triggers one request for the version: the response to HEAD `/_ping` (or to GET,
//! where HEAD is refused) has an Api-Version field (Docker Engine API v1.41, Versioning).
//! `DOCKER_API_VERSION` replaces that request.

use super::daemon::{Daemon, DaemonFlags};
use super::environment::ProcessEnvironment;
use super::error::DockerError;
use super::version::{ApiVersion, api_target};
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
    /// [`DockerError::Resolve`]. The first request connects.
    pub fn from_env() -> Result<Self, DockerError> {
        let daemon = Daemon::resolve(&ProcessEnvironment, &DaemonFlags::default())?;
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
    /// [`DockerError::Version`], [`DockerError::Exchange`].
    pub fn version(&self) -> Result<Option<ApiVersion>, DockerError> {
        if let Some(known) = self.version.get() {
            return Ok(*known);
        }
        let mut version = ApiVersion::pinned(&ProcessEnvironment)?;
        if version.is_none() {
            let mut ping = self.client.head("/_ping").send()?;
            if !ping.is_success() {
                ping = self.client.get("/_ping").send()?;
            }
            version = ApiVersion::negotiate(None, ping.field("Api-Version"))?;
        }
        Ok(*self.version.get_or_init(|| version))
    }

    /// Builds the request-target for a path of the API, as [`api_target`].
    pub fn target(&self, path: &str) -> Result<String, DockerError> {
        Ok(api_target("", self.version()?, path))
    }
}
