//! `exec`: another program in a container that runs.

use super::api::{Call, Outcome, Reply};
use super::containers::{not_found, prepare, resize_terminal};
use super::engine::{Engine, Exec};
use super::prelude::*;
use super::process::{Process, Run, Status};
use super::program::known;
use super::streams::{Attached, detach_keys};

pub fn create(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let asked = call.json()?;
    let container = call.engine.container(name)?;
    let mut config = filled!("exec.json");
    overlay(&mut config, &asked)?;
    let argv = words(&config, "Cmd");
    ensure!(!argv.is_empty(), 400, "No exec command specified");
    let running = container.process.is_running();
    ensure!(running, 409, "container {} is not running", container.id);
    let mut state = call.engine.state();
    let id = state.new_id("exec");
    let action = format!("exec_create: {}", argv.join(" "));
    state.emit_container(&container, &action, &[("execID", &id)]);
    let reply = object!(Id: &id);
    let process = Process::new(flag(&config, "Tty"), Arc::clone(&container.process.files));
    state.execs.push(Arc::new(Exec { id, container, config, process }));
    Ok(Reply::Json(201, reply))
}

fn find(engine: &Engine, id: &str) -> io::Result<Arc<Exec>> {
    let found = engine.state().execs.iter().find(|exec| exec.id == id).cloned();
    found.ok_or_else(|| refusal!(404, "No such exec instance: {id}"))
}

pub fn start(call: &mut Call<'_, '_>, id: &str) -> Outcome {
    let asked = call.json()?;
    let (exec, engine) = (find(call.engine, id)?, call.engine);
    if flag(&asked, "Detach") {
        begin(engine, &exec).map_err(|why| refusal!(409, "{}", why.trim_end()))?;
        return Ok(Reply::Empty(200));
    }
    let attached = Attached {
        process: Arc::clone(&exec.process),
        is_exec: true,
        raw: flag(&asked, "Tty"),
        wants: ["AttachStdout", "AttachStderr"].map(|name| flag(&exec.config, name)),
        stdin: flag(&exec.config, "AttachStdin"),
        close_stdin: !exec.process.tty,
        keys: detach_keys(text(&exec.config, "DetachKeys"))?,
        ..Attached::default()
    };
    attached.serve(call, || begin(engine, &exec))
}

fn begin(engine: &Arc<Engine>, exec: &Arc<Exec>) -> Result<(), String> {
    if exec.process.run.get().status != Status::Created {
        return Err(format!("Error: Exec command {} has already run\r\n", exec.id));
    }
    let (argv, env) = (words(&exec.config, "Cmd"), words(&exec.config, "Env"));
    if known(&argv[0]).is_none() {
        exec.process.finish(126);
        return Err(format!("OCI runtime exec failed: exec failed: {}\r\n", not_found(&argv[0])));
    }
    let action = format!("exec_start: {}", argv.join(" "));
    engine.emit(&exec.container, &action, &[("execID", &exec.id)]);
    let start = prepare(&exec.container, argv, env, text(&exec.config, "WorkingDir"));
    let (engine, own) = (Arc::clone(engine), Arc::clone(exec));
    let started = start.spawn(&exec.process, flag(&exec.config, "AttachStdin"), move |code| {
        own.process.finish(code);
        let code = code.to_string();
        engine.emit(&own.container, "exec_die", &[("execID", &own.id), ("exitCode", &code)]);
    });
    started.map_err(|error| error.to_string())
}

pub fn inspect(call: &mut Call<'_, '_>, id: &str) -> Outcome {
    let exec = find(call.engine, id)?;
    let (config, status) = (&exec.config, exec.process.run.get().status);
    let code = if let Status::Exited(code) = status { code.into() } else { Value::Null };
    let (running, argv) = (status == Status::Running, words(config, "Cmd"));
    let shown = filled!("exec_inspect.json", ID: id, Running: running, ExitCode: code,
        ProcessConfig.tty: exec.process.tty, ProcessConfig.entrypoint: &argv[0],
        ProcessConfig.arguments: argv[1..].to_vec(), OpenStdin: flag(config, "AttachStdin"),
        OpenStderr: flag(config, "AttachStderr"), OpenStdout: flag(config, "AttachStdout"),
        ContainerID: &exec.container.id, Pid: i64::from(running));
    Ok(Reply::Json(200, shown))
}

pub fn resize(call: &mut Call<'_, '_>, id: &str) -> Outcome {
    let exec = find(call.engine, id)?;
    // A client may ask before the start has got far.
    let is_started = |run: &mut Run| (run.status != Status::Created).then_some(());
    let started = exec.process.run.wait(Duration::from_secs(10), is_started);
    ensure!(started.is_some(), 500, "timeout waiting for exec session ready");
    resize_terminal(call, &exec.process, refusal!(400, "exec process is not started"))
}
