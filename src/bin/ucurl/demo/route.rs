//! From a request to the function that answers it.

use super::api::{Call, Filters, NEWEST, OLDEST, Outcome, Reply, VERSION, decode, server_fields};
use super::engine::{Engine, arch};
use super::json::{filled, object, text, write};
use super::names::told;
use super::{archive, build, containers, events, exec, images, lifecycle, streams};
use std::io;
use std::sync::Arc;
use std::time::SystemTime;
use unix_http::base::time::{http_date, rfc3339};
use unix_http::docker::ApiVersion;
use unix_http::json::Value;
use unix_http::server::{Request, Responder, Sent};

/// Answers one request.
pub fn answer(
    engine: &Arc<Engine>,
    request: &mut Request<'_>,
    responder: Responder<'_>,
) -> io::Result<Sent> {
    let (method, path) = (request.method().to_owned(), decode(request.path()));
    let (version, path) = split_version(&path);
    let asked = ApiVersion::parse(version.unwrap_or(NEWEST).as_bytes());
    if let Some(why) = version.and_then(|version| refused(version, asked)) {
        let responder = responder.status(400).field("Api-Version", NEWEST);
        let responder = server_fields(responder.field("Content-Type", "application/json"));
        return responder.send(write(&object!(message: why)) + "\n");
    }
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    if !is_known(&method, &parts) {
        let responder = responder.status(404).field("Content-Type", "application/json");
        return responder.send(write(&object!(message: "page not found")) + "\n");
    }
    let version = asked.unwrap_or(ApiVersion { major: 1, minor: 0 });
    let mut call = Call::new(engine, request, responder, version);
    let outcome = route(&mut call, &method, &parts);
    call.answer(outcome)
}

/// `/v1.41/info` is version 1.41 and the path `/info`.
fn split_version(path: &str) -> (Option<&str>, &str) {
    let rest =
        path.strip_prefix("/v").filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    match rest.and_then(|rest| rest.find('/').map(|end| rest.split_at(end))) {
        Some((version, path)) => (Some(version), path),
        None => (None, path),
    }
}

fn refused(version: &str, asked: Option<ApiVersion>) -> Option<String> {
    if asked > ApiVersion::parse(NEWEST.as_bytes()) {
        let rest = "is too new. Maximum supported API version is";
        return Some(format!("client version {version} {rest} {NEWEST}"));
    }
    let rest = "is too old. Minimum supported API version is";
    let remedy = "please upgrade your client to a newer version";
    (asked < ApiVersion::parse(OLDEST.as_bytes()))
        .then(|| format!("client version {version} {rest} {OLDEST}, {remedy}"))
}

/// Whether Docker's API has it: its paths are in a list. A name of an image may hold slashes.
fn is_known(method: &str, parts: &[&str]) -> bool {
    include_str!("api.txt").lines().any(|line| pattern(line, method, parts).is_some())
}

/// A line of the list, if the request fits it.
fn pattern<'a>(line: &'a str, method: &str, parts: &[&str]) -> Option<&'a str> {
    let (methods, path) = line.split_once(' ')?;
    let wanted: Vec<&str> = path.split('/').skip(1).collect();
    let more =
        if path.starts_with("/images/{") { parts.len().checked_sub(wanted.len())? } else { 0 };
    let fits = |(number, wanted): (usize, &&str)| {
        let part = parts.get(if number > 1 { number + more } else { number });
        part.is_some_and(|part| wanted.starts_with('{') || wanted == part)
    };
    let all = wanted.len() + more == parts.len() && wanted.iter().enumerate().all(fits);
    (all && methods.split('|').any(|one| one == method)).then_some(line)
}

