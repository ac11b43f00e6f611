//! An engine in memory, for learning and for tests on machines without Docker.
//!
//! What it has is in Docker's wire shape and behaves as dockerd 26.1 does, for API 1.24 to 1.45.
//! What it does not have is refused by name with 501 and Docker's JSON. Settings that have no
//! effect stand in `Warnings` and in inspect. No container runs: its programs are a few that it
//! knows ([`program`]), its registry a few images, and all is gone when it ends. It says so in
//! `/version`, in `/info` and when it starts. The same requests in the same order get the same ids.
//!
//! | file | what |
//! |---|---|
//! | [`route`], [`api`] | from a request to a function, and Docker's shapes of answers |
//! | [`containers`], [`lifecycle`], [`exec`] | containers, their lives, other programs in them |
//! | [`streams`], [`terminal`], [`events`] | logs, attach, events |
//! | [`images`], [`build`], [`archive`] | images, and files in and out |
//! | [`engine`] | what the engine knows |
//! | [`process`], [`program`], [`files`] | what runs, and on what |
//! | [`names`], [`json`] | names of images, patterns, errors; JSON values |

mod api;
mod archive;
mod build;
mod containers;
mod engine;
mod events;
mod exec;
mod files;
mod images;
mod json;
mod lifecycle;
mod names;
mod process;
mod program;
mod route;
mod streams;
mod terminal;

use engine::Engine;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use unix_http::Endpoint;
use unix_http::server::{Handle, Limits, Server};
use unix_http::transport::{Listener, PrivateDir};

/// How long requests in progress may take to finish at the end.
const GRACE: Duration = Duration::from_millis(300);

/// An engine that answers; it ends when this is dropped.
pub struct Demo {
    // Fields are dropped in their order: the socket before its directory.
    handle: Handle,
    _directory: Option<PrivateDir>,
}

/// Serves at a listener; `directory` is removed after its socket.
pub fn serve(listener: Listener, directory: Option<PrivateDir>) -> io::Result<Demo> {
    let engine = Arc::new(Engine::new());
    // A container may be silent for hours.
    let limits = Limits { silence: None, ..Limits::default() };
    let server = Server::new(listener).with_limits(limits);
    let handle =
        server.spawn(move |request, responder| route::answer(&engine, request, responder))?;
    Ok(Demo { handle, _directory: directory })
}

impl Demo {
    /// Where it listens.
    pub fn endpoint(&self) -> &Endpoint {
        self.handle.endpoint()
    }

    /// Stops; requests in progress may finish first.
    pub fn stop(self) {
        self.handle.stop(GRACE);
    }
}
