//! Errors that the client is told, and references to images.

use std::io;
use unix_http::server::Refusal;

/// `told!(404, "No such image: {name}")` is an error that the client is told.
macro_rules! told {
    ($status:expr, $($text:tt)+) => {
        Err(std::io::Error::from(unix_http::server::Refusal::new($status, format!($($text)+))))
    };
}

pub(super) use told;

pub fn telling(error: &io::Error) -> Option<(u16, &str)> {
    let refusal = error.get_ref()?.downcast_ref::<Refusal>()?;
    Some((refusal.status(), refusal.why()))
}

/// The same error with other words before its own.
pub fn prefixed<T>(error: io::Error, before: &str) -> io::Result<T> {
    match telling(&error) {
        Some((status, why)) => told!(status, "{before}: {why}"),
        None => Err(error),
    }
}

/// `[host[:port]/]path[:tag][@sha256:digest]`, the name of an image, without the parts that Docker
/// adds by itself.
pub struct Reference {
    pub repository: String,
    /// The tag after a colon, or the digest after an `@`.
    pub version: String,
}

impl Reference {
    pub fn parse(text: &str) -> io::Result<Reference> {
        let short = text.strip_prefix("docker.io/").unwrap_or(text);
        let short = short.strip_prefix("library/").unwrap_or(short);
        let (name, digest) = short.split_once('@').map_or((short, None), |(n, d)| (n, Some(d)));
        let (repository, tag) = match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, tag),
            _ => (name, "latest"),
        };
        let host = registry(repository).unwrap_or_default();
        if repository[host.len()..].contains(|c: char| c.is_ascii_uppercase()) {
            let library = if repository.contains('/') { "" } else { "library/" };
            let full = format!("{library}{repository}");
            return told!(
                400,
                "invalid reference format: repository name ({full}) must be lowercase"
            );
        }
        let is_word = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        };
        let is_digest = |digest: &str| digest.starts_with("sha256:") && digest.len() == 71;
        let path = repository[host.len()..].trim_start_matches('/');
        if !path.split('/').chain([tag]).all(is_word) || !digest.is_none_or(is_digest) {
            return told!(400, "invalid reference format");
        }
        let version = digest.map_or(format!(":{tag}"), |digest| format!("@{digest}"));
        Ok(Reference { repository: repository.to_owned(), version })
    }

    pub fn full(&self) -> String {
        format!("{}{}", self.repository, self.version)
    }
}

pub fn registry(repository: &str) -> Option<&str> {
    let host = repository.split_once('/').map(|(host, _)| host);
    host.filter(|host| host.contains(['.', ':']) || *host == "localhost")
}
