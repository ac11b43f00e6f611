//! What is written is true: commands on the pages, examples, lessons, sizes.

mod support;

mod docs {
    mod commands;
    mod examples;
    mod lessons;
    mod size;
}
