//! From a request to the function that answers it.

use super::api::{
    Call, Filters, NEWEST, OLDEST, Outcome, Reply, SERVER, VERSION, decode, server_fields,
};
use super::engine::{Engine, arch};
use super::json::{filled, object, parsed, text, write};
use super::names::told;
use super::{archive, build, containers, events, exec, images, streams};
use std::io;
use std::sync::Arc;
use std::time::SystemTime;
use unix_http::base::time::{http_date, rfc3339};
use unix_http::docker::ApiVersion;
use unix_http::json::Value;
use unix_http::server::{Request, Responder, Sent};

pub fn answer(
    engine: &Arc<Engine>,
    request: &mut Request<'_>,
    responder: Responder<'_>,
) -> io::Result<Sent> {
    let (method, path) = (request.method().to_owned(), decode(request.path()));
    let (version, path) = split_version(&path);
    let asked = ApiVersion::parse(version.as_bytes());
    let [newest, oldest] = [NEWEST, OLDEST].map(|version| ApiVersion::parse(version.as_bytes()));
    let refused = match asked {
        _ if asked > newest => format!("new. Maximum supported API version is {NEWEST}"),
        _ if asked < oldest => {
            let remedy = "please upgrade your client to a newer version";
            format!("old. Minimum supported API version is {OLDEST}, {remedy}")
        }
        _ => String::new(),
    };
    if !refused.is_empty() {
        let responder = responder.status(400).field("Api-Version", NEWEST);
        let responder = server_fields(responder.field("Content-Type", "application/json"));
        let message = format!("client version {version} is too {refused}");
        return responder.send(write(&object!(message: message)) + "\n");
    }
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let Some(known) = include_str!("api.txt").lines().find(|line| fits(line, &method, &parts))
    else {
        let responder = responder.status(404).field("Content-Type", "application/json");
        return responder.send(write(&object!(message: "page not found")) + "\n");
    };
    let version = asked.unwrap_or(ApiVersion { major: 1, minor: 24 });
    let mut call = Call::new(engine, request, responder, version);
    let outcome = route(&mut call, &method, &parts);
    let outcome = outcome.unwrap_or_else(|| told!(501, "this demonstration has no {known}"));
    call.answer(outcome)
}

/// `/v1.41/info` is version 1.41 and the path `/info`.
fn split_version(path: &str) -> (&str, &str) {
    let rest =
        path.strip_prefix("/v").filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    rest.and_then(|rest| Some(rest.split_at(rest.find('/')?))).unwrap_or((NEWEST, path))
}

/// Whether a request fits a line of the list of what Docker's API has. A name of an image may hold
/// slashes.
fn fits(line: &str, method: &str, parts: &[&str]) -> bool {
    let (methods, path) = line.split_once(' ').unwrap_or_default();
    let wanted: Vec<&str> = path.split('/').skip(1).collect();
    let slashes = parts.len().saturating_sub(wanted.len());
    let more = if path.starts_with("/images/{") { slashes } else { 0 };
    wanted.len() + more == parts.len()
        && methods.split('|').any(|one| one == method)
        && wanted.iter().enumerate().all(|(number, wanted)| {
            let number = if number > 1 { number + more } else { number };
            wanted.starts_with('{') || *wanted == parts[number]
        })
}

