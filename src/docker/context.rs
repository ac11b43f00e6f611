//! Docker's settings, its store of contexts and its TLS, read as the docker CLI reads them.
//!
//! ```text
//! $DOCKER_CONFIG, else ~/.docker
//! ├── config.json                     {"currentContext":"foo", …}
//! └── contexts
//!     ├── meta/<id>/meta.json         {"Name":"foo","Endpoints":{"docker":{"Host":"unix:///…"}}}
//!     └── tls/<id>/docker/{ca,cert,key}.pem
//! id = the SHA-256 of the context's name in hexadecimal digits
//!
//! The TLS of the context `default`:
//! DOCKER_TLS_VERIFY  not empty, even "0": TLS, and the server's certificate is verified
//! DOCKER_TLS         not empty: TLS without verification of the server
//! DOCKER_CERT_PATH   directory of ca.pem, cert.pem and key.pem; default: that of config.json
//! ```
//!
//! Names of members are compared without regard to case, and of several the last counts, as in the
//! docker CLI. Settings that are not JSON are an error here; the CLI warns and goes on with another
//! daemon than the one that was chosen. The context `default` needs `ca.pem` for TLS; the client's
//! certificate and its key are optional.

use super::environment::{ResolveError, Variables, open, present, read};
use super::sha256::sha256_hex;
use super::tls::TlsOptions;
use crate::base::text::{visible, visible_path};
use crate::json::Value;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub(super) fn current_context(dir: &Path) -> Result<Option<OsString>, ResolveError> {
    let path = dir.join("config.json");
    let Some(text) = present(read(&path), &path)? else { return Ok(None) };
    // An empty file is what `touch` leaves behind, and the CLI takes it for no settings.
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    let config = Value::parse(&text).map_err(|error| unusable(&path, &error.to_string()))?;
    match config.get_ignore_case("currentContext") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) if name.is_empty() => Ok(None),
        Some(Value::String(name)) => Ok(Some(name.into())),
        Some(_) => Err(unusable(&path, "currentContext is not a string")),
    }
}

pub(super) struct StoredContext {
    pub(super) meta: PathBuf,
    pub(super) host: OsString,
    pub(super) tls: TlsAndNotes,
}

/// Looks up a context; `rule` asked for it.
pub(super) fn stored(dir: &Path, name: &OsStr, rule: &str) -> Result<StoredContext, ResolveError> {
    let id = sha256_hex(name.as_bytes());
    let meta = dir.join("contexts/meta").join(&id).join("meta.json");
    let Some(text) = present(read(&meta), &meta)? else {
        return Err(ResolveError(format!(
            "no context {:?}, which {rule} asks for; there is: {} (no {})",
            name.to_string_lossy(),
            known(dir),
            visible_path(&meta)
        )));
    };
    let (host, skip_verify) = docker_endpoint(&text).map_err(|why| unusable(&meta, &why))?;
    let files = dir.join("contexts/tls").join(&id).join("docker");
    Ok(StoredContext { meta, host, tls: tls_of_context(&files, skip_verify)? })
}

fn unusable(path: &Path, why: &str) -> ResolveError {
    ResolveError::about(path, format!("{why}; mend it, or set DOCKER_HOST"))
}

/// Reads the host and `SkipTLSVerify` of `Endpoints.docker` in a context's metadata.
fn docker_endpoint(text: &[u8]) -> Result<(OsString, bool), String> {
    let meta = Value::parse(text).map_err(|error| error.to_string())?;
    let docker = meta.get_ignore_case("Endpoints").and_then(|endpoints| endpoints.get("docker"));
    let Some(docker @ Value::Object(_)) = docker else {
        return Err("the context has no docker endpoint".into());
    };
    let host = match docker.get_ignore_case("Host") {
        None | Some(Value::Null) => OsString::new(),
        Some(Value::String(host)) => host.into(),
        Some(_) => return Err("Host is not a string".into()),
    };
    match docker.get_ignore_case("SkipTLSVerify") {
        None | Some(Value::Null) => Ok((host, false)),
        Some(Value::Bool(skip)) => Ok((host, *skip)),
        Some(_) => Err("SkipTLSVerify is neither true nor false".into()),
    }
}

/// Lists the names of all contexts.
fn known(dir: &Path) -> String {
    let name = |entry: fs::DirEntry| {
        let meta = Value::parse(&read(&entry.path().join("meta.json")).ok()?).ok()?;
        Some(visible(meta.get_ignore_case("Name")?.as_str()?.as_bytes()))
    };
    let entries = fs::read_dir(dir.join("contexts/meta")).into_iter().flatten().flatten();
    let names: BTreeSet<_> = entries.filter_map(name).collect();
    names.iter().fold("default".to_owned(), |list, name| list + ", " + name)
}

/// The TLS of a context, and a note for each file that is not used.
pub(super) type TlsAndNotes = (Option<TlsOptions>, Vec<String>);

/// Returns the TLS of the context `default`, when it is on.
pub(super) fn tls_of_variables(
    vars: Variables<'_>,
    verify: bool,
) -> Result<TlsAndNotes, ResolveError> {
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
    tls_of_files(&dir, verify, fs::metadata)
}

/// Returns the TLS of a stored context: on if it has a directory, or turns verification off.
fn tls_of_context(dir: &Path, skip_verify: bool) -> Result<TlsAndNotes, ResolveError> {
    if present(fs::read_dir(dir), dir)?.is_some() {
        // A link to nowhere is an error: the CLI reads what the directory lists.
        return tls_of_files(dir, !skip_verify, fs::symlink_metadata);
    }
    Ok((skip_verify.then(|| TlsOptions::default().verify(false)), Vec::new()))
}

/// Drops a certificate without its key and a key without its certificate, as the docker CLI does.
fn tls_of_files(
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
