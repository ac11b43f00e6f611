//! The transport: sockets are dialled, listened on, timed and tunnelled.

mod support;

mod transport {
    mod connect;
    mod listen;
    mod timeouts;
    mod tls;
    mod tunnels;
}
