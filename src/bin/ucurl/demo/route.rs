//! From a request to the function that answers it.

use super::api::*;
use super::filters::Filters;
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
    if asked < oldest || asked > newest {
        let why = match asked > newest {
            true => format!("new. Maximum supported API version is {NEWEST}"),
            false => {
                let remedy = "please upgrade your client to a newer version";
                format!("old. Minimum supported API version is {OLDEST}, {remedy}")
            }
        };
        let responder = responder.status(400).field("Api-Version", NEWEST);
        let responder = responder.field("Content-Type", "application/json");
        let responder = responder.field("Ostype", "linux").field("Server", SERVER);
        let message = format!("client version {version} is too {why}");
        return responder.send(write(&object!(message: message)) + "\n");
    }
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let mut api = include_str!("api.txt").lines();
    let method = request.method();
    let found = api.find_map(|line| Some((line, fits(line, method, &parts)?)));
    let Some((known, name)) = found else {
        let responder = responder.status(404).field("Content-Type", "application/json");
        return responder.send(write(&object!(message: "page not found")) + "\n");
    };
    let version = asked.unwrap_or(ApiVersion { major: 1, minor: 24 });
    let mut call = Call::new(engine, request, responder, version);
    let outcome = route(&mut call, known, &name);
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
fn route(call: &mut Call<'_, '_>, known: &str, name: &str) -> Outcome {
    let area = known.split('/').nth(1).unwrap_or_default();
    match known {
        "GET|HEAD /_ping" => ping(call),
        "GET /version" => Ok(Reply::Json(200, version())),
        "GET /info" => Ok(Reply::Json(200, info(&call.state()))),
        "GET /events" => events::events(call),
        "GET /containers/json" => containers::list(call),
        "POST /containers/create" => containers::create(call),
        "GET /containers/{id}/json" => containers::inspect(call, name),
        "GET /containers/{id}/logs" => streams::logs(call, name),
        "GET|HEAD /containers/{id}/archive" => archive::get(call, name),
        "PUT /containers/{id}/archive" => archive::put(call, name),
        "POST /containers/{id}/start" => containers::start(call, name),
        "POST /containers/{id}/stop" => containers::stop(call, name),
        "POST /containers/{id}/kill" => containers::kill(call, name),
        "POST /containers/{id}/restart" => containers::restart(call, name),
        "POST /containers/{id}/wait" => containers::wait(call, name),
        "POST /containers/{id}/rename" => containers::rename(call, name),
        "POST /containers/{id}/resize" => exec::resize_container(call, name),
        "POST /containers/{id}/attach" => streams::attach(call, name),
        "POST /containers/{id}/exec" => exec::create(call, name),
        "DELETE /containers/{id}" => containers::delete(call, name),
        "POST /exec/{id}/start" => streams::start_exec(call, name),
        "POST /exec/{id}/resize" => exec::resize_exec(call, name),
        "GET /exec/{id}/json" => exec::inspect(call, name),
        "GET /images/json" => images::list(call),
        "POST /images/create" => images::create(call),
        "GET /images/{name}/json" => images::inspect(call, name),
        "POST /images/{name}/tag" => images::tag(call, name),
        "DELETE /images/{name}" => images::delete(call, name),
        "POST /build" => build::build(call),
        "GET /networks" => networks(call),
        "GET /networks/{id}" => network(name),
        "GET /volumes" => Ok(Reply::Json(200, template!("volumes.json"))),
        "GET /volumes/{name}" => Err(refusal!(404, "get {name}: no such volume")),
        "GET /plugins/{name}/json" => Err(refusal!(404, "plugin \"{name}\" not found")),
        "GET /plugins" => Ok(Reply::Json(200, Value::Array(Vec::new()))),
        "POST /swarm/init" | "POST /swarm/join" => {
            Err(refusal!(501, "this demonstration has no {known}"))
        }
        _ if "swarm nodes services tasks secrets configs".split(' ').any(|one| one == area) => {
            Err(refusal!(503, "{}", include_str!("no_swarm.txt").trim_end()))
        }
        _ => Err(refusal!(501, "this demonstration has no {known}")),
    }
}

fn networks(call: &mut Call<'_, '_>) -> Outcome {
    let filters = Filters::read("networks", call.parameter("filters"))?;
    let mut found = Vec::new();
    for network in template!("networks.json").elements() {
        if filters.fit(network)? {
            found.push(network.clone());
        }
    }
    Ok(Reply::Json(200, found.into()))
}

fn network(name: &str) -> Outcome {
    let networks = template!("networks.json");
    let is_asked = |one: &&Value| [text(one, "/Name"), text(one, "/Id")].contains(&name);
    let found = networks.elements().iter().find(is_asked).cloned();
    Ok(Reply::Json(200, found.ok_or_else(|| refusal!(404, "network {name} not found"))?))
}

/// The answer whose fields stand in an order of its own, another one for each method.
fn ping(call: &mut Call<'_, '_>) -> Outcome {
    let is_head = call.request.method() == "HEAD";
    let fields = if is_head { include_str!("ping_head.txt") } else { include_str!("ping_get.txt") };
    let date = String::from_utf8_lossy(&http_date(SystemTime::now())).into_owned();
    let fields =
        fields.replace("$NEWEST", NEWEST).replace("$SERVER", SERVER).replace("$DATE", &date);
    let fields = fields.lines().filter_map(|line| line.split_once(": "));
    let responder = fields.fold(call.responder()?, |r, (name, value)| r.field(name, value));
    Ok(Reply::Sent(if is_head { responder.send_head()? } else { responder.send("OK")? }))
}

fn version() -> Value {
    let text = include_str!("version.json").replace("$VERSION", VERSION).replace("$ARCH", arch());
    parsed(&text.replace("$NEWEST", NEWEST).replace("$OLDEST", OLDEST))
}

fn info(state: &State) -> Value {
    let all = state.containers.len();
    let running = state.containers.iter().filter(|one| one.process.is_running()).count();
    let mut info = template!("info.json");
    fill!(info, Containers: all, ContainersRunning: running, ContainersStopped: all - running,
        Images: state.images.len(), ServerVersion: VERSION,
        SystemTime: rfc3339(SystemTime::now(), 9), Architecture: std::env::consts::ARCH);
    info
}
