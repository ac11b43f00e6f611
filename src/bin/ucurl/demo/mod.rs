//! A small engine in memory that answers as Docker does, for machines that have none, and for
//! tests.
//!
//! It speaks Docker's API in the shapes of dockerd 20.10: the same fields in the same order, the
//! same errors. What is behind it is a demonstration, and it says so in `/version`, `/info` and
//! when it starts: no container runs. Its "containers" are a few programs that it knows
//! ([`shell`]), its registry a few images, its files are in memory, and all is gone when it ends.
//! The same requests in the same order get the same ids.
//!
//! | file | what |
//! |---|---|
//! | [`route`], [`reply`] | from a request to a function, and Docker's shapes of answers |
//! | [`engine`], [`process`] | what it knows, and the programs that run |
//! | [`create`], [`containers`], [`exec`] | containers and their lives |
//! | [`output`], [`events`] | streams: logs, attach, events |
//! | [`images`], [`build`], [`archive`] | images and files, in tar archives ([`files`]) |
//! | [`shell`] | the programs |

mod archive;
mod build;
mod containers;
mod create;
mod engine;
mod events;
mod exec;
mod files;
mod images;
mod output;
mod process;
mod reply;
mod route;
mod shell;
mod text;
mod time;

use crate::args::config::Socket;
use crate::verbs::serve;
use crate::verbs::supervise::{self, Front};
use crate::verbs::verb::{self, Given};
use engine::Engine;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use unix_http::Endpoint;
use unix_http::server::{Handle, Limits, Server};
use unix_http::transport::{Listener, PrivateDir};

/// An engine that answers; it ends when this is dropped.
pub struct Demo {
    // Fields are dropped in their order: the socket before its directory.
    handle: Handle,
    _directory: Option<PrivateDir>,
}

/// Starts an engine for this process: on Linux at an abstract name, so that nothing is left behind
/// however it ends.
pub fn start() -> io::Result<Demo> {
    if cfg!(target_os = "linux") {
        let now =
            SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
        let name = ["ucurl-demo-", &std::process::id().to_string(), "-", &now.to_string()].concat();
        let listener =
            Listener::bind(&Endpoint::Abstract(name.into_bytes())).map_err(io::Error::other)?;
        return serve(listener, None);
    }
    let directory = PrivateDir::new_in(supervise::runtime_dir())?;
    let endpoint = Endpoint::Unix(directory.path().join("docker.sock"));
    let listener = Listener::bind(&endpoint).map_err(io::Error::other)?;
    serve(listener, Some(directory))
}

fn serve(listener: Listener, directory: Option<PrivateDir>) -> io::Result<Demo> {
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

    /// The same as the command line's `--unix-socket` or `--abstract-unix-socket` names it.
    pub fn socket(&self) -> Socket {
        match self.endpoint() {
            Endpoint::Abstract(name) => Socket::Abstract(name.clone()),
            Endpoint::Unix(path) => Socket::Path(path.as_os_str().as_bytes().to_vec()),
            other => Socket::Path(other.to_string().into_bytes()),
        }
    }
}

/// Docker's name for this machine's architecture.
fn arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

const USAGE: &str = "\
Usage: ucurl demo [options...] [-- command [arguments...]]

A small engine in memory that answers as Docker does: a demonstration, in which no container runs. Without a command it
listens until Ctrl-C and says where. With one, DOCKER_HOST is set for it, and it ends with the command's exit code.

";

const FLAGS: &str = "\
-l, --listen <endpoint>  Listen there: a path, unix://, tcp://127.0.0.1:port
    --mode <octal>       Mode of the listening socket; default 600
    --allow-remote       Listen on a TCP address that other machines reach
-h, --help               This text
";

/// How long what is under way at the end may take to finish.
const GRACE: Duration = Duration::from_millis(300);

/// Runs the verb; `args` is the whole command line.
pub fn main(args: &[Vec<u8>]) -> i32 {
    verb::main("demo", &[USAGE, FLAGS].concat(), FLAGS, args, |given| {
        if let Some(operand) = given.operands.first() {
            return Err(operand.display().to_string() + ": a command stands after --");
        }
        supervise::run(args, given.command.is_some(), |front| back(given, front))
    })
}

fn back(given: &Given, front: &Front) -> Result<i32, String> {
    let (directory, listener) = serve::listener(given)?;
    let demo = serve(listener, directory).map_err(|error| error.to_string())?;
    crate::say(
        "demo: a demonstration of Docker's API, not Docker: no container runs, and all is gone at the end",
    );
    let code = serve::serve(given, demo.endpoint(), front, "demo");
    demo.handle.stop(GRACE);
    Ok(code)
}
