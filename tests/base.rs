//! The ground floor (`src/base/`).

mod support;

mod base {
    mod gzip;
    mod tools;
}
