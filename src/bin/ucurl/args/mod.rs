//! The command line: the table of flags, its parser, and the texts made from it.
//!
//! It names nothing outside this folder but the library's base, so that tests and fuzz targets
//! include it with one `#[path]`. Values stay text here; `plan.rs` gives them their meaning.
//!
//! ```text
//! *.txt ─▶ flags ─▶ options ─▶ given             a verb's command line
//!            │         └─────▶ parse ─▶ config   ucurl's own: actions say what a flag does
//!            └────▶ manual, generate             texts for people and shells
//! ```

mod actions;
pub mod config;
pub mod exit;
pub mod flags;
pub mod generate;
#[cfg(feature = "commands")]
pub mod given;
pub mod manual;
pub mod numbers;
mod options;
pub mod parse;
