//! Errors for the client: a status-code and a line of text, as dockerd sends them.

use std::fmt::Display;
use std::io;
use unix_http::server::Refusal;

/// `refusal!("container-none", name)` makes this error of `errors.txt` and fills its holes.
macro_rules! refusal {
    ($error:literal $(, $hole:expr)* $(,)?) => {
        $crate::demo::errors::filled($error, &[$(&$hole),*])
    };
}

/// `ensure!(is_running, "not-running", id)` returns that error if the condition is false.
macro_rules! ensure {
    ($is_so:expr, $($error:tt)+) => {
        if !$is_so {
            return Err($crate::demo::errors::refusal!($($error)+));
        }
    };
}

pub(super) use {ensure, refusal};

pub fn filled(error: &str, holes: &[&dyn Display]) -> io::Error {
    let mut lines = include_str!("errors.txt").lines().filter_map(|line| line.split_once(' '));
    let line = lines.find(|(name, _)| *name == error).map_or("", |(_, line)| line);
    let (status, text) = line.split_once(' ').unwrap_or_default();
    let holes = holes.iter().map(ToString::to_string).chain([String::new()]);
    let parts = text.split("{}").zip(holes).map(|(text, hole)| text.to_owned() + &hole);
    Refusal::new(status.parse().unwrap_or(500), parts.collect::<String>()).into()
}

/// Returns the status-code and the text of such an error.
pub fn told(error: &io::Error) -> Option<(u16, &str)> {
    let refusal = error.get_ref()?.downcast_ref::<Refusal>()?;
    Some((refusal.status(), refusal.why()))
}

/// Puts other words before the text of such an error.
pub fn prefixed(error: io::Error, before: &str) -> io::Error {
    let refusal =
        told(&error).map(|(status, why)| Refusal::new(status, format!("{before}: {why}")));
    refusal.map_or(error, io::Error::from)
}
