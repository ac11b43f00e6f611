//! Containers, from their creation to their removal.

use super::api::*;
use super::filters::Filters;
use super::program;
use std::thread;

/// The time that a program takes to begin. Without it, a program could end before its client knows
/// that it was started.
const PACE: Duration = Duration::from_millis(20);

pub fn list(call: &mut Call<'_, '_>) -> Outcome {
    let state = call.state();
    let filters = Filters::read(&state, "containers", call.parameter("filters"))?;
    let limit = if call.parameter("limit").is_empty() { 0 } else { call.number("limit")? };
    let all = call.truth("all") || limit > 0 || filters.has("status");
    let views = state.containers.iter().rev().map(|container| container.view());
    let views = views.filter(|view| (all || flag(view, "/State/Running")) && filters.fit(view));
    let views = views.take(if limit > 0 { limit as usize } else { usize::MAX });
    let found = views.map(|view| shaped(template!("container.json"), &view));
    Ok(Reply::Json(200, found.collect::<Vec<_>>().into()))
}

pub fn inspect(call: &mut Call<'_, '_>) -> Outcome {
    let state = call.state();
    let container = state.container(&call.name)?;
    let execs = state.execs.iter().filter(|exec| exec.container == container.id);
    let execs = or_null(execs.map(|exec| exec.id.clone()).collect());
    let mut view = container.view();
    fill!(view, ExecIDs: execs);
    take(&mut view, "View");
    Ok(Reply::Json(200, view))
}

pub fn wait(call: &mut Call<'_, '_>) -> Outcome {
    let condition = call.parameter("condition").to_owned();
    let is_known = matches!(&condition[..], "" | "not-running" | "next-exit" | "removed");
    ensure!(is_known, "wait-condition", condition);
    let container = call.container()?;
    let ends = container.run.get().ends;
    // The head is sent before the wait, so that a client knows when it can start the container.
    let mut body = call.stream("application/json")?;
    body.flush()?;
    let over = |run: &mut Run| {
        let is_over = match &condition[..] {
            "removed" => run.removed,
            "next-exit" => run.removed || run.ends > ends,
            _ => run.removed || !run.running,
        };
        is_over.then_some(run.code)
    };
    let mut code = None;
    while code.is_none() && !call.request.is_gone() {
        code = container.run.wait(TICK, over);
    }
    writeln!(body, "{{\"StatusCode\":{}}}", code.unwrap_or_default())?;
    Ok(Reply::Sent(body.finish()?))
}

pub fn rename(call: &mut Call<'_, '_>) -> Outcome {
    let (new, state) = (call.parameter("name"), call.state());
    let container = state.container(&call.name)?;
    let old = container.name();
    ensure!(!new.is_empty(), "name-empty");
    ensure!(new != old, "name-changed-not");
    let failed = |error| prefixed(error, "Error when allocating new name");
    let new = free_name(&state, &format!("/{new}")).map_err(failed)?;
    fill!(lock(&container.shown), Name: format!("/{new}"));
    state.emit_task(&container, "rename", &[("oldName", &format!("/{old}"))]);
    Ok(Reply::Empty(204))
}

