//! An engine in memory, for learning and for tests on machines without Docker.
//!
//! What it has is in Docker's wire shape and behaves as dockerd 26.1 does, for API 1.24 to 1.45.
//! It refuses everything else by name, with 501 and Docker's JSON. Settings without effect stand in
//! `Warnings` and in inspect. No container runs: [`program`] knows a few programs, the registry has
//! a few images, and all is gone at the end. `/version`, `/info` and the start message say so.
//! The same requests in the same order get the same ids.

mod api;
mod archive;
mod build;
mod containers;
mod engine;
mod errors;
mod events;
mod exec;
mod files;
mod filters;
mod images;
mod json;
mod prelude;
mod process;
mod program;
mod reference;
mod route;
mod streams;

use engine::State;
use std::io;
use std::sync::{Arc, Mutex};
use unix_http::server::{Handle, Limits, Server};
use unix_http::transport::{Listener, PrivateDir};

pub struct Demo {
    // Fields are dropped in their order: the socket before its directory.
    pub server: Handle,
    _directory: Option<PrivateDir>,
}

/// Serves at a listener; `directory` is removed after its socket.
pub fn serve(listener: Listener, directory: Option<PrivateDir>) -> io::Result<Demo> {
    let engine = Arc::new(Mutex::new(State::new()));
    // A container may be silent for hours.
    let limits = Limits::default().silence(None);
    let server = Server::new(listener).with_limits(limits);
    let server =
        server.spawn(move |request, responder| route::answer(&engine, request, responder))?;
    Ok(Demo { server, _directory: directory })
}
