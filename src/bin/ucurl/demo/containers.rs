//! Containers: the list, one of them, and their lives.

use super::create::name_for;
use super::engine::{Container, Engine, State};
use super::process::{self, Process, Status, TICK};
use super::reply::{Call, Fault, Outcome, Reply};
use super::shell;
use super::text::{self, fill, string, strings};
use super::time;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use unix_http::json::Value;

pub fn list(call: &mut Call<'_, '_>) -> Outcome {
    let filters = filters(call)?;
    let state = call.engine.lock();
    let asked = |name: &str| filters.iter().any(|(n, _)| n == name);
    let all = call.truth("all") || asked("status") || asked("exited");
    let limit = call.parameter("limit").parse().unwrap_or(usize::MAX);
    let shown = (0..state.containers.len()).rev().filter(|&i| all || state.is_running(i));
    let shown =
        shown.filter(|&i| filters.iter().all(|(name, values)| fits(&state, i, name, values)));
    let list = text::list(shown.take(limit).map(|i| summary(&state, i)));
    Ok(Reply::Json(200, list + "\n"))
}

/// `filters` as names with the values of which one has to fit; Docker sends them in two shapes.
pub fn filters(call: &Call<'_, '_>) -> Result<Vec<(String, Vec<String>)>, Fault> {
    let text = call.parameter("filters");
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let value = Value::parse(text.as_bytes())
        .map_err(|_| Fault::told(400, &["invalid filter '", text, "'"]))?;
    let values = |value: &Value| match value {
        Value::Array(list) => list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect(),
        set => set
            .members()
            .iter()
            .filter(|(_, on)| on.as_bool() == Some(true))
            .map(|(v, _)| v.clone())
            .collect(),
    };
    Ok(value.members().iter().map(|(name, value)| (name.clone(), values(value))).collect())
}

fn fits(state: &State, at: usize, name: &str, values: &[String]) -> bool {
    let container = &state.containers[at];
    values.iter().any(|value| match name {
        "name" => container.name.contains(value.trim_matches(['^', '/', '$'])),
        "id" => container.id.starts_with(value.as_str()),
        "status" => state_word(state.process_of(at)) == value,
        "exited" => {
            state.process_of(at).is_over() && state.process_of(at).code().to_string() == *value
        }
        "ancestor" => {
            container.image == *value
                || state.image(value).is_some_and(|i| state.images[i].id == container.image_id)
        }
        "label" => container
            .command
            .labels
            .iter()
            .any(|(n, v)| value == n || *value == [n, "=", v].concat()),
        // What is not known here shuts nobody out.
        _ => true,
    })
}

fn state_word(process: &Process) -> &'static str {
    match process.status {
        Status::Created => "created",
        Status::Running => "running",
        Status::Exited(_) => "exited",
    }
}

fn status_text(process: &Process) -> String {
    let since = |time: Option<SystemTime>| {
        time::about(time.and_then(|time| time.elapsed().ok()).unwrap_or(Duration::ZERO))
    };
    match process.status {
        Status::Created => "Created".to_owned(),
        Status::Running => "Up ".to_owned() + &since(process.started),
        Status::Exited(code) => {
            ["Exited (", &code.to_string(), ") ", &since(process.finished), " ago"].concat()
        }
    }
}

fn network(container: &Container) -> String {
    let name = if container.network == "default" { "bridge" } else { &container.network };
    fill(include_str!("network.json").trim_end(), &[("network", &string(name))])
}

fn summary(state: &State, at: usize) -> String {
    let (container, process) = (&state.containers[at], state.process_of(at));
    let argv = container.command.entrypoint.iter().chain(&container.command.cmd);
    let quoted =
        |word: &String| if word.contains(' ') { ["'", word, "'"].concat() } else { word.clone() };
    let command: Vec<String> = argv.map(quoted).collect();
    fill(
        include_str!("container.json").trim_end(),
        &[
            ("id", &string(&container.id)),
            ("names", &strings(&["/".to_owned() + &container.name])),
            ("image", &string(&container.image)),
            ("image_id", &string(&container.image_id)),
            ("command", &string(&command.join(" "))),
            ("created", &time::unix(container.created).0.to_string()),
            ("labels", &text::object(&container.command.labels)),
            ("state", &string(state_word(process))),
            ("status", &string(&status_text(process))),
            ("network", &string(&container.network)),
            ("networks", &network(container)),
        ],
    )
}

