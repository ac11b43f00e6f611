//! The progress meter: sizes in five columns, times in eight, and the bar of `-#`.

use crate::output::meter::{Numbers, bar, line};
use crate::support::child::{run, ucurl};
use crate::support::fake::Fake;
use crate::support::needs;
use crate::support::temp::TempDir;
use std::process::Command;
use std::thread;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

/// The columns of a meter, from one column to another.
fn columns(now: &Numbers, from: usize, to: usize) -> String {
    line(now)[from..to].to_owned()
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

/// Lines that curl 7.88 printed.
#[test]
fn uploads_count() {
    let now = Numbers {
        upload: 3_000_000,
        upload_size: Some(3_000_000),
        download: 2,
        download_size: Some(2),
        micros: 2_011_000,
        current_speed: 1_491_795,
    };
    let curl = "100 2929k    0     2  100 2929k      0  1456k  0:00:02  0:00:02 --:--:-- 1456k";
    assert_eq!(line(&now), format!("\r{curl}"));
    let now = Numbers {
        upload: 458_752,
        download: 0,
        download_size: None,
        micros: 200_850,
        current_speed: 2_281_500,
        ..now
    };
    let curl = " 15 2929k    0     0   15  448k      0  2230k  0:00:01 --:--:--  0:00:01 2228k";
    assert_eq!(line(&now), format!("\r{curl}"));
}

fn known(download: u64, size: u64, upload: u64) -> Numbers {
    let download_size = Some(size);
    Numbers { download, download_size, upload, upload_size: Some(0), ..Numbers::default() }
}

#[test]
fn the_bar_fills_its_columns() {
    assert_eq!(bar(&known(1, 3, 0), 0, 17), "\r###         33.3%");
    assert_eq!(bar(&known(0, 5, 0), 7, 17), "\r             0.0%");
    assert_eq!(bar(&known(1, 4, 1), 7, 17), "\r#####       50.0%");
    // Framing counts as sent, and a body may be longer than announced.
    assert_eq!(bar(&known(1, 4, 9), 7, 17), "\r########## 100.0%");
}

#[test]
fn a_bar_without_a_size_flies_to_and_fro() {
    let at = |step| bar(&Numbers::default(), step, 20);
    assert_eq!(at(0), "\r-=O=-              ");
    assert_eq!(at(1), "\r -=O=-             ");
    assert_eq!(at(14), "\r              -=O=-");
    assert_eq!(at(15), "\r             -=O=- ");
    assert_eq!(at(28), at(0));
}

/// The server reads only the first half of this upload.
#[test]
fn an_upload_moves_the_meter() {
    const SIZE: usize = 8 << 20;
    let dir = TempDir::new();
    std::fs::write(dir.join("big"), vec![0; SIZE]).unwrap();
    let check = |flags: &[&str], shows: &str| {
        let server = Fake::start(|peer| {
            peer.read_until(b"\r\n\r\n")?;
            peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            peer.read(SIZE / 2)?;
            // A line is due after a second. Then the rest of the content follows.
            peer.pause(1100);
            peer.read(SIZE / 2)?;
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        });
        let mut command = ucurl();
        command.current_dir(dir.path()).args(["-o", "out"]).args(flags).arg("big");
        let ended = run(command.arg("--unix-socket").arg(server.path()).arg("/x"), b"", LIMIT);
        let told = ended.stderr();
        let lines: Vec<&str> = told.split('\r').collect();
        assert!(told.contains(shows), "{told}");
        let on_its_way = |line: &&&str| {
            line.contains('.') && line.contains('#') && !line.contains("100.0%")
                || line.split_whitespace().next().is_some_and(|percent| {
                    percent.parse::<u32>().is_ok_and(|percent| (1..100).contains(&percent))
                })
        };
        assert!(lines.iter().filter(on_its_way).count() > 0, "{told}");
    };
    thread::scope(|scope| {
        scope.spawn(|| check(&["-T"], " 100 8192k "));
        scope.spawn(|| check(&["-#", "-T"], "## 100.0%"));
    });
}

/// Without COLUMNS, the terminal has the width.
#[test]
fn the_bar_is_as_wide_as_the_terminal() {
    let Some(script) = needs::program("script") else { return };
    let server = Fake::answer_and_close("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    let line = format!(
        "stty cols 40; {} -# -o /dev/null --unix-socket {} /x",
        env!("CARGO_BIN_EXE_ucurl"),
        server.path().display()
    );
    let mut command = Command::new(script);
    command.args(["-qec", &line, "/dev/null"]).env("SHELL", "/bin/sh").env_remove("COLUMNS");
    let shown = run(&mut command, b"", LIMIT).stdout();
    assert!(shown.contains(&format!("\r{} 100.0%", "#".repeat(33))), "{shown:?}");
}
