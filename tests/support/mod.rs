//! What the tests share: engines, private directories, scripted servers, child processes.
//!
//! A test file says `mod support;` and takes what it needs.
//!
//! | variable | meaning |
//! |---|---|
//! | `UNIX_HTTP_TEST_DOCKER` | socket of a dockerd the tests may make containers on; it has the image `busy:latest` |
//! | `UNIX_HTTP_TEST_PODMAN` | the same for podman's service |
//! | `UNIX_HTTP_TEST_STRICT` | when set, a test that would be left out fails instead |
//!
//! `eval "$(.ci/engine start DIR)"` starts both engines and sets the first two.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod again;
pub mod certificates;
pub mod child;
pub mod demo;
pub mod engine;
pub mod fake;
pub mod live;
pub mod needs;
pub mod pattern;
pub mod proxy;
#[cfg(feature = "server")]
pub mod serve;
pub mod tar;
pub mod temp;
