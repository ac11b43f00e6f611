//! Runs every command on every page, and compares its output. `course.rs` runs the lessons.
//!
//! One format for all of them, a fenced block that begins with the word `console`:
//!
//! ````text
//! ```console engine
//! $ ucurl -s /_ping
//! OK
//! ```
//! ````
//!
//! - A line that begins with `$ ` is a command for `sh`. The lines below it are all that it prints,
//!   standard error included, in the pattern language of `support/pattern.rs`. A backslash at the
//!   end of a line continues the command, and so does a here-document (`<<END` or `<<'END'`).
//! - The commands of a block share one shell: variables and background jobs live on. Below a
//!   command that ends in `&` stands the output that the next command waits for. Jobs end with the
//!   block.
//! - Each command has to succeed. To show a failure, write `; echo $?` after it.
//! - The working directory is the repository, and `ucurl` the program just built. No page relies
//!   on `TMPDIR`, which most users have not set: use `dir=$(mktemp -d)`.
//!
//! The words after `console` say what the block needs:
//!
//! | word | meaning |
//! |---|---|
//! | `engine` | `DOCKER_HOST` is an engine with the image `busybox`: run on the demo engine and on a real dockerd |
//! | `docker` | the same, on a real dockerd only |
//! | `podman` | the same, on podman's service only |
//! | `root` | the user has to be root |
//! | `slow` | run only where nothing may be left out: `UNIX_HTTP_TEST_STRICT` |
//! | `NAME` | a program that has to be there: `jq`, `socat`, `curl` ... |
//! | `target=TRIPLE` | rustc has this target's standard library (`rustup target add`); left out elsewhere, always |
//! | `has=NAME` | this program is there; left out elsewhere, always |
//! | `setup` | run again before each later block of the page |
//! | `install` | run in a fresh clone only, by `literal.rs` |
//! | `ci` | not run here: `.ci/run` runs it |
//! | `hand` | not run: it takes hours, or installs things |
//!
//! Commands stand nowhere else: a line that begins with `$ ` in another block, or in a comment in
//! `src/`, fails.

use super::pages::{Block, blocks, files, pages, repository};
use super::shell::Shell;
use crate::support::demo::Demo;
use crate::support::temp::TempDir;
use crate::support::{needs, pattern};
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

/// The engine that DOCKER_HOST names while a block runs.
pub enum Host {
    Nothing,
    Real(PathBuf),
    Demo(Demo),
}

impl Host {
    fn socket(&self) -> Option<PathBuf> {
        match self {
            Host::Nothing => None,
            Host::Real(socket) => Some(socket.clone()),
            Host::Demo(demo) => Some(demo.socket()),
        }
    }
}

/// The engines that a block runs on, in turn; none if a part that it needs is missing.
pub fn hosts(block: &Block) -> Vec<Host> {
    let mut hosts = vec![];
    if !has_parts(block) {
        return hosts;
    }
    if block.has("engine") {
        hosts.push(Host::Demo(Demo::start()));
    }
    if block.has("engine") || block.has("docker") {
        hosts.extend(needs::docker().map(Host::Real));
    }
    if block.has("podman") {
        hosts.extend(needs::podman().map(Host::Real));
    }
    if !["engine", "docker", "podman"].iter().any(|word| block.has(word)) {
        hosts.push(Host::Nothing);
    }
    hosts
}

/// Whether this machine has all parts that a block needs, except engines.
pub fn has_parts(block: &Block) -> bool {
    block.words.iter().all(|word| match word.as_str() {
        "engine" | "docker" | "podman" | "setup" => true,
        "ci" | "hand" | "install" => false,
        "slow" => std::env::var_os("UNIX_HTTP_TEST_STRICT").is_some(),
        "root" => needs::root().is_some(),
        target if target.starts_with("target=") => {
            let target = &target["target=".len()..];
            let has_it = has_target(target);
            if !has_it {
                println!("docs: {} is left out: no {target} (rustup target add)", block.place);
            }
            has_it
        }
        word => match word.strip_prefix("has=") {
            None => needs::program(word).is_some(),
            Some(program) => needs::optional(program),
        },
    })
}

