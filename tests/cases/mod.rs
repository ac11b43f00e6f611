//! The tables: bytes, and what they mean; and what delivers and reads them.
//!
//! They are shared by the conformance tests, the comparison with other programs
//! (`tests/differential/`) and the fuzzer (`tests/fuzz/`).

pub mod chunked;
pub mod deliver;
pub mod fields;
pub mod readers;
pub mod request_framing;
pub mod request_line;
pub mod response_framing;
pub mod status_line;

use deliver::Table;

/// Every table there is.
pub fn tables() -> impl Iterator<Item = &'static Table> {
    [
        status_line::TABLES,
        request_line::TABLES,
        fields::TABLES,
        response_framing::TABLES,
        request_framing::TABLES,
        chunked::TABLES,
    ]
    .into_iter()
    .flatten()
}
