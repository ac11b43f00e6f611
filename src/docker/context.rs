//! Docker's settings and its store of contexts, read as the docker CLI reads them.
//!
//! ```text
//! $DOCKER_CONFIG, else ~/.docker
//! ├── config.json                                  {"currentContext":"foo", …}
//! └── contexts
//!     ├── meta/<id>/meta.json                      {"Name":"foo","Endpoints":{"docker":{"Host":"unix:///…"}}}
//!     └── tls/<id>/docker/{ca,cert,key}.pem
//! id = the SHA-256 of the context's name in hexadecimal digits
//! ```
//!
//! Names of members are compared without regard to case, and of several the last counts, as in the
//! docker CLI. Declined: settings that are not JSON. The CLI goes on with a warning, and so with
//! another daemon than the one that was chosen; here it is an error.
//!
//! ```
//! use unix_http::docker::sha256_hex;
//!
//! // A context's files are where the hash of its name says, so that a name can be anything.
//! assert!(sha256_hex(b"foo").starts_with("2c26b46b68ff"));
//! ```

use super::environment::Environment;
use super::resolve_error::{ResolveError, Rule};
use super::sha256::sha256_hex;
use super::tls::TlsOptions;
use super::tls_settings;
use crate::json::{JsonError, Value};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What `config.json` names as the current context, if anything.
pub(super) fn current_context(
    env: &impl Environment,
    dir: &Path,
) -> Result<Option<OsString>, ResolveError> {
    let path = dir.join("config.json");
    let text = match env.read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ResolveError::File { path, error }),
    };
    // An empty file is what `touch` leaves behind, and the CLI takes it for no settings.
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    let config =
        Value::parse(&text).map_err(|error| ResolveError::Json { path: path.clone(), error })?;
    match config.get_ignore_case("currentContext") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) => {
            Ok(Some(name.into()).filter(|name: &OsString| !name.is_empty()))
        }
        Some(_) => Err(ResolveError::Setting { path, why: "currentContext is not a string" }),
    }
}

/// What the store knows of a context.
pub(super) struct Stored {
    pub(super) meta: PathBuf,
    pub(super) host: OsString,
    pub(super) tls: Option<TlsOptions>,
    pub(super) notes: Vec<String>,
}

/// Looks a context up.
pub(super) fn stored(
    env: &impl Environment,
    dir: &Path,
    name: &OsStr,
    rule: Rule,
) -> Result<Stored, ResolveError> {
    let id = sha256_hex(name.as_bytes());
    let meta = dir.join("contexts/meta").join(&id).join("meta.json");
    let text = match env.read(&meta) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let name = name.to_string_lossy().into_owned();
            return Err(ResolveError::UnknownContext { name, rule, meta, known: known(env, dir) });
        }
        Err(error) => return Err(ResolveError::File { path: meta, error }),
    };
    let (host, skip_verify) = docker_endpoint(&text).map_err(|problem| match problem {
        Problem::Json(error) => ResolveError::Json { path: meta.clone(), error },
        Problem::Setting(why) => ResolveError::Setting { path: meta.clone(), why },
    })?;
    let (tls, notes) = tls_settings::of_context(
        env,
        &dir.join("contexts/tls").join(&id).join("docker"),
        skip_verify,
    )?;
    Ok(Stored { meta, host, tls, notes })
}

enum Problem {
    Json(JsonError),
    Setting(&'static str),
}

/// `Endpoints.docker` of a context's metadata: its host, and whether a server's certificate goes
/// unverified.
fn docker_endpoint(text: &[u8]) -> Result<(OsString, bool), Problem> {
    let meta = Value::parse(text).map_err(Problem::Json)?;
    let endpoints = meta.get_ignore_case("Endpoints");
    let Some(docker @ Value::Object(_)) = endpoints.and_then(|endpoints| endpoints.get("docker"))
    else {
        return Err(Problem::Setting("the context has no docker endpoint"));
    };
    let host = match docker.get_ignore_case("Host") {
        None | Some(Value::Null) => OsString::new(),
        Some(Value::String(host)) => host.into(),
        Some(_) => return Err(Problem::Setting("Host is not a string")),
    };
    match docker.get_ignore_case("SkipTLSVerify") {
        None | Some(Value::Null) => Ok((host, false)),
        Some(Value::Bool(skip)) => Ok((host, *skip)),
        Some(_) => Err(Problem::Setting("SkipTLSVerify is neither true nor false")),
    }
}

/// The names of the contexts in the store; as many as can be read.
fn known(env: &impl Environment, dir: &Path) -> Vec<String> {
    let dirs = env.list(&dir.join("contexts/meta")).unwrap_or_default();
    let found =
        dirs.iter().filter_map(|dir| env.read(&dir.join("meta.json")).ok()).filter_map(|text| {
            Value::parse(&text).ok()?.get_ignore_case("Name")?.as_str().map(str::to_owned)
        });
    let mut names = Vec::new();
    for name in found {
        names.insert(names.partition_point(|other| *other < name), name);
    }
    names
}
