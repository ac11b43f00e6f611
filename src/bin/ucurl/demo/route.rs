//! From a request to the function that answers it.

use super::engine::Engine;
use super::process::Status;
use super::reply::{
    API_VERSION, Call, Fault, MIN_API_VERSION, Outcome, Reply, VERSION, decode, message,
    version_fields,
};
use super::text::{fill, string};
use super::{archive, build, containers, create, events, exec, images, output, time};
use std::io;
use std::sync::Arc;
use std::time::SystemTime;
use unix_http::base::time::http_date;
use unix_http::docker::ApiVersion;
use unix_http::server::{Request, Responder, Sent};

/// Answers one request.
pub fn answer(
    engine: &Arc<Engine>,
    request: &mut Request<'_>,
    responder: Responder<'_>,
) -> io::Result<Sent> {
    let method = request.method().to_owned();
    let path: Vec<u8> = request.path().to_vec();
    let (version, path) = split_version(&path);
    if let Some(version) = version
        && let Err(why) = accepted(version)
    {
        let responder = version_fields(responder.status(400));
        return responder.send(message(&why));
    }
    let parts: Vec<String> =
        path.split(|&b| b == b'/').skip(1).map(|part| decode(part, false)).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let mut call = Call::new(engine, request, responder);
    let outcome = route(&mut call, &method, &parts);
    call.answer(outcome)
}

/// `/v1.41/info` is version 1.41 and the path `/info`.
fn split_version(path: &[u8]) -> (Option<&str>, &[u8]) {
    let versioned = || {
        let rest = path.strip_prefix(b"/v")?;
        let end = rest.iter().position(|&b| b == b'/')?;
        let version = std::str::from_utf8(&rest[..end]).ok()?;
        let digits = version.starts_with(|c: char| c.is_ascii_digit());
        digits.then_some((Some(version), &rest[end..]))
    };
    versioned().unwrap_or((None, path))
}

fn accepted(version: &str) -> Result<(), String> {
    let parsed = |text: &str| ApiVersion::parse(text.as_bytes());
    let (asked, newest, oldest) = (parsed(version), parsed(API_VERSION), parsed(MIN_API_VERSION));
    if asked > newest {
        let rest = " is too new. Maximum supported API version is ";
        return Err(["client version ", version, rest, API_VERSION].concat());
    }
    if asked < oldest {
        let (middle, end) = (
            " is too old. Minimum supported API version is ",
            ", please upgrade your client to a newer version",
        );
        return Err(["client version ", version, middle, MIN_API_VERSION, end].concat());
    }
    Ok(())
}

