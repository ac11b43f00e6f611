//! Traffic: messages are paired, shown and explained.
#![cfg(feature = "tap")]

mod support;

mod traffic {
    mod conversation;
    #[cfg(feature = "commands")]
    mod explain;
    mod secrets;
    mod text;
}
