//! Sockets: connecting, listening, time limits, and errors that name the remedy.
//!
//! * [`Endpoint`] names a place: a Unix socket, a Linux abstract name, a TCP address, a program.
//! * [`Listener`] listens on it, by default for this user alone.
//! * [`connect`] connects to it and returns a [`Stream`], or a [`ConnectError`] with the cause and
//!   the remedy.
//! * [`Carrier`] is a child process that carries a connection, such as a proxy command or ssh.
//! * [`Timeouts`] are the caller's limits.
//!
//! The notation is Docker's:
//!
//! ```abnf
//! endpoint = unix / abstract / tcp / path
//! unix     = "unix://" path         ; may be relative; no percent-encoding
//! abstract = "unix://@" 1*107OCTET  ; Linux: a name without a file
//! tcp      = "tcp://" host ":" port ; an IPv6 address in brackets
//! path     = ( "/" / "./" / "../" ) *OCTET
//! ```
//!
//! Rejected: a missing port, and a path after the port, which mean something only to Docker. TLS
//! and ssh are programs at the other end of a socket pair.
//!
//! ```
//! use unix_http::transport::Endpoint;
//!
//! assert_eq!(Endpoint::parse("unix:///run/a.sock")?, Endpoint::Unix("/run/a.sock".into()));
//! assert_eq!(Endpoint::parse("unix://@a")?, Endpoint::Abstract(b"a".to_vec()));
//! assert_eq!(Endpoint::parse("tcp://[::1]:80")?, Endpoint::Tcp { host: "::1".into(), port: 80 });
//! let error = Endpoint::parse("unix:/a").unwrap_err().to_string();
//! assert!(error.ends_with("did you mean unix:///a?"));
//! # Ok::<(), unix_http::transport::EndpointError>(())
//! ```

mod cause;
mod child;
mod command;
mod connect;
#[cfg(feature = "server")]
pub(crate) mod connections;
mod deadline;
mod endpoint;
mod error;
#[cfg(feature = "server")]
mod listen;
mod permission;
#[cfg(feature = "server")]
mod private_dir;
mod program;
#[cfg(feature = "server")]
mod socket_file;
mod stream;
pub(crate) mod tcp;
mod unix;

#[cfg(feature = "docker")]
pub(crate) use cause::Cause;
pub use cause::ConnectErrorKind;
pub use connect::connect;
#[cfg(feature = "server")]
pub(crate) use deadline::Limit;
pub(crate) use deadline::{Clock, Wait};
pub use deadline::{Timeout, Timeouts};
pub use endpoint::{Endpoint, EndpointError};
#[cfg(feature = "docker")]
pub(crate) use endpoint::{
    authority, check_host, host_and_port, is_path, misspelt, no_nul, refuse, split_scheme, unix,
    utf8,
};
pub use error::ConnectError;
#[cfg(feature = "server")]
pub use listen::{Admission, Listener, Stopper};
#[cfg(feature = "server")]
pub use private_dir::PrivateDir;
pub use program::Carrier;
#[cfg(feature = "docker")]
pub(crate) use program::{Program, Ready};
pub use stream::Stream;
