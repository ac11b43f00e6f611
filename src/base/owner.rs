//! The names of users and groups.

use super::text::visible;
use std::fs;
use std::os::unix::fs::MetadataExt;

/// Returns the names of a file's user and group, or their numbers where no name is known.
pub fn owner_names(metadata: &fs::Metadata) -> (String, String) {
    (name_of("/etc/passwd", metadata.uid()), name_of("/etc/group", metadata.gid()))
}

/// Looks up a numeric id in a file of `name:password:id:…` lines (passwd(5), group(5)), and falls
/// back to the number.
fn name_of(file: &str, id: u32) -> String {
    let number = id.to_string();
    let text = fs::read(file).unwrap_or_default();
    let named = String::from_utf8_lossy(&text).lines().find_map(|line| {
        let mut parts = line.split(':');
        let name = parts.next()?;
        (parts.nth(1)? == number && !name.is_empty()).then(|| visible(name.as_bytes()))
    });
    named.unwrap_or(number)
}
