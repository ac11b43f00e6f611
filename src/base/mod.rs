//! The ground floor: small tools that know neither HTTP nor sockets. Every module may use them.
//!
//! | module | holds |
//! |---|---|
//! | [`text`] | text that is safe to print on a terminal, and when to use colour |
//! | [`number`] | decimal and hexadecimal numbers, read strictly |
//! | [`time`] | the calendar, HTTP dates and RFC 3339 |
//! | [`percent`] | percent-encoding |
//! | [`base64`] | base 64 |
//! | [`nearest`] | "did you mean …?" |
//! | [`owner`] | the names of a file's user and group |
//! | [`random`] | unpredictable tokens |
//! | `rules` | tables of rules that a message may break, in words |
//! | [`secret_name`] | which names denote secrets |
//! | [`sync`] | locking a mutex after a panic, waiting until a value changes |
//!
//! Each idea lives here once. A second copy elsewhere fails `tests/layers.rs`.

#[cfg(feature = "docker")]
pub mod base64;
#[cfg(feature = "docker")]
pub mod nearest;
pub mod number;
pub mod owner;
pub mod percent;
#[cfg(feature = "server")]
pub mod random;
pub(crate) mod rules;
pub mod secret_name;
pub mod sync;
pub mod text;
#[cfg(any(feature = "server", feature = "docker"))]
pub mod time;
