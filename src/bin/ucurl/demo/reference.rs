//! References to images: `[host[:port]/]path[:tag][@sha256:digest]`.

use super::prelude::*;

/// Returns the full name of an image, `repository:tag` or `repository@digest`, without
/// `docker.io/library/`.
pub fn full_name(text: &str) -> io::Result<String> {
    let short = text.strip_prefix("docker.io/").unwrap_or(text);
    let short = short.strip_prefix("library/").unwrap_or(short);
    let (name, digest) = short.split_once('@').map_or((short, None), |(n, d)| (n, Some(d)));
    let (repository, tag) = match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => (name, "latest"),
    };
    let path = &repository[registry(repository).map_or(0, |host| host.len() + 1)..];
    let library = if repository.contains('/') { "" } else { "library/" };
    let has_upper = path.contains(|c: char| c.is_ascii_uppercase());
    ensure!(!has_upper, "reference-upper", format!("{library}{repository}"));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_word = |part: &str| !part.is_empty() && part.chars().all(is_plain);
    let is_digest = |digest: &str| digest.starts_with("sha256:") && digest.len() == 71;
    let is_valid = path.split('/').chain([tag]).all(is_word) && digest.is_none_or(is_digest);
    ensure!(is_valid, "reference");
    let version = digest.map_or(format!(":{tag}"), |digest| format!("@{digest}"));
    Ok(format!("{repository}{version}"))
}

pub fn registry(repository: &str) -> Option<&str> {
    let host = repository.split_once('/').map(|(host, _)| host);
    host.filter(|host| host.contains(['.', ':']) || *host == "localhost")
}

/// Returns a full name without its tag or digest.
pub fn repository(full: &str) -> &str {
    full.split_once('@').or(full.rsplit_once(':')).map_or(full, |(repository, _)| repository)
}