/// Checks the requested name, or makes one up if none was requested.
fn free_name(state: &State, asked: &str) -> io::Result<String> {
    let other = |name: &str| state.containers.iter().find(|container| container.name() == name);
    let name = asked.strip_prefix('/').unwrap_or(asked);
    if name.is_empty() {
        let mut names = (1..).map(|number| format!("demo_{number}"));
        return Ok(names.find(|name| other(name).is_none()).unwrap_or_default());
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let is_name =
        name.len() > 1 && name.chars().all(is_plain) && !name.starts_with(['_', '.', '-']);
    ensure!(is_name, "name-invalid", asked);
    let id = other(name).map_or("", |other| &other.id);
    ensure!(id.is_empty(), "name-in-use", name, id);
    Ok(name.to_owned())
}

/// `POST /containers/create`: makes a container, which does not run yet.
pub fn create(call: &mut Call<'_, '_>) -> Outcome {
    let json = call.json()?;
    ensure!(json != Value::Null, "create-no-json");
    ensure!(!json.members().is_empty(), "create-empty");
    let defaults = template!("create.json");
    let mut asked = defaults.clone();
    overlay(&mut asked, &json)?;
    let is_set = |place: &&str| at(&asked, place) != at(&defaults, place);
    let without_effect = include_str!("without_effect.txt").lines().filter(is_set);
    let names = without_effect.filter_map(|place| place.rsplit('/').next());
    let warnings = names.map(|name| format!("{name} has no effect in this demonstration"));
    let warnings: Vec<String> = warnings.collect();

    let mut state = call.state();
    let image = state.image(text(&asked, "/Image"))?;
    let (networks, host) = (networks(&asked)?, take(&mut asked, "HostConfig"));
    take(&mut asked, "NetworkingConfig");
    let mut config = config(&image.config, &asked)?;
    let argv = [words(&config, "/Entrypoint"), words(&config, "/Cmd")].concat();
    ensure!(!argv.is_empty(), "create-no-command");
    let (image_id, mut files) = (image.id.clone(), image.files.clone());
    let name = free_name(&state, call.parameter("name"))?;
    let (id, created) = (state.new_id("container"), SystemTime::now());
    if text(&config, "/Hostname").is_empty() {
        fill!(config, Hostname: &id[..12]);
    }
    let (hostname, directory) = (text(&config, "/Hostname"), text(&config, "/WorkingDir"));
    files.put("etc/hostname", format!("{hostname}\n").as_bytes());
    let volumes = at(&config, "/Volumes").members().iter().map(|(path, _)| &path[..]);
    volumes.chain([directory]).for_each(|path| files.put(&format!("{path}/"), b""));
    let own = vec![format!("HOSTNAME={hostname}"), "HOME=/root".to_owned()];
    let argv_shown =
        argv.iter().map(|w| if w.contains(' ') { format!("'{w}'") } else { w.clone() });
    let mut shown = template!("inspect.json");
    fill!(shown, Id: &id, Created: rfc3339(created, 9), Path: &argv[0], Args: argv[1..].to_vec(),
        Image: &image_id, Name: format!("/{name}"), NetworkSettings.Networks: networks,
        HostConfig: host, Config: config.clone(), View.Seconds: unix(created),
        View.Command: argv_shown.collect::<Vec<_>>().join(" "));
    let new = Arc::new(Task {
        id: id.clone(),
        container: id.clone(),
        shown: Mutex::new(shown),
        env: merged(own, words(&config, "/Env")),
        directory: directory.to_owned(),
        tty: flag(&config, "/Tty"),
        has_input: flag(&config, "/OpenStdin"),
        files: Arc::new(Mutex::new(files)),
        argv,
        ..Task::default()
    });
    state.containers.push(Arc::clone(&new));
    state.emit_task(&new, "create", &[]);
    Ok(Reply::Json(201, object!(Id: id, Warnings: warnings)))
}

/// Lays the requested config over that of the image.
fn config(image: &Value, asked: &Value) -> io::Result<Value> {
    let mut config = image.clone();
    overlay(&mut config, asked)?;
    // The image's arguments belong to its own entrypoint.
    if !words(asked, "/Entrypoint").is_empty() {
        fill!(config, Cmd: or_null(words(asked, "/Cmd")));
    }
    let env = merged(words(image, "/Env"), words(asked, "/Env"));
    fill!(config, Env: or_null(env));
    Ok(config)
}

/// Replaces the variables of an environment that are also in `over`.
pub fn merged(mut env: Vec<String>, over: Vec<String>) -> Vec<String> {
    let name = |pair: &String| pair.split('=').next().map(str::to_owned);
    env.retain(|pair| over.iter().all(|other| name(other) != name(pair)));
    [env, over].concat()
}

/// Builds the only network of a container.
fn networks(asked: &Value) -> io::Result<Value> {
    let mode = text(asked, "/HostConfig/NetworkMode");
    let name = if mode == "default" { "bridge" } else { mode };
    let mut network = template!("endpoint.json");
    overlay(&mut network, at(asked, &format!("/NetworkingConfig/EndpointsConfig/{name}")))?;
    Ok(Value::Object(vec![(name.to_owned(), network)]))
}

/// Starts the program of a container or an exec.
pub fn launch(engine: &Arc<Engine>, task: &Arc<Task>) -> io::Result<()> {
    let is_exec = task.is_exec();
    ensure!(!is_exec || task.run.get().is_new(), "exec-again", task.id);
    let auto_remove = flag(&lock(&task.shown), "/HostConfig/AutoRemove");
    if program::known(&task.argv[0]).is_none() {
        let (name, code) = if is_exec { ("exec-failed", 126) } else { ("start-failed", 127) };
        let error = filled(name, &[&task.argv[0]]);
        task.run.change(|run| {
            (run.code, run.ends) = (code, run.ends + 1);
            run.finished = is_exec.then(SystemTime::now);
            run.error = told(&error).map_or("", |(_, why)| why).to_owned();
        });
        if auto_remove {
            lock(engine).remove(task);
        }
        return Err(error);
    }
    let (begun, over) = match is_exec {
        true => (format!("exec_start: {}", task.argv.join(" ")), "exec_die"),
        false => ("start".to_owned(), "die"),
    };
    lock(engine).emit_task(task, &begun, &[]);
    task.start();
    let (engine, task) = (Arc::clone(engine), Arc::clone(task));
    thread::Builder::new().name("process".into()).spawn(move || {
        thread::sleep(PACE);
        let code = program::run(&task);
        task.drain();
        let mut state = lock(&engine);
        task.finish(code);
        state.emit_task(&task, over, &[("exitCode", &code.to_string())]);
        if auto_remove {
            state.remove(&task);
        }
    })?;
    Ok(())
}

pub fn start(call: &mut Call<'_, '_>) -> Outcome {
    let container = call.container()?;
    if container.is_running() {
        return Ok(Reply::Empty(304));
    }
    launch(call.engine, &container)?;
    Ok(Reply::Empty(204))
}

pub fn stop(call: &mut Call<'_, '_>) -> Outcome {
    let container = call.container()?;
    let signal = signal_number(call.parameter("signal"), "TERM")?;
    if !container.is_running() {
        return Ok(Reply::Empty(304));
    }
    if !send(call.engine, &container, signal, Duration::from_secs(1)) {
        send(call.engine, &container, 9, Duration::MAX);
    }
    call.state().emit_task(&container, "stop", &[]);
    Ok(Reply::Empty(204))
}

pub fn kill(call: &mut Call<'_, '_>) -> Outcome {
    let kill = || {
        let signal = signal_number(call.parameter("signal"), "KILL")?;
        let container = call.container()?;
        ensure!(container.is_running(), "not-running", container.id);
        let patience = if signal == 9 { Duration::MAX } else { Duration::ZERO };
        send(call.engine, &container, signal, patience);
        Ok(Reply::Empty(204))
    };
    kill().map_err(|error| prefixed(error, &format!("cannot kill container: {}", call.name)))
}

/// Sends a signal and waits for `patience`. Returns whether the program has ended.
fn send(engine: &Engine, container: &Task, signal: i64, patience: Duration) -> bool {
    lock(engine).emit_task(container, "kill", &[("signal", &signal.to_string())]);
    // By default, CHLD, CONT, URG and WINCH do not end a program.
    if !matches!(signal, 17 | 18 | 23 | 28) {
        container.kill(signal);
    }
    !container.run.wait_while(patience, |run| run.running).running
}

fn signal_number(text: &str, default: &str) -> io::Result<i64> {
    const NAMES: &str = "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM \
        STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS";
    let upper = if text.is_empty() { default.to_owned() } else { text.to_ascii_uppercase() };
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let named = NAMES.split(' ').position(|other| other == name).map(|at| at as i64 + 1);
    let number = named.or_else(|| name.parse().ok()).filter(|number| (1..=64).contains(number));
    number.ok_or_else(|| refusal!("signal", text))
}

pub fn restart(call: &mut Call<'_, '_>) -> Outcome {
    stop(call)?;
    let container = call.container()?;
    let failed = |error| prefixed(error, &format!("Cannot restart container {}", call.name));
    launch(call.engine, &container).map_err(failed)?;
    call.state().emit_task(&container, "restart", &[]);
    Ok(Reply::Empty(204))
}

pub fn delete(call: &mut Call<'_, '_>) -> Outcome {
    ensure!(!call.truth("link"), "absent", "links to remove");
    let container = call.container()?;
    if container.is_running() {
        ensure!(call.truth("force"), "remove-running", container.name());
        send(call.engine, &container, 9, Duration::MAX);
    }
    call.state().remove(&container);
    Ok(Reply::Empty(204))
}
