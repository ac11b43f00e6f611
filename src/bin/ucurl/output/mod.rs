//! What becomes of a response: files, terminal, progress and trace.

pub mod content;
pub mod messages;
pub mod output;
pub mod progress;
pub mod sink;
pub mod terminal;
pub mod trace;
pub mod writeout;
