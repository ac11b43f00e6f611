//! `--retry`: tries a transfer again, if its problem may be transient.

use crate::args::config::Group;
use crate::args::exit::Exit;
use crate::fetch::attempt::Attempt;
use crate::output::messages::Failure;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use unix_http::base::number::decimal;
use unix_http::base::sync::lock;
use unix_http::base::time::parse_http_date;

/// Each wait is twice the one before, up to this.
const LONGEST: Duration = Duration::from_secs(600);

const HTTP_ERROR: &str = ": HTTP error";

/// Tries until the transfer works, or until `--retry` is used up.
pub fn tries(attempt: &mut Attempt) -> Result<(), Failure> {
    let (session, flags) = (attempt.session, &attempt.operation.flags);
    let start = Instant::now();
    let longest = flags.retry_max_time.unwrap_or(Duration::MAX);
    let mut left = flags.retry;
    let mut next = flags.retry_delay.unwrap_or(Duration::from_secs(1));
    loop {
        let result = attempt.run().and_then(|()| checked(attempt));
        if let Some(meter) = &attempt.monitor.meter {
            lock(meter).end();
        }
        if let Err(failure) = &result {
            session.report(failure);
        }
        let (status, passed) = (attempt.info.response_code, start.elapsed());
        // stdin cannot be sent a second time.
        let sent_stdin = flags.hijack && (100..300).contains(&status);
        if left == 0 || sent_stdin || passed >= longest {
            return result;
        }
        let Some(problem) = problem(flags, status, &result) else { return result };
        let asked = attempt.info.headers.get("Retry-After").filter(|_| problem == HTTP_ERROR);
        let asked = asked.and_then(|value| seconds_of(value, SystemTime::now()));
        let asked = asked.map(Duration::from_secs);
        if asked.is_some_and(|wait| passed.saturating_add(wait) > longest) {
            session.messages.warn("The Retry-After time would exceed --retry-max-time");
            return result;
        }
        let wait = asked.unwrap_or(next);
        let seconds = match wait.subsec_millis() {
            0 => wait.as_secs().to_string(),
            part => format!("{}.{part:03}", wait.as_secs()),
        };
        session.messages.warn(&format!(
            "Problem {problem}. Will retry in {seconds} seconds. {left} retries left."
        ));
        let thrown = attempt.sink.rewind().map_err(|error| Failure::of_writing(&error, false));
        let thrown = thrown.inspect_err(|failure| _ = session.report(failure))?;
        if thrown > 0 {
            session.messages.say(&format!("Throwing away {thrown} bytes"));
        }
        thread::sleep(wait);
        left -= 1;
        if flags.retry_delay.is_none() {
            next = (next * 2).min(LONGEST);
        }
    }
}

/// Completes a try that succeeded.
fn checked(attempt: &mut Attempt) -> Result<(), Failure> {
    let status = attempt.info.response_code;
    // A 304 leaves the file as it is.
    if status != 304 {
        attempt.sink.ensure_file()?;
    }
    if attempt.operation.flags.fail_with_body && status >= 400 {
        let text = format!("The requested URL returned error: {status}");
        return Err(Failure::new(Exit::HttpError, text));
    }
    Ok(())
}

/// Names a problem that may be transient.
fn problem(flags: &Group, status: u16, result: &Result<(), Failure>) -> Option<&'static str> {
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

/// Reads a Retry-After field: seconds, or a date (RFC 9110 §10.2.3). Zero counts as no field.
pub fn seconds_of(value: &[u8], now: SystemTime) -> Option<u64> {
    let since_1970 = |time: SystemTime| Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs());
    let from_date = || since_1970(parse_http_date(value)?)?.checked_sub(since_1970(now)?);
    decimal(value).or_else(from_date).filter(|seconds| *seconds > 0)
}
