//! Execs: more programs in a running container.

use super::api::*;
use super::containers::merged;

pub fn create(call: &mut Call<'_, '_>) -> Outcome {
    let mut shown = template!("exec.json");
    overlay(&mut shown, &object!(Config: call.json()?))?;
    let (container, argv) = (call.container()?, words(&shown, "/Config/Cmd"));
    ensure!(!argv.is_empty(), "exec-no-command");
    ensure!(container.is_running(), "not-running", container.id);
    let (mut state, directory) = (call.state(), text(&shown, "/Config/WorkingDir").to_owned());
    let (id, action) = (state.new_id("exec"), format!("exec_create: {}", argv.join(" ")));
    fill!(shown, Id: &id, Container: &container.id, Path: &argv[0], Args: argv[1..].to_vec());
    let exec = Arc::new(Task {
        id: id.clone(),
        container: container.id.clone(),
        env: merged(container.env.clone(), words(&shown, "/Config/Env")),
        directory: if directory.is_empty() { container.directory.clone() } else { directory },
        tty: flag(&shown, "/Config/Tty"),
        has_input: flag(&shown, "/Config/AttachStdin"),
        files: Arc::clone(&container.files),
        shown: Mutex::new(shown),
        argv,
        ..Task::default()
    });
    state.emit_task(&exec, &action, &[]);
    state.execs.push(exec);
    Ok(Reply::Json(201, object!(Id: id)))
}

pub fn inspect(call: &mut Call<'_, '_>) -> Outcome {
    let view = call.state().exec(&call.name)?.view();
    Ok(Reply::Json(200, shaped(template!("exec_inspect.json"), &view)))
}

pub fn resize_container(call: &mut Call<'_, '_>) -> Outcome {
    let container = call.container()?;
    resize(call, &container, refusal!("not-running", container.id))
}

pub fn resize_exec(call: &mut Call<'_, '_>) -> Outcome {
    let exec = call.state().exec(&call.name)?;
    // A client may ask before the program has begun.
    let is_new = exec.run.wait_while(Duration::from_secs(10), |run| run.is_new()).is_new();
    ensure!(!is_new, "exec-not-started");
    resize(call, &exec, refusal!("exec-not-running"))
}

/// Checks the size of a terminal, which has no effect. Fails if the process does not run.
fn resize(call: &mut Call<'_, '_>, task: &Task, error: io::Error) -> Outcome {
    call.json()?;
    call.number("h")?;
    call.number("w")?;
    if task.is_running() { Ok(Reply::Empty(200)) } else { Err(error) }
}
