//! The command line has no public interface: its sources are built into this target.
#![no_main]
#![allow(dead_code, missing_docs)]

#[path = "../../../src/bin/ucurl/config.rs"]
mod config;
#[path = "../../../src/bin/ucurl/data.rs"]
mod data;
#[path = "../../../src/bin/ucurl/exit.rs"]
mod exit;
#[path = "../../../src/bin/ucurl/flags.rs"]
mod flags;
#[path = "../../../src/bin/ucurl/host.rs"]
mod host;
#[path = "../../../src/bin/ucurl/numbers.rs"]
mod numbers;
#[path = "../oracles/command_line.rs"]
mod oracle;
#[path = "../../../src/bin/ucurl/output.rs"]
mod output;
#[path = "../../../src/bin/ucurl/parse.rs"]
mod parse;
#[path = "../../../src/bin/ucurl/rcfile.rs"]
mod rcfile;
#[path = "../../../src/bin/ucurl/request.rs"]
mod request;
#[path = "../../../src/bin/ucurl/suggest.rs"]
mod suggest;
#[path = "../../../src/bin/ucurl/url.rs"]
mod url;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oracle::check(bytes));
