//! The bytes on the wire: RFC 9112 as tables, and the same bytes to other programs.

mod cases;
mod conformance;
#[cfg(feature = "commands")]
mod differential;
mod support;
