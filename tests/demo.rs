//! The engine in memory, `ucurl demo`.
#![cfg(feature = "commands")]

mod support;

mod demo {
    mod answers;
    mod clients;
    #[cfg(feature = "page")]
    mod page;
}
