//! Runs the whole command line: all its URLs, one after the other. For each, finds the server,
//! makes the request, and tries it as often as the flags say.

use crate::args::config::{Config, Destination, Group, Trace};
use crate::args::exit::Exit;
use crate::console::unbuffered;
use crate::fetch::attempt::Attempt;
use crate::fetch::request::{self, Hop, RequestContent};
use crate::fetch::retry;
use crate::fetch::session::Session;
use crate::fetch::url::Url;
use crate::output::messages::{Failure, Messages};
use crate::output::meter::{Meter, Monitor};
use crate::output::sink::{self, Sink};
use crate::output::terminal;
use crate::output::trace::Tracer;
use crate::output::writeout::{self, TransferInfo};
use crate::plan::{self, FetchPlan, Operation, Source};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use unix_http::Endpoint;
use unix_http::base::sync::lock;
use unix_http::base::text::without_password;

/// Runs everything. As in curl, the exit code is that of the last transfer.
///
/// The engine of `--demo` answers at `demo`.
pub fn run(config: Config, demo: Option<&Endpoint>) -> Exit {
    let Config { global, groups, warnings } = config;
    let Ok(messages) = Messages::new(&global) else { return Exit::Write };
    for warning in &warnings {
        messages.put(&[b"Warning: ", &warning[..], b"\n"].concat());
    }
    let set_up = || {
        let operations = groups.into_iter().map(Operation::new).collect::<Result<Vec<_>, _>>()?;
        let open = || Ok((unbuffered(io::stdout())?, Tracer::new(&global, &messages)?));
        let (stdout, tracer) = open().map_err(|error: io::Error| {
            let text = format!("cannot open the file of --trace: {error}");
            Failure::new(Exit::Write, text)
        })?;
        Ok((operations, stdout, tracer))
    };
    let (mut operations, stdout, tracer) = match set_up() {
        Ok(ready) => ready,
        Err(Failure { text, exit, .. }) => {
            messages.put(format!("ucurl: {text}\n").as_bytes());
            return exit;
        }
    };
    if let Some(demo) = demo {
        operations.iter_mut().for_each(|operation| operation.socket = Some(demo.clone()));
    }
    ask_passwords(&mut operations);
    let tracer = Arc::new(Mutex::new(tracer));
    let session = Session { messages, tracer, stdout, global, servers: Default::default() };
    transfers(&session, &operations).unwrap_or_else(|failure| session.report(&failure))
}

/// Completes each `-u USER` without a password.
fn ask_passwords(operations: &mut [Operation]) {
    let several = operations.len() > 1;
    for (at, Operation { flags, .. }) in operations.iter_mut().enumerate() {
        let Some(user) = flags.user.as_mut().filter(|user| !user.contains(&b':')) else { continue };
        if flags.oauth2_bearer.is_some() {
            continue;
        }
        let which = if several { format!(" on URL #{}", at + 1) } else { String::new() };
        let prompt = [b"Enter host password for user '", &user[..], b"'", which.as_bytes(), b":"];
        let password = terminal::ask_password(&prompt.concat());
        user.push(b':');
        user.extend_from_slice(&password);
    }
}

/// Runs the transfers of all operations. As in curl, a transfer that cannot be set up ends the run;
/// one that fails does not.
fn transfers(session: &Session, operations: &[Operation]) -> Result<Exit, Failure> {
    let (mut last, mut number) = (Exit::Ok, 0);
    for operation in operations {
        let fetches = match &operation.fetches {
            Ok(fetches) => fetches,
            Err(why) => {
                session.messages.put(format!("ucurl: {why}\n").as_bytes());
                return Ok(Exit::Usage);
            }
        };
        let heads = heads_file(session, operation).map_err(|error| {
            let text = format!("cannot open the file of --dump-header: {error}");
            Failure::new(Exit::Write, text)
        })?;
        for fetch in fetches {
            last = transfer(session, operation, fetch, heads.as_ref(), number)?;
            number += 1;
            if last == Exit::Usage || (last != Exit::Ok && session.global.fail_early) {
                return Ok(last);
            }
        }
        if operation.urls_missing {
            session.messages.warn("There are more outputs than URLs");
        }
    }
    Ok(last)
}

/// `-D`: opens the file that the transfers of an operation share.
fn heads_file(session: &Session, operation: &Operation) -> io::Result<Option<File>> {
    match operation.flags.dump_header.as_deref() {
        None => Ok(None),
        Some(b"-") => session.stdout.try_clone().map(Some),
        Some(b"%") => session.messages.out.try_clone().map(Some),
        Some(name) => {
            let name = plan::path(name);
            sink::make_parent(name, &operation.flags)?;
            File::create(name)?;
            OpenOptions::new().append(true).open(name).map(Some)
        }
    }
}

