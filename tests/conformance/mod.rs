//! RFC 9112 as tables: bytes, and what they mean.
//!
//! - `tests/cases/` holds the tables, one file for each topic: `status_line`, `request_line`,
//!   `fields`, `response_framing`, `request_framing` (and smuggling), `chunked`. There `deliver`
//!   says what a case is and delivers it whole, byte by byte, at every cut, and with bytes behind
//!   it; `readers` puts the decoders behind one face.
//! - `chunked`, `limits`, `encode`, `real` (bytes of real engines) and `mutation` test what no
//!   table can say; `over_a_stream` and `over_a_server` send the tables through the connection's
//!   buffer and to a real server.
//! - `requirements` lists every MUST and SHOULD and who shows it; `page` writes
//!   `tests/CONFORMANCE.md` from all this.
//!
//! The tables were written from the RFCs, not from the code they test.

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

/// An id names one case; the same case may be read in several places.
#[test]
fn ids_are_unique() {
    let mut seen = std::collections::HashMap::new();
    for case in tables().flat_map(|table| table.cases) {
        let before = seen.insert(case.id, case.bytes());
        assert!(
            before.is_none_or(|bytes| bytes == case.bytes()),
            "two cases are called {}",
            case.id
        );
    }
}
