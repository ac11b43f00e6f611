//! Errors that are sent to the client: a status-code and a line of text.

use std::io;
use unix_http::server::Refusal;

/// `refusal!(404, "No such image: {name}")` makes such an error.
macro_rules! refusal {
    ($status:expr, $($text:tt)+) => {
        std::io::Error::from(unix_http::server::Refusal::new($status, format!($($text)+)))
    };
}

/// `ensure!(is_running, 409, "it is not running")` returns that error if the condition is false.
macro_rules! ensure {
    ($is_so:expr, $status:expr, $($text:tt)+) => {
        if !$is_so {
            return Err($crate::demo::errors::refusal!($status, $($text)+));
        }
    };
}

pub(super) use {ensure, refusal};

/// The status-code and the text of such an error.
pub fn told(error: &io::Error) -> Option<(u16, &str)> {
    let refusal = error.get_ref()?.downcast_ref::<Refusal>()?;
    Some((refusal.status(), refusal.why()))
}

/// Puts other words before the text of such an error.
pub fn prefixed(error: io::Error, before: &str) -> io::Error {
    told(&error).map(|(status, why)| refusal!(status, "{before}: {why}")).unwrap_or(error)
}
