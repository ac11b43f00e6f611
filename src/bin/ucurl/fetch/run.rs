//! The whole command line: all its URLs, one after the other.

use crate::args::config::Config;
use crate::args::exit::Exit;
use crate::fetch::session::Session;
use crate::fetch::transfer::{self, Job};
use crate::output::messages::Messages;
use crate::output::sink::Stdout;
use crate::output::terminal;
use crate::output::trace::Tracer;
use crate::plan::{self, Operation, Plan};
use std::sync::Arc;

/// Runs everything. As in curl, the exit code is that of the last transfer.
pub fn run(config: Config) -> Exit {
    let plan = Plan::new(config);
    let Ok(messages) = Messages::new(plan.messages) else { return Exit::Write };
    for warning in &plan.warnings {
        messages.put(&[b"Warning: ", &warning[..], b"\n"].concat());
    }
    let opened =
        Stdout::open().and_then(|stdout| Ok((stdout, Tracer::new(plan.trace, &messages)?)));
    let (stdout, tracer) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            messages.put(format!("ucurl: cannot open the file of --trace: {error}\n").as_bytes());
            return Exit::Write;
        }
    };
    let mut operations = plan.operations;
    plan::ask_passwords(&mut operations, terminal::ask_password);
    let session = Session {
        messages,
        tracer: Arc::new(tracer),
        stdout,
        styled: plan.styled,
        meter: plan.meter,
        servers: Default::default(),
    };
    transfers(&session, &operations, plan.fail_early)
}

fn transfers(session: &Session, operations: &[Operation], fail_early: bool) -> Exit {
    let (mut last, mut number) = (Exit::Ok, 0);
    for operation in operations {
        if operation.fetches.is_empty() {
            session.messages.put(b"ucurl: no URL; -h helps\n");
            return Exit::Usage;
        }
        if let Some(why) = operation.conflict {
            session.messages.warn(why);
            return Exit::Usage;
        }
        for (at, fetch) in operation.fetches.iter().enumerate() {
            last = transfer::run(&Job { session, operation, fetch, number, first: at == 0 });
            number += 1;
            if last == Exit::Usage || (last != Exit::Ok && fail_early) {
                return last;
            }
        }
        if operation.urls_missing {
            session.messages.warn("There are more outputs than URLs");
        }
    }
    last
}