pub fn inspect(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let state = call.engine.lock();
    let at = state.container(name)?;
    let (container, process) = (&state.containers[at], state.process_of(at));
    let mut argv = container.command.entrypoint.iter().chain(&container.command.cmd);
    let path = argv.next().map_or("", String::as_str);
    let args: Vec<&String> = argv.collect();
    let execs: Vec<&String> = state
        .execs
        .iter()
        .filter(|exec| exec.container == container.id)
        .map(|exec| &exec.id)
        .collect();
    let moment =
        |time: Option<SystemTime>| string(&time.map_or(time::NEVER.to_owned(), time::rfc3339));
    let or_null =
        |words: &[String]| if words.is_empty() { "null".to_owned() } else { strings(words) };
    let truth = |truth: bool| if truth { "true" } else { "false" };
    let text = fill(
        include_str!("inspect.json"),
        &[
            ("id", &string(&container.id)),
            ("created", &moment(Some(container.created))),
            ("path", &string(path)),
            ("args", &strings(&args)),
            ("status", &string(state_word(process))),
            ("running", truth(process.status == Status::Running)),
            ("pid", &if process.status == Status::Running { process.pid } else { 0 }.to_string()),
            ("code", &process.code().to_string()),
            ("started", &moment(process.started)),
            ("finished", &moment(process.finished)),
            ("image_id", &string(&container.image_id)),
            ("name", &string(&["/", &container.name].concat())),
            ("execs", &if execs.is_empty() { "null".to_owned() } else { strings(&execs) }),
            ("network", &string(&container.network)),
            ("auto_remove", truth(container.auto_remove)),
            ("hostname", &string(&container.id[..12])),
            ("attach_stdin", truth(container.attach[0])),
            ("attach_stdout", truth(container.attach[1])),
            ("attach_stderr", truth(container.attach[2])),
            ("tty", truth(container.tty)),
            ("open_stdin", truth(container.open_stdin)),
            ("stdin_once", truth(container.stdin_once)),
            ("env", &or_null(&container.command.env)),
            ("cmd", &or_null(&container.command.cmd)),
            ("image", &string(&container.image)),
            ("directory", &string(&container.command.directory)),
            ("entrypoint", &or_null(&container.command.entrypoint)),
            ("labels", &text::object(&container.command.labels)),
            ("networks", &network(container)),
        ],
    );
    Ok(Reply::Json(200, text))
}

pub fn start(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let mut state = call.engine.lock();
    let at = state.container(name)?;
    if state.is_running(at) {
        return Ok(Reply::Empty(304));
    }
    run(call.engine, &mut state, at)?;
    call.engine.notify();
    Ok(Reply::Empty(204))
}

/// Starts a container's process.
fn run(engine: &Arc<Engine>, state: &mut State, at: usize) -> Result<(), Fault> {
    let container = &state.containers[at];
    let (id, key, open_stdin) = (container.id.clone(), container.process, container.open_stdin);
    let argv: Vec<String> =
        container.command.entrypoint.iter().chain(&container.command.cmd).cloned().collect();
    let program = argv.first().map_or("", String::as_str);
    if shell::known(program).is_none() {
        let why = "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container \
                   process: exec: \"";
        let rest = "\": executable file not found in $PATH (this demonstration knows a few programs only): unknown";
        let fault = Fault::told(400, &[why, program, rest]);
        if let Some(process) = state.processes.get_mut(&key) {
            process.status = Status::Exited(127);
            process.ends += 1;
        }
        // Somebody may wait for it to be removed.
        if state.containers[at].auto_remove {
            state.remove(at);
        }
        engine.notify();
        return Err(fault);
    }
    let mut env = container.command.env.clone();
    env.push(["HOSTNAME=", &id[..12]].concat());
    env.push("PWD=/".to_owned() + container.command.directory.trim_start_matches('/'));
    if let Some(process) = state.processes.get_mut(&key) {
        process.input_open = open_stdin;
    }
    let ended_id = id.clone();
    let ended = move |state: &mut State, code: i64| {
        let Some(at) = state.containers.iter().position(|container| container.id == ended_id)
        else {
            return;
        };
        state.emit_container(at, "die", &[("exitCode", &code.to_string())]);
        if state.containers[at].auto_remove {
            state.remove(at);
        }
    };
    process::start(engine, state, key, (id, argv, env), ended)?;
    state.emit_container(at, "start", &[]);
    Ok(())
}

/// `POST /containers/{id}/stop` and `/kill`: the signal, and the answer where nothing runs.
pub fn stop(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let mut state = call.engine.lock();
    let at = state.container(name)?;
    if !state.is_running(at) {
        return Ok(Reply::Empty(304));
    }
    signal(call.engine, &mut state, at, 15);
    let (id, key) = (state.containers[at].id.clone(), state.containers[at].process);
    while state.processes.get(&key).is_some_and(|process| process.status == Status::Running) {
        state = call.engine.wait(state, TICK);
    }
    if let Ok(at) = state.container(&id) {
        state.emit_container(at, "stop", &[]);
        call.engine.notify();
    }
    Ok(Reply::Empty(204))
}

