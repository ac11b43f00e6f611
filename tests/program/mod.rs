//! Files of `ucurl`, for tests that call their functions: a program has no public interface.
//!
//! A test program writes `mod program; use program::{args, content, fetch, output, plan};`, so that
//! `crate::args` means the same as in `ucurl`.
#![allow(dead_code, missing_docs)]

#[path = "../../src/bin/ucurl"]
mod ucurl {
    pub mod args;
    pub mod fetch {
        pub mod container_ref;
        pub mod request;
        pub mod url;
    }
    pub mod output {
        pub mod output_file;
        pub mod progress;
    }
    pub mod content;
    pub mod plan;
}

pub use ucurl::{args, content, fetch, output, plan};
