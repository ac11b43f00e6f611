//! `ucurl tap`: what travels through a Docker socket, shown and recorded.

use crate::explain::Overheard;
use crate::verbs::serve;
use crate::verbs::supervise::{self, Front};
use crate::verbs::verb::{self, Given};
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::OpenOptionsExt;
use std::thread;
use std::time::Duration;
use unix_http::Endpoint;
use unix_http::base::text::wants_colour;
use unix_http::docker::{Daemon, DaemonFlags, Process};
use unix_http::tap::{Har, Pcap, Record, Relay, Script, Tool};
use unix_http::traffic::{Observer, Text, text};

const USAGE: &str = "\
Usage: ucurl tap [options...] [-- command [arguments...]]

Shows the HTTP that travels through a socket. Without a command it listens until Ctrl-C; clients are to be sent there
(DOCKER_HOST). With one, DOCKER_HOST is set for it, the view goes to stderr, and it ends with the command's exit code.

";

const FLAGS: &str = "\
-l, --listen <endpoint>  Listen there: a path, unix://, tcp://127.0.0.1:port
-t, --to <endpoint>      Pass on to there; default: what the docker command would use
    --context <name>     Pass on to there, as this Docker context says
-o, --output <file>      Write the view to a file; - is stdout
-q, --quiet              No view
    --explain[=bytes]    Instead: what each line is for, and the rule; in hex too
    --body-limit <bytes> Show so much of a body at once; default 16384
    --color <when>       always, never or auto (default)
    --script <file>      Record a shell script that makes the same requests
    --script-for <tool>  ... of ucurl (default) or curl
    --har <file>         Record an HTTP archive (HAR 1.2), for browsers' tools
    --pcap <file>        Record a capture (pcapng), for Wireshark and tshark
    --record <dir>       Record the exact bytes and times, for ucurl replay
    --show-secrets       Do not cover credentials, in the view and the recordings
    --mode <octal>       Mode of the listening socket; default 600
    --allow-remote       Listen on a TCP address that other machines reach
    --allow-host <name>  Accept this Host on TCP
-h, --help               This text
";

/// How long what is under way at the end may take to finish.
const GRACE: Duration = Duration::from_millis(300);

/// Runs the verb; `args` is the whole command line.
pub fn main(args: &[Vec<u8>]) -> i32 {
    verb::main("tap", &[USAGE, FLAGS].concat(), FLAGS, args, |given| {
        if let Some(operand) = given.operands.first() {
            return Err(format!("{}: a command stands after --", operand.display()));
        }
        if given.command.as_ref().is_some_and(Vec::is_empty) {
            return Err("no command after --".into());
        }
        supervise::run(args, given.command.is_some(), |front| back(given, front))
    })
}

fn back(given: &Given, front: &Front) -> Result<i32, String> {
    let target = target(given)?;
    let (_directory, listener) = serve::listener(given)?;
    let mut relay = Relay::new(listener, target).show_secrets(given.has("show-secrets"));
    for host in given.values("allow-host") {
        relay = relay.allow_host(host.to_string_lossy());
    }
    let view = view(given, relay.target())?;
    let relay = record(given, view.into_iter().fold(relay, Relay::observe))?;
    let stopper = relay.stopper().map_err(|error| error.to_string())?;
    thread::scope(|scope| {
        let run = scope.spawn(|| relay.run());
        let code = serve::serve(given, relay.endpoint(), front, "tap");
        stopper.stop(GRACE);
        for problem in run.join().unwrap_or_default() {
            crate::say(&format!("tap: {problem}"));
        }
        Ok(code)
    })
}