fn route(call: &mut Call<'_, '_>, method: &str, parts: &[&str]) -> Outcome {
    match (method, parts) {
        ("GET" | "HEAD", ["_ping"]) => ping(call, method),
        ("GET", ["version"]) => Ok(Reply::Json(200, version())),
        ("GET", ["info"]) => Ok(Reply::Json(200, info(call.engine))),
        ("GET", ["events"]) => events::events(call),
        ("POST", ["auth"]) => {
            Err(Fault::told(500, &["this demonstration has no registry to log in to"]))
        }

        ("GET", ["containers", "json"]) => containers::list(call),
        ("POST", ["containers", "create"]) => create::create(call),
        ("POST", ["containers", "prune"]) => containers::prune(call),
        ("GET", ["containers", name, "json"]) => containers::inspect(call, name),
        ("GET", ["containers", name, "logs"]) => output::logs(call, name),
        ("GET", ["containers", name, "export"]) => archive::export(call, name),
        ("HEAD", ["containers", name, "archive"]) => archive::stat(call, name),
        ("GET", ["containers", name, "archive"]) => archive::get(call, name),
        ("PUT", ["containers", name, "archive"]) => archive::put(call, name),
        ("POST", ["containers", name, "start"]) => containers::start(call, name),
        ("POST", ["containers", name, "stop"]) => containers::stop(call, name),
        ("POST", ["containers", name, "kill"]) => containers::kill(call, name),
        ("POST", ["containers", name, "restart"]) => containers::restart(call, name),
        ("POST", ["containers", name, "wait"]) => containers::wait(call, name),
        ("POST", ["containers", name, "rename"]) => containers::rename(call, name),
        ("POST", ["containers", name, "attach"]) => output::attach(call, name),
        ("POST", ["containers", name, "exec"]) => exec::create(call, name),
        ("POST", ["containers" | "exec", _, "resize"]) => exec::resize(call),
        ("DELETE", ["containers", name]) => containers::delete(call, name),

        ("POST", ["exec", id, "start"]) => exec::start(call, id),
        ("GET", ["exec", id, "json"]) => exec::inspect(call, id),

        ("GET", ["images", "json"]) => images::list(call),
        ("POST", ["images", "create"]) => images::create(call),
        ("POST", ["images", "load"]) => images::load(call),
        ("POST", ["build"]) => build::build(call),
        ("GET", ["images", "get"]) => {
            let names: Vec<String> =
                call.query.iter().filter(|(n, _)| n == "names").map(|(_, v)| v.clone()).collect();
            images::save(call, &names)
        }
        // A name may hold slashes.
        ("GET", ["images", name @ .., "json"]) => images::inspect(call, &name.join("/")),
        ("GET", ["images", name @ .., "get"]) => images::save(call, &[name.join("/")]),
        ("POST", ["images", name @ .., "tag"]) => images::tag(call, &name.join("/")),
        ("DELETE", ["images", name @ ..]) => images::delete(call, &name.join("/")),

        ("GET", ["networks"]) => Ok(Reply::Json(200, include_str!("networks.json").to_owned())),
        ("GET", ["volumes"]) => {
            Ok(Reply::Json(200, "{\"Volumes\":[],\"Warnings\":null}\n".to_owned()))
        }
        _ => Err(Fault::NoPage),
    }
}

/// The one answer whose fields stand in another order, because Go guesses its type, and for HEAD
/// does not have to.
fn ping(call: &mut Call<'_, '_>, method: &str) -> Outcome {
    let responder = call.responder()?.field("Api-Version", API_VERSION);
    let mut responder = responder.field("Cache-Control", "no-cache, no-store, must-revalidate");
    let kind = "text/plain; charset=utf-8";
    if method == "HEAD" {
        responder = responder.field("Content-Length", "0").field("Content-Type", kind);
    }
    let responder = responder
        .field("Docker-Experimental", "false")
        .field("Ostype", "linux")
        .field("Pragma", "no-cache");
    let responder = super::reply::server_field(responder);
    match method {
        "HEAD" => Ok(responder.send_head()?.into()),
        _ => Ok(responder
            .field("Date", http_date(SystemTime::now()))
            .field("Content-Length", "2")
            .field("Content-Type", kind)
            .send("OK")?
            .into()),
    }
}

fn version() -> String {
    let values = [
        ("version", VERSION),
        ("api", API_VERSION),
        ("min", MIN_API_VERSION),
        ("arch", super::arch()),
    ];
    let values = values.map(|(name, value)| (name, string(value)));
    fill(
        include_str!("version.json"),
        &values.each_ref().map(|(name, value)| (*name, value.as_str())),
    )
}

fn info(engine: &Engine) -> String {
    let state = engine.lock();
    let all = state.containers.len();
    let running = (0..all).filter(|&at| state.process_of(at).status == Status::Running).count();
    fill(
        include_str!("info.json"),
        &[
            ("containers", &all.to_string()),
            ("running", &running.to_string()),
            ("stopped", &(all - running).to_string()),
            ("images", &state.images.len().to_string()),
            ("now", &string(&time::rfc3339(SystemTime::now()))),
            ("machine", &string(std::env::consts::ARCH)),
            ("version", &string(VERSION)),
        ],
    )
}
