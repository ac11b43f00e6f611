//! The calendar, and the time formats of HTTP and Docker.
//!
//! ```text
//! IMF-fixdate = day-name "," SP day SP month SP year SP time-of-day SP "GMT"   ; RFC 9110 §5.6.7
//! date-time   = full-date "T" partial-time ( "Z" / ( "+" / "-" ) hh ":" mm )   ; RFC 3339 §5.6
//! ```
//!
//! ```
//! use std::time::{Duration, UNIX_EPOCH};
//! use unix_http::base::time::{http_date, parse_http_date, parse_rfc3339, rfc3339};
//!
//! let time = UNIX_EPOCH + Duration::from_secs(784_111_777);
//! assert_eq!(http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
//! assert_eq!(parse_http_date(b"Sun, 06 Nov 1994 08:49:37 GMT"), Some(time));
//! assert_eq!(rfc3339(time, 3), "1994-11-06T08:49:37.000Z");
//! assert_eq!(parse_rfc3339("1994-11-06T09:49:37+01:00"), Some(time));
//! ```

use super::number::decimal;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const SECONDS_PER_DAY: u64 = 86_400;

/// Years are counted from 1 March 0000, so that the leap day is the last day of a year.
const DAYS_TO_1970: u64 = 719_468;
const DAYS_PER_400_YEARS: u64 = 146_097;

/// A date and a time of day in UTC.
struct Civil {
    year: u64,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
}

impl Civil {
    fn of(seconds: u64) -> Civil {
        let days = seconds / SECONDS_PER_DAY + DAYS_TO_1970;
        let (era, day) = (days / DAYS_PER_400_YEARS, days % DAYS_PER_400_YEARS);
        let year = (day - day / 1460 + day / 36_524 - day / (DAYS_PER_400_YEARS - 1)) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        // Starting in March, the month lengths repeat 31, 30, 31, 30, 31: five months have 153
        // days.
        let from_march = (5 * day + 2) / 153;
        let in_january = from_march >= 10;
        Civil {
            year: era * 400 + year + u64::from(in_january),
            month: if in_january { from_march - 9 } else { from_march + 3 },
            day: day - (153 * from_march + 2) / 5 + 1,
            hour: seconds % SECONDS_PER_DAY / 3600,
            minute: seconds / 60 % 60,
            second: seconds % 60,
        }
    }

    /// Returns the seconds since 1970, or `None` for an earlier date or one that does not exist.
    fn seconds(&self) -> Option<u64> {
        let (year, month) = match self.month {
            3..=12 => (self.year, self.month - 3),
            1..=2 => (self.year.checked_sub(1)?, self.month + 9),
            _ => return None,
        };
        let leap_days = year / 4 - year / 100 + year / 400;
        let days = 365 * year + leap_days + (153 * month + 2) / 5 + self.day.checked_sub(1)?;
        let midnight = days.checked_sub(DAYS_TO_1970)? * SECONDS_PER_DAY;
        // 30 February is found again as a day of March.
        let found = Civil::of(midnight);
        // A minute may end with a leap second (RFC 3339 §5.7).
        let exists = (found.month, found.day) == (self.month, self.day)
            && self.hour < 24
            && self.minute < 60
            && self.second <= 60;
        exists.then_some(midnight + self.hour * 3600 + self.minute * 60 + self.second)
    }
}

/// Formats an IMF-fixdate. Times before 1970 become 1970.
#[must_use]
pub fn http_date(time: SystemTime) -> String {
    let seconds = since_1970(time).as_secs();
    let Civil { year, month, day, hour, minute, second } = Civil::of(seconds);
    // 1 January 1970 was a Thursday.
    let weekday = DAYS[(seconds / SECONDS_PER_DAY + 4) as usize % 7];
    let month = MONTHS[month as usize - 1];
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// Parses an IMF-fixdate. Ignores the name of the day, and rejects the two obsolete formats of RFC
/// 9110 §5.6.7.
pub fn parse_http_date(date: &[u8]) -> Option<SystemTime> {
    if !has_shape(date, b"___, __ ___ ____ __:__:__ GMT") {
        return None;
    }
    let number = |from: usize, to: usize| decimal(&date[from..to]);
    let civil = Civil {
        year: number(12, 16)?,
        month: MONTHS.iter().position(|name| name.as_bytes() == &date[8..11])? as u64 + 1,
        day: number(5, 7)?,
        hour: number(17, 19)?,
        minute: number(20, 22)?,
        second: number(23, 25)?,
    };
    UNIX_EPOCH.checked_add(Duration::from_secs(civil.seconds()?))
}

/// Returns whether `text` equals `shape`, in which `_` matches any byte.
fn has_shape(text: &[u8], shape: &[u8]) -> bool {
    text.len() == shape.len()
        && text.iter().zip(shape).all(|(b, place)| b == place || *place == b'_')
}

/// Formats a time in UTC with `digits` (0 to 9) fractional digits of a second.
#[must_use]
pub fn rfc3339(time: SystemTime, digits: usize) -> String {
    let since = since_1970(time);
    let Civil { year, month, day, hour, minute, second } = Civil::of(since.as_secs());
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if digits > 0 {
        text.push('.');
        text.push_str(&format!("{:09}", since.subsec_nanos())[..digits.min(9)]);
    }
    text + "Z"
}

/// Parses a time with any offset. Only the first nine digits of the fraction count.
pub fn parse_rfc3339(text: &str) -> Option<SystemTime> {
    let text = text.to_ascii_uppercase();
    let (local, rest) = text.as_bytes().split_at_checked(19)?;
    if !has_shape(local, b"____-__-__T__:__:__") {
        return None;
    }
    let number = |from: usize, to: usize| decimal(&local[from..to]);
    let civil = Civil {
        year: number(0, 4)?,
        month: number(5, 7)?,
        day: number(8, 10)?,
        hour: number(11, 13)?,
        minute: number(14, 16)?,
        second: number(17, 19)?,
    };
    let zone = rest.iter().position(|byte| b"Z+-".contains(byte))?;
    let nanos = fraction(&rest[..zone])?;
    let local = i64::try_from(civil.seconds()?).ok()?;
    let seconds = u64::try_from(local.checked_sub(offset(&rest[zone..])?)?).ok()?;
    UNIX_EPOCH.checked_add(Duration::new(seconds, nanos))
}

/// Parses `[ "." 1*DIGIT ]` as nanoseconds.
fn fraction(text: &[u8]) -> Option<u32> {
    match text {
        [] => Some(0),
        [b'.', digits @ ..] if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => {
            let nine = digits.iter().chain(b"000000000").take(9);
            Some(nine.fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
        }
        _ => None,
    }
}

/// Parses `"Z" / ( "+" / "-" ) hh ":" mm` as seconds ahead of UTC.
fn offset(zone: &[u8]) -> Option<i64> {
    match zone {
        [b'Z'] => Some(0),
        [sign, h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (decimal(&[*h1, *h2])?, decimal(&[*m1, *m2])?);
            let seconds = i64::try_from(hours * 3600 + minutes * 60).ok()?;
            (hours < 24 && minutes < 60).then_some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}