fn view(given: &Given, target: &Endpoint) -> Result<Option<Box<dyn Observer>>, String> {
    if given.has("quiet") {
        return Ok(None);
    }
    let explain = match given.value("explain").and_then(OsStr::to_str) {
        None if !given.has("explain") => None,
        Some("") => Some(false),
        Some("bytes") => Some(true),
        _ => return Err("--explain: takes nothing, or =bytes".into()),
    };
    let limit = match given
        .value("body-limit")
        .map(|text| text.to_str().and_then(|text| text.parse().ok()))
    {
        None => text::BODY_LIMIT,
        Some(Some(limit)) => limit,
        Some(None) => return Err("--body-limit: needs a number of bytes".into()),
    };
    let (out, colour) = view_file(given)?;
    Ok(Some(match explain {
        None => Box::new(Text::new(out).colour(colour).body_limit(limit)),
        Some(bytes) => Box::new(Overheard::new(out, target, bytes, colour)),
    }))
}

/// Where the view goes, and whether it has colours there.
fn view_file(given: &Given) -> Result<(File, bool), String> {
    let file = match given.value("output") {
        Some(name) if name != "-" => {
            let file =
                File::options().write(true).create(true).truncate(true).mode(0o600).open(name);
            file.map_err(|error| format!("{}: {error}", name.display()))?
        }
        None if given.command.is_some() => File::from(
            io::stderr()
                .as_fd()
                .try_clone_to_owned()
                .map_err(|error| format!("stderr: {error}"))?,
        ),
        _ => File::from(
            io::stdout()
                .as_fd()
                .try_clone_to_owned()
                .map_err(|error| format!("stdout: {error}"))?,
        ),
    };
    let colour = match given.value("color").and_then(OsStr::to_str) {
        None if !given.has("color") => wants_colour(&file),
        Some("auto") => wants_colour(&file),
        Some("always") => true,
        Some("never") => false,
        _ => return Err("--color: is always, never or auto".into()),
    };
    Ok((file, colour))
}

/// What is dialled: an endpoint, or whatever the docker command would take.
fn target(given: &Given) -> Result<Endpoint, String> {
    if let Some(Ok(endpoint)) = given.value("to").map(Endpoint::parse) {
        return Ok(endpoint);
    }
    let flags = DaemonFlags {
        host: given.value("to").map(OsStr::to_owned),
        context: given.value("context").map(OsStr::to_owned),
    };
    let daemon = Daemon::resolve(&Process, &flags).map_err(|error| error.to_string())?;
    if !daemon.prefix.is_empty() {
        return Err(format!(
            "{}: paths are passed on as they are, so a host with a path cannot be",
            daemon.host
        ));
    }
    Ok(daemon.endpoint)
}

/// Adds the recorders that were asked for.
fn record(given: &Given, mut relay: Relay) -> Result<Relay, String> {
    let create = |name: &OsStr, mode: u32| {
        let file = File::options().write(true).create(true).truncate(true).mode(mode).open(name);
        file.map_err(|error| format!("{}: {error}", name.display()))
    };
    let failed = |name: &OsStr| format!("{}: ", name.display());
    let tool = match given.value("script-for").and_then(OsStr::to_str) {
        None if !given.has("script-for") => Tool::Ucurl,
        Some("ucurl") => Tool::Ucurl,
        Some("curl") => Tool::Curl,
        _ => return Err("--script-for: is ucurl or curl".into()),
    };
    let started = relay.started();
    for name in given.values("script") {
        let script = Script::new(create(name, 0o700)?, relay.target()).for_tool(tool);
        relay = relay.observe(script);
    }
    for name in given.values("har") {
        relay = relay.observe(
            Har::new(create(name, 0o600)?, started)
                .map_err(|error| failed(name) + &error.to_string())?,
        );
    }
    for name in given.values("pcap") {
        let place = relay.endpoint().to_string();
        let pcap = Pcap::new(create(name, 0o600)?, started, &place);
        relay = relay.observe(pcap.map_err(|error| failed(name) + &error.to_string())?);
    }
    for name in given.values("record") {
        let record = Record::create(name, started, !given.has("show-secrets"));
        relay = relay.observe(record.map_err(|error| failed(name) + &error.to_string())?);
    }
    Ok(relay)
}
