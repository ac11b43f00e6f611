//! `ucurl tap`: relays a Docker socket, and shows and records the traffic.

use super::listen::listener;
use super::outputs::{Outputs, failed};
use super::supervise::Front;
use super::web;
use crate::args::exit::Exit;
use crate::args::given::Given;
use crate::console::say;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};
use unix_http::Endpoint;
use unix_http::base::number::decimal;
use unix_http::base::text::wants_colour;
use unix_http::docker::{Daemon, DaemonFlags};
use unix_http::tap::{self, AllowList, Recording, Relay, Selection};
use unix_http::traffic::{Event, Explain, Observer, Text};
use unix_http::transport::PrivateDir;

/// Relays until the command ends or the front asks to stop.
pub fn serve(given: &Given, front: &Front) -> Result<i32, String> {
    if let Some(name) = given.value("read") {
        return read(given, name, front);
    }
    let selection = selection(given)?;
    // The outputs come first: a pipe may wait for its reader, but clients should not wait.
    let outputs = Outputs::open(given)?;
    let target = target(given)?;
    let (_directory, relay) = relay(given, &target)?;
    let (started, place) = (relay.started(), relay.endpoint().to_string());
    let web = web::open(given, &target, started, false)?;
    let (view, recorders) = observers(given, outputs, started, &target, &place)?;
    let relay = relay.show_secrets(given.has("show-secrets"));
    let observe = |relay: Relay, observer| relay.observe(selection.of(observer));
    let relay = view.into_iter().chain(web.iter().map(|web| web())).fold(relay, observe);
    let is_partial = given.has("only") || given.has("status");
    let code = if is_partial && !recorders.is_empty() {
        record_later(given, relay, front, (&selection, &recorders))?
    } else {
        run(given, recorders.into_iter().fold(relay, observe), front, given.has("quiet"))?
    };
    if web.is_some() && given.command.is_some() {
        stay(given, front, code);
    }
    Ok(code)
}

/// Shows the traffic of the demo on a page.
pub fn show_demo(given: &Given, front: &Front, demo: &Endpoint) -> Result<i32, String> {
    let (_directory, listener) = listener(given)?;
    let relay = Relay::new(listener, demo.clone());
    let web = web::open(given, relay.endpoint(), relay.started(), false)?;
    let relay = web.iter().map(|web| web()).fold(relay, Relay::observe);
    let code = run(given, relay, front, false)?;
    if web.is_some() && given.command.is_some() {
        stay(given, front, code);
    }
    Ok(code)
}

/// Keeps the page of a recording, or of a command that has ended with `code`.
fn stay(given: &Given, front: &Front, code: i32) {
    front.serves();
    say(&format!("{}: the page stays until Ctrl-C", given.verb.name()));
    front.stay(code);
}

/// Relays as [`run`] does, and passes the selected exchanges to the recorders at the end. The
/// selection depends on the responses.
fn record_later(
    given: &Given,
    relay: Relay,
    front: &Front,
    (selection, recorders): (&Selection, &[BoxedObserver]),
) -> Result<i32, String> {
    let directory = PrivateDir::new_in(std::env::temp_dir());
    let directory = directory.map_err(|error| format!("no private directory: {error}"))?;
    let all = directory.path().join("all");
    let wrong = |error| failed(all.as_os_str(), &error);
    let whole = tap::record(&all, relay.started(), !given.has("show-secrets"));
    let code = run(given, relay.observe(whole.map_err(wrong)?), front, given.has("quiet"));
    let recorded = Recording::open(&all);
    let recorded = recorded.and_then(|recording| record(given, &recording, selection, recorders));
    _ = std::fs::remove_dir_all(&all);
    let wrote = recorded.map_err(wrong)?;
    code.map(|code| if code == 0 { wrote } else { code })
}

/// Passes a recording to recorders. Returns the exit code.
fn record(
    given: &Given,
    recording: &Recording,
    selection: &Selection,
    recorders: &[BoxedObserver],
) -> io::Result<i32> {
    let mut code = 0;
    for recorder in recorders {
        if let Some(why) = selection.record(recording, !given.has("show-secrets"), &**recorder)? {
            say(&format!("tap: {why}"));
            code = Exit::Write as i32;
        }
    }
    Ok(code)
}

