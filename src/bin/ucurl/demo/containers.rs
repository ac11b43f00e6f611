//! Containers: the list, one of them, a new one, and their lives from start to removal.

use super::api::*;
use super::filters::Filters;
use super::program::{Program, known};

const STATUSES: &str = "created dead exited paused removing restarting running";

pub fn list(call: &mut Call<'_, '_>) -> Outcome {
    let mut filters = Filters::read("containers", call.parameter("filters"))?;
    let limit = if call.parameter("limit").is_empty() { 0 } else { call.number("limit", 500)? };
    let state = call.state();
    let has_status = filters.map("status", |status| {
        let is_known = STATUSES.split(' ').any(|known| known == status);
        ensure!(is_known, 400, "invalid filter 'status={status}'");
        Ok(status.to_owned())
    })?;
    let created = |name: &str| Ok(text(&state.container(name)?.view(), "/Created").to_owned());
    filters.map("before", created)?;
    filters.map("since", created)?;
    let id = |name: &str| state.find_image(name).map_or(name, |image| &image.id).to_owned();
    filters.map("ancestor", |name| Ok(id(name)))?;
    let all = call.truth("all") || limit > 0 || has_status;
    let mut found = Vec::new();
    for view in state.containers.iter().rev().map(|container| container.view()) {
        if filters.fit(&view)? && (all || flag(&view, "/State/Running")) {
            found.push(shaped(template!("container.json"), &view));
        }
    }
    found.truncate(if limit > 0 { limit as usize } else { usize::MAX });
    Ok(Reply::Json(200, found.into()))
}

pub fn inspect(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let state = call.state();
    let container = state.container(name)?;
    let execs = state.execs.iter().filter(|exec| exec.container == container.id);
    let execs = or_null(execs.map(|exec| exec.id.clone()).collect());
    let mut view = container.view();
    fill!(view, ExecIDs: execs);
    take(&mut view, "View");
    Ok(Reply::Json(200, view))
}

pub fn wait(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let condition = call.parameter("condition").to_owned();
    let is_known = matches!(&condition[..], "" | "not-running" | "next-exit" | "removed");
    ensure!(is_known, 400, "invalid condition: \"{condition}\"");
    let process = Arc::clone(&call.container(name)?.process);
    let ends = process.run.get().ends;
    // The head is sent before the wait: a client that starts the container next has to know that
    // this request waits already.
    let mut body = call.stream("application/json")?;
    body.flush()?;
    let over = |run: &mut Run| match &condition[..] {
        "removed" => run.removed,
        "next-exit" => run.removed || run.ends > ends,
        _ => run.removed || run.status != Status::Running,
    };
    while process.run.wait(TICK, |run| over(run).then_some(())).is_none() {
        if call.request.is_gone() {
            return Ok(Reply::Sent(body.finish()?));
        }
    }
    writeln!(body, "{{\"StatusCode\":{}}}", process.run.get().code)?;
    Ok(Reply::Sent(body.finish()?))
}

pub fn rename(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let (new, state) = (call.parameter("name"), call.state());
    let container = state.container(name)?;
    let old = container.name();
    ensure!(!new.is_empty(), 400, "Neither old nor new names may be empty");
    ensure!(new != old, 400, "Renaming a container with the same name as its current name");
    let failed = |error| prefixed(error, "Error when allocating new name");
    let new = free_name(&state, &format!("/{new}")).map_err(failed)?;
    fill!(lock(&container.shown), Name: format!("/{new}"));
    state.emit_task(&container, "rename", &[("oldName", &format!("/{old}"))]);
    Ok(Reply::Empty(204))
}

/// The name that was asked for, if it can be had, or one that is made up.
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
    let allowed = "only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed";
    ensure!(is_name, 400, "Invalid container name ({asked}), {allowed}");
    let id = other(name).map_or("", |other| &other.id);
    let taken = format!("is already in use by container \"{id}\"");
    let remedy = "You have to remove (or rename) that container to be able to reuse that name.";
    ensure!(id.is_empty(), 409, "Conflict. The container name \"/{name}\" {taken}. {remedy}");
    Ok(name.to_owned())
}

