//! A test that runs itself again, as the only one in a process of its own.

use std::env;
use std::process::{Command, Output};

const ALONE: &str = "UNIX_HTTP_TEST_ALONE";

/// A test's name as the harness knows it; `module` is `module_path!()`.
pub fn name(module: &str, test: &str) -> String {
    match module.split_once("::") {
        Some((_, module)) => format!("{module}::{test}"),
        None => test.to_owned(),
    }
}

/// A command that runs this test alone. What sets it apart from the first run is up to the caller.
pub fn again(module: &str, test: &str) -> Command {
    let mut command = Command::new(env::current_exe().expect("this test program"));
    command.args(["--exact", &name(module, test), "--nocapture"]);
    command
}

/// Panics unless the one test passed.
#[track_caller]
pub fn passed(output: &Output) {
    let said = [&output.stdout[..], &output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// Whether to go on: true in a process that runs nothing but this test. Otherwise starts one, waits
/// for it and prints what it printed. For tests that count what a process has: descriptors, memory.
#[track_caller]
pub fn alone(module: &str, test: &str) -> bool {
    if env::var_os(ALONE).is_some() {
        return true;
    }
    let output = again(module, test).env(ALONE, "1").output().expect("this test program");
    passed(&output);
    print!("{}", String::from_utf8_lossy(&output.stdout));
    false
}
