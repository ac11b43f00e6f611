//! The command line: the table of flags, its parser, and the texts made from it.

pub mod config;
pub mod data;
pub mod exit;
pub mod flags;
pub mod generate;
pub mod help;
pub mod numbers;
pub mod parse;
pub mod rcfile;
pub mod suggest;