pub fn kill(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let mut state = call.engine.lock();
    let at = state.container(name)?;
    let number = signal_number(call.parameter("signal"))?;
    if !state.is_running(at) {
        let id = &state.containers[at].id;
        return Err(Fault::told(
            409,
            &["Cannot kill container: ", name, ": Container ", id, " is not running"],
        ));
    }
    signal(call.engine, &mut state, at, number);
    Ok(Reply::Empty(204))
}

/// Sends a signal. Those that a program survives by default do nothing here.
fn signal(engine: &Engine, state: &mut State, at: usize, number: i64) {
    state.emit_container(at, "kill", &[("signal", &number.to_string())]);
    let key = state.containers[at].process;
    if let Some(process) = state.processes.get_mut(&key)
        && !matches!(number, 17 | 18 | 23 | 28)
    {
        process.kill(number);
    }
    engine.notify();
}

fn signal_number(text: &str) -> Result<i64, Fault> {
    let name = text.to_ascii_uppercase();
    let number = match name.strip_prefix("SIG").unwrap_or(&name) {
        "" | "KILL" => 9,
        "HUP" => 1,
        "INT" => 2,
        "QUIT" => 3,
        "USR1" => 10,
        "USR2" => 12,
        "TERM" => 15,
        "CHLD" => 17,
        "CONT" => 18,
        "URG" => 23,
        "WINCH" => 28,
        digits => digits.parse().unwrap_or(0),
    };
    if (1..=64).contains(&number) {
        Ok(number)
    } else {
        Err(Fault::told(400, &["Invalid signal: ", text]))
    }
}

pub fn restart(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    stop(call, name)?;
    let mut state = call.engine.lock();
    let at = state.container(name)?;
    run(call.engine, &mut state, at)?;
    state.emit_container(at, "restart", &[]);
    call.engine.notify();
    Ok(Reply::Empty(204))
}

pub fn wait(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let engine = call.engine;
    let condition = call.parameter("condition").to_owned();
    if !matches!(&condition[..], "" | "not-running" | "next-exit" | "removed") {
        return Err(Fault::told(400, &["invalid condition: \"", &condition, "\""]));
    }
    let state = engine.lock();
    let at = state.container(name)?;
    let id = state.containers[at].id.clone();
    let finished = state.process_of(at).finished;
    drop(state);
    // The head is sent before the wait: a client that starts the container next has to know that
    // this one waits already.
    let mut body = call.stream(Some("application/json"))?;
    body.flush()?;
    let mut state = engine.lock();
    let code = loop {
        if let Some((_, code)) = state.ended.iter().rfind(|(ended, _)| *ended == id) {
            break *code;
        }
        let Ok(at) = state.container(&id) else { break 0 };
        let process = state.process_of(at);
        let over = match &condition[..] {
            "removed" => false,
            "next-exit" => process.is_over() && process.finished != finished,
            _ => process.status != Status::Running,
        };
        if over {
            break process.code();
        }
        state = engine.wait(state, TICK);
        if call.request.is_gone() {
            return Ok(body.finish()?.into());
        }
    };
    drop(state);
    body.write_all(
        [r#"{"Error":null,"StatusCode":"#, &code.to_string(), "}\n"].concat().as_bytes(),
    )?;
    Ok(body.finish()?.into())
}

pub fn rename(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let mut state = call.engine.lock();
    let at = state.container(name)?;
    let new = call.parameter("name");
    if new.is_empty() {
        return Err(Fault::told(400, &["Neither old nor new names may be empty"]));
    }
    let new = name_for(&mut state, new)?;
    let old = std::mem::replace(&mut state.containers[at].name, new);
    state.emit_container(at, "rename", &[("oldName", &["/", &old].concat())]);
    call.engine.notify();
    Ok(Reply::Empty(204))
}

pub fn delete(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let mut state = call.engine.lock();
    let at = state.container(name)?;
    let (id, key) = (state.containers[at].id.clone(), state.containers[at].process);
    if state.is_running(at) {
        if !call.truth("force") {
            let remedy = ". Stop the container before attempting removal or force remove";
            return Err(Fault::told(409, &["You cannot remove a running container ", &id, remedy]));
        }
        signal(call.engine, &mut state, at, 9);
        while state.processes.get(&key).is_some_and(|process| process.status == Status::Running) {
            state = call.engine.wait(state, TICK);
        }
    }
    if let Ok(at) = state.container(&id) {
        state.remove(at);
    }
    call.engine.notify();
    Ok(Reply::Empty(204))
}

/// `POST /containers/prune`
pub fn prune(call: &mut Call<'_, '_>) -> Outcome {
    let mut state = call.engine.lock();
    let mut gone = Vec::new();
    while let Some(at) = (0..state.containers.len()).find(|&i| !state.is_running(i)) {
        gone.push(state.containers[at].id.clone());
        state.remove(at);
    }
    call.engine.notify();
    Ok(Reply::Json(
        200,
        [r#"{"ContainersDeleted":"#, &strings(&gone), r#","SpaceReclaimed":0}"#, "\n"].concat(),
    ))
}
