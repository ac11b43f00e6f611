//! The file of a listening Unix socket: made with its mode from the first moment, never in place of
//! a live one, and removed only while it is still ours.
//!
//! `bind` makes a socket file with the mode that the umask leaves, and whoever may write to the
//! file may connect (unix(7)), also between `bind` and a `chmod`. So the socket is bound inside a
//! private directory, given its mode there, and linked to its name: link(2), unlike rename(2),
//! fails where the name is taken. chmod(2) follows a symbolic link, and whoever may write to the
//! directory may put one there: so the mode is set through a descriptor of the socket's file.
//!
//! A socket whose server has ended is moved aside, asked once more, and only then removed. If
//! another server took the name in between, its socket is put back.

use super::cause::ConnectErrorKind;
use super::private_dir::PrivateDir;
use super::unix::{self, ShortPath};
use std::fs::{self, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a socket that is in the way may take to show that a server listens on it.
const ASK: Duration = Duration::from_secs(1);

/// A socket's file, known by its inode: another server's in its place is not removed.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    inode: (u64, u64),
}

/// What takes the name of a socket.
pub(super) struct InTheWay {
    pub is_live: bool,
    pub why: &'static str,
}

pub(super) const TAKEN_JUST_NOW: &str = "another server took the name just now";

impl Drop for SocketFile {
    fn drop(&mut self) {
        if inode(&self.path).is_ok_and(|inode| inode == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn inode(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Binds a socket with this mode from its first moment.
pub(super) fn bind(path: &Path, mode: u32) -> io::Result<(UnixListener, SocketFile)> {
    let directory = PrivateDir::new_in(directory_of(path))?;
    let inside = directory.path().join("s");
    let listener = UnixListener::bind(ShortPath::to_bind(&inside)?.as_path())?;
    let inside = SocketFile { inode: inode(&inside)?, path: inside };
    set_mode(&inside.path, inside.inode, mode)?;
    fs::hard_link(&inside.path, path)?;
    Ok((listener, SocketFile { path: path.to_owned(), inode: inside.inode }))
}

/// Sets the mode of a file with this inode, and of no other that took its name. chmod(2) follows a
/// symbolic link; the descriptor's name in `/proc` leads to the file itself. Without `/proc` the
/// path is all there is.
fn set_mode(path: &Path, inode: (u64, u64), mode: u32) -> io::Result<()> {
    let mode = Permissions::from_mode(mode);
    if !unix::IS_LINUX || !Path::new("/proc/self/fd").exists() {
        return fs::set_permissions(path, mode);
    }
    let file = unix::open_only_as_a_place(path)?;
    let found = file.metadata()?;
    match (found.dev(), found.ino()) == inode {
        true => fs::set_permissions(format!("/proc/self/fd/{}", file.as_raw_fd()), mode),
        false => Err(io::Error::other("another file took its name")),
    }
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Removes a socket that nobody listens on, or returns what else is in the way.
pub(super) fn remove_stale(path: &Path) -> io::Result<Option<InTheWay>> {
    if !fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket()) {
        let why = "a file that is not a socket is in the way; remove it or choose another path";
        return Ok(Some(InTheWay { is_live: false, why }));
    }
    if !is_stale(path) {
        let why = "another process listens on it; stop that one or choose another path";
        return Ok(Some(InTheWay { is_live: true, why }));
    }
    let directory = PrivateDir::new_in(directory_of(path))?;
    let aside = directory.path().join("s");
    fs::rename(path, &aside)?;
    let stale = is_stale(&aside);
    if !stale {
        fs::hard_link(&aside, path)?;
    }
    fs::remove_file(&aside)?;
    Ok((!stale).then_some(InTheWay { is_live: true, why: TAKEN_JUST_NOW }))
}

fn is_stale(path: &Path) -> bool {
    let asked = unix::connect_path(path, Some(ASK));
    asked.is_err_and(|cause| cause.kind == ConnectErrorKind::NobodyListens)
}
