//! `ucurl demo` and `--demo`: an engine in memory, for clients, a command or ucurl's transfers.

use super::listen::{listener, private_listener};
use super::supervise::{Front, GRACE};
use super::tap;
use crate::args::given::Given;
use crate::demo::{self, Demo};
use std::io;

const NOTICE: &str = "demo: a demonstration of Docker's API, not Docker: \
    no container runs, and all is gone at the end";

/// Answers as Docker does until the command ends or the front asks to stop.
pub fn serve(given: &Given, front: &Front) -> Result<i32, String> {
    if given.has("web") || given.has("open") {
        let demo = start_demo().map_err(|error| error.to_string())?;
        crate::console::say(NOTICE);
        return tap::show_demo(given, front, demo.server.endpoint());
    }
    let (directory, listener) = listener(given)?;
    let demo = demo::serve(listener, directory).map_err(|error| error.to_string())?;
    crate::console::say(NOTICE);
    let code = front.serve(given, demo.server.endpoint());
    demo.server.stop(GRACE);
    Ok(code)
}

/// Starts the engine of `--demo` for all transfers; dropping it stops it.
pub fn start_demo() -> io::Result<Demo> {
    let (directory, listener) = private_listener("ucurl-demo")?;
    demo::serve(listener, directory)
}
