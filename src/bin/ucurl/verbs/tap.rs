//! `ucurl tap`: relays a Docker socket, and shows and records the traffic.

use super::serve;
use super::supervise::Front;
use crate::args::given::Given;
use std::ffi::OsStr;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufWriter};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt;
use std::thread;
use std::time::Duration;
use unix_http::Endpoint;
use unix_http::base::number::decimal;
use unix_http::base::text::wants_colour;
use unix_http::docker::{Daemon, DaemonFlags, ProcessEnvironment};
use unix_http::tap::guard::RequestWatch;
use unix_http::tap::{Har, Pcap, Record, Relay, Script, Tool};
use unix_http::traffic::{Explain, Observer, Text, text};
use unix_http::transport::PrivateDir;

/// The time that exchanges in progress have to finish at the end.
const GRACE: Duration = Duration::from_millis(300);

/// Relays until the command ends or the front asks to stop.
pub fn serve(given: &Given, front: &Front) -> Result<i32, String> {
    let (_directory, relay) = relay(given)?;
    let relay = relay.show_secrets(given.has("show-secrets"));
    let view = view(given, relay.target())?;
    run(given, &record(given, view.into_iter().fold(relay, Relay::observe))?, front)
}

/// Creates a relay between `--listen` and `--to`.
pub fn relay(given: &Given) -> Result<(Option<PrivateDir>, Relay), String> {
    let target = target(given)?;
    let (directory, listener) = serve::listener(given)?;
    let hosts = given.values("allow-host").map(OsStr::to_string_lossy);
    Ok((directory, hosts.fold(Relay::new(listener, target), Relay::allow_host)))
}

/// Runs a relay until the command ends or the front asks to stop.
pub fn run(given: &Given, relay: &Relay, front: &Front) -> Result<i32, String> {
    let stopper = relay.stopper().map_err(|error| error.to_string())?;
    thread::scope(|scope| {
        let run = scope.spawn(|| relay.run());
        let code = serve::serve(given, relay.endpoint(), front);
        stopper.stop(GRACE);
        for problem in run.join().unwrap_or_default() {
            crate::console::say(&format!("{}: {problem}", given.verb.name()));
        }
        Ok(code)
    })
}

fn view(given: &Given, target: &Endpoint) -> Result<Option<Box<dyn Observer>>, String> {
    if given.has("quiet") {
        return Ok(None);
    }
    let number = |text: &OsStr| decimal(text.as_bytes())?.try_into().ok();
    let limit = given.value("body-limit").map_or(Some(text::BODY_LIMIT), number);
    let limit = limit.ok_or("--body-limit: needs a number of bytes")?;
    let out = view_file(given)?;
    let colour = match given.value("color").and_then(OsStr::to_str) {
        None | Some("auto") => wants_colour(&out),
        Some(when) => when == "always",
    };
    Ok(Some(match given.value("explain") {
        None => Box::new(Text::new(out).colour(colour).body_limit(limit)),
        Some(how) => {
            let explain = Explain::new(BufWriter::new(out)).overheard(target.to_string());
            explain.toward_unix(matches!(target, Endpoint::Unix(_) | Endpoint::Abstract(_)));
            Box::new(explain.bytes(how == "bytes").colour(colour))
        }
    }))
}

/// Opens the output of the view: a file, stdout, or stderr where a command has stdout.
fn view_file(given: &Given) -> Result<File, String> {
    let stream = match given.value("output") {
        Some(name) if name != "-" => return create(name, 0o600),
        None if given.command.is_some() => io::stderr().as_fd().try_clone_to_owned(),
        _ => io::stdout().as_fd().try_clone_to_owned(),
    };
    stream.map(File::from).map_err(|error| format!("the view's output: {error}"))
}

fn create(name: &OsStr, mode: u32) -> Result<File, String> {
    let file = File::options().write(true).create(true).truncate(true).mode(mode).open(name);
    file.map_err(|error| failed(name, &error))
}

pub fn failed(name: &OsStr, error: &dyn Display) -> String {
    format!("{}: {error}", name.display())
}

/// Returns the endpoint of `--to`, or of the engine that the docker command would use.
fn target(given: &Given) -> Result<Endpoint, String> {
    if let Some(Ok(endpoint)) = given.value("to").map(Endpoint::parse) {
        return Ok(endpoint);
    }
    let flags = DaemonFlags {
        host: given.value("to").map(OsStr::to_owned),
        context: given.value("context").map(OsStr::to_owned),
    };
    let daemon = Daemon::resolve(&ProcessEnvironment, &flags).map_err(|error| error.to_string())?;
    if !daemon.prefix.is_empty() {
        let why = "tap forwards paths unchanged; name a host without one";
        return Err(format!("{}: {why}", daemon.host));
    }
    Ok(daemon.endpoint)
}

/// Adds the recorders that were asked for.
fn record(given: &Given, mut relay: Relay) -> Result<Relay, String> {
    let for_curl = given.value("script-for") == Some(OsStr::new("curl"));
    let tool = if for_curl { Tool::Curl } else { Tool::Ucurl };
    let started = relay.started();
    for name in given.values("script") {
        let script = Script::new(create(name, 0o700)?, relay.target()).for_tool(tool);
        relay = relay.observe(script);
    }
    for name in given.values("har") {
        let har = Har::new(create(name, 0o600)?, started);
        relay = relay.observe(har.map_err(|error| failed(name, &error))?);
    }
    for name in given.values("pcap") {
        let pcap = Pcap::new(create(name, 0o600)?, started, &relay.endpoint().to_string());
        relay = relay.observe(pcap.map_err(|error| failed(name, &error))?);
    }
    for name in given.values("record") {
        let record = Record::create(name, started, !given.has("show-secrets"));
        relay = relay.observe(record.map_err(|error| failed(name, &error))?);
    }
    for name in given.values("rules") {
        relay = relay.observe(RequestWatch::needed_rules(create(name, 0o600)?));
    }
    Ok(relay)
}
