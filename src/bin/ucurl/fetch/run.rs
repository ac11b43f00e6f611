//! Runs the whole command line: all its URLs, one after the other.

use crate::args::config::{Config, Group};
use crate::args::exit::Exit;
use crate::fetch::session::Session;
use crate::fetch::transfer;
use crate::output::failure::Failure;
use crate::output::messages::Messages;
use crate::output::output_file;
use crate::output::sink::unbuffered;
use crate::output::terminal;
use crate::output::trace::Tracer;
use crate::plan::{self, Operation};
use std::fs::{File, OpenOptions};
use std::io;
use std::sync::Arc;
use unix_http::Endpoint;

/// Runs everything. As in curl, the exit code is that of the last transfer.
///
/// The engine of `--demo` answers at `demo`.
pub fn run(config: Config, demo: Option<&Endpoint>) -> Exit {
    let Config { global, groups, warnings } = config;
    let Ok(messages) = Messages::new(&global) else { return Exit::Write };
    for warning in &warnings {
        messages.put(&[b"Warning: ", &warning[..], b"\n"].concat());
    }
    let operations: Result<Vec<_>, _> = groups.into_iter().map(operation).collect();
    let mut operations = match operations {
        Ok(operations) => operations,
        Err(Failure { text, exit, .. }) => {
            messages.put(format!("ucurl: {text}\n").as_bytes());
            return exit;
        }
    };
    if let Some(demo) = demo {
        operations.iter_mut().for_each(|operation| operation.socket = Some(demo.clone()));
    }
    let opened =
        unbuffered(io::stdout()).and_then(|stdout| Ok((stdout, Tracer::new(&global, &messages)?)));
    let (stdout, tracer) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            messages.put(format!("ucurl: cannot open the file of --trace: {error}\n").as_bytes());
            return Exit::Write;
        }
    };
    ask_passwords(&mut operations);
    let tracer = Arc::new(tracer);
    let session = Session { messages, tracer, stdout, global, servers: Default::default() };
    transfers(&session, &operations).unwrap_or_else(|failure| session.report(&failure))
}

fn operation(group: Group) -> Result<Operation, Failure> {
    let mut operation = Operation::new(group).map_err(|why| Failure::new(Exit::Usage, why))?;
    let opened = operation.open_content();
    opened.map_err(|(name, error)| Failure::of_reading(&name, &error)).map(|()| operation)
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
            last = transfer::run(session, operation, fetch, heads.as_ref(), number)?;
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
            output_file::make_parent(name, &operation.flags)?;
            File::create(name)?;
            OpenOptions::new().append(true).open(name).map(Some)
        }
    }
}
