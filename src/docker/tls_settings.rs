//! Docker's TLS settings: variables for the context `default`, files for a stored one.
//!
//! ```text
//! DOCKER_TLS_VERIFY  not empty, even "0": TLS, and the server's certificate is verified
//! DOCKER_TLS         not empty: TLS without verification of the server
//! DOCKER_CERT_PATH   directory of ca.pem, cert.pem and key.pem; default: that of config.json
//! ```
//!
//! `ca.pem` is required. The client's certificate and its key are optional.

use super::environment::{ResolveError, Variables, open, present};
use super::tls::TlsOptions;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The settings, and a note for each file that is not used.
pub(super) type TlsAndNotes = (Option<TlsOptions>, Vec<String>);

/// Returns the TLS of the context `default`, when it is on.
pub(super) fn of_variables(vars: Variables<'_>, verify: bool) -> Result<TlsAndNotes, ResolveError> {
    let dir = match vars.get("DOCKER_CERT_PATH") {
        Some(dir) => PathBuf::from(dir),
        None => vars.config_dir()?,
    };
    let ca = dir.join("ca.pem");
    open(&ca).map_err(|error| {
        let need = "DOCKER_TLS and DOCKER_TLS_VERIFY need it, in DOCKER_CERT_PATH or beside \
                    config.json";
        ResolveError::about(&ca, format!("{error}; {need}"))
    })?;
    of_files(&dir, verify, fs::metadata)
}

/// Returns the TLS of a stored context: on if it has a directory, or turns verification off.
pub(super) fn of_context(dir: &Path, skip_verify: bool) -> Result<TlsAndNotes, ResolveError> {
    if present(fs::read_dir(dir), dir)?.is_some() {
        // A link to nowhere is an error: the CLI reads what the directory lists.
        return of_files(dir, !skip_verify, fs::symlink_metadata);
    }
    Ok((skip_verify.then(|| TlsOptions::default().verify(false)), Vec::new()))
}

/// Drops a certificate without its key and a key without its certificate, as the docker CLI does.
fn of_files(
    dir: &Path,
    verify: bool,
    look: fn(PathBuf) -> io::Result<fs::Metadata>,
) -> Result<TlsAndNotes, ResolveError> {
    let file = |name| {
        let path = dir.join(name);
        if present(look(path.clone()), &path)?.is_none() {
            return Ok(None);
        }
        // Opened without reading it: it may be a private key.
        open(&path).map_err(|error| ResolveError::about(&path, error))?;
        Ok(Some(path))
    };
    let (ca, cert, key) = (file("ca.pem")?, file("cert.pem")?, file("key.pem")?);
    let unused = match (&cert, &key) {
        (Some(_), None) => Some(("cert.pem", "key.pem")),
        (None, Some(_)) => Some(("key.pem", "cert.pem")),
        _ => None,
    };
    let note = |(there, missing)| {
        format!("{there} is not used: there is no {missing} in {}", dir.display())
    };
    let options = TlsOptions { ca, client: cert.zip(key), verify, ..TlsOptions::default() };
    Ok((Some(options), unused.map(note).into_iter().collect()))
}
