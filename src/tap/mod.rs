//! A tap on a socket: a relay that shows what a client and a server send.
//!
//! ```text
//!   client ──▶ Listener ─┐                                  ┌─▶ Text      for people
//!                        ├─ Relay ──▶ Conversation ──▶ Event ┤
//!   server ◀── Endpoint ─┘    bytes,     messages           └─▶ your own Observer
//!                             unchanged
//! ```
//!
//! * [`Relay`] forwards bytes, unchanged and at once, and shows a copy.
//! * [`traffic`](crate::traffic) reads the copy as HTTP, masks secrets, and passes events to
//!   observers. Observers cannot change the bytes.
//! * [`record`], [`har`], [`pcap`] and [`script`] write files. [`Replay`] answers from them.
//! * [`AllowList`] holds the rules of a guard. A guard passes only requests that a rule allows.
//! * [`Gate`] keeps web pages out of a TCP port.
//!
//! ```no_run
//! use std::{error::Error, fs::File, path::Path};
//! use unix_http::tap::{self, Relay};
//! use unix_http::traffic::Text;
//! use unix_http::transport::{Endpoint, Listener};
//!
//! let listener = Listener::bind(&Endpoint::parse("/tmp/tap.sock")?)?;
//! let relay = Relay::new(listener, Endpoint::parse("/var/run/docker.sock")?);
//! let (started, place) = (relay.started(), relay.endpoint().to_string());
//! let relay = relay
//!     .observe(Text::new(std::io::stdout()))
//!     .observe(tap::record(Path::new("session"), started, true)?)
//!     .observe(tap::har(File::create("session.har")?, started, true)?)
//!     .observe(tap::pcap(File::create("session.pcapng")?, started, &place)?);
//! let problems = relay.run();
//! # Ok::<(), Box<dyn Error>>(())
//! ```

mod gate;
mod glob;
mod guard;
mod news;
#[cfg(feature = "page")]
mod page;
mod record;
mod recorder;
mod refusal;
mod relay;
mod replay;
mod selection;
mod stopper;
mod viewer;

pub use gate::{Denied, Gate};
pub use guard::AllowList;
#[cfg(feature = "page")]
pub use page::{Origin, Page};
pub use record::har::har;
pub use record::pcap::pcap;
pub use record::raw::{Recording, record};
pub use record::script::{curl_script, script};
pub use relay::Relay;
pub use replay::Replay;
pub use selection::Selection;
pub use stopper::TapStopper;
