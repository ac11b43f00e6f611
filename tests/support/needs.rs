//! Real parts that a test needs: an engine or a program. Without them the test is skipped, with one
//! line on stderr.

use std::collections::BTreeSet;
use std::env;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Returns the socket of a dockerd.
pub fn docker() -> Option<PathBuf> {
    engine("UNIX_HTTP_TEST_DOCKER", "dockerd")
}

/// Returns the socket of a podman service.
pub fn podman() -> Option<PathBuf> {
    engine("UNIX_HTTP_TEST_PODMAN", "podman's service")
}

fn engine(variable: &str, name: &str) -> Option<PathBuf> {
    match env::var_os(variable).filter(|path| !path.is_empty()) {
        None => left_out(name, &format!("set {variable} to its socket")),
        Some(path) => match UnixStream::connect(&path) {
            Ok(_) => Some(path.into()),
            // The variable names an engine, so skipping it silently would be wrong.
            Err(error) => panic!("{variable}={}: {error}", Path::new(&path).display()),
        },
    }
}

/// Returns whether the user is root.
pub fn root() -> Option<()> {
    use std::os::unix::fs::MetadataExt;
    match std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0) {
        true => Some(()),
        false => left_out("root", "you are somebody else"),
    }
}

/// Returns the path of a program, found in `PATH` or the system administrator's directories.
pub fn program(name: &str) -> Option<PathBuf> {
    find(name).or_else(|| left_out(name, "no such program here"))
}

/// Whether a program is there that CI does not have either.
pub fn optional(name: &str) -> bool {
    let found = find(name).is_some();
    if !found {
        mention(name, "no such program here");
    }
    found
}

fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    let places = env::split_paths(&path).chain(system);
    places.map(|dir| dir.join(name)).find(|file| file.is_file())
}

/// Mentions a part that is skipped, or fails in a strict run.
pub fn left_out<T>(part: &str, remedy: &str) -> Option<T> {
    assert!(
        env::var_os("UNIX_HTTP_TEST_STRICT").is_none(),
        "UNIX_HTTP_TEST_STRICT is set, and there is no {part}: {remedy}"
    );
    mention(part, remedy);
    None
}

/// Prints once for each test file and part that it is skipped.
fn mention(part: &str, remedy: &str) {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if TOLD.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(part.to_owned()) {
        let me = env::current_exe().ok();
        let me = me
            .as_ref()
            .and_then(|path| path.file_stem()?.to_str()?.rsplit_once('-'))
            .map_or("tests", |(name, _)| name);
        // Not eprintln!, which the test harness captures.
        let _ = writeln!(io::stderr(), "left out of {me}: what needs {part} ({remedy})");
    }
}
