//! The transport: sockets are dialled, listened on, timed and tunnelled.

mod support;

mod transport {
    mod connect;
    #[cfg(any(feature = "server", feature = "tap"))]
    mod listen;
    mod timeouts;
    mod tunnels;
}
