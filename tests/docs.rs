//! What is written is true: commands on the pages, examples, lessons, sizes.
#![cfg(feature = "commands")]

mod support;

mod docs {
    mod commands;
    mod examples;
    mod lessons;
    mod size;
}