fn route(call: &mut Call<'_, '_>, method: &str, parts: &[&str]) -> Outcome {
    match (method, parts) {
        ("GET" | "HEAD", ["_ping"]) => ping(call, method),
        ("GET", ["version"]) => Ok(Reply::Json(200, version())),
        ("GET", ["info"]) => Ok(Reply::Json(200, info(call.engine))),
        ("GET", ["events"]) => events::events(call),
        ("GET", ["containers", "json"]) => containers::list(call),
        ("POST", ["containers", "create"]) => containers::create(call),
        ("POST", ["containers", "prune"]) => containers::prune(call),
        ("GET", ["containers", name, "json"]) => containers::inspect(call, name),
        ("GET", ["containers", name, "logs"]) => streams::logs(call, name),
        ("GET", ["containers", name, "export"]) => archive::export(call, name),
        ("HEAD", ["containers", name, "archive"]) => archive::stat(call, name),
        ("GET", ["containers", name, "archive"]) => archive::get(call, name),
        ("PUT", ["containers", name, "archive"]) => archive::put(call, name),
        ("POST", ["containers", name, "start"]) => lifecycle::start(call.engine, name),
        ("POST", ["containers", name, "stop"]) => lifecycle::stop(call, name),
        ("POST", ["containers", name, "kill"]) => lifecycle::kill(call, name),
        ("POST", ["containers", name, "restart"]) => lifecycle::restart(call, name),
        ("POST", ["containers", name, "wait"]) => containers::wait(call, name),
        ("POST", ["containers", name, "rename"]) => containers::rename(call, name),
        ("POST", ["containers", name, "resize"]) => containers::resize(call, name),
        ("POST", ["containers", name, "attach"]) => streams::attach(call, name),
        ("POST", ["containers", name, "exec"]) => exec::create(call, name),
        ("DELETE", ["containers", name]) => lifecycle::delete(call, name),
        ("POST", ["exec", id, "start"]) => exec::start(call, id),
        ("POST", ["exec", id, "resize"]) => exec::resize(call, id),
        ("GET", ["exec", id, "json"]) => exec::inspect(call, id),
        ("GET", ["images", "json"]) => images::list(call),
        ("POST", ["images", "create"]) => images::create(call),
        ("POST", ["images", "load"]) => images::load(call),
        ("GET", ["images", "get"]) => {
            let names: Vec<String> = call.parameters("names").map(str::to_owned).collect();
            images::save(call, &names)
        }
        ("GET", ["images", name @ .., "json"]) => images::inspect(call, &name.join("/")),
        ("GET", ["images", name @ .., "history"]) => images::history(call, &name.join("/")),
        ("GET", ["images", name @ .., "get"]) => images::save(call, &[name.join("/")]),
        ("POST", ["images", name @ .., "tag"]) => images::tag(call, &name.join("/")),
        ("DELETE", ["images", name @ ..]) => images::delete(call, &name.join("/")),
        ("POST", ["build"]) => build::build(call),
        ("GET", ["networks", name @ ..]) => networks(call, name.first()),
        ("GET", ["volumes"]) => Ok(Reply::Json(200, filled!("volumes.json"))),
        ("GET", ["volumes", name]) => told(404, format!("get {name}: no such volume")),
        ("GET", ["plugins", name, "json"]) => told(404, format!("plugin \"{name}\" not found")),
        (_, ["swarm" | "nodes" | "services" | "tasks" | "secrets" | "configs", ..]) => {
            told(503, include_str!("no_swarm.txt").trim_end())
        }
        _ => {
            let mut lines = include_str!("api.txt").lines();
            let line = lines.find_map(|line| pattern(line, method, parts)).unwrap_or_default();
            told(501, format!("this demonstration has no {line}"))
        }
    }
}

/// The list of networks, or one of them.
fn networks(call: &Call<'_, '_>, name: Option<&&str>) -> Outcome {
    let filters =
        Filters::read(call, &["dangling", "driver", "id", "label", "name", "scope", "type"])?;
    let dangling = filters.truth("dangling")? == Some(true);
    let mut found = Vec::new();
    for network in filled!("networks.json").elements() {
        let [id, own, driver] = ["Id", "Name", "Driver"].map(|member| text(network, member));
        if name.is_some_and(|name| own == *name || id.starts_with(name)) {
            return Ok(Reply::Json(200, network.clone()));
        }
        let fits = !dangling
            && filters.any("driver", |wanted| driver == wanted)
            && filters.any("id", |wanted| id.starts_with(&wanted[..]))
            && filters.any("name", |wanted| own.contains(&wanted[..]))
            && filters.any("scope", |wanted| wanted == "local")
            && filters.any("type", |wanted| wanted == "builtin")
            && filters.has_labels(&Value::Null);
        found.extend(fits.then(|| network.clone()));
    }
    match name {
        Some(name) => told(404, format!("network {name} not found")),
        None => Ok(Reply::Json(200, Value::Array(found))),
    }
}

/// The answer whose fields stand in an order of its own.
fn ping(call: &mut Call<'_, '_>, method: &str) -> Outcome {
    let responder = call.responder()?.field("Api-Version", NEWEST).field("Builder-Version", "1");
    let responder = responder.field("Cache-Control", "no-cache, no-store, must-revalidate");
    let kind = "text/plain; charset=utf-8";
    let responder = match method {
        "HEAD" => responder.field("Content-Length", "0").field("Content-Type", kind),
        _ => responder,
    };
    let responder = responder.field("Docker-Experimental", "false").field("Ostype", "linux");
    let responder = responder.field("Pragma", "no-cache");
    let responder =
        responder.field("Server", format!("Docker/{VERSION} (linux)")).field("Swarm", "inactive");
    Ok(match method {
        "HEAD" => responder.send_head()?,
        _ => {
            let responder = responder.field("Date", http_date(SystemTime::now()));
            responder.field("Content-Length", "2").field("Content-Type", kind).send("OK")?
        }
    }
    .into())
}

fn version() -> Value {
    let details = filled!("version.json", Arch: arch(), Version: VERSION,
        ApiVersion: NEWEST, MinAPIVersion: OLDEST);
    let engine = object!(Name: "Engine", Version: VERSION, Details: object!(ApiVersion: NEWEST,
        Arch: arch(), MinAPIVersion: OLDEST, Os: "linux", Experimental: "false",
        KernelVersion: text(&details, "KernelVersion"), GoVersion: text(&details, "GoVersion")));
    let mut version = details;
    *super::json::at(&mut version, &["Components"]) = Value::Array(vec![engine]);
    version
}

fn info(engine: &Engine) -> Value {
    let state = engine.state();
    let all = state.containers.len();
    let running =
        state.containers.iter().filter(|container| container.process.is_running()).count();
    filled!("info.json", Containers: all, ContainersRunning: running,
        ContainersStopped: all - running, Images: state.images.len(), ServerVersion: VERSION,
        SystemTime: rfc3339(SystemTime::now(), 9), Architecture: std::env::consts::ARCH)
}
