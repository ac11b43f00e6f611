//! The program `ucurl`: its flags beside curl's, its output, its errors.
#![cfg(feature = "commands")]

mod support;

#[allow(dead_code, missing_docs)]
#[path = "../src/bin/ucurl/args/mod.rs"]
mod args;

mod cli {
    mod arguments;
    mod curl;
    mod docker;
    mod faults;
    mod hijack;
    mod hostile;
    mod pipes;
    mod security;
    mod shells;
}
