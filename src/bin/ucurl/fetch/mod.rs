//! One transfer: where it goes, what it sends, when it is tried again.

pub mod attached;
pub mod dial;
pub mod failure;
pub mod hijack;
pub mod host;
pub mod password;
pub mod refusal;
pub mod request;
pub mod retry;
pub mod run;
pub mod transfer;
pub mod url;
