//! What Docker adds to HTTP: finding the daemon, API versions, output in frames, errors in a 200.
//!
//! | question | answer | rules |
//! |---|---|---|
//! | which daemon does the docker CLI use? | [`Daemon::resolve`] | the docker CLI's, below |
//! | did the request succeed? | [`ok`], one [`DockerError`] for every layer | status 400 and up |
//! | which bytes are stdout, which are stderr? | [`Demux`], [`FrameDecoder`] | "Stream format" |
//! | does a response have frames? | [`is_framed`] | its Content-Type |
//! | did a stream that began with 200 fail? | [`ErrorScanner`] | `errorDetail` and `error` |
//! | what does an error response say? | [`error_message`] | `message`, and podman's `cause` |
//! | which API version do both support? | [`Engine::version`] | the lower, or pinned |
//!
//! [`Engine`] combines them into a client.
//!
//! ```no_run
//! use unix_http::docker::{self, Engine};
//!
//! let engine = Engine::from_env()?;
//! let response = engine.client().get(&engine.target("/info")?).send()?;
//! println!("{}", docker::ok(response)?.text()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How a daemon is chosen
//! ```text
//! 1. the context flag          (together with a host flag: an error)
//! 2. the host flag             docker's -H
//! 3. DOCKER_HOST               when it is not empty
//! 4. DOCKER_CONTEXT            when it is not empty
//! 5. currentContext            of config.json
//! 6. the context `default`
//! ```
//! The context `default` is never stored: it is the host flag, else `DOCKER_HOST`, else
//! `/var/run/docker.sock`, with the TLS of `DOCKER_TLS`, `DOCKER_TLS_VERIFY` and
//! `DOCKER_CERT_PATH`. Any other context comes from the store, with its own TLS settings. A missing
//! context and settings that are not JSON are errors, never a fallback to another daemon.
//! `HTTP_PROXY`, which the docker CLI uses for `tcp://`, is ignored.
//!
//! # The grammar of a host
//! ```abnf
//! host   = unix / tcp / ssh / authority [ path ]             ; without "://" it is TCP
//! unix   = "unix://" [ "@" name / path ]                     ; nothing: /var/run/docker.sock
//! tcp    = "tcp://" [ authority ] [ path ]                   ; nothing: localhost:2375
//! ssh    = "ssh://" [ user "@" ] authority [ path ]          ; the path of a socket there
//! authority = [ reg-name / IPv4address / "[" IPv6address "]" ] [ ":" [ port ] ]
//! ```
//!
//! The default port is 2375. A path after a TCP authority prefixes every path of the API. White
//! space around the host is trimmed. An empty host is the default socket, or with TLS
//! `tcp://localhost:2376`.
//!
//! Rejected, although the docker CLI accepts them: a path or another notation that would become
//! the name of a TCP host (`/var/run/docker.sock`, `unix:/x`, `@name`); `~`, which only a shell
//! expands; user, query and fragment in `tcp://`; a port outside 1 to 65535; an IPv6 address
//! without its brackets. Each error suggests the correct notation.

mod context;
mod daemon;
mod demux;
mod engine;
mod environment;
mod error;
mod frames;
mod host;
mod message;
mod sha256;
mod ssh;
mod tls;
mod version;

pub use daemon::{Daemon, DaemonFlags};
pub use demux::Demux;
pub use engine::Engine;
pub use environment::ResolveError;
pub use error::{DockerError, ok};
pub(crate) use frames::{FRAME_HEADER_LEN, is_probably_framed, may_begin_frames};
pub use frames::{FrameDecoder, FrameError, FrameStream, encode_frame, is_framed};
pub use message::{ErrorScanner, StreamError, error_message};
pub use sha256::sha256_hex;
pub use tls::TlsOptions;
pub use version::{ApiVersion, without_version};
