//! The command line has no public interface: its sources are built into this target.
#![no_main]
#![allow(dead_code, missing_docs)]

#[path = "../../../src/bin/ucurl/args/mod.rs"]
mod args;
#[path = "../../../src/bin/ucurl/fetch"]
mod fetch {
    pub mod request;
    pub mod url;
}
#[path = "../../../src/bin/ucurl/output"]
mod output {
    pub mod output_file;
}
#[path = "../../../src/bin/ucurl/plan.rs"]
mod plan;
#[path = "../command_line.rs"]
mod oracle;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oracle::check(bytes));
