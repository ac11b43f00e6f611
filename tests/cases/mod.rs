//! The tables of bytes and their meaning, and the code that delivers and reads them.
//!
//! The conformance tests, the comparison with other programs (`tests/differential/`) and the fuzzer
//! (`tests/fuzz/`) share them.

pub mod chunked;
pub mod deliver;
pub mod fields;
pub mod readers;
pub mod request_framing;
pub mod request_line;
pub mod response_framing;
pub mod status_line;
pub mod wire_fault;

use deliver::Table;

/// Returns every table.
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
