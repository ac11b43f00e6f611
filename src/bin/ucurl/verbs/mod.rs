//! Commands besides a transfer: `ucurl tap`, `demo`, `replay` and `sockets`.

pub mod commands;
#[cfg(feature = "commands")]
pub mod place;
#[cfg(feature = "commands")]
pub mod replay;
#[cfg(feature = "commands")]
pub mod sockets;
#[cfg(feature = "commands")]
pub mod supervise;
#[cfg(feature = "commands")]
pub mod tap;
#[cfg(feature = "commands")]
pub mod verb;
