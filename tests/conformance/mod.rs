//! RFC 9112 as tables of bytes and their meaning.
//!
//! - `tests/cases/` contains the tables, one file for each topic: `status_line`, `request_line`,
//!   `fields`, `response_framing`, `request_framing` (and smuggling), `chunked`. Its `deliver`
//!   defines a case and delivers it whole, byte by byte, at every cut, and with bytes after it;
//!   `readers` puts the decoders behind one trait.
//! - `chunked`, `limits`, `encode`, `real` (bytes of real engines) and `mutation` test rules that do
//!   not fit a table. `over_a_stream` and `over_a_server` send the tables through the connection's
//!   buffer and to a real server.
//! - `requirements` lists every MUST and SHOULD with its tests. `page` generates
//!   `tests/CONFORMANCE.md` from all of this.
//!
//! The tables were written from the RFCs, not from the code that they test.

mod chunked;
mod encode;
mod limits;
mod mutation;
#[cfg(feature = "server")]
mod over_a_server;
mod over_a_stream;
mod page;
mod real;
mod requirements;

use crate::cases::deliver::deliver;
use crate::cases::tables;

macro_rules! deliveries {
    ($($module:ident)*) => {$(
        #[test]
        fn $module() {
            crate::cases::$module::TABLES.iter().for_each(deliver);
        }
    )*};
}

deliveries! { status_line request_line fields response_framing request_framing chunked }

/// Several tables may share one case.
#[test]
fn an_id_names_one_case() {
    let mut seen = std::collections::HashMap::new();
    for case in tables().flat_map(|table| table.cases) {
        let before = seen.insert(case.id, case.bytes());
        assert!(
            before.is_none_or(|bytes| bytes == case.bytes()),
            "two cases have the id {}",
            case.id
        );
    }
}