/// Shows and converts a recording or a HAR.
fn read(given: &Given, name: &OsStr, front: &Front) -> Result<i32, String> {
    if given.command.is_some() {
        return Err("--read: a recording takes no command".into());
    }
    let selection = selection(given)?;
    // An output may have the same name, so everything is read before the outputs are opened.
    let recording = match Path::new(name).is_dir() {
        true => Recording::open(name),
        false => {
            exact(given)?;
            std::fs::read(name).and_then(|text| Recording::from_har(&text))
        }
    };
    let wrong = |error| failed(name, &error);
    let recording = recording.map_err(wrong)?;
    let outputs = Outputs::open(given)?;
    let target = Endpoint::Unix("/var/run/docker.sock".into());
    let place = target.to_string();
    let web = web::open(given, &target, recording.started, true)?;
    let (view, recorders) = observers(given, outputs, recording.started, &target, &place)?;
    let mut problem = None;
    // The page first, because the view waits for its reader.
    for observer in web.iter().map(|web| web()).chain(view) {
        let shown = recording.show(!given.has("show-secrets"), &selection.of(observer));
        problem = problem.or(shown.map_err(wrong)?);
    }
    let code = record(given, &recording, &selection, &recorders).map_err(wrong)?;
    let says = problem.iter().chain(&recording.remarks);
    says.for_each(|why| say(&format!("tap: {why}")));
    let code = if problem.is_some() { Exit::Write as i32 } else { code };
    if web.is_some() {
        stay(given, front, code);
    }
    Ok(code)
}

/// Refuses options that need the bytes and times of a recording.
fn exact(given: &Given) -> Result<(), String> {
    let bytes = given.value("explain") == Some(OsStr::new("bytes"));
    let exact = ["record", "pcap"].into_iter().find(|option| given.has(option));
    exact.or(bytes.then_some("explain=bytes")).map_or(Ok(()), |option| {
        let why = "a HAR does not have the bytes as they were sent (read a recording)";
        Err(format!("--{option}: {why}"))
    })
}

/// Creates a relay between `--listen` and `target`.
pub fn relay(given: &Given, target: &Endpoint) -> Result<(Option<PrivateDir>, Relay), String> {
    let (directory, listener) = listener(given)?;
    let hosts = given.values("allow-host").map(OsStr::to_string_lossy);
    Ok((directory, hosts.fold(Relay::new(listener, target.clone()), Relay::allow_host)))
}