/// Returns whether rustc has the standard library of a target.
fn has_target(target: &str) -> bool {
    let asked =
        Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output();
    asked.is_ok_and(|asked| Path::new(String::from_utf8_lossy(&asked.stdout).trim()).is_dir())
}

pub fn run(block: &Block, host: &Host) -> Result<(), String> {
    let host = host.socket();
    let host = host.as_deref();
    // Lessons create containers by name, so one block runs at a time, on a clean engine.
    let _engine = host.map(Lesson::on).transpose().map_err(|error| error.to_string())?;
    let dir = TempDir::new();
    let mut shell =
        Shell::start(&mut environment(&dir, host)).map_err(|error| error.to_string())?;
    let on = host.map(|host| format!(" (on {})", host.display())).unwrap_or_default();
    block.setup.iter().chain(&block.steps).try_for_each(|step| {
        shell.run(step).map_err(|why| format!("{}{on}\n$ {}\n{why}", block.place, step.command))
    })
}

/// Runs blocks, so many at once. Returns what failed, in any order.
pub fn run_all(blocks: &[Block], at_once: usize) -> Vec<String> {
    let (todo, failed) = (Mutex::new(blocks.iter()), Mutex::new(Vec::new()));
    let next = || todo.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(block) = next() {
                    for host in hosts(block) {
                        let result = run(block, &host);
                        failed.lock().unwrap().extend(result.err());
                    }
                }
            });
        }
    });
    failed.into_inner().unwrap()
}

/// A shell in the repository, with ucurl as just built and a private directory for its files.
pub fn environment(dir: &TempDir, host: Option<&Path>) -> Command {
    let ucurl = Path::new(env!("CARGO_BIN_EXE_ucurl")).parent().unwrap_or(Path::new("."));
    let path = format!("{}:{}", ucurl.display(), std::env::var("PATH").unwrap_or_default());
    let mut sh = Command::new("sh");
    sh.current_dir(repository()).env("PATH", path);
    sh.env("TMPDIR", dir.path()).env("DOCKER_CONFIG", dir.path()).env_remove("DOCKER_CONTEXT");
    match host {
        Some(socket) => sh.env("DOCKER_HOST", crate::support::fake::url(socket)),
        None => sh.env_remove("DOCKER_HOST"),
    };
    sh
}

/// A page's turn on an engine: the directory of its socket is locked, and there is no container
/// `mypy` before and after.
pub struct Lesson<'a> {
    socket: &'a Path,
    _lock: fs::File,
}

impl<'a> Lesson<'a> {
    #[allow(clippy::incompatible_msrv, reason = "CI runs this with the newest compiler only")]
    pub fn on(socket: &'a Path) -> io::Result<Self> {
        let lock = fs::File::open(socket.parent().unwrap_or(Path::new("/")))?;
        lock.lock()?;
        let lesson = Lesson { socket, _lock: lock };
        lesson.clean()?;
        Ok(lesson)
    }

    fn clean(&self) -> io::Result<()> {
        let mut stream = std::os::unix::net::UnixStream::connect(self.socket)?;
        stream
            .write_all(b"DELETE /containers/mypy?force=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        stream.read_to_end(&mut Vec::new()).map(drop)
    }
}

impl Drop for Lesson<'_> {
    fn drop(&mut self) {
        let _ = self.clean();
    }
}

/// Runs the commands of the pages that `wanted` accepts.
fn check(wanted: impl Fn(&str) -> bool, at_once: usize) {
    let pages = pages().into_iter().filter(|(name, _)| wanted(name));
    let blocks: Vec<Block> = pages.flat_map(|(name, text)| blocks(&name, &text)).collect();
    assert!(!blocks.is_empty(), "no commands");
    let failed = run_all(&blocks, at_once);
    assert!(
        failed.is_empty(),
        "{} of {} blocks\n\n{}",
        failed.len(),
        blocks.len(),
        failed.join("\n\n")
    );
}

#[test]
fn the_readme_prints_what_it_says() {
    check(|name| name == "README.md", 1);
}

