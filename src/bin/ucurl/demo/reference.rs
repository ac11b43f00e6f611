//! References to images: `[host[:port]/]path[:tag][@sha256:digest]`.

use super::prelude::*;

/// The name of an image, without the parts that Docker adds by itself.
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
        let path = &repository[registry(repository).map_or(0, |host| host.len() + 1)..];
        let library = if repository.contains('/') { "" } else { "library/" };
        ensure!(
            !path.contains(|c: char| c.is_ascii_uppercase()),
            400,
            "invalid reference format: repository name ({library}{repository}) must be lowercase"
        );
        let is_word = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        };
        let is_digest = |digest: &str| digest.starts_with("sha256:") && digest.len() == 71;
        let is_valid = path.split('/').chain([tag]).all(is_word) && digest.is_none_or(is_digest);
        ensure!(is_valid, 400, "invalid reference format");
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
