//! Execs: more programs in a running container.

use super::api::*;
use super::containers::merged;

pub fn create(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let mut shown = template!("exec.json");
    overlay(&mut shown, &object!(Config: call.json()?))?;
    let container = call.container(name)?;
    let argv = words(&shown, "/Config/Cmd");
    ensure!(!argv.is_empty(), "exec-no-command");
    ensure!(container.process.is_running(), "not-running", container.id);
    let (mut state, of) = (call.state(), container.view());
    let (id, own) = (state.new_id("exec"), text(&shown, "/Config/WorkingDir"));
    let directory = if own.is_empty() { text(&of, "/View/Directory") } else { own }.to_owned();
    let env = merged(words(&of, "/View/Env"), words(&shown, "/Config/Env"));
    let input = flag(&shown, "/Config/AttachStdin");
    fill!(shown, Id: &id, Container: &container.id, View.Argv: argv.clone(), View.Env: env,
        View.Arguments: argv[1..].to_vec(), View.Directory: directory, View.Input: input);
    let process = Process::new(flag(&shown, "/Config/Tty"), Arc::clone(&container.process.files));
    let (reply, container) = (object!(Id: &id), container.id.clone());
    let exec = Arc::new(Task { id, container, shown: Mutex::new(shown), process });
    state.emit_task(&exec, &format!("exec_create: {}", argv.join(" ")), &[]);
    state.execs.push(exec);
    Ok(Reply::Json(201, reply))
}

pub fn inspect(call: &mut Call<'_, '_>, id: &str) -> Outcome {
    let view = call.state().exec(id)?.view();
    Ok(Reply::Json(200, shaped(template!("exec_inspect.json"), &view)))
}

/// Checks the size of a terminal, which has no effect, and that the process runs.
pub fn resize(call: &mut Call<'_, '_>, task: &Task) -> Outcome {
    call.json()?;
    call.number("h")?;
    call.number("w")?;
    match (task.process.is_running(), task.is_exec()) {
        (true, _) => Ok(Reply::Empty(200)),
        (false, true) => Err(refusal!("exec-not-running")),
        (false, false) => Err(refusal!("not-running", task.id)),
    }
}

pub fn resize_exec(call: &mut Call<'_, '_>, id: &str) -> Outcome {
    let exec = call.state().exec(id)?;
    // A client may ask before the program has begun.
    let is_started = |run: &mut Run| (run.status != Status::Created).then_some(());
    let started = exec.process.run.wait(Duration::from_secs(10), is_started);
    ensure!(started.is_some(), "exec-not-started");
    resize(call, &exec)
}
