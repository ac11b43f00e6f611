//! Shared by all tests: engines, private directories, scripted servers, child processes.
//!
//! `tests/README.md` lists the variables that choose engines and decide which tests are skipped.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod again;
#[cfg(feature = "page")]
pub mod browser;
pub mod certificates;
pub mod child;
pub mod demo;
pub mod engine;
pub mod fake;
#[cfg(feature = "json")]
pub mod json_fault;
pub mod live;
pub mod needs;
#[cfg(feature = "page")]
pub mod page;
pub mod pattern;
pub mod proxy;
#[cfg(feature = "server")]
pub mod serve;
pub mod tar;
pub mod temp;
#[cfg(feature = "json")]
pub mod web;
