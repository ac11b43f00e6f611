//! Why the daemon could not be found.

use crate::base::text::{visible, visible_path};
use crate::transport::EndpointError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The rule that decided: the first in this order that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DaemonRule {
    /// The context flag.
    ContextFlag,
    /// The host flag.
    HostFlag,
    /// `DOCKER_HOST`.
    HostVariable,
    /// `DOCKER_CONTEXT`.
    ContextVariable,
    /// `currentContext` of `config.json`.
    ConfigFile,
    /// No setting: the context `default`.
    Default,
}

impl fmt::Display for DaemonRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ContextFlag => "the context flag",
            Self::HostFlag => "the host flag",
            Self::HostVariable => "DOCKER_HOST",
            Self::ContextVariable => "DOCKER_CONTEXT",
            Self::ConfigFile => "currentContext of config.json",
            Self::Default => "the default",
        })
    }
}

/// Why the daemon could not be found, and what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum ResolveError {
    /// Flags name both a context and a host.
    BothFlags,
    /// An invalid host.
    Host {
        /// The variable or file that contains it; `None` for a flag.
        place: Option<PathBuf>,
        /// Why it is invalid.
        error: EndpointError,
    },
    /// A context that is not in the store.
    UnknownContext {
        /// Its name.
        name: String,
        /// The rule that selected it.
        rule: DaemonRule,
        /// The missing file.
        meta: PathBuf,
        /// The contexts in the store.
        known: Vec<String>,
    },
    /// A settings file that is not JSON, or lacks a member.
    Settings {
        /// The file.
        path: PathBuf,
        /// Why it is invalid.
        why: String,
    },
    /// A file that cannot be read.
    File {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
        /// Whether this is the file of CA certificates for TLS.
        is_ca: bool,
    },
    /// There is no home directory, and `DOCKER_CONFIG` is not set.
    NoHome,
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BothFlags => {
                f.write_str("a context and a host were both given; give one of them")
            }
            Self::Host { place: Some(place), error } => {
                write!(f, "{}: {error}", visible_path(place))
            }
            Self::Host { place: None, error } => error.fmt(f),
            Self::UnknownContext { name, rule, meta, known } => {
                write!(f, "no context {name:?}, which {rule} asks for; there is: default")?;
                known.iter().try_for_each(|name| write!(f, ", {}", visible(name.as_bytes())))?;
                write!(f, " (no {})", visible_path(meta))
            }
            Self::Settings { path, why } => {
                write!(f, "{}: {why}; mend it, or set DOCKER_HOST", visible_path(path))
            }
            Self::File { path, error, is_ca: false } => {
                write!(f, "{}: {error}", visible_path(path))
            }
            Self::File { path, error, is_ca: true } => write!(
                f,
                "{}: {error}; DOCKER_TLS and DOCKER_TLS_VERIFY need it, in DOCKER_CERT_PATH or \
                 beside config.json",
                visible_path(path)
            ),
            Self::NoHome => {
                f.write_str("no home directory to look for .docker in; set DOCKER_CONFIG or HOME")
            }
        }
    }
}

/// Returns the content, or `None` if the file does not exist.
pub(super) fn present<T>(read: io::Result<T>, path: &Path) -> Result<Option<T>, ResolveError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path.to_owned(), error)),
    }
}

pub(super) fn unreadable(path: PathBuf, error: io::Error) -> ResolveError {
    ResolveError::File { path, error, is_ca: false }
}

impl std::error::Error for ResolveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Host { error, .. } => Some(error),
            Self::File { error, .. } => Some(error),
            _ => None,
        }
    }
}
