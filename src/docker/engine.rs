//! A daemon to talk to: found by the docker CLI's rules, in a version that both sides speak.
//!
//! The version is asked for once, with the first path: HEAD `/_ping` (GET where HEAD is refused)
//! has an Api-Version field (Docker Engine API v1.41, Versioning). `DOCKER_API_VERSION` spares the
//! question.

use super::daemon::{Daemon, DaemonFlags};
use super::environment::ProcessEnvironment;
use super::resolve_error::ResolveError;
use super::version::{ApiVersion, VersionError, api_target};
use crate::client::Client;
use crate::error::Error;
use std::fmt;
use std::sync::OnceLock;

/// A client of a Docker engine that knows which API version to speak.
///
/// ```no_run
/// use unix_http::docker::Engine;
///
/// let engine = Engine::from_env()?;
/// let target = engine.target("/containers/json")?; // /v1.41/containers/json
/// println!("{}", engine.client().get(&target).send()?.text()?);
/// # Ok::<(), unix_http::docker::EngineError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Engine {
    client: Client,
    version: OnceLock<Option<ApiVersion>>,
}

/// Why the engine cannot be talked to.
#[derive(Debug)]
#[non_exhaustive]
pub enum EngineError {
    /// It could not be decided which daemon is meant.
    Resolve(ResolveError),
    /// `DOCKER_API_VERSION`, or the engine's Api-Version field, is not a version.
    Version(VersionError),
    /// The exchange of `/_ping` failed.
    Exchange(Error),
}

impl Engine {
    /// Finds the engine that the docker CLI would talk to here.
    ///
    /// # Errors
    /// [`EngineError::Resolve`]; nothing is dialled yet.
    pub fn from_env() -> Result<Self, EngineError> {
        let daemon = Daemon::resolve(&ProcessEnvironment, &DaemonFlags::default())
            .map_err(EngineError::Resolve)?;
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

    /// Returns the version that is spoken, if the engine tells one, and asks on the first call.
    ///
    /// # Errors
    /// [`EngineError::Version`], [`EngineError::Exchange`].
    pub fn version(&self) -> Result<Option<ApiVersion>, EngineError> {
        if let Some(known) = self.version.get() {
            return Ok(*known);
        }
        let mut version = ApiVersion::pinned(&ProcessEnvironment).map_err(EngineError::Version)?;
        if version.is_none() {
            let mut ping = self.client.head("/_ping").send()?;
            if !ping.is_success() {
                ping = self.client.get("/_ping").send()?;
            }
            version = ApiVersion::negotiate(None, ping.field("Api-Version"))
                .map_err(EngineError::Version)?;
        }
        Ok(*self.version.get_or_init(|| version))
    }

    /// Builds the request-target for a path of the API, as [`api_target`].
    pub fn target(&self, path: &str) -> Result<String, EngineError> {
        Ok(api_target("", self.version()?, path))
    }
}

impl EngineError {
    fn inner(&self) -> &(dyn std::error::Error + 'static) {
        match self {
            Self::Resolve(error) => error,
            Self::Version(error) => error,
            Self::Exchange(error) => error,
        }
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.inner())
    }
}

impl std::error::Error for EngineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.inner())
    }
}

impl From<Error> for EngineError {
    fn from(error: Error) -> EngineError {
        Self::Exchange(error)
    }
}
