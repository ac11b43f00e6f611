//! The library's client, and its connections.

mod support;
#[path = "cases/wire_fault.rs"]
mod wire_fault;

mod client {
    mod cancel;
    mod exchanges;
    #[cfg(all(feature = "server", feature = "docker"))]
    mod faults;
    mod kept_connections;
    #[cfg(feature = "server")]
    mod many_requests;
    mod read_body;
    #[cfg(feature = "commands")]
    mod system_calls;
    mod time_limits;
    #[cfg(feature = "commands")]
    mod upload;
    mod without_io;
}
