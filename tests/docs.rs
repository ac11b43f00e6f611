//! Pages and examples: every command, picture, link and number is correct.
#![cfg(feature = "commands")]

mod support;

mod docs {
    mod commands;
    mod course;
    mod examples;
    mod lessons;
    mod literal;
    mod pages;
    mod picture;
    mod shell;
    mod size;
}
