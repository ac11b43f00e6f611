//! Containers: the list, one of them, a new one, and their lives from start to removal.

use super::api::{Call, Outcome, Reply};
use super::engine::{Container, Engine, State};
use super::filters::{Filters, has_label, is_match, truth};
use super::prelude::*;
use super::process::{ALWAYS, Process, Run, Status};
use super::program::{Start, known};

/// How often a client that waits is looked at.
pub const TICK: Duration = Duration::from_secs(1);

const FILTERS: &str = "ancestor before exited expose health id is-task label name network publish \
    since status volume";
const STATUSES: &str = "created dead exited paused removing restarting running";

pub fn list(call: &mut Call<'_, '_>) -> Outcome {
    let filters = Filters::read(call, FILTERS)?;
    for status in filters.values("status") {
        let is_known = STATUSES.split(' ').any(|known| known == status);
        ensure!(is_known, 400, "invalid filter 'status={status}'");
    }
    let limit = if call.parameter("limit").is_empty() { 0 } else { call.number("limit", 500)? };
    let state = call.engine.state();
    let all = call.truth("all") || limit > 0 || !filters.values("status").is_empty();
    let mut found = Vec::new();
    for container in state.containers.iter().rev() {
        if fits(&state, container, &filters)? && (all || container.process.is_running()) {
            found.push(summary(container));
        }
    }
    found.truncate(if limit > 0 { limit as usize } else { usize::MAX });
    Ok(Reply::Json(200, Value::Array(found)))
}

fn fits(state: &State, container: &Container, filters: &Filters) -> io::Result<bool> {
    let (run, name) = (container.process.run.get(), container.name());
    let has = |of: &Value, name: &str, wanted: &str| {
        members(of, name).iter().any(|(member, _)| member == wanted)
    };
    filters.fit(|filter, wanted| {
        Ok(match filter {
            "ancestor" => {
                let image = state.find_image(wanted).map(|image| &image.id);
                image == Some(&container.image_id) || text(&container.config, "Image") == wanted
            }
            "before" => container.created < state.container(wanted)?.created,
            "since" => container.created > state.container(wanted)?.created,
            "exited" => {
                let why = format!("strconv.Atoi: parsing \"{wanted}\": invalid syntax");
                let wrong = |_| refusal!(400, "invalid filter 'exited={wanted}': {why}");
                run.status == Status::Exited(wanted.parse().map_err(wrong)?)
            }
            "expose" => has(&container.config, "ExposedPorts", wanted),
            "health" => wanted == "none",
            "id" => is_match(wanted, &container.id)?,
            "is-task" => !truth(filter, wanted)?,
            "label" => has_label(&container.config, wanted),
            "name" => is_match(wanted, &name)? || is_match(wanted, &format!("/{name}"))?,
            "network" => has(&container.at("/NetworkSettings"), "Networks", wanted),
            "status" => wanted == described(&run).0,
            "volume" => has(&container.config, "Volumes", wanted),
            _ => false,
        })
    })
}

fn summary(container: &Container) -> Value {
    let (state, status) = described(&container.process.run.get());
    let argv = container.argv();
    let command = argv.iter().map(|w| if w.contains(' ') { format!("'{w}'") } else { w.clone() });
    filled!("container.json", Id: &container.id, Names: vec![format!("/{}", container.name())],
        Image: text(&container.config, "Image"), ImageID: &container.image_id, Status: status,
        Command: command.collect::<Vec<_>>().join(" "), Created: unix(container.created),
        Labels: Value::Object(members(&container.config, "Labels")), State: state,
        NetworkSettings.Networks: container.at("/NetworkSettings/Networks"),
        HostConfig.NetworkMode: container.at("/HostConfig/NetworkMode"))
}

/// The state in a word, and for people, with a time as go-units words it.
fn described(run: &Run) -> (&'static str, String) {
    let since = |time: Option<SystemTime>| {
        let seconds = time.and_then(|time| time.elapsed().ok()).unwrap_or_default().as_secs();
        match seconds {
            0 => "Less than a second".to_owned(),
            1 => "1 second".to_owned(),
            2..60 => format!("{seconds} seconds"),
            60..120 => "About a minute".to_owned(),
            _ => format!("{} minutes", seconds / 60),
        }
    };
    match run.status {
        Status::Created => ("created", "Created".to_owned()),
        Status::Running => ("running", format!("Up {}", since(run.started))),
        Status::Exited(code) => ("exited", format!("Exited ({code}) {} ago", since(run.finished))),
    }
}

pub fn inspect(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let state = call.engine.state();
    let container = state.container(name)?;
    let execs = state.execs.iter().filter(|exec| exec.container.id == container.id);
    let execs = execs.map(|exec| exec.id.clone()).collect();
    let run = container.process.run.get();
    let moment = |time: Option<SystemTime>| {
        time.map_or("0001-01-01T00:00:00Z".to_owned(), |time| rfc3339(time, 9))
    };
    let code = if run.error.is_empty() { run.code() } else { 127 };
    let (running, mut shown) = (run.status == Status::Running, container.at(""));
    fill!(shown, State.Status: described(&run).0, State.Running: running,
        State.Pid: i64::from(running), State.ExitCode: code, State.Error: &run.error,
        State.StartedAt: moment(run.started), State.FinishedAt: moment(run.finished),
        ExecIDs: or_null(execs), Config: container.config.clone());
    Ok(Reply::Json(200, shown))
}

