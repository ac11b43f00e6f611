//! The file of a listening Unix socket: has the right mode from the start, never replaces a live
//! socket, and is removed only while it is still ours.
//!
//! bind(2) creates a socket file with the mode that the umask leaves, and any user with write
//! permission can connect (unix(7)), even between `bind` and a `chmod`. Therefore the socket is
//! bound inside a private directory, gets its mode there, and is then linked to its name: link(2),
//! unlike rename(2), fails if the name exists. chmod(2) follows a symbolic link, and any user with
//! write permission on the directory can put one there: therefore the mode is set through a
//! descriptor of the socket's file.
//!
//! The socket of a server that has ended is moved aside, checked once more, and only then removed.
//! If another server took the name in between, its socket is put back.

use super::cause::ConnectErrorKind;
use super::private_dir::PrivateDir;
use super::unix::{self, ShortPath};
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long to wait for the server of a socket that is in the way.
const ASK: Duration = Duration::from_secs(1);

/// A socket file, identified by its inode. The file of another server in its place is kept.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    inode: (u64, u64),
}

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

/// Binds a socket that has this mode from the start.
pub(super) fn bind(path: &Path, mode: u32) -> io::Result<(UnixListener, SocketFile)> {
    let directory = PrivateDir::new_in(directory_of(path))?;
    let inside = directory.path().join("s");
    let listener = UnixListener::bind(ShortPath::to_bind(&inside)?.as_path())?;
    let inside = SocketFile { inode: inode(&inside)?, path: inside };
    set_mode(&inside.path, inside.inode, mode)?;
    fs::hard_link(&inside.path, path)?;
    Ok((listener, SocketFile { path: path.to_owned(), inode: inside.inode }))
}

/// Sets the mode of the file with this inode, and of no other file that took its name. chmod(2)
/// follows a symbolic link, but the descriptor's name in `/proc` leads to the file itself. Without
/// `/proc` only the path is available.
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

/// Removes a stale socket. Any other file, or a live socket, is an error.
pub(super) fn make_way(path: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket()) {
        let why = "a file that is not a socket is in the way; remove it or choose another path";
        return Err(io::Error::new(ErrorKind::AlreadyExists, why));
    }
    if !is_stale(path) {
        let why = "another process listens on it; stop that one or choose another path";
        return Err(io::Error::new(ErrorKind::AddrInUse, why));
    }
    let removed = remove_if_still_stale(path).map_err(|error| {
        let what = "the socket of a server that has ended is in the way and cannot be removed";
        prefixed(what, error)
    })?;
    if removed { Ok(()) } else { Err(taken_just_now()) }
}

/// Moves a socket aside and checks it there, where no other server can replace it.
fn remove_if_still_stale(path: &Path) -> io::Result<bool> {
    let directory = PrivateDir::new_in(directory_of(path))?;
    let aside = directory.path().join("s");
    fs::rename(path, &aside)?;
    let stale = is_stale(&aside);
    if !stale {
        fs::hard_link(&aside, path)?;
    }
    fs::remove_file(&aside)?;
    Ok(stale)
}

pub(super) fn taken_just_now() -> io::Error {
    io::Error::new(ErrorKind::AddrInUse, "another server has just taken the name")
}

/// Puts `what` before the text of an error, and keeps its kind.
pub(super) fn prefixed(what: &str, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}

fn is_stale(path: &Path) -> bool {
    let asked = unix::connect_path(path, Some(ASK));
    asked.is_err_and(|cause| cause.kind == ConnectErrorKind::NobodyListens)
}
