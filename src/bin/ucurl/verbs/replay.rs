//! `ucurl replay`: a fake daemon that repeats recorded answers.

use super::listen;
use super::outputs::failed;
use super::supervise::Front;
use crate::args::given::Given;
use unix_http::tap::Replay;

/// Answers from the recording until the command ends or the front asks to stop.
pub fn serve(given: &Given, front: &Front) -> Result<i32, String> {
    let recording = &given.operands[0];
    let replay = Replay::open(recording).map_err(|error| failed(recording, &error))?;
    let mut replay = replay.strict(given.has("strict")).pace(given.has("pace"));
    if !given.has("quiet") {
        let say = |what: &str| crate::console::say(&format!("replay: {what}"));
        replay.remarks().iter().for_each(|remark| say(remark));
        replay = replay.on_problem(say);
    }
    let (_directory, listener) = listen::listener(given)?;
    let stopper = replay.stopper(&listener).map_err(|error| error.to_string())?;
    let run = || replay.run(&listener);
    let (code, problems) = front.serve_beside(given, listener.endpoint(), &stopper, run);
    Ok(if given.has("strict") && !problems.is_empty() { 1 } else { code })
}
