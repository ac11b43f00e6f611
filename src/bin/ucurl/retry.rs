//! `--retry`: when to try again, and after how long.

use std::time::Duration;

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
    http_date(value)?.checked_sub(now).filter(|seconds| *seconds > 0)
}

/// IMF-fixdate, RFC 9110 §5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`, as seconds since 1970.
fn http_date(date: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(date).ok()?;
    let (_, text) = text.split_once(", ")?;
    let parts: Vec<&str> = text.split(' ').collect();
    let [day, month, year, time, "GMT"] = parts[..] else { return None };
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        .iter()
        .position(|name| *name == month)? as u64
        + 1;
    let clock: Vec<u64> = time.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hour, minute, second] = clock[..] else { return None };
    let (day, year): (u64, u64) = (day.parse().ok()?, year.parse().ok()?);
    if !(1970..=9999).contains(&year)
        || day == 0
        || day > 31
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    // Days since 1970-01-01: years that begin in March end in their leap day.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;
    Some((days - 719_468) * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        // RFC 9110 §5.6.7's example; the number is date(1)'s.
        assert_eq!(http_date(b"Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(http_date(b"Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(http_date(b"Thu, 29 Feb 2024 23:59:59 GMT"), Some(1_709_251_199));
        assert_eq!(http_date(b"sometime"), None);
    }

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
