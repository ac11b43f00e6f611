//! The transport: sockets are dialled, listened on, timed and tunnelled.

mod support;

mod transport {
    mod connect;
    #[cfg(feature = "server")]
    mod listen;
    mod timeouts;
    mod tunnels;
}
