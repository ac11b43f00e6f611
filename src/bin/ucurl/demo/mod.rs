//! An engine in memory, for learning and for tests on machines without Docker.
//!
//! Its answers have Docker's wire shape, and it behaves as dockerd 26.1 does, for API 1.24 to 1.45.
//! It refuses everything else by name, with 501 and Docker's JSON. Settings without effect appear
//! in `Warnings` and in inspect. No container runs: [`program`] imitates a few programs, the
//! registry has a few images, and everything is gone at the end. `/version`, `/info` and the start
//! message say so. The same requests in the same order get the same IDs.
//!
//! Much of it is data: `absent.txt` lists the endpoints that it lacks, `errors.txt` dockerd's
//! errors, `filters.txt` the filters of lists, `without_effect.txt` the settings that do nothing,
//! and the JSON files are templates of answers.

mod api;
mod archive;
mod build;
mod containers;
mod engine;
mod events;
mod exec;
mod files;
mod filters;
mod images;
mod prelude;
mod program;
mod route;
mod streams;
mod task;

use engine::State;
use std::io;
use std::sync::{Arc, Mutex};
use unix_http::server::{Handle, Limits, Server};
use unix_http::transport::{Listener, PrivateDir};

pub struct Demo {
    // Fields are dropped in their order, so the socket goes before its directory.
    pub server: Handle,
    _directory: Option<PrivateDir>,
}

/// Serves on a listener. `directory` is removed after the socket.
pub fn serve(listener: Listener, directory: Option<PrivateDir>) -> io::Result<Demo> {
    let engine = Arc::new(Mutex::new(State::new()));
    // A container may be silent for hours.
    let limits = Limits::default().silence(None);
    let server = Server::new(listener).with_limits(limits);
    let server =
        server.spawn(move |request, responder| route::answer(&engine, request, responder))?;
    Ok(Demo { server, _directory: directory })
}
