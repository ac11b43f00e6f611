//! `ucurl replay`: a fake daemon that repeats recorded answers.

use super::serve;
use super::supervise::Front;
use crate::args::given::Given;
use std::panic::resume_unwind;
use std::thread;
use std::time::Duration;
use unix_http::tap::Replay;

/// The time that exchanges in progress have to finish at the end.
const GRACE: Duration = Duration::from_millis(100);

/// Answers from the recording until the command ends or the front asks to stop.
pub fn serve(given: &Given, front: &Front) -> Result<i32, String> {
    let recording = &given.operands[0];
    let replay =
        Replay::open(recording).map_err(|error| format!("{}: {error}", recording.display()))?;
    let mut replay = replay.strict(given.has("strict")).pace(given.has("pace"));
    if !given.has("quiet") {
        let say = |what: &str| crate::console::say(&format!("replay: {what}"));
        replay.remarks().iter().for_each(|remark| say(remark));
        replay = replay.on_problem(say);
    }
    let (_directory, listener) = serve::listener(given)?;
    let stopper = replay.stopper(&listener).map_err(|error| error.to_string())?;
    thread::scope(|scope| {
        let run = scope.spawn(|| replay.run(&listener));
        let code = serve::serve(given, listener.endpoint(), front);
        stopper.stop(GRACE);
        let problems = run.join().unwrap_or_else(|panic| resume_unwind(panic));
        Ok(if given.has("strict") && !problems.is_empty() { 1 } else { code })
    })
}