#[test]
fn every_other_page_prints_what_it_says() {
    // `course.rs` runs the lessons and the answers.
    let course = |name: &str| name.ends_with(".rs") || name == "examples/ANSWERS.md";
    // One at a time: several of them build the same file in different ways.
    check(|name| !["README.md", "examples/SERVICES.md"].contains(&name) && !course(name), 1);
}

#[test]
fn the_services_answer_as_their_page_says() {
    check(|name| name == "examples/SERVICES.md", 4);
}

#[test]
fn no_command_hides_in_a_comment() {
    for path in files(&repository().join("src"), "rs") {
        let text = fs::read_to_string(&path).expect("a source");
        let hidden = text
            .lines()
            .find(|line| line.trim_start().trim_start_matches("//").starts_with("! $ "));
        assert_eq!(hidden, None, "{}", path.display());
    }
}

#[test]
fn the_readme_is_one_page() {
    let (_, text) = pages().swap_remove(0);
    assert!(text.lines().count() <= 200, "{} lines", text.lines().count());
}

/// Most users have not set TMPDIR.
#[test]
fn no_page_relies_on_tmpdir() {
    for (name, text) in pages().into_iter().filter(|(name, _)| name.ends_with(".md")) {
        let steps = blocks(&name, &text).into_iter().flat_map(|block| block.steps);
        let found = steps.map(|step| step.command).find(|command| command.contains("$TMPDIR"));
        assert_eq!(found, None, "{name}");
    }
}

/// A relative link names a file of the repository, and a heading in it.
#[test]
fn every_link_leads_somewhere() {
    for (name, text) in pages() {
        let folder = Path::new(&name).parent().unwrap_or(Path::new(""));
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") || name.ends_with(".rs") || target.contains("::") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { PathBuf::from(&name) } else { folder.join(file) };
            assert!(file.exists(), "{name}: {target}");
            if !heading.is_empty() {
                let text = fs::read_to_string(&file).expect("a page");
                assert!(text.lines().any(|line| anchor(line) == heading), "{name}: {target}");
            }
        }
    }
}

/// Returns the name of a heading in links, as forges derive it.
fn anchor(heading: &str) -> String {
    let Some(text) = heading.strip_prefix('#') else { return String::new() };
    let text = text.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    text.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
}

#[test]
fn the_pattern_language() {
    let fits = [
        ("", ""),
        ("a\n", "a\r\n"),
        ("…", ""),
        ("…\n", "a\nb\n"),
        ("a\n…\nd", "a\nd"),
        ("a\n…\nd", "a\nd\nc\nd"),
        ("Date: …", "Date: today"),
        ("{\"Id\":\"…\",…}", "{\"Id\":\"12\",\"Warnings\":[]}"),
        ("…b…", "abc"),
    ];
    for (pattern, text) in fits {
        assert_eq!(pattern::check(pattern, text), Ok(()), "{pattern:?} on {text:?}");
    }
    let misfits = [
        ("", "a"),
        ("a", ""),
        ("a", "b"),
        ("a", "a\nb"),
        ("a…", "ba"),
        ("a\n…\nd", "a\nb\nd\ne"),
        ("x…x", "x"),
        ("a b", "a  b"),
    ];
    for (pattern, text) in misfits {
        assert!(pattern::check(pattern, text).is_err(), "{pattern:?} on {text:?}");
    }
}

#[test]
fn a_wrong_document_is_caught() {
    let wrong = [
        ("```console\n$ echo one\ntwo\n```", "line 1 does not fit: \"one\""),
        ("```console\n$ echo one\n```", "line 1 does not fit: \"one\""),
        ("```console\n$ true\none\n```", "(the end)"),
        ("```console\n$ false\n```", "exit status 1"),
        ("```console\n$ echo oh >&2\nno\n```", "line 1 does not fit: \"oh\""),
        ("```console\n$ A=1\n$ echo $A\n2\n```", "line 1 does not fit: \"1\""),
        ("```console\n$ exit 3\n```", "the shell ended"),
    ];
    for (text, why) in wrong {
        for block in blocks("text", text) {
            let error = run(&block, &Host::Nothing).expect_err(text);
            assert!(error.contains(why), "{text:?}: {error}");
        }
    }
}
