//! Recorders: observers that write the traffic to a file.

pub(super) mod command;
mod gunzip;
pub(super) mod har;
pub(super) mod pcap;
mod playback;
pub(super) mod raw;
pub(super) mod script;
