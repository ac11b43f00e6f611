//! A private directory for a test.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsRawFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

/// The longest path. A socket's path may have 107 bytes, curl prints only 45 of them, and names in
/// the directory need some.
const LONGEST: usize = 36;

/// A private directory (mode 0700) in `TMPDIR`. Dropping it removes the directory.
///
/// Its path is short for every `TMPDIR`. If `TMPDIR` is long, the path leads through a descriptor
/// of this process, which every process of the same user can follow.
pub struct TempDir {
    place: PathBuf,
    path: PathBuf,
    _descriptor: Option<File>,
}

impl TempDir {
    pub fn new() -> Self {
        let place = create();
        if place.as_os_str().len() <= LONGEST {
            return TempDir { path: place.clone(), place, _descriptor: None };
        }
        let directory = File::open(&place).expect("the new directory");
        let path = format!("/proc/{}/fd/{}", process::id(), directory.as_raw_fd());
        TempDir { place, path: path.into(), _descriptor: Some(directory) }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the real path, which may be long: for other users, and for mounts.
    pub fn place(&self) -> &Path {
        &self.place
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file in this directory and returns its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&self.path)).expect("its directory");
        fs::write(&path, content).expect("a file in a private directory");
        path
    }

    /// Writes a shell script that can be run, and returns its path.
    ///
    /// A child writes it. A descriptor of this process would be inherited by whatever another test
    /// starts meanwhile, and a file that is open for writing cannot be run (ETXTBSY, execve(2)).
    pub fn write_script(&self, name: &str, script: &str) -> PathBuf {
        let path = self.write(name, "");
        fs::remove_file(&path).expect("the file is there");
        let mut writer = Command::new("/bin/sh")
            .args(["-c", "cat >\"$0\" && chmod 755 \"$0\""])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .expect("sh runs");
        let mut stdin = writer.stdin.take().expect("a pipe");
        stdin.write_all(format!("#!/bin/sh\n{script}").as_bytes()).expect("sh reads the script");
        drop(stdin);
        assert!(writer.wait().expect("sh ends").success(), "{}", path.display());
        path
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.place);
    }
}

fn create() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    loop {
        let name = format!("uh-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = env::temp_dir().join(name);
        match fs::DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => return path,
            // Left behind by an earlier process with this id.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => continue,
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }
}
