//! The library's client, and the connection below it.

mod support;

mod client {
    mod exchanges;
    mod faults;
    mod many_requests;
    mod read_body;
    mod system_calls;
    mod upload;
}
