//! Recorders: observers that write what they see to a file.

pub mod har;
pub mod pcap;
mod playback;
pub mod raw;
pub mod script;
