//! ucurl: curl's command line for HTTP over Unix domain sockets.
#![forbid(unsafe_code)]

fn main() {}
