//! The tap: relay, recorders, limits, and `ucurl tap` as a process.

mod support;

mod tap {
    mod limits;
    mod process;
    mod recorders;
    mod relay;
}
