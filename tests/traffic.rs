//! What travelled: messages paired, shown and explained.

mod support;

mod traffic {
    mod conversation;
    mod explain;
    mod text;
}
