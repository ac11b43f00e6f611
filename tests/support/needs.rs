//! Real parts a test needs: an engine, a program. Without them it is left out, and one line says
//! so.

use std::collections::BTreeSet;
use std::env;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The socket of a dockerd to test against.
pub fn docker() -> Option<PathBuf> {
    engine("UNIX_HTTP_TEST_DOCKER", "dockerd")
}

/// The socket of a podman service to test against.
pub fn podman() -> Option<PathBuf> {
    engine("UNIX_HTTP_TEST_PODMAN", "podman's service")
}

fn engine(variable: &str, name: &str) -> Option<PathBuf> {
    match env::var_os(variable).filter(|path| !path.is_empty()) {
        None => left_out(name, &format!("set {variable} to its socket")),
        Some(path) => match UnixStream::connect(&path) {
            Ok(_) => Some(path.into()),
            // Somebody asked for this one: leaving it out in silence would not be what they asked
            // for.
            Err(error) => panic!("{variable}={}: {error}", Path::new(&path).display()),
        },
    }
}

/// That the user is root.
pub fn root() -> Option<()> {
    use std::os::unix::fs::MetadataExt;
    match std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0) {
        true => Some(()),
        false => left_out("root", "you are somebody else"),
    }
}

/// The path of a program, looked up in `PATH` and the system administrator's directories.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    match env::split_paths(&path)
        .chain(system)
        .map(|dir| dir.join(name))
        .find(|file| file.is_file())
    {
        None => left_out(name, "no such program here"),
        found => found,
    }
}

/// Says once per test file and part what is left out, or fails when nothing may be.
pub fn left_out<T>(part: &str, remedy: &str) -> Option<T> {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    assert!(
        env::var_os("UNIX_HTTP_TEST_STRICT").is_none(),
        "UNIX_HTTP_TEST_STRICT is set, and there is no {part}: {remedy}"
    );
    if TOLD.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(part.to_owned()) {
        let me = env::current_exe().ok();
        let me = me
            .as_ref()
            .and_then(|path| path.file_stem()?.to_str()?.rsplit_once('-'))
            .map_or("tests", |(name, _)| name);
        // Not eprintln!, which the test harness would swallow.
        let _ = writeln!(io::stderr(), "left out of {me}: what needs {part} ({remedy})");
    }
    None
}
