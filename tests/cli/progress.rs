//! The progress meter: sizes in five columns, times in eight, and the bar of `-#`.

use crate::output::progress::{Numbers, bar, meter};

/// The columns of a meter, from one column to another.
fn columns(now: &Numbers, from: usize, to: usize) -> String {
    meter(now)[from..to].to_owned()
}

#[test]
fn sizes_take_five_columns() {
    // curl's documentation of the meter: never more than five.
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
    for (bytes, want) in cases {
        let now = Numbers { download: bytes, micros: 1_000_000, ..Numbers::default() };
        assert_eq!(columns(&now, 5, 5 + want.len()), want, "{bytes}");
    }
}

#[test]
fn times_take_eight_columns() {
    let cases = [
        (0, "--:--:--"),
        (61, " 0:01:01"),
        (99 * 3600, "99:00:00"),
        (100 * 3600, "  4d 04h"),
        (1000 * 86_400, "   1000d"),
    ];
    for (seconds, want) in cases {
        let now = Numbers { micros: seconds * 1_000_000, ..Numbers::default() };
        assert_eq!(columns(&now, 56, 64), want, "{seconds}");
    }
}

#[test]
fn the_bar_fills_its_columns() {
    assert_eq!(bar(0, 0, 17), "\r########## 100.0%");
    assert_eq!(bar(1, 3, 17), "\r###         33.3%");
    assert_eq!(bar(0, 5, 17), "\r             0.0%");
}
