//! Everything that needs a real dockerd or podman.
#![cfg(feature = "commands")]

mod support;

mod engines {
    mod faults;
    mod images;
    mod library;
    mod tap;
    mod terminal;
    mod transport;
    mod ucurl;
}
