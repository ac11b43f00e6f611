//! What Docker adds to HTTP: which daemon is meant, which API version is spoken, output in frames, errors inside a 200.
//!
//! | question | answer | rules |
//! |---|---|---|
//! | which daemon is meant? | [`Endpoint::resolve`] | the docker CLI's: flags, variables, `config.json`, contexts |
//! | what does this host mean? | [`Host::parse`] | the grammar of `DOCKER_HOST`, below |
//! | which bytes are stdout, which stderr? | [`FrameDecoder`], [`Demux`] | Docker Engine API, "Stream format" |
//!
//! Everything that decides something here is without I/O: it is given bytes or an [`Environment`].
//!
//! # The grammar of a host
//! ```abnf
//! host   = unix / tcp / ssh / authority [ path ]             ; without "://" it is TCP
//! unix   = "unix://" [ "@" name / path ]                     ; nothing: /var/run/docker.sock
//! tcp    = "tcp://" [ authority ] [ path ]                   ; nothing: localhost:2375; RFC 3986 §3.2
//! ssh    = "ssh://" [ user "@" ] authority [ path ]          ; the path of a socket on the other side
//! authority = [ reg-name / IPv4address / "[" IPv6address "]" ] [ ":" [ port ] ]
//! ```
//!
//! A port that is left out is 2375; a path after a TCP authority goes before every path of the API. Around the whole,
//! white space is trimmed. An empty host is the default socket, or with TLS `tcp://localhost:2376`.
//!
//! Declined, though the docker CLI reads something into it: what is plainly a path or another notation but would be taken
//! for the name of a TCP host (`/var/run/docker.sock`, `unix:/x`, `@name`); `~`, which only a shell expands; user, query
//! and fragment in `tcp://`, which would be dropped in silence; a port that cannot be dialled; an IPv6 address without
//! its brackets. Each error says what was probably meant.
//!
//! ```
//! use unix_http::docker::{Address, Host};
//!
//! // An empty DOCKER_HOST is the socket that everyone knows.
//! assert_eq!(Host::parse("")?.address, Address::Unix("/var/run/docker.sock".into()));
//! # Ok::<(), unix_http::docker::HostError>(())
//! ```

mod context;
mod demux;
mod endpoint;
mod environment;
mod frames;
mod host;
mod resolve_error;
mod sha256;
mod ssh;
mod tls;
mod uri;

pub use demux::{Copied, Demux, DemuxError};
pub use endpoint::{Endpoint, Flags, Rule};
pub use environment::{Environment, Process};
pub use frames::{
    DAEMON_ERROR_LIMIT, FRAME_HEADER_LEN, FrameDecoder, FrameError, OutputKind, Stream, encode_error_frame,
    encode_frame, frame_header,
};
pub use host::{Address, DEFAULT_SOCKET, Host, HostError};
pub use resolve_error::ResolveError;
pub use sha256::{sha256, sha256_hex};
pub use ssh::Ssh;
pub use tls::Tls;
