//! Finds the function that answers a request.

use super::api::*;
use super::filters::Filters;
use super::{archive, build, containers, events, exec, images, streams};
use unix_http::docker::{ApiVersion, without_version};
use unix_http::server::{Request, Responder, Sent};

type Route = fn(&mut Call<'_, '_>) -> Outcome;

/// Everything that the demonstration has. `absent.txt` lists the rest of Docker's endpoints, each
/// with its error if that is not `absent`.
const ROUTES: [(&str, Route); 33] = [
    ("GET|HEAD /_ping", ping),
    ("GET /version", |_| Ok(Reply::Json(200, parsed(&filled_in(include_str!("version.json")))))),
    ("GET /info", info),
    ("GET /events", events::events),
    ("GET /containers/json", containers::list),
    ("POST /containers/create", containers::create),
    ("GET /containers/{id}/json", containers::inspect),
    ("GET /containers/{id}/logs", streams::logs),
    ("GET|HEAD /containers/{id}/archive", archive::get),
    ("PUT /containers/{id}/archive", archive::put),
    ("POST /containers/{id}/start", containers::start),
    ("POST /containers/{id}/stop", containers::stop),
    ("POST /containers/{id}/kill", containers::kill),
    ("POST /containers/{id}/restart", containers::restart),
    ("POST /containers/{id}/wait", containers::wait),
    ("POST /containers/{id}/rename", containers::rename),
    ("POST /containers/{id}/resize", exec::resize_container),
    ("POST /containers/{id}/attach", streams::attach),
    ("POST /containers/{id}/exec", exec::create),
    ("DELETE /containers/{id}", containers::delete),
    ("POST /exec/{id}/start", streams::start_exec),
    ("POST /exec/{id}/resize", exec::resize_exec),
    ("GET /exec/{id}/json", exec::inspect),
    ("GET /images/json", images::list),
    ("POST /images/create", images::create),
    ("GET /images/{name}/json", images::inspect),
    ("POST /images/{name}/tag", images::tag),
    ("DELETE /images/{name}", images::delete),
    ("POST /build", build::build),
    ("GET /networks", networks),
    ("GET /networks/{id}", network),
    ("GET /volumes", |_| Ok(Reply::Json(200, template!("volumes.json")))),
    ("GET /plugins", |_| Ok(Reply::Json(200, Value::Array(Vec::new())))),
];

pub fn answer(
    engine: &Arc<Engine>,
    request: &mut Request<'_>,
    responder: Responder<'_>,
) -> io::Result<Sent> {
    let target = decode(&String::from_utf8_lossy(request.path()));
    let path = without_version(target.as_bytes()).len();
    let (version, path) = target.split_at(target.len() - path);
    let version = ApiVersion::parse(version.trim_start_matches("/v").as_bytes()).unwrap_or(NEWEST);
    let absent = include_str!("absent.txt").lines();
    let absent = absent.map(|line| line.split_once(" -> ").unwrap_or((line, "absent")));
    let absent = absent.map(|(line, error)| (line, Err(error)));
    let mut all = ROUTES.iter().map(|(line, route)| (*line, Ok(route))).chain(absent);
    let method = request.method();
    let found = all.find_map(|(line, route)| Some((line, route, name(line, method, path)?)));
    let name = found.map_or("", |(_, _, name)| name).to_owned();
    let query = pairs(request.query().unwrap_or_default());
    let mut call = Call { engine, request, name, query, version, responder: Some(responder) };
    let fields = include_str!("fields_engine.txt");
    let (fields, outcome) = match (check(version), found) {
        (Err(error), _) => (include_str!("fields_version.txt"), Err(error)),
        (_, None) => ("Content-Type: application/json", Err(refusal!("page-none"))),
        (_, Some((_, Ok(route), _))) => (fields, route(&mut call)),
        (_, Some((line, Err("absent"), _))) => (fields, Err(refusal!("absent", line))),
        (_, Some((_, Err(error), name))) => (fields, Err(filled(error, &[&name]))),
    };
    answer_with(call.responder, fields, outcome)
}

fn check(version: ApiVersion) -> io::Result<()> {
    ensure!(version <= NEWEST, "version-new", version, NEWEST);
    ensure!(version >= OLDEST, "version-old", version, OLDEST);
    Ok(())
}

/// Matches a request with a line such as `GET /images/{name}/json`, and returns the name in its
/// path. A name may contain slashes.
fn name<'p>(line: &str, method: &str, path: &'p str) -> Option<&'p str> {
    let (methods, pattern) = line.split_once(' ')?;
    let is_method = methods.split('|').any(|one| one == method);
    let parts: Vec<&str> = pattern.split(['{', '}']).collect();
    let name = match parts[..] {
        [before, _, after] => path.strip_prefix(before)?.strip_suffix(after),
        _ => path.strip_prefix(pattern),
    };
    name.filter(|name| is_method && name.is_empty() == (parts.len() == 1))
}

/// Answers `/_ping`. Its fields have an order of their own for each method.
fn ping(call: &mut Call<'_, '_>) -> Outcome {
    let responder = call.responder()?;
    Ok(Reply::Sent(match call.request.method() {
        "HEAD" => with_fields(responder, include_str!("fields_ping_head.txt")).send("")?,
        _ => with_fields(responder, include_str!("fields_ping_get.txt")).send("OK")?,
    }))
}

fn info(call: &mut Call<'_, '_>) -> Outcome {
    let (state, mut info) = (call.state(), parsed(&filled_in(include_str!("info.json"))));
    let all = state.containers.len();
    let running = state.containers.iter().filter(|one| one.is_running()).count();
    fill!(info, Containers: all, ContainersRunning: running, ContainersStopped: all - running,
        Images: state.images.len(), SystemTime: rfc3339(SystemTime::now(), 9),
        Architecture: std::env::consts::ARCH);
    Ok(Reply::Json(200, info))
}

fn networks(call: &mut Call<'_, '_>) -> Outcome {
    let filters = Filters::read(&call.state(), "networks", call.parameter("filters"))?;
    let networks = template!("networks.json");
    let found = networks.elements().iter().filter(|network| filters.fit(network)).cloned();
    Ok(Reply::Json(200, found.collect::<Vec<_>>().into()))
}

fn network(call: &mut Call<'_, '_>) -> Outcome {
    let networks = template!("networks.json");
    let is_asked = |one: &&Value| [text(one, "/Name"), text(one, "/Id")].contains(&&call.name[..]);
    let found = networks.elements().iter().find(is_asked).cloned();
    Ok(Reply::Json(200, found.ok_or_else(|| refusal!("network-none", call.name))?))
}
