//! Tests that need a real dockerd or podman.
#![cfg(feature = "commands")]

#[path = "cases/guard.rs"]
mod guard_cases;
mod support;

mod engines {
    mod faults;
    mod guard;
    mod images;
    mod library;
    #[cfg(feature = "page")]
    mod page;
    mod tap;
    mod terminal;
    mod transport;
    mod ucurl;
}
