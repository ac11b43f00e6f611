//! The text of the progress meter and of the bar of `-#`.

/// The progress of a transfer. A size of `None` is unknown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Numbers {
    pub download: u64,
    pub download_size: Option<u64>,
    pub upload: u64,
    pub upload_size: Option<u64>,
    pub micros: u64,
    /// Bytes a second in both directions, over the last five seconds.
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

/// Returns the meter's line, with the carriage return before it.
pub fn meter(now: &Numbers) -> String {
    let seconds = now.micros / 1_000_000;
    let direction = |done, size: Option<u64>| {
        let average = speed(done, now.micros);
        match size {
            Some(size) if average > 0 => (average, percent(done, size), size / average),
            _ => (average, 0, 0),
        }
    };
    let (down, received, download_time) = direction(now.download, now.download_size);
    let (up, sent, upload_time) = direction(now.upload, now.upload_size);
    let estimate = download_time.max(upload_time);
    let total = now.download_size.unwrap_or(now.download) + now.upload_size.unwrap_or(now.upload);
    format!(
        "\r{:3} {}  {received:3} {}  {sent:3} {}  {}  {} {} {} {} {}",
        percent(now.download + now.upload, total),
        five(total),
        five(now.download),
        five(now.upload),
        five(down),
        five(up),
        clock(estimate),
        clock(seconds),
        clock(estimate.saturating_sub(seconds)),
        five(now.current_speed),
    )
}

fn percent(part: u64, whole: u64) -> u64 {
    // Chunk framing counts as sent.
    let part = part.min(whole);
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

/// Returns the bar of `-#` of this width, with the carriage return before it. A transfer of unknown
/// size has a marker that moves back and forth, one column with each `step`.
pub fn bar(now: &Numbers, step: usize, width: usize) -> String {
    let total = now.download_size.unwrap_or(0) + now.upload_size.unwrap_or(0);
    if total == 0 {
        let room = width - 6;
        let at = room - room.abs_diff(step % (2 * room));
        return format!("\r{:at$}-=O=-{:rest$}", "", "", rest = room - at);
    }
    let (point, total) = (u128::from((now.download + now.upload).min(total)), u128::from(total));
    let room = width - 7;
    let done = "#".repeat((room as u128 * point / total) as usize);
    let tenths = (point * 1000 + total / 2) / total;
    format!("\r{done:room$} {:3}.{}%", tenths / 10, tenths % 10)
}
