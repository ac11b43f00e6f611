//! TLS as Docker is told of it: by variables for the context `default`, by files for a stored one.
//!
//! ```text
//! DOCKER_TLS_VERIFY  not empty, whatever it says (even "0"): TLS, and the server has to prove who it is
//! DOCKER_TLS         not empty: TLS, and anyone may be the server
//! DOCKER_CERT_PATH   where ca.pem, cert.pem and key.pem are; else beside config.json
//! ```
//!
//! Only the paths are told here; what is in the files is for who speaks TLS.
//!
//! ```
//! let tls = unix_http::docker::Tls { ca: None, cert: None, key: None, verify: false };
//! assert_eq!(tls.to_string(), "the server is NOT verified; no client certificate");
//! ```

use super::context;
use super::endpoint::set;
use super::environment::Environment;
use super::resolve_error::ResolveError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// How a TCP connection is secured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Certificates to trust, and no others; the system's when there is none.
    pub ca: Option<PathBuf>,
    /// The client's certificate; there with its key, or not at all.
    pub cert: Option<PathBuf>,
    /// The client's private key.
    pub key: Option<PathBuf>,
    /// Whether the server has to prove who it is.
    pub verify: bool,
}

impl Tls {
    /// The TLS of the context `default`. Its `ca.pem` has to be there; the client's certificate need not.
    pub(super) fn of_variables(
        env: &impl Environment,
        verify: bool,
    ) -> Result<(Option<Tls>, Vec<String>), ResolveError> {
        let dir = match set(env, "DOCKER_CERT_PATH") {
            Some(dir) => PathBuf::from(dir),
            None => context::config_dir(env)?,
        };
        let ca = dir.join("ca.pem");
        env.probe(&ca).map_err(|error| ResolveError::Ca { path: ca.clone(), error })?;
        let file = |name| {
            let path = dir.join(name);
            match env.probe(&path) {
                Ok(()) => Ok(Some(path)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(ResolveError::File { path, error }),
            }
        };
        let tls = Tls { ca: Some(ca), cert: file("cert.pem")?, key: file("key.pem")?, verify };
        Ok(tls.paired(&dir))
    }

    /// A certificate without its key, or a key without its certificate, proves nothing: the CLI goes without.
    pub(super) fn paired(mut self, dir: &Path) -> (Option<Tls>, Vec<String>) {
        let mut notes = Vec::new();
        if self.cert.is_some() != self.key.is_some() {
            let (there, missing) = if self.cert.is_some() { ("cert.pem", "key.pem") } else { ("key.pem", "cert.pem") };
            notes.push(format!("{there} is not used: there is no {missing} in {}", dir.display()));
            (self.cert, self.key) = (None, None);
        }
        (Some(self), notes)
    }
}

impl fmt::Display for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.verify, &self.ca) {
            (false, _) => f.write_str("the server is NOT verified; ")?,
            (true, Some(ca)) => write!(f, "the server is verified by {}; ", ca.display())?,
            (true, None) => f.write_str("the server is verified by the system's certificates; ")?,
        }
        match &self.cert {
            Some(cert) => write!(f, "client certificate {}", cert.display()),
            None => f.write_str("no client certificate"),
        }
    }
}