/// Transfers one URL, prints what happens, and returns the exit code; fails if the transfer cannot
/// be set up. `heads` is the file of `-D`.
fn transfer(
    session: &Session,
    operation: &Operation,
    fetch: &FetchPlan,
    heads: Option<&File>,
    urlnum: usize,
) -> Result<Exit, Failure> {
    let flags = &operation.flags;
    // `-w`
    let write_out = |info, failure: Option<&Failure>| {
        if let Some(format) = &flags.write_out {
            let exit = failure.map_or(0, |failure| failure.exit as u8);
            let error = failure.map(|failure| failure.text.to_string());
            let info = TransferInfo { urlnum, exit, error, ..info };
            writeout::write(format, &info, &session.stdout, &session.messages.out);
        }
    };
    let (url, shown) = match address(flags, fetch) {
        Ok(found) => found,
        Err(failure) => {
            let (url, method) = (fetch.url.clone(), b"GET".to_vec());
            let url_effective = url.clone();
            let info = TransferInfo { url, url_effective, method, ..TransferInfo::default() };
            write_out(info, Some(&failure));
            return Ok(session.report(&failure));
        }
    };
    let mut attempt = prepare(session, operation, fetch, heads, url)?;
    let failure = retry::tries(&mut attempt).err();
    if failure.is_some() && flags.remove_on_error {
        attempt.sink.remove();
    }
    attempt.server.http10.set(attempt.server.http10.get() && attempt.kept);
    write_out(TransferInfo { url: shown, ..attempt.info }, failure.as_ref());
    Ok(failure.map_or(Exit::Ok, |failure| failure.exit))
}

/// Returns the URL to request: with the data of `-G` or `--url-query`, or the name of the file of
/// `-T`. The second value is for `%{url}`: the URL as it was typed, if nothing was added.
fn address(flags: &Group, fetch: &FetchPlan) -> Result<(Url, Vec<u8>), Failure> {
    let typed = &fetch.url;
    let wrong = |error: Failure| {
        Failure::new(error.exit, format!("the URL '{}' {}", without_password(typed), error.text))
    };
    let mut url = Url::parse(typed, flags.path_as_is).map_err(wrong)?;
    let mut shown = typed.clone();
    if flags.disallow_username_in_url && url.login.is_some() {
        let text = "the URL has a user name, which --disallow-username-in-url refuses";
        return Err(Failure::new(Exit::Login, text));
    }
    if let Source::File(file) = &fetch.source
        && url.path.ends_with(b"/")
        && url.query.is_none()
    {
        let file = file.as_os_str().as_encoded_bytes();
        let name = file.rsplit(|byte| b"/\\".contains(byte)).next().unwrap_or_default();
        url.add_file_name(name);
        shown = url.to_bytes();
    }
    if let Some(data) = &flags.query {
        // curl writes the URL and parses it again: the data must not contain bytes that a URL
        // cannot contain, and the dots of the path are removed.
        url.add_query(data);
        url = Url::parse(&url.to_bytes(), false).map_err(wrong)?;
        shown = url.to_bytes();
    }
    Ok((url, shown))
}

/// Names the output, finds the server and measures the content.
fn prepare<'p>(
    session: &'p Session,
    operation: &'p Operation,
    fetch: &'p FetchPlan,
    heads: Option<&'p File>,
    mut url: Url,
) -> Result<Attempt<'p>, Failure> {
    let (flags, global) = (&operation.flags, &session.global);
    let directory = plan::path(flags.output_dir.as_deref().unwrap_or_default());
    let name = sink::file_name(&fetch.destination, directory, &url.path)
        .map_err(|why| Failure::new(Exit::Write, why))?;
    if fetch.destination == Destination::UrlName && url.path == b"/" {
        session.messages.warn("The URL has no file name, so -O writes curl_response");
    }
    let server = session.server(operation, &mut url)?;
    let styled = !global.no_styled_output;
    let sink = Sink::new(name, &fetch.destination, flags, &session.stdout, styled);
    let first = first_hop(operation, url, &fetch.source)?;
    // Frames, a raw connection and an explanation use stderr: no meter there.
    let quiet = global.silent || global.no_progress_meter || global.explain.is_some();
    let quiet = quiet || sink.to_terminal || flags.demux || flags.hijack;
    let meter = || Arc::new(Mutex::new(Meter::new(global.progress_bar, &session.messages)));
    let meter = (!quiet).then(meter);
    lock(&session.tracer).meter = meter.clone();
    if let Some(method) = &flags.request
        && global.trace != Trace::None
        && method.eq_ignore_ascii_case(request::usual_method(flags, first.content))
    {
        let method = String::from_utf8_lossy(method);
        let text = format!("Note: -X {method} is not needed: it is the default here");
        session.messages.say(&text);
    }
    Ok(Attempt {
        session,
        operation,
        source: &fetch.source,
        first,
        heads,
        sink,
        monitor: Monitor::new(meter, operation),
        start: Instant::now(),
        info: TransferInfo::default(),
        server,
        kept: false,
    })
}

/// Makes the hop before any redirect.
fn first_hop(operation: &Operation, url: Url, source: &Source) -> Result<Hop, Failure> {
    let flags = &operation.flags;
    let of_url = || url.login.as_deref().map(request::login);
    let login = flags.user.clone().or_else(of_url);
    let content = match source {
        Source::None => RequestContent::None,
        Source::Post => RequestContent::Post(operation.post.length),
        Source::Stdin => RequestContent::Put(None),
        Source::File(name) => {
            let measured = name.metadata().and_then(|metadata| match metadata.is_file() {
                _ if metadata.is_dir() => Err(ErrorKind::IsADirectory.into()),
                true => File::open(name).map(|_| Some(metadata.len())),
                // Opened once: the writer of a pipe would see it closed.
                false => Ok(None),
            });
            RequestContent::Put(measured.map_err(Failure::of_reading(name))?)
        }
    };
    Ok(Hop { url, content, login, referer: flags.referer.clone(), ..Hop::default() })
}
