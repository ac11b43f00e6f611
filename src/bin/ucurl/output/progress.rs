//! The progress meter and the bar of `-#`: text made of numbers.

/// How far a download is. A size of `None` is not known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Numbers {
    pub download: u64,
    pub download_size: Option<u64>,
    pub micros: u64,
    /// Bytes a second, over the last five seconds.
    pub current_speed: u64,
}

/// The lines above the meter.
pub const HEAD: &str =
    "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current
                                 Dload  Upload   Total   Spent    Left  Speed
";

/// Returns bytes a second.
pub fn speed(bytes: u64, micros: u64) -> u64 {
    match micros {
        0 => bytes.saturating_mul(1_000_000),
        _ => (u128::from(bytes) * 1_000_000 / u128::from(micros)) as u64,
    }
}

/// Returns the meter's line, with the carriage return before it. The columns of uploads show 0.
pub fn meter(now: &Numbers) -> String {
    let seconds = now.micros / 1_000_000;
    let average = speed(now.download, now.micros);
    let (received, estimate) = match now.download_size {
        Some(size) if average > 0 => (percent(now.download, size), size / average),
        _ => (0, 0),
    };
    let total = now.download_size.unwrap_or(now.download);
    format!(
        "\r{:3} {}  {received:3} {}    0     0  {}      0 {} {} {} {}",
        percent(now.download, total),
        five(total),
        five(now.download),
        five(average),
        clock(estimate),
        clock(seconds),
        clock(estimate.saturating_sub(seconds)),
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

/// Returns a number of bytes in five columns.
fn five(bytes: u64) -> String {
    if bytes < 100_000 {
        return format!("{bytes:5}");
    }
    for (unit, letter) in [(1 << 10, 'k'), (1 << 20, 'M'), (1 << 30, 'G'), (1 << 40, 'T')] {
        if bytes < 100 * unit && matches!(letter, 'M' | 'G') {
            return format!("{:2}.{}{letter}", bytes / unit, bytes % unit / (unit / 10));
        }
        if bytes < 10_000 * unit {
            return format!("{:4}{letter}", bytes / unit);
        }
    }
    format!("{:4}P", bytes >> 50)
}

/// Returns a time in eight columns.
fn clock(seconds: u64) -> String {
    let (hours, days) = (seconds / 3600, seconds / 86_400);
    match seconds {
        0 => "--:--:--".into(),
        _ if hours <= 99 => format!("{hours:2}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
        _ if days <= 999 => format!("{days:3}d {:02}h", hours % 24),
        _ => format!("{days:7}d"),
    }
}

/// Returns the bar of `-#` of this width, with the carriage return before it.
pub fn bar(point: u64, total: u64, width: usize) -> String {
    let point = u128::from(if total == 0 { 1 } else { point.min(total) });
    let total = u128::from(total.max(1));
    let room = width.clamp(8, 256) - 7;
    let done = "#".repeat((room as u128 * point / total) as usize);
    let tenths = (point * 1000 + total / 2) / total;
    format!("\r{done:room$} {:3}.{}%", tenths / 10, tenths % 10)
}
