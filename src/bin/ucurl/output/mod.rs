//! Output: bodies, messages, the progress meter, the trace.

pub mod body_stages;
pub mod messages;
pub mod meter;
pub mod sink;
pub mod terminal;
pub mod trace;
pub mod writeout;