pub fn wait(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let condition = call.parameter("condition").to_owned();
    let is_known = matches!(&condition[..], "" | "not-running" | "next-exit" | "removed");
    ensure!(is_known, 400, "invalid condition: \"{condition}\"");
    let process = Arc::clone(&call.engine.container(name)?.process);
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
    writeln!(body, "{{\"StatusCode\":{}}}", process.run.get().code())?;
    Ok(Reply::Sent(body.finish()?))
}

pub fn rename(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let (new, state) = (call.parameter("name"), call.engine.state());
    let container = state.container(name)?;
    let old = container.name();
    ensure!(!new.is_empty(), 400, "Neither old nor new names may be empty");
    ensure!(new != old, 400, "Renaming a container with the same name as its current name");
    let failed = |error| prefixed(error, "Error when allocating new name");
    let new = free_name(&state, &format!("/{new}")).map_err(failed)?;
    fill!(*lock(&container.shown), Name: format!("/{new}"));
    state.emit_container(&container, "rename", &[("oldName", &format!("/{old}"))]);
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

/// The size of a terminal has no effect, but it has to be one, and its process has to run.
pub fn resize_terminal(call: &mut Call<'_, '_>, process: &Process, refusal: io::Error) -> Outcome {
    call.json()?;
    call.number("h", 400)?;
    call.number("w", 400)?;
    if process.is_running() { Ok(Reply::Empty(200)) } else { Err(refusal) }
}

pub fn resize(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let container = call.engine.container(name)?;
    let refusal = refusal!(409, "container {} is not running", container.id);
    resize_terminal(call, &container.process, refusal)
}

/// `POST /containers/create`: from JSON to a container that does not run yet.
pub fn create(call: &mut Call<'_, '_>) -> Outcome {
    let asked = call.json()?;
    let is_empty = asked.members().is_empty();
    ensure!(asked != Value::Null, 400, "invalid JSON: got EOF while reading request body");
    ensure!(!is_empty, 400, "config cannot be empty in order to create a container");
    let mut state = call.engine.state();
    let image = state.image(text(&asked, "Image"))?;
    let (mut config, mut host) = (config(&image.config, &asked)?, filled!("host.json"));
    overlay(&mut host, asked.get_ignore_case("HostConfig").unwrap_or(&Value::Null))?;
    let argv = [words(&config, "Entrypoint"), words(&config, "Cmd")].concat();
    ensure!(!argv.is_empty(), 400, "no command specified");
    let (image_id, mut files) = (image.id.clone(), image.files.clone());
    let name = free_name(&state, call.parameter("name"))?;
    let (id, created) = (state.new_id("container"), SystemTime::now());
    if text(&config, "Hostname").is_empty() {
        fill!(config, Hostname: &id[..12]);
    }
    files.put("etc/hostname", format!("{}\n", text(&config, "Hostname")).as_bytes());
    let volumes = members(&config, "Volumes").into_iter().map(|(path, _)| path);
    for path in volumes.chain([text(&config, "WorkingDir").to_owned()]) {
        files.put(&(path + "/"), b"");
    }
    let reply = object!(Id: &id, Warnings: warnings(&host, &config));
    let shown = filled!("inspect.json", Id: &id, Created: rfc3339(created, 9), Path: &argv[0],
        Args: argv[1..].to_vec(), Image: &image_id, Name: format!("/{name}"),
        NetworkSettings.Networks: networks(&host, &asked)?, HostConfig: host);
    let process = Process::new(flag(&config, "Tty"), Arc::new(Mutex::new(files)));
    let shown = Mutex::new(shown);
    let new = Arc::new(Container { id, created, image_id, config, shown, process });
    state.emit_container(&new, "create", &[]);
    state.containers.push(new);
    Ok(Reply::Json(201, reply))
}

/// The config that is asked for, over that of the image.
fn config(image: &Value, asked: &Value) -> io::Result<Value> {
    let mut config = image.clone();
    overlay(&mut config, asked)?;
    remove(&mut config, &["HostConfig", "NetworkingConfig"]);
    // The image's arguments were meant for its own entrypoint.
    if !words(asked, "Entrypoint").is_empty() {
        fill!(config, Cmd: or_null(words(asked, "Cmd")));
    }
    let asked = words(asked, "Env");
    let name = |pair: &String| pair.split('=').next().map(str::to_owned);
    let mut env = words(image, "Env");
    env.retain(|pair| asked.iter().all(|other| name(other) != name(pair)));
    fill!(config, Env: or_null([env, asked].concat()));
    Ok(config)
}

fn networks(host: &Value, asked: &Value) -> io::Result<Value> {
    let mode = text(host, "NetworkMode");
    let name = if mode == "default" { "bridge" } else { mode };
    let mut network = filled!("endpoint.json");
    let asked = asked.pointer(&format!("/NetworkingConfig/EndpointsConfig/{name}"));
    overlay(&mut network, asked.unwrap_or(&Value::Null))?;
    Ok(Value::Object(vec![(name.to_owned(), network)]))
}

/// One for each setting that differs from its default and has no effect.
fn warnings(host: &Value, config: &Value) -> Vec<String> {
    let all = [(host, filled!("host.json")), (config, filled!("config.json"))];
    let is_set = |name: &&str| all.iter().any(|(set, default)| set.get(name) != default.get(name));
    let settings = include_str!("without_effect.txt").lines().filter(is_set);
    settings.map(|name| format!("{name} has no effect in this demonstration")).collect()
}

pub fn not_found(program: &str) -> String {
    let why = "executable file not found in $PATH: unknown";
    format!("unable to start container process: exec: \"{program}\": {why}")
}

/// A program with the environment and the directory that a container gives it.
pub fn prepare(of: &Container, argv: Vec<String>, env: Vec<String>, directory: &str) -> Start {
    let hostname = format!("HOSTNAME={}", text(&of.config, "Hostname"));
    let env = [vec![hostname, "HOME=/root".into()], words(&of.config, "Env"), env].concat();
    let directory = if directory.is_empty() { text(&of.config, "WorkingDir") } else { directory };
    Start::new(argv, &env, directory)
}

pub fn start(engine: &Arc<Engine>, name: &str) -> Outcome {
    let container = engine.container(name)?;
    let (process, argv) = (Arc::clone(&container.process), container.argv());
    if process.is_running() {
        return Ok(Reply::Empty(304));
    }
    let auto_remove = flag(&container.at("/HostConfig"), "AutoRemove");
    if known(&argv[0]).is_none() {
        let task = "failed to create task for container: failed to create shim task";
        let why = not_found(&argv[0]);
        let why = format!("{task}: OCI runtime create failed: runc create failed: {why}");
        process.run.change(|run| (run.error, run.ends) = (why.clone(), run.ends + 1));
        auto_remove.then(|| engine.state().remove(&container));
        return Err(refusal!(400, "{why}"));
    }
    let (input, program) =
        (flag(&container.config, "OpenStdin"), prepare(&container, argv, Vec::new(), ""));
    engine.emit(&container, "start", &[]);
    let engine = Arc::clone(engine);
    program.spawn(&process, input, move |code| {
        let mut state = engine.state();
        container.process.finish(code);
        state.emit_container(&container, "die", &[("exitCode", &code.to_string())]);
        auto_remove.then(|| state.remove(&container));
    })?;
    Ok(Reply::Empty(204))
}

pub fn stop(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let container = call.engine.container(name)?;
    let signal = call.parameter("signal");
    let signal = signal_number(if signal.is_empty() { "TERM" } else { signal })?;
    if !container.process.is_running() {
        return Ok(Reply::Empty(304));
    }
    if !send(call.engine, &container, signal, Duration::from_secs(1)) {
        send(call.engine, &container, 9, ALWAYS);
    }
    call.engine.emit(&container, "stop", &[]);
    Ok(Reply::Empty(204))
}

pub fn kill(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let what = format!("cannot kill container: {name}");
    let failed = |error| prefixed(error, &what);
    let signal = signal_number(call.parameter("signal")).map_err(failed)?;
    let container = call.engine.container(name).map_err(failed)?;
    let running = container.process.is_running();
    ensure!(running, 409, "{what}: container {} is not running", container.id);
    let patience = if signal == 9 { ALWAYS } else { Duration::ZERO };
    send(call.engine, &container, signal, patience);
    Ok(Reply::Empty(204))
}

/// Sends a signal, and waits for the end; whether it has come.
fn send(engine: &Engine, container: &Container, signal: i64, patience: Duration) -> bool {
    engine.emit(container, "kill", &[("signal", &signal.to_string())]);
    // CHLD, CONT, URG and WINCH end nothing by default.
    if !matches!(signal, 17 | 18 | 23 | 28) {
        container.process.kill(signal);
    }
    container.process.ends_within(patience)
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
    start(call.engine, name).map_err(failed)?;
    call.engine.emit(&*call.engine.container(name)?, "restart", &[]);
    Ok(Reply::Empty(204))
}

pub fn delete(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    ensure!(!call.truth("link"), 501, "this demonstration has no links to remove");
    let container = call.engine.container(name)?;
    if container.process.is_running() {
        let why = "container is running: stop the container before removing or force remove";
        let what = format!("cannot remove container \"/{}\"", container.name());
        ensure!(call.truth("force"), 409, "{what}: {why}");
        send(call.engine, &container, 9, ALWAYS);
    }
    call.engine.state().remove(&container);
    Ok(Reply::Empty(204))
}
