//! The whole command line: groups, URLs, tries, and what is said of each.

use crate::args::config::{Config, Group, Node, Trace};
use crate::args::exit::Exit;
use crate::fetch::dial::{self, Place};
use crate::fetch::failure::Failure;
use crate::fetch::password;
use crate::fetch::request;
use crate::fetch::retry::{self, Waits};
use crate::fetch::transfer;
use crate::fetch::transfer::Transfer;
use crate::fetch::url::{self, How, Url};
use crate::output::messages::{Messages, stdout};
use crate::output::output;
use crate::output::sink::{Meter, Sink, Terminal};
use crate::output::trace::Tracer;
use crate::output::writeout::{self, To};
use std::fs::{File, OpenOptions};
use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use unix_http::Client;
use unix_http::base::percent::decode_lenient;
use unix_http::client::Observer;
use unix_http::docker::{Engine, EngineError};

/// What the transfers of one command line share.
pub struct Session {
    pub tracer: Option<Arc<Tracer>>,
    pub messages: Messages,
    pub stdout: File,
    pub terminal: Terminal,
    bar: bool,
    meter: bool,
    fail_early: bool,
    /// An engine of our own answers.
    demo: bool,
}

/// One endpoint's client, and whether its server spoke HTTP/1.0 on the connection that is kept.
struct Known {
    engine: Engine,
    prefix: String,
    http10: bool,
}

/// Runs everything; the exit code is that of the last transfer, as it is in curl.
pub fn run(mut config: Config) -> Exit {
    let messages = match Messages::new(&config.global) {
        Ok(messages) => messages,
        Err(_) => return Exit::Write,
    };
    for warning in &config.warnings {
        messages.put(&[b"Warning: ", &warning[..], b"\n"].concat());
    }
    let session = match session(&config, messages) {
        Ok(session) => session,
        Err(error) => {
            crate::say(&format!("cannot open what the trace goes to: {error}"));
            return Exit::Write;
        }
    };
    prepare(&mut config);
    let mut known = Vec::new();
    let (mut last, mut number) = (Exit::Ok, 0);
    for group in &config.groups {
        if group.nodes.first().is_none_or(|node| node.url.is_none()) {
            crate::say("no URL; -h helps");
            return Exit::Usage;
        }
        if let Some(why) = contradiction(group) {
            session.messages.warn(why);
            return Exit::Usage;
        }
        for (at, node) in group.nodes.iter().enumerate() {
            let Some(url) = &node.url else {
                session.messages.warn("There are more outputs than URLs");
                break;
            };
            last = one(&session, group, node, url, &mut known, number, at == 0);
            number += 1;
            if last == Exit::Usage || (last != Exit::Ok && session.fail_early) {
                return last;
            }
        }
    }
    last
}

fn session(config: &Config, messages: Messages) -> std::io::Result<Session> {
    let global = &config.global;
    let stdout = stdout()?;
    let is = stdout.is_terminal();
    let observed =
        |group: &Group| group.include || group.dump_header.is_some() || group.write_out.is_some();
    let seen = global.trace != Trace::None || global.explain.is_some();
    let tracer = match seen || config.groups.iter().any(observed) {
        true => Some(Arc::new(Tracer::new(global, &messages)?)),
        false => None,
    };
    Ok(Session {
        tracer,
        stdout,
        terminal: Terminal { is, styled: !global.no_styled_output },
        bar: global.progress_bar,
        // Between the lines of an explanation it could not be read.
        meter: !global.silent && !global.no_progress_meter && global.explain.is_none(),
        fail_early: global.fail_early,
        demo: global.demo,
        messages,
    })
}

/// What curl settles before the first transfer: the fields of `--json`, and passwords.
fn prepare(config: &mut Config) {
    let several = config.groups.len() > 1;
    for (at, group) in config.groups.iter_mut().enumerate() {
        request::headers_with_json(group);
        if let Some(user) =
            group.user.as_mut().filter(|user| !user.contains(&b':') && group.bearer.is_none())
        {
            let mut prompt = [b"Enter host password for user '", &user[..], b"'"].concat();
            if several {
                prompt.extend_from_slice(format!(" on URL #{}", at + 1).as_bytes());
            }
            prompt.push(b':');
            let password = password::ask(&prompt);
            user.push(b':');
            user.extend_from_slice(&password);
        }
    }
}

