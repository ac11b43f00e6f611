//! `--retry`: when to try again, and after how long.

use std::time::{Duration, UNIX_EPOCH};
use unix_http::base::time::parse_http_date;

/// The waits double up to this.
const LONGEST: u64 = 600;

/// Status codes that may be gone a little later.
pub fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// The waits between tries: 1, 2, 4 … 600 seconds, or always `--retry-delay`.
pub struct Waits {
    next: u64,
    fixed: bool,
}

impl Waits {
    pub fn new(delay: u64) -> Waits {
        Waits { next: if delay == 0 { 1 } else { delay }, fixed: delay > 0 }
    }

    /// The next wait; the server's Retry-After counts instead of it but does not stop the doubling.
    pub fn next(&mut self, retry_after: Option<u64>) -> Duration {
        let wait = self.next;
        if !self.fixed {
            self.next = (wait * 2).min(LONGEST);
        }
        Duration::from_secs(retry_after.unwrap_or(wait))
    }
}

/// The seconds that a Retry-After field asks for: a number of them, or a date (RFC 9110 §10.2.3).
/// Zero and what is neither count as no field.
pub fn after(value: &[u8], now: u64) -> Option<u64> {
    let value = value.trim_ascii();
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 0 {
        return std::str::from_utf8(&value[..digits])
            .ok()?
            .parse()
            .ok()
            .filter(|seconds| *seconds > 0);
    }
    let date = parse_http_date(value)?.duration_since(UNIX_EPOCH).ok()?;
    date.as_secs().checked_sub(now).filter(|seconds| *seconds > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        assert_eq!(after(b" 120", 0), Some(120));
        assert_eq!(after(b"0", 0), None);
        assert_eq!(after(b"Thu, 01 Jan 1970 00:01:00 GMT", 10), Some(50));
        assert_eq!(after(b"Thu, 01 Jan 1970 00:01:00 GMT", 100), None);
        assert_eq!(after(b"soon", 0), None);
    }

    #[test]
    fn waits_double_up_to_ten_minutes() {
        let mut waits = Waits::new(0);
        let seconds: Vec<u64> = (0..12).map(|_| waits.next(None).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]);
        let mut waits = Waits::new(3);
        assert_eq!(
            [waits.next(None).as_secs(), waits.next(Some(9)).as_secs(), waits.next(None).as_secs()],
            [3, 9, 3]
        );
    }
}
