//! Permission denied: why, and what to do.
//!
//! Connecting needs write permission on the socket file and search permission on every directory
//! above it (unix(7)).

use crate::base::owner::owner_names;
use crate::base::text::visible_path;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Explains why connecting to `path` was denied, with the remedy.
pub(super) fn explain(path: &Path) -> String {
    match fs::metadata(path) {
        Ok(socket) => format!("permission denied: {}", remedy(&socket, 0o2, "")),
        Err(_) => closed_directory(path).unwrap_or_else(|| "permission denied".into()),
    }
}

/// Describes the first directory on the path that this user may not search.
fn closed_directory(path: &Path) -> Option<String> {
    let denied =
        |p: &Path| fs::metadata(p).is_err_and(|e| e.kind() == io::ErrorKind::PermissionDenied);
    let closed = |p: &&Path| denied(p) && p.parent().is_some_and(|up| !denied(up));
    let directory = path.ancestors().find(closed)?.parent()?;
    let here = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let subject = format!("the directory {} is ", visible_path(directory));
    Some(format!("permission denied: {}", remedy(&fs::metadata(here).ok()?, 0o1, &subject)))
}

/// Names the owner, the group and the way to get access. `right` is the missing mode bit of
/// "others": 2 to write, 1 to search.
fn remedy(metadata: &fs::Metadata, right: u32, subject: &str) -> String {
    let mode = metadata.mode() & 0o7777;
    let (user, group) = owner_names(metadata);
    let owned = format!("{subject}owned by {user}:{group}, mode {mode:04o}");
    let sudo = if metadata.uid() == 0 { "sudo".into() } else { format!("sudo -u {user}") };
    if mode & right != 0 {
        format!(
            "{owned}: that allows everyone, so a security module (SELinux, AppArmor) or a sandbox \
             refuses"
        )
    } else if mode & (right << 3) != 0 && metadata.gid() != 0 {
        format!(
            "{owned}: join the group `{group}` (usermod -aG {group} USER, then log in again) or \
             use {sudo}"
        )
    } else {
        format!("{owned}: use {sudo}")
    }
}