/// A method given by -X that is used anyway.
fn note_method(messages: &Messages, group: &Group, node: &Node) {
    let Some(method) = &group.request else { return };
    let uploads = node.upload.as_ref().is_some_and(|name| !name.is_empty());
    let usual: &[u8] = match (group.head, uploads, group.post.is_some() && !group.get) {
        (true, ..) => b"HEAD",
        (_, true, _) => b"PUT",
        (_, _, true) => b"POST",
        _ => b"GET",
    };
    if method.eq_ignore_ascii_case(usual) {
        messages.note(
            &["-X ", &String::from_utf8_lossy(method), " is not needed: it is the method anyway"]
                .concat(),
        );
    }
}

/// `-I`, `-d` and `-T` each name a method; `--hijack` has no use for an upload.
fn contradiction(group: &Group) -> Option<&'static str> {
    let uploads =
        group.nodes.iter().any(|node| node.upload.as_ref().is_some_and(|name| !name.is_empty()));
    if group.hijack && uploads {
        return Some(
            "--hijack sends stdin when the connection is upgraded, -T content before: only one of them",
        );
    }
    let posts = group.post.is_some();
    let sends_post = posts && !group.get;
    let heads = group.head_set || (posts && group.get);
    match (heads, sends_post, uploads) {
        (true, true, _) => Some(
            "Only one request method can be chosen: -I and -d ask for two (-G puts -d into the URL)",
        ),
        (true, _, true) => Some("Only one request method can be chosen: -T asks for PUT"),
        (_, true, true) => Some("Only one request method can be chosen: -d and -T ask for two"),
        _ => None,
    }
}

