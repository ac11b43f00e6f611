//! A test that runs itself again, alone in a new process.

use std::env;
use std::process::{Command, Output};

const ALONE: &str = "UNIX_HTTP_TEST_ALONE";

/// Returns the name of a test in the harness. `module` is `module_path!()`.
pub fn name(module: &str, test: &str) -> String {
    match module.split_once("::") {
        Some((_, module)) => format!("{module}::{test}"),
        None => test.to_owned(),
    }
}

/// Returns a command that runs only this test. The caller marks the second run, with a variable for
/// example.
pub fn again(module: &str, test: &str) -> Command {
    let mut command = Command::new(env::current_exe().expect("this test program"));
    command.args(["--exact", &name(module, test), "--nocapture"]);
    command
}

/// Panics unless the test passed.
#[track_caller]
pub fn passed(output: &Output) {
    let said = [&output.stdout[..], &output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// Returns true in a process that runs only this test. Otherwise starts such a process, waits for
/// it, prints its output and returns false. For tests that count the descriptors or memory of a
/// process.
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
