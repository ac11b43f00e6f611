//! The tap: relay, recorders, limits, and `ucurl tap` as a process.
#![cfg(feature = "commands")]

#[path = "cases/guard.rs"]
mod guard_cases;
mod support;

mod tap {
    mod browser;
    mod guard;
    mod guarded;
    mod limits;
    mod outputs;
    #[cfg(feature = "page")]
    mod page;
    #[cfg(feature = "page")]
    mod page_browser;
    #[cfg(feature = "page")]
    mod page_copy;
    #[cfg(feature = "page")]
    mod page_hostile;
    #[cfg(feature = "page")]
    mod page_limits;
    #[cfg(feature = "page")]
    mod page_process;
    #[cfg(feature = "page")]
    mod page_reconnects;
    mod process;
    mod read;
    mod recorders;
    mod relay;
    mod replay;
    mod script;
    mod secrets;
    mod selection;
}
