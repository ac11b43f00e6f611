//! The Date field: `RFC 9110 §6.6.1`, in the one form that is written, IMF-fixdate (`RFC 9110
//! §5.6.7`).

use std::time::{SystemTime, UNIX_EPOCH};

/// A time as fields have it: `day-name "," SP day SP month SP year SP hour ":" minute ":" second SP
/// GMT`, each part of a fixed width (`RFC 9110 §5.6.7`). Years from 1970 to 9999.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use unix_http::server::http_date;
///
/// assert_eq!(&http_date(UNIX_EPOCH + Duration::from_secs(784_111_777)), b"Sun, 06 Nov 1994 08:49:37 GMT");
/// ```
#[must_use]
pub fn http_date(time: SystemTime) -> [u8; 29] {
    imf_fixdate(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}

fn imf_fixdate(seconds: u64) -> [u8; 29] {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    // 1 January 1970 was a Thursday.
    let weekday = (days + 4) % 7;
    let mut date = *b"Sun, 00 Jan 0000 00:00:00 GMT";
    date[..3].copy_from_slice(triple(b"SunMonTueWedThuFriSat", weekday));
    date[8..11].copy_from_slice(triple(b"JanFebMarAprMayJunJulAugSepOctNovDec", month - 1));
    let pairs = [
        (5, day),
        (12, year / 100),
        (14, year),
        (17, second / 3600),
        (20, second / 60 % 60),
        (23, second % 60),
    ];
    for (at, number) in pairs {
        date[at] = b'0' + (number / 10 % 10) as u8;
        date[at + 1] = b'0' + (number % 10) as u8;
    }
    date
}

fn triple(names: &[u8], index: u64) -> &[u8] {
    &names[index as usize * 3..][..3]
}

/// Year, month and day of the Gregorian calendar. Years are counted from 1 March, so that the leap
/// day is the last.
fn civil(days: u64) -> (u64, u64, u64) {
    const FROM_1_MARCH_0000: u64 = 719_468;
    const PER_400_YEARS: u64 = 146_097;
    let days = days + FROM_1_MARCH_0000;
    let (era, day) = (days / PER_400_YEARS, days % PER_400_YEARS);
    let year = (day - day / 1460 + day / 36_524 - day / (PER_400_YEARS - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Months from March on have 31, 30, 31, 30, 31 days, again and again: 153 days for each five.
    let month = (5 * day + 2) / 153;
    let in_month = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + later, month, in_month)
}

#[cfg(test)]
mod tests {
    use super::imf_fixdate;

    #[test]
    fn known_days() {
        // The first is RFC 9110's own example; the others were asked of date(1): `date -u -R -d
        // @SECONDS`.
        for (seconds, want) in [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
            (1_709_251_200, "Fri, 01 Mar 2024 00:00:00 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
            (1_798_761_599, "Thu, 31 Dec 2026 23:59:59 GMT"),
        ] {
            assert_eq!(std::str::from_utf8(&imf_fixdate(seconds)), Ok(want), "{seconds}");
        }
    }
}