/// Runs a relay until the command ends or the front asks to stop.
///
/// # Errors
/// Reports a failed output at once, and in the exit code unless the command has one.
pub fn run(given: &Given, relay: Relay, front: &Front, quiet: bool) -> Result<i32, String> {
    let verb = given.verb.name();
    let connected = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&connected);
    let relay = match given.command.is_some() && !quiet {
        true => relay.observe(OnEvent(move |_: &Event<'_>| seen.store(true, Ordering::Release))),
        false => relay,
    };
    let relay = &relay.on_problem(move |problem| say(&format!("{verb}: {problem}")));
    let stopper = relay.stopper().map_err(|error| error.to_string())?;
    let (code, problems) = front.serve_beside(given, relay.endpoint(), &stopper, || relay.run());
    let told = quiet || matches!(code, 126 | 127);
    if given.command.is_some() && !told && !connected.load(Ordering::Acquire) {
        let why = "the command did not connect; it must use DOCKER_HOST \
                   (sudo needs -E; -H and --context override it)";
        say(&format!("{verb}: {why}"));
    }
    Ok(if code == 0 && !problems.is_empty() { Exit::Write as i32 } else { code })
}

/// Calls a function with each event.
pub struct OnEvent<F>(pub F);

impl<F: Fn(&Event<'_>) + Send + Sync> Observer for OnEvent<F> {
    fn see(&self, _: u64, _: Duration, event: &Event<'_>) {
        self.0(event);
    }
}

/// A terminal that receives CR LF for LF.
struct RawTerminal(File);

impl Write for RawTerminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let lines: Vec<_> = bytes.split(|&byte| byte == b'\n').collect();
        self.0.write_all(&lines.join(&b"\r\n"[..]))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn view(given: &Given, target: &Endpoint, out: File) -> Result<BoxedObserver, String> {
    let mut limit = None;
    if let Some(bytes) = given.value("body-limit") {
        let bytes = decimal(bytes.as_bytes()).and_then(|n| usize::try_from(n).ok());
        limit = Some(bytes.ok_or("--body-limit: needs a number of bytes")?);
    }
    let colour = match given.value("color").and_then(OsStr::to_str) {
        None | Some("auto") => wants_colour(&out),
        Some(when) => when == "always",
    };
    let body = given.value("body").and_then(OsStr::to_str);
    // A command may have put the terminal into raw mode, in which LF does not return to column 1.
    let out: Box<dyn Write + Send> = match given.command.is_some() && out.is_terminal() {
        true => Box::new(RawTerminal(out)),
        false => Box::new(out),
    };
    Ok(match given.value("explain") {
        None => {
            let mut text = Text::new(out).colour(colour).full(body == Some("full"));
            if limit.is_some() || body == Some("none") {
                text = text.body_limit(limit.filter(|_| body != Some("none")));
            }
            Box::new(text.brief(given.has("brief")).time(given.has("time")))
        }
        Some(how) => {
            let explain = Explain::new(BufWriter::new(out)).overheard(target);
            Box::new(explain.bytes(how == "bytes").colour(colour))
        }
    })
}

/// Returns the endpoint of `--to`, or of the engine that the docker command would use.
pub fn target(given: &Given) -> Result<Endpoint, String> {
    if let Some(Ok(endpoint)) = given.value("to").map(Endpoint::parse) {
        return Ok(endpoint);
    }
    let flags = DaemonFlags {
        host: given.value("to").map(OsStr::to_owned),
        context: given.value("context").map(OsStr::to_owned),
    };
    let daemon = Daemon::resolve(&flags).map_err(|error| error.to_string())?;
    if !daemon.prefix.is_empty() {
        let why = "but tap forwards paths unchanged; name a host without a path";
        return Err(format!("the host has the path {}, {why}", daemon.prefix));
    }
    Ok(daemon.endpoint)
}

/// Returns the selection of exchanges to show and record.
fn selection(given: &Given) -> Result<Selection, String> {
    let text = |option| given.value(option).map(OsStr::to_string_lossy);
    let mut selection = Selection::default();
    if let Some(number) = text("connection") {
        let number = decimal(number.as_bytes()).ok_or("--connection: needs a number")?;
        selection = selection.connection(number);
    }
    let wrong = |option| move |error| format!("--{option}: {error}");
    if let Some(pattern) = text("only") {
        selection = selection.request(&pattern).map_err(wrong("only"))?;
    }
    if let Some(pattern) = text("status") {
        selection = selection.status(&pattern).map_err(wrong("status"))?;
    }
    Ok(selection)
}

type BoxedObserver = Box<dyn Observer>;

/// Creates the requested view and recorders of traffic that arrives at `place`.
fn observers(
    given: &Given,
    outputs: Outputs,
    started: SystemTime,
    target: &Endpoint,
    place: &str,
) -> Result<(Option<BoxedObserver>, Vec<BoxedObserver>), String> {
    let for_curl = given.value("script-for") == Some(OsStr::new("curl"));
    let cover = !given.has("show-secrets");
    let mut recorders: Vec<BoxedObserver> = Vec::new();
    for (option, name, file) in outputs.recorders {
        let wrong = |error| failed(name, &error);
        recorders.push(match option {
            "script" if for_curl => Box::new(tap::curl_script(file, target)),
            "script" => Box::new(tap::script(file, target)),
            "har" => Box::new(tap::har(file, started, cover).map_err(wrong)?),
            "pcap" => Box::new(tap::pcap(file, started, place).map_err(wrong)?),
            _ => Box::new(needed_rules(file)),
        });
    }
    for name in given.values("record") {
        let record = tap::record(Path::new(name), started, cover);
        recorders.push(Box::new(record.map_err(|error| failed(name, &error))?));
    }
    let view = outputs.view.map(|out| view(given, target, out)).transpose()?;
    Ok((view, recorders))
}

/// Returns an observer that writes the rule that each request needs, once.
fn needed_rules(mut out: impl Write + Send) -> impl Observer {
    let mut written = BTreeSet::new();
    AllowList::default().watch(move |x, denied| {
        let comment = || format!("# {} {}: {denied}", x.method(), x.target().escape_ascii());
        let line = denied.needed.clone().unwrap_or_else(comment) + "\n";
        if written.insert(line.clone()) { out.write_all(line.as_bytes()) } else { Ok(()) }
    })
}
