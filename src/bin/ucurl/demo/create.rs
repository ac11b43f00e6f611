//! `POST /containers/create`: from JSON to a container that does not run yet.

use super::engine::{Command, Container, State};
use super::files::plain;
use super::process::Process;
use super::reply::{Call, Fault, Outcome, Reply};
use super::text::{self, flag, member, pairs, words};
use super::time;
use std::time::SystemTime;
use unix_http::json::Value;

pub fn create(call: &mut Call<'_, '_>) -> Outcome {
    let config = call.json()?;
    if config == Value::Null {
        return Err(Fault::told(400, &["Config cannot be empty in order to create a container"]));
    }
    let mut state = call.engine.lock();
    let wanted = member(&config, "Image");
    let Some(image) = state.image(wanted) else {
        let tag = if wanted.contains(':') { "" } else { ":latest" };
        return Err(Fault::told(404, &["No such image: ", wanted, tag]));
    };
    let name = name_for(&mut state, call.parameter("name"))?;
    let command = command(&state.images[image].command, &config);
    if command.entrypoint.is_empty() && command.cmd.is_empty() {
        return Err(Fault::told(400, &["No command specified"]));
    }
    let host = config.get("HostConfig").unwrap_or(&Value::Null);
    let id = state.new_id("container");
    let tty = flag(&config, "Tty");
    let process = state.new_process(Process::new(tty));
    let mut files = state.images[image].files.clone();
    let now = time::unix(SystemTime::now()).0;
    if files.is_directory("etc") {
        files.put("etc/hostname", plain([&id[..12], "\n"].concat().into_bytes(), now));
    }
    let network =
        Some(member(host, "NetworkMode")).filter(|mode| !mode.is_empty()).unwrap_or("default");
    let container = Container {
        id: id.clone(),
        name,
        created: SystemTime::now(),
        image: wanted.to_owned(),
        image_id: state.images[image].id.clone(),
        command,
        tty,
        open_stdin: flag(&config, "OpenStdin"),
        stdin_once: flag(&config, "StdinOnce"),
        attach: ["AttachStdin", "AttachStdout", "AttachStderr"].map(|name| flag(&config, name)),
        auto_remove: flag(host, "AutoRemove"),
        network: network.to_owned(),
        process,
        files,
    };
    state.containers.push(container);
    let last = state.containers.len() - 1;
    state.emit_container(last, "create", &[]);
    call.engine.notify();
    Ok(Reply::Json(201, [r#"{"Id":"#, &text::string(&id), r#","Warnings":[]}"#, "\n"].concat()))
}

/// What the container is asked to run, and what its image says where nothing is asked.
fn command(image: &Command, config: &Value) -> Command {
    let mut command = image.clone();
    let (entrypoint, cmd) = (words(config, "Entrypoint"), words(config, "Cmd"));
    if !entrypoint.is_empty() {
        // The image's arguments were meant for its own entrypoint.
        (command.entrypoint, command.cmd) = (entrypoint, Vec::new());
    }
    if !cmd.is_empty() {
        command.cmd = cmd;
    }
    for pair in words(config, "Env") {
        let name = pair.split('=').next().unwrap_or_default();
        command.env.retain(|other| other.split('=').next() != Some(name));
        command.env.push(pair);
    }
    for (name, value) in pairs(config, "Labels") {
        command.labels.retain(|(other, _)| *other != name);
        command.labels.push((name, value));
    }
    if !member(config, "WorkingDir").is_empty() {
        command.directory = member(config, "WorkingDir").to_owned();
    }
    command
}

/// The name that was asked for, if it can be had, or one that is made up.
pub fn name_for(state: &mut State, asked: &str) -> Result<String, Fault> {
    let name = asked.strip_prefix('/').unwrap_or(asked);
    if name.is_empty() {
        return Ok(invented_name(state));
    }
    let first = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !first
        || name.len() < 2
        || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
    {
        let rule = "), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed";
        return Err(Fault::told(400, &["Invalid container name (", asked, rule]));
    }
    match state.containers.iter().find(|container| container.name == name) {
        None => Ok(name.to_owned()),
        Some(other) => Err(Fault::told(
            409,
            &[
                "Conflict. The container name \"/",
                name,
                "\" is already in use by container \"",
                &other.id,
                "\". You have to remove (or rename) that container to be able to reuse that name.",
            ],
        )),
    }
}

fn invented_name(state: &State) -> String {
    const HOW: [&str; 8] = ["bold", "calm", "deft", "fair", "keen", "lucid", "neat", "wry"];
    const WHO: [&str; 7] = ["byron", "curie", "gauss", "hopper", "lamarr", "noether", "turing"];
    let taken = |name: &str| state.containers.iter().any(|container| container.name == name);
    let name = |n: usize| {
        let name = [HOW[n % HOW.len()], "_", WHO[n % WHO.len()]].concat();
        if n < HOW.len() * WHO.len() { name } else { name + &n.to_string() }
    };
    (state.containers.len()..).map(name).find(|name| !taken(name)).unwrap_or_default()
}
