//! Time, as Docker writes it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What Docker says of a time that has not come.
pub const NEVER: &str = "0001-01-01T00:00:00Z";

/// Seconds and nanoseconds since 1970.
pub fn unix(time: SystemTime) -> (u64, u32) {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    (since.as_secs(), since.subsec_nanos())
}

/// Nanoseconds since 1970, as events have them.
pub fn nanos(time: SystemTime) -> String {
    let (seconds, nanos) = unix(time);
    (seconds.saturating_mul(1_000_000_000).saturating_add(nanos.into())).to_string()
}

/// RFC 3339 with all nine digits of the second.
pub fn rfc3339(time: SystemTime) -> String {
    let (seconds, nanos) = unix(time);
    let mut text = to_seconds(seconds);
    text.push('.');
    text.push_str(&(1_000_000_000 + nanos).to_string()[1..]);
    text.push('Z');
    text
}

/// RFC 3339 without them.
pub fn rfc3339_seconds(seconds: u64) -> String {
    to_seconds(seconds) + "Z"
}

fn to_seconds(seconds: u64) -> String {
    let (year, month, day) = civil(seconds / 86_400);
    let of_day = seconds % 86_400;
    let parts = [
        ("", year),
        ("-", month),
        ("-", day),
        ("T", of_day / 3600),
        (":", of_day / 60 % 60),
        (":", of_day % 60),
    ];
    let mut text = String::new();
    for (before, number) in parts {
        text.push_str(before);
        if number < 10 {
            text.push('0');
        }
        text.push_str(&number.to_string());
    }
    text
}

/// Year, month and day of the Gregorian calendar; years are counted from 1 March, so that the leap
/// day is the last.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let in_month = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + later, month, in_month)
}

/// A `since` or `until`: seconds since 1970, with a fraction or without.
pub fn parse(text: &str) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(seconds(text)?)
}

/// `1*DIGIT [ "." *DIGIT ]` seconds.
pub fn seconds(text: &str) -> Option<Duration> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    Some(Duration::new(seconds.parse().ok()?, digits.parse().ok()?))
}

/// A duration for people, as `docker ps` shows it.
pub fn about(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (count, unit) = match seconds {
        0 => return "Less than a second".to_owned(),
        1 => return "1 second".to_owned(),
        2..=59 => (seconds, " seconds"),
        60..=119 => return "About a minute".to_owned(),
        120..=3599 => (seconds / 60, " minutes"),
        3600..=7199 => return "About an hour".to_owned(),
        7200..=172_799 => (seconds / 3600, " hours"),
        _ => (seconds / 86_400, " days"),
    };
    count.to_string() + unit
}

#[cfg(test)]
mod tests {
    use super::{parse, rfc3339, rfc3339_seconds};
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn known_times() {
        // `date -u -d @SECONDS +%FT%TZ`
        assert_eq!(rfc3339_seconds(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(rfc3339_seconds(1_709_251_199), "2024-02-29T23:59:59Z");
        assert_eq!(rfc3339(UNIX_EPOCH + Duration::new(1, 5)), "1970-01-01T00:00:01.000000005Z");
        assert_eq!(parse("12.5"), Some(UNIX_EPOCH + Duration::from_millis(12_500)));
        assert_eq!(parse("x"), None);
    }
}
