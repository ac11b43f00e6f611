//! The program `ucurl`: its flags beside curl's, its output, its errors.
#![cfg(feature = "commands")]

mod support;

#[allow(dead_code, missing_docs)]
#[path = "../src/bin/ucurl/args/mod.rs"]
mod args;
#[allow(dead_code, missing_docs)]
#[path = "../src/bin/ucurl/fetch"]
mod fetch {
    pub mod container_ref;
    pub mod url;
}
#[allow(dead_code, missing_docs)]
#[path = "../src/bin/ucurl/output"]
mod output {
    pub mod progress;
}

mod cli {
    mod arguments;
    mod curl;
    mod docker;
    mod faults;
    mod hijack;
    mod hostile;
    mod pipes;
    mod progress;
    mod security;
    mod shells;
    mod url;
}
