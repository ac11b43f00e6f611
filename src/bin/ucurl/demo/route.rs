//! From a request to the function that answers it.

use super::api::{Call, NEWEST, OLDEST, Outcome, Reply, SERVER, VERSION, decode, server_fields};
use super::engine::{Engine, arch};
use super::filters::{Filters, truth};
use super::prelude::*;
use super::{archive, build, containers, events, exec, images, streams};
use unix_http::base::time::http_date;
use unix_http::docker::ApiVersion;
use unix_http::server::{Request, Responder, Sent};

pub fn answer(
    engine: &Arc<Engine>,
    request: &mut Request<'_>,
    responder: Responder<'_>,
) -> io::Result<Sent> {
    let path = decode(&String::from_utf8_lossy(request.path()));
    let (version, path) = split_version(&path);
    let [asked, newest, oldest] =
        [version, NEWEST, OLDEST].map(|v| ApiVersion::parse(v.as_bytes()));
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
    let method = request.method().to_owned();
    let mut api = include_str!("api.txt").lines();
    let Some((known, name)) = api.find_map(|line| Some((line, fits(line, &method, &parts)?)))
    else {
        let responder = responder.status(404).field("Content-Type", "application/json");
        return responder.send(write(&object!(message: "page not found")) + "\n");
    };
    let version = asked.unwrap_or(ApiVersion { major: 1, minor: 24 });
    let mut call = Call::new(engine, request, responder, version);
    let outcome = route(&mut call, known, &name);
    let outcome =
        outcome.unwrap_or_else(|| Err(refusal!(501, "this demonstration has no {known}")));
    call.answer(outcome)
}

/// `/v1.41/info` is version 1.41 and the path `/info`.
fn split_version(path: &str) -> (&str, &str) {
    let rest =
        path.strip_prefix("/v").filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    rest.and_then(|rest| Some(rest.split_at(rest.find('/')?))).unwrap_or((NEWEST, path))
}

/// The name in a request that fits a line of the list of what Docker's API has. The name of an
/// image may hold slashes.
fn fits(line: &str, method: &str, parts: &[&str]) -> Option<String> {
    let (methods, path) = line.split_once(' ')?;
    let wanted: Vec<&str> = path.split('/').skip(1).collect();
    let slashes = parts.len().checked_sub(wanted.len())?;
    if slashes > 0 && wanted.get(1) != Some(&"{name}")
        || methods.split('|').all(|one| one != method)
    {
        return None;
    }
    let name = parts.get(1..2 + slashes).unwrap_or_default().join("/");
    let parts = [&parts[..1], &[&name[..]], parts.get(2 + slashes..).unwrap_or_default()].concat();
    let fit = wanted.iter().zip(parts).all(|(w, part)| w.starts_with('{') || *w == part);
    fit.then_some(name)
}

/// The answer to what a line of the list says, about something of this name.
fn route(call: &mut Call<'_, '_>, known: &str, name: &str) -> Option<Outcome> {
    let area = known.split('/').nth(1).unwrap_or_default();
    Some(match known {
        "GET|HEAD /_ping" => ping(call),
        "GET /version" => Ok(Reply::Json(200, version())),
        "GET /info" => Ok(Reply::Json(200, info(call.engine))),
        "GET /events" => events::events(call),
        "GET /containers/json" => containers::list(call),
        "POST /containers/create" => containers::create(call),
        "GET /containers/{id}/json" => containers::inspect(call, name),
        "GET /containers/{id}/logs" => streams::logs(call, name),
        "GET|HEAD /containers/{id}/archive" => archive::get(call, name),
        "PUT /containers/{id}/archive" => archive::put(call, name),
        "POST /containers/{id}/start" => containers::start(call.engine, name),
        "POST /containers/{id}/stop" => containers::stop(call, name),
        "POST /containers/{id}/kill" => containers::kill(call, name),
        "POST /containers/{id}/restart" => containers::restart(call, name),
        "POST /containers/{id}/wait" => containers::wait(call, name),
        "POST /containers/{id}/rename" => containers::rename(call, name),
        "POST /containers/{id}/resize" => containers::resize(call, name),
        "POST /containers/{id}/attach" => streams::attach(call, name),
        "POST /containers/{id}/exec" => exec::create(call, name),
        "DELETE /containers/{id}" => containers::delete(call, name),
        "POST /exec/{id}/start" => exec::start(call, name),
        "POST /exec/{id}/resize" => exec::resize(call, name),
        "GET /exec/{id}/json" => exec::inspect(call, name),
        "GET /images/json" => images::list(call),
        "POST /images/create" => images::create(call),
        "GET /images/{name}/json" => images::inspect(call, name),
        "POST /images/{name}/tag" => images::tag(call, name),
        "DELETE /images/{name}" => images::delete(call, name),
        "POST /build" => build::build(call),
        "GET /networks" => networks(call),
        "GET /networks/{id}" => network(name),
        "GET /volumes" => Ok(Reply::Json(200, filled!("volumes.json"))),
        "GET /volumes/{name}" => Err(refusal!(404, "get {name}: no such volume")),
        "GET /plugins/{name}/json" => Err(refusal!(404, "plugin \"{name}\" not found")),
        "GET /plugins" => Ok(Reply::Json(200, Value::Array(Vec::new()))),
        "POST /swarm/init" | "POST /swarm/join" => return None,
        _ if "swarm nodes services tasks secrets configs".split(' ').any(|one| one == area) => {
            Err(refusal!(503, "{}", include_str!("no_swarm.txt").trim_end()))
        }
        _ => return None,
    })
}

fn networks(call: &mut Call<'_, '_>) -> Outcome {
    let filters = Filters::read(call, "dangling driver id label name scope type")?;
    let mut found = Vec::new();
    for network in filled!("networks.json").elements() {
        let fits = filters.fit(|filter, wanted| {
            Ok(match filter {
                "driver" => text(network, "Driver") == wanted,
                "id" => text(network, "Id").starts_with(wanted),
                "name" => text(network, "Name").contains(wanted),
                "scope" => wanted == "local",
                "type" => wanted == "builtin",
                "dangling" => !truth(filter, wanted)?,
                _ => false,
            })
        });
        if fits? {
            found.push(network.clone());
        }
    }
    Ok(Reply::Json(200, Value::Array(found)))
}

fn network(name: &str) -> Outcome {
    let networks = filled!("networks.json");
    let is_asked = |one: &&Value| [text(one, "Name"), text(one, "Id")].contains(&name);
    let found = networks.elements().iter().find(is_asked).cloned();
    Ok(Reply::Json(200, found.ok_or_else(|| refusal!(404, "network {name} not found"))?))
}

/// The answer whose fields stand in an order of its own.
fn ping(call: &mut Call<'_, '_>) -> Outcome {
    let kind = "text/plain; charset=utf-8";
    let is_head = call.request.method() == "HEAD";
    let mut responder =
        call.responder()?.field("Api-Version", NEWEST).field("Builder-Version", "1");
    responder = responder.field("Cache-Control", "no-cache, no-store, must-revalidate");
    if is_head {
        responder = responder.field("Content-Length", "0").field("Content-Type", kind);
    }
    responder = responder.field("Docker-Experimental", "false").field("Ostype", "linux");
    responder = responder.field("Pragma", "no-cache").field("Server", SERVER);
    responder = responder.field("Swarm", "inactive");
    if is_head {
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
