//! Child processes: with a time limit, captured output, their peak of memory and system calls.

use super::temp::TempDir;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

/// The result of a child process.
#[derive(Debug)]
pub struct Ended {
    /// The exit status, or 128 plus the signal, as in a shell.
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// The peak of its resident memory in KiB, as last seen while it ran (`VmHWM` of proc(5)).
    pub peak_kib: u64,
}

impl Ended {
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Returns the standard output of a command that must succeed.
    #[track_caller]
    pub fn success(self) -> String {
        assert_eq!(self.code, 0, "stdout:\n{}\nstderr:\n{}", self.stdout(), self.stderr());
        self.stdout()
    }
}

/// The path of ucurl, built with these tests. Empty if its features are off.
pub const UCURL: Option<&str> = option_env!("CARGO_BIN_EXE_ucurl");

/// Returns a command for ucurl without variables for engines and proxies.
pub fn ucurl() -> Command {
    let mut command = Command::new(UCURL.expect("built with ucurl"));
    for variable in [
        "DOCKER_HOST",
        "DOCKER_CONTEXT",
        "DOCKER_CONFIG",
        "DOCKER_API_VERSION",
        "DOCKER_TLS_VERIFY",
        "DOCKER_CERT_PATH",
    ] {
        command.env_remove(variable);
    }
    command
}

/// Returns an example by name. Builds it on first use, because `cargo test --test NAME` does not.
pub fn example(name: &str) -> Command {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let dir = BUILT.get_or_init(|| {
        let ucurl = PathBuf::from(UCURL.expect("built with ucurl"));
        let profile = ucurl.parent().expect("target/PROFILE").to_owned();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--examples"]);
        cargo.arg("--target-dir").arg(profile.parent().expect("target"));
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        run(&mut cargo, b"", Duration::from_secs(600)).success();
        profile.join("examples")
    });
    let mut command = Command::new(dir.join(name));
    command.env_remove("DOCKER_HOST");
    command
}

/// Runs a command with these bytes as standard input. After the time limit, kills it and panics.
#[track_caller]
pub fn run(command: &mut Command, stdin: &[u8], limit: Duration) -> Ended {
    let mut child =
        match command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() {
            Ok(child) => child,
            Err(error) => panic!("{command:?}: {error}"),
        };
    let (mut input, output, errors) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (stdout, stderr, (status, peak_kib)) = thread::scope(|scope| {
        scope.spawn(move || input.as_mut().map(|pipe| pipe.write_all(stdin)));
        let stdout = scope.spawn(|| drain(output));
        let stderr = scope.spawn(|| drain(errors));
        let status = wait(&mut child, limit);
        (stdout.join().expect("stdout"), stderr.join().expect("stderr"), status)
    });
    let Some(status) = status else {
        panic!(
            "{command:?} still ran after {limit:?}\nstdout:\n{}\nstderr:\n{}",
            String::from_utf8_lossy(&stdout),
            String::from_utf8_lossy(&stderr)
        );
    };
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1);
    Ended { code, stdout, stderr, peak_kib }
}

fn drain(pipe: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        let _ = pipe.read_to_end(&mut bytes);
    }
    bytes
}

/// Returns the exit status, or `None` if the process was killed, and the peak of its memory.
fn wait(child: &mut Child, limit: Duration) -> (Option<std::process::ExitStatus>, u64) {
    let end = Instant::now() + limit;
    let mut peak = 0;
    loop {
        if has_begun(child.id()) {
            peak = peak_kib(child.id()).unwrap_or(peak);
        }
        match child.try_wait() {
            Ok(Some(status)) => return (Some(status), peak),
            Ok(None) if Instant::now() < end => thread::sleep(Duration::from_millis(2)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return (None, peak);
            }
        }
    }
}

/// Returns whether a child runs its own program. Shortly after `spawn` it still has our memory.
fn has_begun(pid: u32) -> bool {
    let program = |pid: &str| fs::read_link(format!("/proc/{pid}/exe")).ok();
    program(&pid.to_string()).is_some_and(|theirs| Some(theirs) != program("self"))
}

/// Returns the peak of a process's resident memory in KiB.
pub fn peak_kib(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Wraps a command in a program that watches it, such as strace.
pub fn through(program: &str, options: &[&OsStr], command: &Command) -> Command {
    let mut through = Command::new(program);
    through.args(options).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => through.env(name, value),
            None => through.env_remove(name),
        };
    }
    through
}

/// Runs a command under `strace -f -c` and returns the count of each system call.
pub fn system_calls(
    command: &Command,
    stdin: &[u8],
    limit: Duration,
) -> (Ended, BTreeMap<String, u64>) {
    let dir = TempDir::new();
    let table = dir.join("calls");
    let options = ["-f", "-c", "-U", "calls,name", "-o"].map(OsStr::new);
    let options = [&options[..], &[table.as_os_str()]].concat();
    let ended = run(&mut through("strace", &options, command), stdin, limit);
    let table = fs::read_to_string(table).expect("strace's table");
    let calls = table.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let count = words.next()?.parse().ok()?;
        Some((words.next()?.to_owned(), count))
    });
    (ended, calls.filter(|(name, _)| name != "total").collect())
}
