//! The transport: connecting, listening, time limits and tunnels.

mod support;

mod transport {
    mod connect;
    #[cfg(feature = "server")]
    mod listen;
    mod timeouts;
    mod tunnels;
}
