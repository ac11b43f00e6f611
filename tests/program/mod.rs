//! The modules of `ucurl`, for tests that call their functions: a program has no public interface.
//!
//! A test program writes `mod program;` and imports the modules at its root, so that `crate::args`
//! means the same as in `ucurl`.
#![allow(dead_code, missing_docs)]

#[path = "../../src/bin/ucurl"]
mod ucurl {
    pub mod args;
    pub mod console;
    pub mod content;
    pub mod fetch;
    pub mod output;
    pub mod plan;
}

pub use ucurl::{args, console, content, fetch, output, plan};