/// `POST /containers/create`: from JSON to a container that does not run yet.
pub fn create(call: &mut Call<'_, '_>) -> Outcome {
    let json = call.json()?;
    ensure!(json != Value::Null, 400, "invalid JSON: got EOF while reading request body");
    let is_empty = json.members().is_empty();
    ensure!(!is_empty, 400, "config cannot be empty in order to create a container");
    let defaults = template!("create.json");
    let mut asked = defaults.clone();
    overlay(&mut asked, &json)?;
    let is_set = |place: &&str| at(&asked, place) != at(&defaults, place);
    let without_effect = include_str!("without_effect.txt").lines().filter(is_set);
    let warnings = without_effect.filter_map(|place| {
        Some(format!("{} has no effect in this demonstration", place.rsplit('/').next()?))
    });
    let warnings: Vec<String> = warnings.collect();

    let mut state = call.state();
    let image = state.image(text(&asked, "/Image"))?;
    let (networks, host) = (networks(&asked)?, take(&mut asked, "HostConfig"));
    take(&mut asked, "NetworkingConfig");
    let mut config = config(&image.config, &asked)?;
    let argv = [words(&config, "/Entrypoint"), words(&config, "/Cmd")].concat();
    ensure!(!argv.is_empty(), 400, "no command specified");
    let (image_id, mut files) = (image.id.clone(), image.files.clone());
    let name = free_name(&state, call.parameter("name"))?;
    let (id, created) = (state.new_id("container"), SystemTime::now());
    if text(&config, "/Hostname").is_empty() {
        fill!(config, Hostname: &id[..12]);
    }
    files.put("etc/hostname", format!("{}\n", text(&config, "/Hostname")).as_bytes());
    let volumes = at(&config, "/Volumes").members().iter().map(|(path, _)| &path[..]);
    for path in volumes.chain([text(&config, "/WorkingDir")]) {
        files.put(&format!("{path}/"), b"");
    }
    let process = Process::new(flag(&config, "/Tty"), Arc::new(Mutex::new(files)));
    let own = vec![format!("HOSTNAME={}", text(&config, "/Hostname")), "HOME=/root".to_owned()];
    let command = argv.iter().map(|w| if w.contains(' ') { format!("'{w}'") } else { w.clone() });
    let mut shown = template!("inspect.json");
    fill!(shown, Id: &id, Created: rfc3339(created, 9), Path: &argv[0], Args: argv[1..].to_vec(),
        Image: &image_id, Name: format!("/{name}"), NetworkSettings.Networks: networks,
        HostConfig: host, View.Seconds: unix(created), View.Argv: argv.clone(),
        View.Command: command.collect::<Vec<_>>().join(" "),
        View.Env: merged(own, words(&config, "/Env")),
        View.Directory: text(&config, "/WorkingDir"), View.Input: flag(&config, "/OpenStdin"),
        Config: config);
    let reply = object!(Id: &id, Warnings: warnings);
    let new = Task { container: id.clone(), id, shown: Mutex::new(shown), process };
    state.containers.push(Arc::new(new));
    state.emit_task(&state.containers[state.containers.len() - 1], "create", &[]);
    Ok(Reply::Json(201, reply))
}

/// The config that is asked for, over that of the image.
fn config(image: &Value, asked: &Value) -> io::Result<Value> {
    let mut config = image.clone();
    overlay(&mut config, asked)?;
    // The image's arguments were meant for its own entrypoint.
    if !words(asked, "/Entrypoint").is_empty() {
        fill!(config, Cmd: or_null(words(asked, "/Cmd")));
    }
    let env = merged(words(image, "/Env"), words(asked, "/Env"));
    fill!(config, Env: or_null(env));
    Ok(config)
}

/// An environment, with other values for the names in `over`.
pub fn merged(mut env: Vec<String>, over: Vec<String>) -> Vec<String> {
    let name = |pair: &String| pair.split('=').next().map(str::to_owned);
    env.retain(|pair| over.iter().all(|other| name(other) != name(pair)));
    [env, over].concat()
}

/// The one network of a container.
fn networks(asked: &Value) -> io::Result<Value> {
    let mode = text(asked, "/HostConfig/NetworkMode");
    let name = if mode == "default" { "bridge" } else { mode };
    let mut network = template!("endpoint.json");
    overlay(&mut network, at(asked, &format!("/NetworkingConfig/EndpointsConfig/{name}")))?;
    Ok(Value::Object(vec![(name.to_owned(), network)]))
}

