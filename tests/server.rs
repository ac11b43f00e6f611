//! The library's server.
#![cfg(feature = "server")]

mod support;

mod server {
    mod answers;
    mod limits;
    mod operation;
}
