//! The engine in memory, `ucurl demo`.

mod support;

mod demo {
    mod answers;
}
