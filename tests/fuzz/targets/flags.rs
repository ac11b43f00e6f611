//! The command line has no public interface, so this target includes its sources.
#![no_main]
#![allow(dead_code, missing_docs)]

#[path = "../../program/mod.rs"]
mod program;
#[path = "../command_line.rs"]
mod oracle;

use program::{args, console, content, fetch, output, plan};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oracle::check(bytes));
