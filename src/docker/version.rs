//! API versions: choosing one, and its place in a path.
//!
//! ```abnf
//! version   = 1*DIGIT "." 1*DIGIT            ; the Api-Version field of any response
//! target    = [ prefix ] "/v" version path   ; "/v1.41/containers/json"
//! ```
//!
//! The engine states its highest version, and the client uses the lower of that and its own.
//! `DOCKER_API_VERSION` pins one. Without a version from the engine, requests have none. The engine
//! decides which old versions it accepts.
//!
//! ```
//! use unix_http::docker::{ApiVersion, api_target};
//!
//! let old = ApiVersion::negotiate(None, Some(b"1.9"))?; // the engine's Api-Version field
//! assert!(old < ApiVersion::parse(b"1.10"));
//! assert_eq!(api_target("", old, "/containers/json?all=1"), "/v1.9/containers/json?all=1");
//! assert_eq!(api_target("", old, "/_ping"), "/_ping");
//! # Ok::<(), unix_http::docker::VersionError>(())
//! ```

use super::environment::Environment;
use crate::base::number;
use std::fmt;
use std::os::unix::ffi::OsStrExt;

/// A version of the Docker Engine API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion {
    /// Always 1 so far.
    pub major: u16,
    /// A number, not a fraction: 1.9 comes before 1.10.
    pub minor: u16,
}

/// A malformed version, and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionError {
    place: &'static str,
    given: String,
}

impl ApiVersion {
    /// The highest version that this crate knows.
    pub const HIGHEST: ApiVersion = ApiVersion { major: 1, minor: 55 };

    /// Parses `1.41`.
    pub fn parse(text: &[u8]) -> Option<ApiVersion> {
        let at = text.iter().position(|&byte| byte == b'.')?;
        let number = |digits| number::decimal(digits)?.try_into().ok();
        Some(ApiVersion { major: number(&text[..at])?, minor: number(&text[at + 1..])? })
    }

    /// Parses `DOCKER_API_VERSION`, which may begin with a `v` and may be empty.
    ///
    /// # Errors
    /// [`VersionError`] for anything else.
    pub fn pinned(env: &impl Environment) -> Result<Option<ApiVersion>, VersionError> {
        let value = env.var("DOCKER_API_VERSION").unwrap_or_default();
        let text = value.as_bytes().trim_ascii();
        match text.strip_prefix(b"v").unwrap_or(text) {
            b"" => Ok(None),
            version => Self::parse(version)
                .map(Some)
                .ok_or_else(|| VersionError::new("DOCKER_API_VERSION", value.as_bytes())),
        }
    }

    /// Decides the version: the pinned one, else the smaller of ours and the engine's Api-Version
    /// field, else none.
    ///
    /// # Errors
    /// [`VersionError`] for a malformed field.
    pub fn negotiate(
        pinned: Option<ApiVersion>,
        field: Option<&[u8]>,
    ) -> Result<Option<ApiVersion>, VersionError> {
        match (pinned, field) {
            (Some(pinned), _) => Ok(Some(pinned)),
            (None, None | Some(b"")) => Ok(None),
            (None, Some(text)) => match Self::parse(text) {
                Some(theirs) => Ok(Some(theirs.min(Self::HIGHEST))),
                None => Err(VersionError::new("the field Api-Version", text)),
            },
        }
    }
}

/// Builds the request-target for a path of the API: prefix, version, path. Adds no version to a
/// path that has one, to `/_ping`, and to podman's `/libpod/`, which has its own versions.
pub fn api_target(prefix: &str, version: Option<ApiVersion>, path: &str) -> String {
    match version {
        Some(version) if takes_version(path) => format!("{prefix}/v{version}{path}"),
        _ => format!("{prefix}{path}"),
    }
}

fn takes_version(path: &str) -> bool {
    let first = path.trim_start_matches('/').split(['/', '?']).next().unwrap_or_default();
    let digits = first.strip_prefix('v').unwrap_or_default();
    let versioned = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    !versioned && first != "_ping" && first != "libpod"
}

/// Returns a path without its API version: `/v1.41/info` becomes `/info`.
pub fn without_version(path: &[u8]) -> &[u8] {
    let rest = path.strip_prefix(b"/v").unwrap_or_default();
    let end = rest.iter().position(|&byte| byte == b'/').unwrap_or(0);
    if ApiVersion::parse(&rest[..end]).is_some() { &rest[end..] } else { path }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl VersionError {
    fn new(place: &'static str, given: &[u8]) -> VersionError {
        VersionError { place, given: String::from_utf8_lossy(given).into_owned() }
    }
}

impl fmt::Display for VersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is no API version such as 1.41: {:?}", self.place, self.given)
    }
}

impl std::error::Error for VersionError {}
