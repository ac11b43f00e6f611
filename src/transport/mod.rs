//! Where the bytes travel: what can be dialled, how, for how long, and why it failed.
//!
//! * [`Endpoint`] names a place: a Unix socket, a Linux abstract name, a TCP address, with TLS or
//!   without, an ssh host, any program.
//! * [`Listener`] listens on it, in private unless told otherwise.
//! * [`connect`] dials it and gives a [`Stream`], or a [`ConnectError`] that says what stood in the
//!   way and what to do.
//! * [`Timeouts`] are the limits a caller asks for; [`Clock`] is one exchange running against them.
//!
//! HTTP does not name a socket file in its URIs (RFC 9110 §4.2 knows hosts and ports only), so the
//! notation is the one that Docker made common:
//!
//! ```abnf
//! endpoint = unix / abstract / tcp / path
//! unix     = "unix://" path         ; as the file system spells it: no percent-encoding, relative paths too
//! abstract = "unix://@" 1*107OCTET  ; Linux: a name without a file
//! tcp      = "tcp://" host ":" port ; an IPv6 address in brackets
//! path     = ( "/" / "./" / "../" ) *OCTET
//! ```
//!
//! Declined: ports left out and paths after them (they are Docker's own reading, see its command
//! line's `-H`), and cryptography of our own: TLS and ssh are programs at the other end of a socket
//! pair ([`Endpoint::tls`], [`Endpoint::ssh`], [`Endpoint::proxy_command`]).
//!
//! ```
//! use unix_http::transport::Endpoint;
//!
//! assert_eq!(Endpoint::parse("unix:///run/a.sock")?, Endpoint::Unix("/run/a.sock".into()));
//! assert_eq!(Endpoint::parse("unix://@a")?, Endpoint::Abstract(b"a".to_vec()));
//! assert_eq!(Endpoint::parse("tcp://[::1]:80")?, Endpoint::Tcp { host: "::1".into(), port: 80 });
//! assert!(Endpoint::parse("unix:/run/a.sock").unwrap_err().to_string().contains("unix:///run/a.sock"));
//! # Ok::<(), unix_http::transport::EndpointError>(())
//! ```

mod child;
mod connect;
#[cfg(any(feature = "server", feature = "tap"))]
pub(crate) mod connections;
mod endpoint;
mod error;
#[cfg(any(feature = "server", feature = "tap"))]
mod listen;
mod long_path;
mod proxy;
mod ssh;
mod stream;
mod timeouts;
mod tls;
mod who;

pub use connect::connect;
pub use endpoint::{Endpoint, EndpointError};
pub use error::{ConnectError, ConnectErrorKind};
#[cfg(any(feature = "server", feature = "tap"))]
pub use listen::{Admission, ListenError, Listener, PrivateDir, Stopper};
pub use long_path::{SUN_PATH_MAX, ShortPath};
pub use ssh::Ssh;
pub use stream::Stream;
#[cfg(any(feature = "server", feature = "tap"))]
pub(crate) use timeouts::Deadline;
pub use timeouts::{Clock, Limit, Timeout, Timeouts};
pub use tls::{Tls, TlsOptions};
