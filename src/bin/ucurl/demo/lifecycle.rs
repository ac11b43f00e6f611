//! The life of a container: start, stop, kill, restart, removal.

use super::api::{Call, Outcome, Reply};
use super::engine::{Container, Engine};
use super::json::{flag, text, words};
use super::names::{prefixed, told};
use super::process::{self, ALWAYS};
use super::program::{Start, known};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Why a program cannot be started.
pub fn not_found(program: &str) -> String {
    let why = "executable file not found in $PATH: unknown";
    format!("unable to start container process: exec: \"{program}\": {why}")
}

/// A program with the environment and the directory that a container gives it.
pub fn program(of: &Container, argv: Vec<String>, env: Vec<String>, directory: &str) -> Start {
    let hostname = format!("HOSTNAME={}", text(&of.config, "Hostname"));
    let all = [vec![hostname, "HOME=/root".into()], words(&of.config, "Env"), env].concat();
    let pairs = all.iter().filter_map(|pair| pair.split_once('='));
    let variables = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let directory = if directory.is_empty() { text(&of.config, "WorkingDir") } else { directory };
    Start { argv, variables, directory: directory.to_owned() }
}

pub fn start(engine: &Arc<Engine>, name: &str) -> Outcome {
    let container = engine.container(name)?;
    let (process, argv) = (Arc::clone(&container.process), container.argv());
    if process.is_running() {
        return Ok(Reply::Empty(304));
    }
    let auto_remove = flag(&container.host, "AutoRemove");
    if known(&argv[0]).is_none() {
        let task = "failed to create task for container: failed to create shim task";
        let why = not_found(&argv[0]);
        let why = format!("{task}: OCI runtime create failed: runc create failed: {why}");
        process.change(|run| {
            run.error.clone_from(&why);
            run.ends += 1;
        });
        engine.change(|state| auto_remove.then(|| state.remove(&container)));
        return told!(400, "{why}");
    }
    process.change(|run| run.input_open = flag(&container.config, "OpenStdin"));
    let program = program(&container, argv, Vec::new(), "");
    engine.emit(&container, "start", &[]);
    let (engine, files) = (Arc::clone(engine), Arc::clone(&container.files));
    process::start(&process, program, files, move |code| {
        engine.change(|state| {
            container.process.finish(code);
            state.emit_container(&container, "die", &[("exitCode", &code.to_string())]);
            auto_remove.then(|| state.remove(&container));
        });
    })?;
    Ok(Reply::Empty(204))
}

/// Sends a signal, and waits for the end.
pub fn stop(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let container = call.engine.container(name)?;
    let signal = call.parameter("signal");
    let signal = signal_number(if signal.is_empty() { "TERM" } else { signal })?;
    if !container.process.is_running() {
        return Ok(Reply::Empty(304));
    }
    send(call.engine, &container, signal);
    if !container.process.ends_within(Duration::from_secs(1)) {
        send(call.engine, &container, 9);
        container.process.ends_within(ALWAYS);
    }
    call.engine.emit(&container, "stop", &[]);
    Ok(Reply::Empty(204))
}

pub fn kill(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let what = format!("cannot kill container: {name}");
    let failed = |error| prefixed(error, &what);
    let signal = signal_number(call.parameter("signal")).or_else(failed)?;
    let container = call.engine.container(name).or_else(|error| prefixed(error, &what))?;
    if !container.process.is_running() {
        return told!(409, "{what}: container {} is not running", container.id);
    }
    send(call.engine, &container, signal);
    if signal == 9 {
        container.process.ends_within(ALWAYS);
    }
    Ok(Reply::Empty(204))
}

fn send(engine: &Engine, container: &Container, signal: i64) {
    engine.emit(container, "kill", &[("signal", &signal.to_string())]);
    // CHLD, CONT, URG and WINCH end nothing by default.
    if !matches!(signal, 17 | 18 | 23 | 28) {
        container.process.kill(signal);
    }
}

fn signal_number(text: &str) -> io::Result<i64> {
    const NAMES: &str = "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM \
        STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS";
    let upper = if text.is_empty() { "KILL".to_owned() } else { text.to_ascii_uppercase() };
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let named = NAMES.split(' ').position(|other| other == name).map(|at| at as i64 + 1);
    match named.or_else(|| name.parse().ok()).filter(|number| (1..=64).contains(number)) {
        Some(number) => Ok(number),
        None => told!(400, "invalid signal: {text}"),
    }
}

pub fn restart(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    stop(call, name)?;
    let failed = |error| prefixed(error, &format!("Cannot restart container {name}"));
    start(call.engine, name).or_else(failed)?;
    call.engine.emit(&*call.engine.container(name)?, "restart", &[]);
    Ok(Reply::Empty(204))
}

pub fn delete(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    if call.truth("link") {
        return told!(501, "this demonstration has no links to remove");
    }
    let container = call.engine.container(name)?;
    if container.process.is_running() {
        if !call.truth("force") {
            let why = "container is running: stop the container before removing or force remove";
            return told!(409, "cannot remove container \"/{}\": {why}", container.name());
        }
        send(call.engine, &container, 9);
        container.process.ends_within(ALWAYS);
    }
    call.engine.change(|state| state.remove(&container));
    Ok(Reply::Empty(204))
}