/// One URL, with its tries.
fn one(
    session: &Session,
    group: &Group,
    node: &Node,
    given: &[u8],
    known: &mut Vec<Known>,
    number: usize,
    first: bool,
) -> Exit {
    let messages = &session.messages;
    let fail = |failure: Failure| {
        if !failure.quiet {
            messages.error(failure.exit, &failure.text);
        }
        failure.exit
    };
    let (url, shown) = match address(group, node, given) {
        Ok(found) => found,
        Err(failure) => {
            if let Some(format) = &group.write_out {
                write_out(
                    session,
                    format,
                    &writeout::Info::of_no_transfer(given, number, &failure),
                );
            }
            return fail(failure);
        }
    };
    let name = match output::name(node, group, &url) {
        Ok(name) => name,
        Err(why) => return fail(Failure::new(Exit::Write, why)),
    };
    let heads = match heads_file(session, group, first) {
        Ok(heads) => heads,
        Err(error) => {
            return fail(Failure::new(
                Exit::Write,
                format!("cannot open the file of --dump-header: {error}"),
            ));
        }
    };
    let at = match dial::place(group, &url) {
        Ok(place) => {
            if let Some(tracer) = &session.tracer {
                let why =
                    if session.demo { "--demo has started an engine there" } else { &place.why };
                tracer.explain(&format!("the endpoint is {}: {why}", place.endpoint), "");
            }
            client(known, place, group, session)
        }
        Err(failure) => return fail(failure),
    };
    let explicit = node.output.as_deref() == Some(b"-");
    let mut sink = Sink::new(name, explicit, group, session.terminal, &session.stdout, messages);
    let to_terminal = sink.name.is_none() && session.terminal.is;
    let login = login(group, &url);
    if let Some(tracer) = &session.tracer {
        tracer.hop(&String::from_utf8_lossy(&url.host));
    }
    let url = match group.negotiate_api.then(|| versioned(&known[at].engine, &url)) {
        None => url,
        Some(Ok(url)) => url,
        Some(Err(failure)) => return fail(failure),
    };
    let Known { engine, http10, .. } = &known[at];
    let client = engine.client();
    let mut transfer =
        Transfer::new(session, group, node, url, login, client, heads.as_ref(), *http10);
    if let Err(failure) = transfer.check_source() {
        return fail(failure);
    }
    // What is taken apart, or joined to us, has a stderr of its own.
    if session.meter && !to_terminal && !group.demux && !group.hijack {
        sink.meter = Some(Meter::new(session.bar.then(columns), messages));
    }
    note_method(messages, group, node);
    let (mut waits, start, mut left) = (Waits::new(group.retry_delay), Instant::now(), group.retry);
    let exit = loop {
        let mut result = transfer.run(&mut sink);
        let status = transfer.info.response_code;
        if result.is_ok() {
            result = sink.ensure_file();
        }
        if result.is_ok() && group.fail_with_body && status >= 400 {
            let text = format!("The requested URL returned error: {status}");
            result = Err(Failure::new(Exit::HttpError, text));
        }
        if let Some(meter) = &mut sink.meter {
            meter.end(messages);
        }
        if let Err(failure) = &result
            && !failure.quiet
        {
            messages.error(failure.exit, &failure.text);
        }
        // What has gone out of stdin cannot go out again.
        let joined = group.hijack && (100..300).contains(&status);
        let again =
            left > 0 && !joined && within(group, start) && is_transient(group, status, &result);
        if let Some(why) = again.then(|| reason(group, status, &result)) {
            let after =
                transfer.retry_after.as_deref().and_then(|value| retry::after(value, now()));
            let after = after.filter(|_| why == ": HTTP error");
            let too_late = |after: u64| {
                group.retry_max_time > 0 && start.elapsed().as_secs() + after > group.retry_max_time
            };
            if after.is_some_and(too_late) {
                messages.warn("The Retry-After time would exceed --retry-max-time");
            } else {
                let wait = waits.next(after);
                messages.warn(&format!(
                    "Problem {why}. Will retry in {} seconds. {left} retries left.",
                    wait.as_secs()
                ));
                left -= 1;
                match sink.rewind() {
                    Ok(0) => {}
                    Ok(bytes) if !messages.silent => {
                        messages.put(format!("Throwing away {bytes} bytes\n").as_bytes())
                    }
                    Ok(_) => {}
                    Err(error) => break fail(Failure::of_writing(&error, false)),
                }
                std::thread::sleep(wait);
                continue;
            }
        }
        if let Err(failure) = &result {
            transfer.info.error = Some(failure.text.clone());
            transfer.info.exit = failure.exit as u8;
        }
        break result.map_or_else(|failure| failure.exit, |()| Exit::Ok);
    };
    if exit != Exit::Ok && group.remove_on_error {
        sink.remove();
    }
    if let Some(format) = &group.write_out {
        transfer.info.url = shown;
        transfer.info.urlnum = number;
        write_out(session, format, &transfer.info);
    }
    let http10 = transfer.http10_server && transfer.kept;
    known[at].http10 = http10;
    exit
}

/// The URL as it is asked for: with the data of `-G` or `--url-query`, or the name of the file of
/// `-T`.
///
/// Beside it the URL as `%{url}` shows it: to the letter where nothing was added.
fn address(group: &Group, node: &Node, given: &[u8]) -> Result<(Url, Vec<u8>), Failure> {
    let how = How { path_as_is: group.path_as_is, encode: false };
    let wrong = |error: url::UrlError| {
        let given = String::from_utf8_lossy(given);
        Failure::new(error.exit, format!("the URL '{}' {}", given.escape_debug(), error.why))
    };
    let mut url = Url::parse(given, how).map_err(wrong)?;
    let mut shown = given.to_vec();
    if group.disallow_username && url.user.is_some() {
        return Err(Failure::new(
            Exit::Login,
            "the URL has a user name, which --disallow-username-in-url refuses",
        ));
    }
    if let Some(name) = node.upload.as_deref().filter(|name| !matches!(*name, b"" | b"-" | b".")) {
        let path = url::with_file_name(&url.path, name);
        if path != url.path {
            url.path = path;
            shown = url.to_bytes();
        }
    }
    let data = group.post.as_ref().filter(|_| group.get).or(group.query.as_ref());
    if let Some(data) = data {
        // curl writes the URL out and reads it again: nothing in it may be what a URL cannot hold,
        // and its path loses its dots.
        url.add_query(data);
        url = Url::parse(&url.to_bytes(), How::default()).map_err(wrong)?;
        shown = url.to_bytes();
    }
    Ok((url, shown))
}