/// Starts the program of a container or an exec.
pub fn launch(engine: &Arc<Engine>, task: &Arc<Task>) -> io::Result<()> {
    let view = task.view();
    let argv = words(&view, "/View/Argv");
    let missing = "executable file not found in $PATH: unknown";
    let why = format!("unable to start container process: exec: \"{}\": {missing}", argv[0]);
    if task.is_exec() {
        let is_new = task.process.status() == Status::Created;
        ensure!(is_new, 409, "Error: Exec command {} has already run", task.id);
    }
    match known(&argv[0]) {
        Some(_) => {}
        None if task.is_exec() => {
            task.process.finish(126);
            return Err(refusal!(400, "OCI runtime exec failed: exec failed: {why}"));
        }
        None => {
            let shim = "failed to create task for container: failed to create shim task";
            let why = format!("{shim}: OCI runtime create failed: runc create failed: {why}");
            task.process.fail(127, &why);
            return Err(refusal!(400, "{why}"));
        }
    }
    let (begun, over) = match task.is_exec() {
        true => (format!("exec_start: {}", argv.join(" ")), "exec_die"),
        false => ("start".to_owned(), "die"),
    };
    lock(engine).emit_task(task, &begun, &[]);
    task.process.start(flag(&view, "/View/Input"));
    let (env, directory) = (words(&view, "/View/Env"), text(&view, "/View/Directory"));
    let program = Program::new(&task.process, env, directory);
    let (engine, task) = (Arc::clone(engine), Arc::clone(task));
    program.spawn(argv, move |code| {
        let mut state = lock(&engine);
        task.process.finish(code);
        state.emit_task(&task, over, &[("exitCode", &code.to_string())]);
        if flag(&view, "/HostConfig/AutoRemove") {
            state.remove(&task);
        }
    })
}

pub fn start(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let container = call.container(name)?;
    if container.process.is_running() {
        return Ok(Reply::Empty(304));
    }
    let started = launch(call.engine, &container);
    if started.is_err() && flag(&container.view(), "/HostConfig/AutoRemove") {
        call.state().remove(&container);
    }
    started.map(|()| Reply::Empty(204))
}

pub fn stop(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let container = call.container(name)?;
    let signal = call.parameter("signal");
    let signal = signal_number(if signal.is_empty() { "TERM" } else { signal })?;
    if !container.process.is_running() {
        return Ok(Reply::Empty(304));
    }
    if !send(call.engine, &container, signal, Duration::from_secs(1)) {
        send(call.engine, &container, 9, ALWAYS);
    }
    call.state().emit_task(&container, "stop", &[]);
    Ok(Reply::Empty(204))
}

pub fn kill(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let what = format!("cannot kill container: {name}");
    let failed = |error| prefixed(error, &what);
    let signal = signal_number(call.parameter("signal")).map_err(failed)?;
    let container = call.container(name).map_err(failed)?;
    let running = container.process.is_running();
    ensure!(running, 409, "{what}: container {} is not running", container.id);
    let patience = if signal == 9 { ALWAYS } else { Duration::ZERO };
    send(call.engine, &container, signal, patience);
    Ok(Reply::Empty(204))
}

/// Sends a signal, and waits for the end; whether it has come.
fn send(engine: &Engine, container: &Task, signal: i64, patience: Duration) -> bool {
    lock(engine).emit_task(container, "kill", &[("signal", &signal.to_string())]);
    // CHLD, CONT, URG and WINCH end nothing by default.
    if !matches!(signal, 17 | 18 | 23 | 28) {
        container.process.kill(signal);
    }
    let ended = |run: &mut Run| (run.status != Status::Running).then_some(());
    container.process.run.wait(patience, ended).is_some()
}

fn signal_number(text: &str) -> io::Result<i64> {
    const NAMES: &str = "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM \
        STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS";
    let upper = if text.is_empty() { "KILL".to_owned() } else { text.to_ascii_uppercase() };
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let named = NAMES.split(' ').position(|other| other == name).map(|at| at as i64 + 1);
    let number = named.or_else(|| name.parse().ok()).filter(|number| (1..=64).contains(number));
    number.ok_or_else(|| refusal!(400, "invalid signal: {text}"))
}

pub fn restart(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    stop(call, name)?;
    let failed = |error| prefixed(error, &format!("Cannot restart container {name}"));
    start(call, name).map_err(failed)?;
    call.state().emit_task(&*call.container(name)?, "restart", &[]);
    Ok(Reply::Empty(204))
}

pub fn delete(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    ensure!(!call.truth("link"), 501, "this demonstration has no links to remove");
    let container = call.container(name)?;
    if container.process.is_running() {
        let why = "container is running: stop the container before removing or force remove";
        let what = format!("cannot remove container \"/{}\"", container.name());
        ensure!(call.truth("force"), 409, "{what}: {why}");
        send(call.engine, &container, 9, ALWAYS);
    }
    call.state().remove(&container);
    Ok(Reply::Empty(204))
}
