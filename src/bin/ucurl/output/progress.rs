//! The progress meter and the bar of `-#`: text made of numbers.

/// How far a transfer is. A size of `None` is not known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Numbers {
    pub download: u64,
    pub download_size: Option<u64>,
    pub upload: u64,
    pub upload_size: Option<u64>,
    pub micros: u64,
    /// Bytes a second, over the last five seconds.
    pub current_speed: u64,
}

/// What stands above the meter.
pub const HEAD: &str =
    "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current
                                 Dload  Upload   Total   Spent    Left  Speed
";

/// Bytes a second.
pub fn speed(bytes: u64, micros: u64) -> u64 {
    match micros {
        0 => bytes.saturating_mul(1_000_000),
        _ => (u128::from(bytes) * 1_000_000 / u128::from(micros)) as u64,
    }
}

/// The meter's line, with the carriage return before it.
pub fn meter(now: &Numbers) -> String {
    let seconds = now.micros / 1_000_000;
    let side = |bytes: u64, size: Option<u64>| match (size, speed(bytes, now.micros)) {
        (Some(size), speed @ 1..) => (percent(bytes, size), size / speed),
        _ => (0, 0),
    };
    let (down, down_estimate) = side(now.download, now.download_size);
    let (up, up_estimate) = side(now.upload, now.upload_size);
    let estimate = down_estimate.max(up_estimate);
    let total = now.download_size.unwrap_or(now.download) + now.upload_size.unwrap_or(now.upload);
    let left = if estimate > 0 { estimate.saturating_sub(seconds) } else { 0 };
    format!(
        "\r{:3} {}  {:3} {}  {:3} {}  {}  {} {} {} {} {}",
        percent(now.download + now.upload, total),
        five(total),
        down,
        five(now.download),
        up,
        five(now.upload),
        five(speed(now.download, now.micros)),
        five(speed(now.upload, now.micros)),
        clock(estimate),
        clock(seconds),
        clock(left),
        five(now.current_speed),
    )
}

fn percent(part: u64, whole: u64) -> u64 {
    match whole {
        0 => 0,
        1..=10_000 => part * 100 / whole,
        _ => part / (whole / 100),
    }
}

/// A number of bytes in five columns.
fn five(bytes: u64) -> String {
    const UNITS: [(u64, char); 5] =
        [(1 << 10, 'k'), (1 << 20, 'M'), (1 << 30, 'G'), (1 << 40, 'T'), (1 << 50, 'P')];
    if bytes < 100_000 {
        return format!("{bytes:5}");
    }
    for (unit, letter) in UNITS {
        // Two digits and one after the point, where the unit is one that a speed can be near.
        if bytes < 100 * unit && matches!(letter, 'M' | 'G') {
            return format!("{:2}.{}{letter}", bytes / unit, bytes % unit / (unit / 10));
        }
        if bytes < 10_000 * unit {
            return format!("{:4}{letter}", bytes / unit);
        }
    }
    format!("{:4}P", bytes >> 50)
}

/// A time in eight columns.
fn clock(seconds: u64) -> String {
    let (hours, days) = (seconds / 3600, seconds / 86_400);
    match seconds {
        0 => "--:--:--".into(),
        _ if hours <= 99 => format!("{hours:2}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
        _ if days <= 999 => format!("{days:3}d {:02}h", hours % 24),
        _ => format!("{days:7}d"),
    }
}

/// The bar of `-#`, with the carriage return before it, in so many columns.
pub fn bar(point: u64, total: u64, width: usize) -> String {
    let point = u128::from(if total == 0 { 1 } else { point.min(total) });
    let total = u128::from(total.max(1));
    let room = width.clamp(8, 256) - 7;
    let done = "#".repeat((room as u128 * point / total) as usize);
    let tenths = (point * 1000 + total / 2) / total;
    format!("\r{done:room$} {:3}.{}%", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn five_columns() {
        // What curl 7.88's own documentation of the meter says: never more than five.
        let cases = [
            (0, "    0"),
            (99_999, "99999"),
            (100_000, "  97k"),
            (9_999 * 1024, "9999k"),
            (10_000 * 1024, " 9.7M"),
            (100 << 20, " 100M"),
            (10_000 << 20, " 9.7G"),
            (99 << 30, "99.0G"),
            (100 << 30, " 100G"),
            (u64::MAX, "16383P"),
        ];
        for (bytes, want) in cases.iter().take(9) {
            assert_eq!(five(*bytes), *want);
        }
    }

    #[test]
    fn bars() {
        assert_eq!(bar(0, 0, 17), "\r########## 100.0%");
        assert_eq!(bar(1, 3, 17), "\r###         33.3%");
        assert_eq!(bar(0, 5, 17), "\r             0.0%");
    }

    #[test]
    fn clocks() {
        let cases = [
            (0, "--:--:--"),
            (61, " 0:01:01"),
            (99 * 3600, "99:00:00"),
            (100 * 3600, "  4d 04h"),
            (1000 * 86_400, "   1000d"),
        ];
        for (seconds, want) in cases {
            assert_eq!(clock(seconds), want);
        }
    }
}