/// `--negotiate-api`: the version that both sides speak goes before the path.
fn versioned(engine: &Engine, url: &Url) -> Result<Url, Failure> {
    let path = engine.target(&String::from_utf8_lossy(&url.path)).map_err(|error| match error {
        EngineError::Exchange(error) => Failure::from(error),
        other => Failure::new(Exit::Usage, other.to_string()),
    })?;
    Ok(Url { path: path.into_bytes(), ..url.clone() })
}

/// `-u`, or the user and password of the URL.
fn login(group: &Group, url: &Url) -> Option<Vec<u8>> {
    if group.user.is_some() {
        return group.user.clone();
    }
    let decoded = |part: &Option<Vec<u8>>| decode_lenient(part.as_deref().unwrap_or_default());
    url.user.as_ref()?;
    Some([decoded(&url.user), b":".to_vec(), decoded(&url.password)].concat())
}

fn client(
    known: &mut Vec<Known>,
    Place { endpoint, prefix, .. }: Place,
    group: &Group,
    session: &Session,
) -> usize {
    if let Some(at) = known
        .iter()
        .position(|known| *known.engine.client().endpoint() == endpoint && known.prefix == prefix)
    {
        return at;
    }
    // The limits hold for what is asked beside the transfers too, such as the version.
    let mut builder = Client::builder(endpoint).prefix(&prefix).timeouts(transfer::limits(group));
    if let Some(tracer) = &session.tracer {
        builder = builder.observer(Arc::clone(tracer) as Arc<dyn Observer>);
    }
    known.push(Known { engine: Engine::new(builder.build()), prefix, http10: false });
    known.len() - 1
}

/// `-D`: emptied by the first transfer of its group, appended to by the others.
fn heads_file(session: &Session, group: &Group, first: bool) -> std::io::Result<Option<File>> {
    match group.dump_header.as_deref() {
        None => Ok(None),
        Some(b"-") => session.stdout.try_clone().map(Some),
        Some(name) => {
            let mut options = OpenOptions::new();
            options.create(true).append(true);
            if first {
                File::create(output::path(name))?;
            }
            options.open(output::path(name)).map(Some)
        }
    }
}

fn within(group: &Group, start: Instant) -> bool {
    group.retry_max_time == 0 || start.elapsed().as_secs() < group.retry_max_time
}

/// Whether the trouble may be gone a little later.
fn is_transient(group: &Group, status: u16, result: &Result<(), Failure>) -> bool {
    match result {
        Ok(()) => retry::is_transient(status),
        Err(failure) => match failure.exit {
            Exit::Timeout | Exit::Resolve => true,
            Exit::Connect if group.retry_connrefused && failure.refused => true,
            Exit::HttpError if retry::is_transient(status) => true,
            _ => group.retry_all_errors,
        },
    }
}

fn reason(group: &Group, status: u16, result: &Result<(), Failure>) -> &'static str {
    match result {
        Err(failure) if matches!(failure.exit, Exit::Timeout | Exit::Resolve) => ": timeout",
        Err(failure) if failure.refused && group.retry_connrefused => ": connection refused",
        Err(failure) if failure.exit == Exit::HttpError && retry::is_transient(status) => {
            ": HTTP error"
        }
        Ok(()) => ": HTTP error",
        Err(_) => "(retrying all errors)",
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs())
}

fn write_out(session: &Session, format: &[u8], info: &writeout::Info) {
    for (to, text) in writeout::render(format, info) {
        match to {
            To::Stdout => _ = (&session.stdout).write_all(&text),
            // Not where --stderr says: so it is in curl.
            To::Stderr => _ = std::io::stderr().write_all(&text),
        }
    }
}

/// The width of the bar.
fn columns() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns.filter(|columns| (21..10_000).contains(columns)).unwrap_or(79)
}
