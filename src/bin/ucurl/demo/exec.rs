//! `exec`: another program in a container that runs.

use super::engine::Exec;
use super::output::{self, Wanted};
use super::process::{self, Process, Status};
use super::reply::{Call, Fault, Outcome, Reply};
use super::shell;
use super::text::{fill, flag, string, strings, words};
use unix_http::json::Value;

pub fn create(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let config = call.json()?;
    let mut state = call.engine.lock();
    let at = state.container(name)?;
    if !state.is_running(at) {
        return Err(Fault::told(409, &["Container ", &state.containers[at].id, " is not running"]));
    }
    let argv = words(&config, "Cmd");
    if argv.is_empty() {
        return Err(Fault::told(400, &["No exec command specified"]));
    }
    let id = state.new_id("exec");
    let tty = flag(&config, "Tty");
    let process = state.new_process(Process::new(tty));
    let container = &state.containers[at];
    let mut env = container.command.env.clone();
    env.push(["HOSTNAME=", &container.id[..12]].concat());
    env.push("PWD=/".into());
    env.extend(words(&config, "Env"));
    let attach = ["AttachStdin", "AttachStdout", "AttachStderr"].map(|name| flag(&config, name));
    let action = "exec_create: ".to_owned() + &argv.join(" ");
    let exec =
        Exec { id: id.clone(), container: container.id.clone(), argv, env, tty, attach, process };
    state.execs.push(exec);
    state.emit_container(at, &action, &[("execID", &id)]);
    call.engine.notify();
    Ok(Reply::Json(201, [r#"{"Id":"#, &string(&id), "}\n"].concat()))
}

fn no_such(id: &str) -> Fault {
    Fault::told(404, &["No such exec instance: ", id])
}

pub fn start(call: &mut Call<'_, '_>, id: &str) -> Outcome {
    let config = call.json()?;
    let engine = call.engine;
    let state = engine.lock();
    let exec = state.execs.iter().find(|exec| exec.id == id).ok_or_else(|| no_such(id))?;
    if state.processes.get(&exec.process).is_some_and(|process| process.status != Status::Created) {
        return Err(Fault::told(409, &["Error: Exec command ", id, " has already run"]));
    }
    let (key, attach) = (exec.process, exec.attach);
    drop(state);
    let detached = flag(&config, "Detach");
    let go = || {
        let mut state = engine.lock();
        let exec = state.execs.iter().find(|exec| exec.id == id).ok_or_else(|| no_such(id))?;
        let (container, argv, env) = (exec.container.clone(), exec.argv.clone(), exec.env.clone());
        let program = argv.first().map_or("", String::as_str).to_owned();
        let at = state.container(&container)?;
        if shell::known(&program).is_none() {
            if let Some(process) = state.processes.get_mut(&key) {
                process.status = Status::Exited(127);
            }
            let why =
                "OCI runtime exec failed: exec failed: unable to start container process: exec: \"";
            let rest = "\": executable file not found in $PATH (this demonstration knows a few programs only): unknown";
            return Err(Fault::told(400, &[why, &program, rest]));
        }
        let action = "exec_start: ".to_owned() + &argv.join(" ");
        state.emit_container(at, &action, &[("execID", id)]);
        if let Some(process) = state.processes.get_mut(&key) {
            process.input_open = attach[0] && !detached;
        }
        let exec_id = id.to_owned();
        let container_id = container.clone();
        process::start(engine, &mut state, key, (container, argv, env), move |state, code| {
            if let Ok(at) = state.container(&container_id) {
                state.emit_container(
                    at,
                    "exec_die",
                    &[("execID", &exec_id), ("exitCode", &code.to_string())],
                );
            }
        })?;
        drop(state);
        engine.notify();
        Ok(())
    };
    if detached {
        go()?;
        return Ok(Reply::Empty(200));
    }
    output::exec_stream(call, key, Wanted { stdout: attach[1], stderr: attach[2] }, attach[0], go)
}

pub fn inspect(call: &mut Call<'_, '_>, id: &str) -> Outcome {
    let state = call.engine.lock();
    let exec = state.execs.iter().find(|exec| exec.id == id).ok_or_else(|| no_such(id))?;
    const NONE: &Process = &Process::NONE;
    let process = state.processes.get(&exec.process).unwrap_or(NONE);
    let truth = |truth: bool| if truth { "true" } else { "false" };
    let code = if process.is_over() { process.code().to_string() } else { "null".to_owned() };
    let (path, args) =
        exec.argv.split_first().map_or(("", &[][..]), |(path, args)| (path.as_str(), args));
    let text = fill(
        include_str!("exec.json"),
        &[
            ("id", &string(&exec.id)),
            ("running", truth(process.status == Status::Running)),
            ("code", &code),
            ("tty", truth(exec.tty)),
            ("path", &string(path)),
            ("args", &strings(args)),
            ("stdin", truth(exec.attach[0])),
            ("stdout", truth(exec.attach[1])),
            ("stderr", truth(exec.attach[2])),
            ("container", &string(&exec.container)),
            ("pid", &process.pid.to_string()),
        ],
    );
    Ok(Reply::Json(200, text))
}

/// The size of a terminal: there is none, so any will do. The JSON of others is read past.
pub fn resize(call: &mut Call<'_, '_>) -> Outcome {
    let _: Value = call.json()?;
    Ok(Reply::Empty(200))
}
