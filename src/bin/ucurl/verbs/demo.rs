//! `ucurl demo`: the engine in memory, for clients or one command.

use super::serve;
use super::supervise::Front;
use crate::args::given::Given;
use crate::demo;

const NOTICE: &str = "demo: a demonstration of Docker's API, not Docker: \
    no container runs, and all is gone at the end";

/// Answers as Docker does until the end of the command, or until it is asked to stop.
pub fn serve(given: &Given, front: &Front) -> Result<i32, String> {
    let (directory, listener) = serve::listener(given)?;
    let demo = demo::serve(listener, directory).map_err(|error| error.to_string())?;
    crate::say(NOTICE);
    let code = serve::serve(given, demo.endpoint(), front);
    demo.stop();
    Ok(code)
}
