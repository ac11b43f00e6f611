//! The ground floor (`src/base/`).
#![cfg(feature = "tap")]

mod support;

mod base {
    mod tools;
}
