//! Types the README, the course and the other pages from top to bottom, as a new user does: in a
//! fresh clone of the last commit, with an empty HOME, without TMPDIR, and with the `ucurl` that
//! the README installs. Once on the demo engine, and once on a dockerd.
//!
//! It builds everything again, so it runs only where nothing may be left out
//! (`UNIX_HTTP_TEST_STRICT`). Blocks marked `slow` run in `commands.rs` only.

use super::commands::{Lesson, has_parts};
use super::pages::{self, Block, blocks};
use super::shell::Shell;
use crate::support::demo::Demo;
use crate::support::fake::url;
use crate::support::needs;
use crate::support::temp::TempDir;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the pages that one user reads in one shell, one after the other.
fn sessions(clone: &Path) -> Vec<Vec<Block>> {
    let read = |name: &str| {
        let (_, text) = pages::page(&clone.join(name));
        let blocks = blocks(name, &text);
        (text, blocks)
    };
    let (_, readme) = read("README.md");
    // The course, and its lessons in the order of its links.
    let (course, mut lessons) = read("examples/README.md");
    for lesson in course.split("](").skip(1).filter_map(|rest| rest.split_once(".rs)")) {
        lessons.extend(read(&format!("examples/{}.rs", lesson.0)).1);
    }
    let mut sessions = vec![readme, lessons];
    for page in pages::files(&clone.join("examples"), "md") {
        let name = page.strip_prefix(clone).expect("a page of the clone").display().to_string();
        // The answers are changes to the lessons, which `course.rs` makes.
        if !["examples/README.md", "examples/ANSWERS.md"].contains(&name.as_str()) {
            sessions.push(read(&name).1);
        }
    }
    sessions
}

/// A clone of the last commit, in Cargo's directory for the files of tests; removed on drop.
struct Clone(PathBuf);

impl Clone {
    fn new(git: &Path) -> Clone {
        let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let clone = Clone(scratch.join(format!("unix-http-{}", std::process::id())));
        let cloned = Command::new(git).args(["clone", "--quiet", "."]).arg(&clone.0).status();
        assert!(cloned.is_ok_and(|status| status.success()), "git clone");
        // Hard links to the dependencies of the benches, which need not be compiled once more.
        let (built, debug) = (scratch.join("../debug"), clone.0.join("target/debug"));
        fs::create_dir_all(&debug).expect("the clone's target");
        for folder in ["deps", "build", ".fingerprint"] {
            let link = Command::new("cp").arg("-al").arg(built.join(folder)).arg(&debug).status();
            if !link.is_ok_and(|status| status.success()) {
                eprintln!("cannot link to {folder}: the dependencies are compiled again");
            }
        }
        clone
    }
}

impl Drop for Clone {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Returns the directory of Cargo's files, for users of rustup and of distributions.
fn cargo_home(variable: &str, folder: &str) -> OsString {
    let home = env::home_dir().unwrap_or_default();
    env::var_os(variable).unwrap_or_else(|| home.join(folder).into())
}

/// A new user's shell.
fn login(clone: &Path, home: &Path, engine: &Path) -> Command {
    let programs = env::var_os("PATH").unwrap_or_default();
    let path = [home.join(".cargo/bin")].into_iter().chain(env::split_paths(&programs));
    let mut sh = Command::new("sh");
    sh.current_dir(clone).env_clear().env("LANG", "C.UTF-8").env("HOME", home);
    sh.env("PATH", env::join_paths(path).expect("a PATH")).env("DOCKER_HOST", url(engine));
    // The toolchain and its registry stay where they are; programs are installed in the new HOME.
    sh.env("CARGO_HOME", cargo_home("CARGO_HOME", ".cargo"));
    sh.env("RUSTUP_HOME", cargo_home("RUSTUP_HOME", ".rustup"));
    sh.env("CARGO_INSTALL_ROOT", home.join(".cargo"));
    // The same commands finish sooner without optimisation.
    sh.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0").env("CARGO_PROFILE_RELEASE_LTO", "off");
    sh.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    sh
}

/// Returns whether the block is typed on this kind of engine.
fn typed(block: &Block, real: bool) -> bool {
    let never = ["slow", "podman"].iter().any(|word| block.has(word));
    match block.has("install") {
        true => !real,
        false => !never && (real || !block.has("docker")) && has_parts(block),
    }
}

/// Types all pages. Returns the failures.
fn type_pages(clone: &Path, home: &Path, engine: &Path, real: bool) -> Vec<String> {
    let _turn = Lesson::on(engine).expect("the engine");
    let mut wrong = Vec::new();
    for session in sessions(clone) {
        let mut shell = Shell::start(&mut login(clone, home, engine)).expect("a shell");
        for block in session.iter().filter(|block| typed(block, real)) {
            for step in &block.steps {
                if let Err(why) = shell.run(step) {
                    let on = engine.display();
                    wrong.push(format!("{} on {on}\n$ {}\n{why}", block.place, step.command));
                }
            }
        }
    }
    wrong
}

#[test]
fn a_new_user_types_every_page() {
    if env::var_os("UNIX_HTTP_TEST_STRICT").is_none() {
        println!("left out: UNIX_HTTP_TEST_STRICT is not set, and this builds a fresh clone");
        return;
    }
    let Some(git) = needs::program("git") else { return };
    let home = TempDir::new();
    let clone = Clone::new(&git);
    let clone = clone.0.as_path();
    let demo = Demo::start();
    let mut wrong = type_pages(clone, home.place(), &demo.socket(), false);
    if let Some(docker) = needs::docker() {
        wrong.extend(type_pages(clone, home.place(), &docker, true));
    }
    assert!(wrong.is_empty(), "{} commands\n\n{}", wrong.len(), wrong.join("\n\n"));
}