fn route(call: &mut Call<'_, '_>, method: &str, parts: &[&str]) -> Option<Outcome> {
    Some(match (method, parts) {
        ("GET" | "HEAD", ["_ping"]) => ping(call, method == "HEAD"),
        ("GET", ["version"]) => Ok(Reply::Json(200, version())),
        ("GET", ["info"]) => Ok(Reply::Json(200, info(call.engine))),
        ("GET", ["events"]) => events::events(call),
        ("GET", ["containers", "json"]) => containers::list(call),
        ("POST", ["containers", "create"]) => containers::create(call),
        ("GET", ["containers", name, "json"]) => containers::inspect(call, name),
        ("GET", ["containers", name, "logs"]) => streams::logs(call, name),
        ("GET" | "HEAD", ["containers", name, "archive"]) => {
            archive::get(call, name, method == "HEAD")
        }
        ("PUT", ["containers", name, "archive"]) => archive::put(call, name),
        ("POST", ["containers", name, "start"]) => containers::start(call.engine, name),
        ("POST", ["containers", name, "stop"]) => containers::stop(call, name),
        ("POST", ["containers", name, "kill"]) => containers::kill(call, name),
        ("POST", ["containers", name, "restart"]) => containers::restart(call, name),
        ("POST", ["containers", name, "wait"]) => containers::wait(call, name),
        ("POST", ["containers", name, "rename"]) => containers::rename(call, name),
        ("POST", ["containers", name, "resize"]) => containers::resize(call, name),
        ("POST", ["containers", name, "attach"]) => streams::attach(call, name),
        ("POST", ["containers", name, "exec"]) => exec::create(call, name),
        ("DELETE", ["containers", name]) => containers::delete(call, name),
        ("POST", ["exec", id, "start"]) => exec::start(call, id),
        ("POST", ["exec", id, "resize"]) => exec::resize(call, id),
        ("GET", ["exec", id, "json"]) => exec::inspect(call, id),
        ("GET", ["images", "json"]) => images::list(call),
        ("POST", ["images", "create"]) => images::create(call),
        ("GET", ["images", name @ .., "json"]) => images::inspect(call, &name.join("/")),
        ("POST", ["images", name @ .., "tag"]) => images::tag(call, &name.join("/")),
        ("DELETE", ["images", name @ ..]) => images::delete(call, &name.join("/")),
        ("POST", ["build"]) => build::build(call),
        ("GET", ["networks", name @ ..]) => networks(call, name.first()),
        ("GET", ["volumes"]) => Ok(Reply::Json(200, filled!("volumes.json"))),
        ("GET", ["volumes", name]) => told!(404, "get {name}: no such volume"),
        ("GET", ["plugins", name, "json"]) => told!(404, "plugin \"{name}\" not found"),
        (_, ["swarm" | "nodes" | "services" | "tasks" | "secrets" | "configs", ..]) => {
            told!(503, "{}", include_str!("no_swarm.txt").trim_end())
        }
        _ => return None,
    })
}

fn networks(call: &mut Call<'_, '_>, name: Option<&&str>) -> Outcome {
    let mut networks = filled!("networks.json").elements().to_vec();
    if let Some(name) = name {
        networks.retain(|network| [text(network, "Name"), text(network, "Id")].contains(name));
        return match networks.pop() {
            Some(network) => Ok(Reply::Json(200, network)),
            None => told!(404, "network {name} not found"),
        };
    }
    let filters = Filters::read(call, "dangling driver id label name scope type")?;
    let members = [("driver", "Driver"), ("id", "Id"), ("name", "Name"), ("scope", "Scope")];
    networks.retain(|network| {
        let fits = |(filter, member)| {
            filters.any(filter, |wanted| text(network, member).starts_with(&wanted[..]))
        };
        members.into_iter().all(fits)
            && filters.has_labels(&Value::Null)
            && filters.any("type", |wanted| wanted == "builtin")
            && filters.any("dangling", |wanted| wanted != "true")
    });
    Ok(Reply::Json(200, Value::Array(networks)))
}

/// The answer whose fields stand in an order of its own.
fn ping(call: &mut Call<'_, '_>, head: bool) -> Outcome {
    let kind = "text/plain; charset=utf-8";
    let mut responder =
        call.responder()?.field("Api-Version", NEWEST).field("Builder-Version", "1");
    responder = responder.field("Cache-Control", "no-cache, no-store, must-revalidate");
    if head {
        responder = responder.field("Content-Length", "0").field("Content-Type", kind);
    }
    responder = responder.field("Docker-Experimental", "false").field("Ostype", "linux");
    responder = responder.field("Pragma", "no-cache").field("Server", SERVER);
    responder = responder.field("Swarm", "inactive");
    if head {
        return Ok(Reply::Sent(responder.send_head()?));
    }
    responder = responder.field("Date", http_date(SystemTime::now()));
    Ok(Reply::Sent(responder.field("Content-Length", "2").field("Content-Type", kind).send("OK")?))
}

fn version() -> Value {
    let text = include_str!("version.json").replace("$VERSION", VERSION).replace("$ARCH", arch());
    parsed(&text.replace("$NEWEST", NEWEST).replace("$OLDEST", OLDEST))
}

fn info(engine: &Engine) -> Value {
    let state = engine.state();
    let all = state.containers.len();
    let running = state.containers.iter().filter(|one| one.process.is_running()).count();
    filled!("info.json", Containers: all, ContainersRunning: running,
        ContainersStopped: all - running, Images: state.images.len(), ServerVersion: VERSION,
        SystemTime: rfc3339(SystemTime::now(), 9), Architecture: std::env::consts::ARCH)
}
