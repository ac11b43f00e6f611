//! Socket paths longer than a socket address.
//!
//! `sockaddr_un` holds 108 bytes, the last a NUL (unix(7)). On Linux every open file also has a
//! short name, `/proc/self/fd/N`: a descriptor of the socket itself (to connect) or of its
//! directory (to bind) is a way around.

use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The longest path, in bytes, that fits a Unix socket address.
pub const SUN_PATH_MAX: usize =
    if cfg!(any(target_os = "linux", target_os = "android")) { 107 } else { 103 };

/// A path that fits a socket address and leads where a longer one leads, for as long as this value
/// lives.
#[derive(Debug)]
pub struct ShortPath {
    path: PathBuf,
    _open: Option<File>,
}

impl ShortPath {
    /// A short way to an existing socket. A path that fits is left alone and costs no system call.
    ///
    /// # Errors
    /// That of opening the path, or [`io::ErrorKind::InvalidFilename`] where there is no way
    /// around.
    pub fn to_socket(path: &Path) -> io::Result<Self> {
        if fits(path) {
            return Ok(Self { path: path.to_owned(), _open: None });
        }
        let socket = open_only_as_a_place(path)?;
        Ok(Self { path: descriptor(&socket), _open: Some(socket) })
    }

    /// A short way to a name that need not exist yet, for `bind`: through its directory.
    ///
    /// # Errors
    /// That of opening the directory, or [`io::ErrorKind::InvalidFilename`] when the last component
    /// alone is too long or there is no way around.
    pub fn to_bind(path: &Path) -> io::Result<Self> {
        if fits(path) {
            return Ok(Self { path: path.to_owned(), _open: None });
        }
        let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidFilename.into());
        };
        let directory = open_only_as_a_place(directory)?;
        let short = descriptor(&directory).join(name);
        if !fits(&short) {
            return Err(io::ErrorKind::InvalidFilename.into());
        }
        Ok(Self { path: short, _open: Some(directory) })
    }

    /// The path to give to the system.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        &self.path
    }
}

fn fits(path: &Path) -> bool {
    path.as_os_str().as_bytes().len() <= SUN_PATH_MAX
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn descriptor(file: &File) -> PathBuf {
    use std::os::fd::AsRawFd;
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// `O_PATH` (open(2)): asks for no right on the file itself, and a socket cannot be opened in any
/// other way.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn open_only_as_a_place(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    const O_PATH: i32 = if cfg!(target_arch = "sparc64") { 0x100_0000 } else { 0o1000_0000 };
    File::options().read(true).custom_flags(O_PATH).open(path)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn descriptor(_: &File) -> PathBuf {
    PathBuf::new()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn open_only_as_a_place(_: &Path) -> io::Result<File> {
    Err(io::ErrorKind::InvalidFilename.into())
}
