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
//! use unix_http::docker::{ApiVersion, without_version};
//!
//! assert!(ApiVersion::parse(b"1.9") < ApiVersion::parse(b"1.10"));
//! assert_eq!(without_version(b"/v1.41/info"), b"/info");
//! ```

use super::environment::{ResolveError, Variables};
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

impl ApiVersion {
    /// The highest version that this crate knows.
    const HIGHEST: ApiVersion = ApiVersion { major: 1, minor: 55 };

    /// Parses `1.41`.
    pub fn parse(text: &[u8]) -> Option<ApiVersion> {
        let at = text.iter().position(|&byte| byte == b'.')?;
        let number = |digits| number::decimal(digits)?.try_into().ok();
        Some(ApiVersion { major: number(&text[..at])?, minor: number(&text[at + 1..])? })
    }

    /// Parses `DOCKER_API_VERSION`, which may begin with a `v` and may be empty.
    pub(super) fn pinned(vars: Variables<'_>) -> Result<Option<ApiVersion>, ResolveError> {
        let value = vars.get("DOCKER_API_VERSION").unwrap_or_default();
        let text = value.as_bytes().trim_ascii();
        match text.strip_prefix(b"v").unwrap_or(text) {
            b"" => Ok(None),
            version => Self::strict("DOCKER_API_VERSION", version, value.as_bytes()).map(Some),
        }
    }

    /// Returns the lower of our version and the engine's, which its field Api-Version states.
    pub(super) fn negotiate(field: &[u8]) -> Result<Option<ApiVersion>, ResolveError> {
        if field.is_empty() {
            return Ok(None);
        }
        let theirs = Self::strict("the field Api-Version", field, field)?;
        Ok(Some(theirs.min(Self::HIGHEST)))
    }

    fn strict(place: &str, text: &[u8], given: &[u8]) -> Result<ApiVersion, ResolveError> {
        Self::parse(text).ok_or_else(|| {
            let given = String::from_utf8_lossy(given);
            ResolveError(format!("{place} is no API version such as 1.41: {given:?}"))
        })
    }

    /// Puts the version before a path of the API, unless the path has one. `/_ping` takes none, and
    /// podman's `/libpod/` has versions of its own.
    pub(super) fn target(self, path: &str) -> String {
        if takes_version(path) { format!("/v{self}{path}") } else { path.to_owned() }
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
