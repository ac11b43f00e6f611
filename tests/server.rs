//! The library's server.

mod support;

mod server {
    mod answers;
    mod limits;
}
