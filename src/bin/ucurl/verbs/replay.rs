//! `ucurl replay`: a fake daemon that answers as a recorded one did.

use crate::verbs::serve;
use crate::verbs::supervise::{self, Front};
use crate::verbs::verb::{self, Given};
use std::thread;
use std::time::Duration;
use unix_http::tap::Replay;

const USAGE: &str = "\
Usage: ucurl replay [options...] recording [-- command [arguments...]]

Answers as `ucurl tap --record` has recorded (or as a HAR has it): no engine needed. Without a command it listens
until Ctrl-C. With one, DOCKER_HOST is set for it, and it ends with the command's exit code.

";

const FLAGS: &str = "\
-l, --listen <endpoint>  Listen there: a path, unix://, tcp://127.0.0.1:port
    --pace               Answer with the waits that were recorded
    --strict             Requests must be the same to the byte, each answer is given
                         once; what was not asked for or not recorded ends it with 1
    --mode <octal>       Mode of the listening socket; default 600
    --allow-remote       Listen on a TCP address that other machines reach
-q, --quiet              Do not tell of requests that were not recorded
-h, --help               This text
";

/// How long what is under way at the end may take to finish.
const GRACE: Duration = Duration::from_millis(100);

/// Runs the verb; `args` is the whole command line.
pub fn main(args: &[Vec<u8>]) -> i32 {
    verb::main("replay", &[USAGE, FLAGS].concat(), FLAGS, args, |given| {
        if given.operands.len() != 1 {
            return Err("needs one recording".into());
        }
        supervise::run(args, given.command.is_some(), |front| back(given, front))
    })
}

fn back(given: &Given, front: &Front) -> Result<i32, String> {
    let recording = &given.operands[0];
    let replay =
        Replay::open(recording).map_err(|error| format!("{}: {error}", recording.display()))?;
    let replay = replay.strict(given.has("strict")).pace(given.has("pace"));
    let (_directory, listener) = serve::listener(given)?;
    let stopper = replay.stopper(&listener).map_err(|error| error.to_string())?;
    let code = thread::scope(|scope| {
        scope.spawn(|| replay.run(&listener));
        let code = serve::serve(given, listener.endpoint(), front, "replay");
        stopper.stop(GRACE);
        code
    });
    let problems = replay.problems();
    if !given.has("quiet") {
        problems.iter().for_each(|problem| crate::say(&format!("replay: {problem}")));
    }
    Ok(if given.has("strict") && !problems.is_empty() { 1 } else { code })
}
