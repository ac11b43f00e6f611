//! Docker's TLS settings: variables for the context `default`, files for a stored one.
//!
//! ```text
//! DOCKER_TLS_VERIFY  not empty, even "0": TLS, and the server's certificate is verified
//! DOCKER_TLS         not empty: TLS without verification of the server
//! DOCKER_CERT_PATH   directory of ca.pem, cert.pem and key.pem; default: that of config.json
//! ```
//!
//! `ca.pem` is required. The client's certificate and its key are optional.

use super::environment::{Environment, set};
use super::resolve_error::{ResolveError, present, unreadable};
use super::tls::TlsOptions;
use std::path::{Path, PathBuf};

pub(super) type TlsAndNotes = (Option<TlsOptions>, Vec<String>);

pub(super) fn config_dir(env: &impl Environment) -> Result<PathBuf, ResolveError> {
    match set(env, "DOCKER_CONFIG") {
        Some(dir) => Ok(dir.into()),
        None => env.home_dir().map(|home| home.join(".docker")).ok_or(ResolveError::NoHome),
    }
}

/// Returns the TLS of the context `default`, when it is on.
pub(super) fn of_variables(
    env: &impl Environment,
    verify: bool,
) -> Result<TlsAndNotes, ResolveError> {
    let dir = match set(env, "DOCKER_CERT_PATH") {
        Some(dir) => PathBuf::from(dir),
        None => config_dir(env)?,
    };
    let ca = dir.join("ca.pem");
    env.probe(&ca).map_err(|error| ResolveError::File { path: ca.clone(), error, is_ca: true })?;
    let file = |name| {
        let path = dir.join(name);
        Ok(present(env.probe(&path), &path)?.map(|()| path))
    };
    Ok(paired(&dir, Some(ca), file("cert.pem")?, file("key.pem")?, verify))
}

/// Returns the TLS of a stored context: on if it has a directory, or turns verification off.
pub(super) fn of_context(
    env: &impl Environment,
    dir: &Path,
    skip_verify: bool,
) -> Result<TlsAndNotes, ResolveError> {
    let Some(files) = present(env.list(dir), dir)? else {
        let tls = TlsOptions { verify: false, ..TlsOptions::default() };
        return Ok((skip_verify.then_some(tls), Vec::new()));
    };
    let file = |name: &str| {
        let path = dir.join(name);
        if !files.contains(&path) {
            return Ok(None);
        }
        env.probe(&path).map_err(|error| unreadable(path.clone(), error))?;
        Ok(Some(path))
    };
    Ok(paired(dir, file("ca.pem")?, file("cert.pem")?, file("key.pem")?, !skip_verify))
}

/// Drops a certificate without its key and a key without its certificate, as the docker CLI does.
fn paired(
    dir: &Path,
    ca: Option<PathBuf>,
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
    verify: bool,
) -> TlsAndNotes {
    let tls = TlsOptions { ca, verify, ..TlsOptions::default() };
    let (there, missing) = match (&cert, &key) {
        (Some(_), None) => ("cert.pem", "key.pem"),
        (None, Some(_)) => ("key.pem", "cert.pem"),
        _ => return (Some(TlsOptions { cert, key, ..tls }), Vec::new()),
    };
    let note = format!("{there} is not used: there is no {missing} in {}", dir.display());
    (Some(tls), vec![note])
}
