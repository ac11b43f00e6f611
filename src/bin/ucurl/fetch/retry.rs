//! `--retry`: whether to try again, and when.

use crate::args::config::Group;
use crate::args::exit::Exit;
use crate::output::messages::{Failure, Messages};
use crate::output::writeout::TransferInfo;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use unix_http::base::number::decimal;
use unix_http::base::time::parse_http_date;

/// Each wait is twice the one before, up to this.
const LONGEST: Duration = Duration::from_secs(600);

const HTTP_ERROR: &str = ": HTTP error";

/// The retries of one transfer.
pub struct Retries<'p> {
    flags: &'p Group,
    messages: &'p Messages,
    left: u64,
    start: Instant,
    /// The next wait.
    wait: Duration,
}

impl<'p> Retries<'p> {
    pub fn new(flags: &'p Group, messages: &'p Messages) -> Retries<'p> {
        let wait = flags.retry_delay.unwrap_or(Duration::from_secs(1));
        Retries { flags, messages, left: flags.retry, start: Instant::now(), wait }
    }

    /// Returns the wait before another try, and warns the user of it.
    pub fn next(&mut self, result: &Result<(), Failure>, info: &TransferInfo) -> Option<Duration> {
        let passed = self.start.elapsed();
        let max = self.flags.retry_max_time.unwrap_or(Duration::MAX);
        if self.left == 0 || passed >= max {
            return None;
        }
        let problem = self.problem(info.response_code, result)?;
        let asked = info.headers.get("Retry-After").filter(|_| problem == HTTP_ERROR);
        let asked = asked.and_then(|value| seconds_of(value, SystemTime::now()));
        let asked = asked.map(Duration::from_secs);
        if asked.is_some_and(|wait| passed.saturating_add(wait) > max) {
            self.messages.warn("The Retry-After time would exceed --retry-max-time");
            return None;
        }
        let (wait, left) = (asked.unwrap_or(self.wait), self.left);
        if self.flags.retry_delay.is_none() {
            self.wait = (self.wait * 2).min(LONGEST);
        }
        self.left -= 1;
        let seconds = match wait.subsec_millis() {
            0 => wait.as_secs().to_string(),
            part => format!("{}.{part:03}", wait.as_secs()),
        };
        let text =
            format!("Problem {problem}. Will retry in {seconds} seconds. {left} retries left.");
        self.messages.warn(&text);
        Some(wait)
    }

    /// Names a problem that may be transient.
    fn problem(&self, status: u16, result: &Result<(), Failure>) -> Option<&'static str> {
        let flags = self.flags;
        let transient = matches!(status, 408 | 429 | 500 | 502 | 503 | 504 | 522 | 524);
        match result {
            Ok(()) => transient.then_some(HTTP_ERROR),
            Err(failure) => match failure.exit {
                Exit::Timeout | Exit::Resolve => Some(": timeout"),
                _ if flags.retry_connrefused && failure.refused => Some(": connection refused"),
                Exit::HttpError if transient => Some(HTTP_ERROR),
                Exit::HttpError if !flags.expect.is_empty() => Some(": not as expected"),
                _ => flags.retry_all_errors.then_some("(retrying all errors)"),
            },
        }
    }
}

/// Reads a Retry-After field: seconds, or a date (RFC 9110 §10.2.3). Zero counts as no field.
pub fn seconds_of(value: &[u8], now: SystemTime) -> Option<u64> {
    let since_1970 = |time: SystemTime| Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs());
    let from_date = || since_1970(parse_http_date(value)?)?.checked_sub(since_1970(now)?);
    decimal(value).or_else(from_date).filter(|seconds| *seconds > 0)
}
