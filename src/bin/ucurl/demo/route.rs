//! Finds the function that answers a request.

use super::api::*;
use super::filters::Filters;
use super::{archive, build, containers, events, exec, images, streams};
use unix_http::docker::{ApiVersion, without_version};
use unix_http::server::{Request, Responder, Sent};

pub fn answer(
    engine: &Arc<Engine>,
    request: &mut Request<'_>,
    responder: Responder<'_>,
) -> io::Result<Sent> {
    let target = decode(&String::from_utf8_lossy(request.path()));
    let path = without_version(target.as_bytes()).len();
    let (version, path) = target.split_at(target.len() - path);
    let asked = ApiVersion::parse(version.trim_start_matches("/v").as_bytes()).unwrap_or(NEWEST);
    if asked < OLDEST || asked > NEWEST {
        let error = match asked > NEWEST {
            true => refusal!("version-new", asked, NEWEST),
            false => refusal!("version-old", asked, OLDEST),
        };
        return refuse(responder, &error, include_str!("fields_version.txt"));
    }
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let mut api = include_str!("api.txt").lines();
    let found = api.find_map(|line| {
        let (known, error) = line.split_once(" -> ").unwrap_or((line, ""));
        Some((known, error, fits(known, request.method(), &parts)?))
    });
    let Some((known, error, name)) = found else {
        return refuse(responder, &refusal!("page-none"), "Content-Type: application/json");
    };
    let (query, responder) = (pairs(request.query().unwrap_or_default()), Some(responder));
    let mut call = Call { engine, request, query, version: asked, responder };
    let outcome = match error {
        "" => route(&mut call, known, &name),
        error => Err(filled(error, &[&name])),
    };
    call.answer(outcome)
}

/// Responds with an error that precedes the routes, with these fields only.
fn refuse(responder: Responder<'_>, error: &io::Error, fields: &str) -> io::Result<Sent> {
    let (status, why) = told(error).unwrap_or_default();
    with_fields(responder.status(status), fields).send(write(&object!(message: why)) + "\n")
}

/// Matches a request with a line of `api.txt`, and returns the name in its path. The name of an
/// image may contain slashes.
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

/// Answers a request that matches this line of `api.txt`, for the thing with this name.
fn route(call: &mut Call<'_, '_>, known: &str, name: &str) -> Outcome {
    match known {
        "GET|HEAD /_ping" => ping(call),
        "GET /version" => Ok(Reply::Json(200, parsed(&filled_in(include_str!("version.json"))))),
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
        "POST /containers/{id}/resize" => {
            let container = call.container(name)?;
            exec::resize(call, &container)
        }
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
        "GET /plugins" => Ok(Reply::Json(200, Value::Array(Vec::new()))),
        _ => Err(refusal!("absent", known)),
    }
}

fn networks(call: &mut Call<'_, '_>) -> Outcome {
    let filters = Filters::read(&call.state(), "networks", call.parameter("filters"))?;
    let networks = template!("networks.json");
    let found = networks.elements().iter().filter(|network| filters.fit(network)).cloned();
    Ok(Reply::Json(200, found.collect::<Vec<_>>().into()))
}

fn network(name: &str) -> Outcome {
    let networks = template!("networks.json");
    let is_asked = |one: &&Value| [text(one, "/Name"), text(one, "/Id")].contains(&name);
    let found = networks.elements().iter().find(is_asked).cloned();
    Ok(Reply::Json(200, found.ok_or_else(|| refusal!("network-none", name))?))
}

/// Answers `/_ping`. Its fields have an order of their own for each method.
fn ping(call: &mut Call<'_, '_>) -> Outcome {
    let responder = call.responder()?;
    Ok(Reply::Sent(match call.request.method() {
        "HEAD" => with_fields(responder, include_str!("fields_ping_head.txt")).send_head()?,
        _ => with_fields(responder, include_str!("fields_ping_get.txt")).send("OK")?,
    }))
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
