//! `ucurl tap --read` with a recording, and with a HAR: ours, a browser's, and a hostile one.

use super::process::{LIMIT, tap};
use crate::support::child::{Ended, run};
use crate::support::temp::TempDir;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Runs `ucurl tap --read NAME` in the directory.
fn read(dir: &TempDir, name: &str, options: &[&str]) -> Ended {
    let mut command = tap(dir, &[&["tap", "--read", name], options].concat());
    run(command.current_dir(dir.path()), b"", LIMIT)
}

fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort();
    lines
}

/// Creates a recording with each exchange in `tests/recorded` on a separate connection.
///
/// A HAR has no interim responses, so exchanges with one are left out.
fn record(dir: &TempDir) {
    fs::create_dir(dir.join("rec")).unwrap();
    let at = |name: String| dir.join("rec").join(name);
    let files = fs::read_dir("tests/recorded").unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().unwrap() == "request").collect();
    let interim = |path: &PathBuf| {
        fs::read(path.with_extension("response")).unwrap().starts_with(b"HTTP/1.1 100")
    };
    files.retain(|path| !interim(path));
    files.sort();
    assert!(files.len() > 40);
    let mut index = "ucurl recording 1\nstarted 1000000000.000000000\nsecrets shown\n".to_owned();
    for (n, path) in (1..).zip(files) {
        let asked = fs::copy(&path, at(format!("{n}.client"))).unwrap();
        let answered = path.with_extension("response");
        let answered = fs::copy(answered, at(format!("{n}.server"))).unwrap();
        let (began, ended) = (format!("{n}.012345000 {n}"), format!("{n}.046912000 {n}"));
        index += &format!("{began} open\n{began} client {asked}\n{ended} server {answered}\n");
        index += &format!("{ended} server end\n{ended} closed\n");
    }
    fs::write(at("index".into()), index).unwrap();
}

/// Every connection has two files. Those of connections that have ended are closed.
#[test]
fn a_recording_of_many_connections_needs_few_descriptors() {
    let dir = TempDir::new();
    record(&dir);
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n 32 && exec \"$0\" tap --read rec --brief"]);
    shell.arg(env!("CARGO_BIN_EXE_ucurl")).current_dir(dir.path());
    let shown = run(&mut shell, b"", LIMIT).success();
    assert_eq!(shown, read(&dir, "rec", &["--brief"]).success());
}

#[test]
fn our_har_is_shown_like_the_recording() {
    let dir = TempDir::new();
    record(&dir);
    let ended = read(&dir, "rec", &["--quiet", "--har", "har"]);
    assert_eq!(ended.success(), "");
    for options in [
        &["--brief"][..],
        &["--body", "full"],
        &["--status", "4xx"],
        &["--only", "POST /*"],
        &["--connection", "9"],
        &["--quiet", "--script", "-"],
        &["--quiet", "--rules", "-"],
    ] {
        let [a, b] = ["rec", "har"].map(|name| read(&dir, name, options).success());
        assert!(a.lines().count() > 2, "{options:?}: {a}");
        // A HAR does not contain the order of events with the same time.
        assert_eq!(lines(&a), lines(&b), "{options:?}");
    }
    let explained = read(&dir, "har", &["--explain"]).success();
    assert!(explained.contains("< HTTP/1.1 101 UPGRADED"), "{explained}");
    let again = read(&dir, "har", &["--quiet", "--har", "-"]).success();
    // The size of a body includes the chunk-size lines.
    let without_sizes = |har: &str| -> Vec<String> {
        let parts = har.split("\"bodySize\":");
        parts.map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()).into()).collect()
    };
    assert_eq!(without_sizes(&again), without_sizes(&fs::read_to_string(dir.join("har")).unwrap()));
}

/// An export of Chrome: HTTP/2, bodies without text, a port as the connection, other peculiarities.
#[test]
fn a_har_of_a_browser_is_read_as_far_as_possible() {
    let dir = TempDir::new();
    let entry = |at: &str, request: &str, response: &str, more: &str| {
        let date = format!("2026-07-29T10:00:00{at}");
        format!(
            r#"{{"startedDateTime":"{date}","timings":{{"send":0.2,"wait":50,"receive":-1}},
            "connection":"443","request":{{"method":"GET","url":"https://u:p@app.test/{request}}},
            "response":{{"status":{response}}}{more}}}"#
        )
    };
    let h2 = r#"a?x=%20y","httpVersion":"h2","headers":[{"name":":authority","value":"app.test"}]"#;
    let field = |name: &str, value| format!(r#"{{"name":"{name}","value":"{value}"}}"#);
    let fields = [field("content-encoding", "br"), field("content-length", "20")].join(",");
    let content = format!(r#"200,"headers":[{fields}],"content":{{"size":2,"text":"hi"}}"#);
    let form = r#"form","bodySize":7,"postData":{"params":[{"name":"a","value":"1"}]}"#;
    let image = r#"200,"content":{"size":300,"mimeType":"image/png"}"#;
    let entries = [
        entry(".100Z", h2, &content, ""),
        entry(".110Z", h2, "0", r#","comment":"blocked""#),
        entry(".300Z", form, &content, ""),
        entry(".400+0200", "d\"", image, ""),
        entry(".500Z", "e f\"", "204", ""),
    ];
    let har = format!("\u{feff}{{\"log\":{{\"entries\":[{}]}}}}", entries.join(","));
    fs::write(dir.join("har"), har).unwrap();
    let ended = read(&dir, "har", &["--brief"]);
    assert_eq!(ended.code, 0);
    let shown = "\
443.1 GET /d → 200   0 µs  0 B → 0 B
1.1 GET /a?x=%20y → 200   50 ms  0 B → 2 B
2.1 ! the server: no response to this request
2.1 GET /a?x=%20y → no response  0 µs  0 B → 0 B
3.1 GET /form → 200   50 ms  0 B → 2 B
";
    assert_eq!(ended.stdout(), shown);
    let (says, of) = (ended.stderr(), "ucurl: tap: entry");
    let expected = [
        "1 of the HAR: there was no response",
        "1 of the HAR: its comment: blocked",
        "2 of the HAR: the HAR has 0 of the 7 bytes of its request's body",
        "3 of the HAR: its startedDateTime is not a time; it is shown first",
        "3 of the HAR: the HAR has the first 0 of its 300 bytes",
        "4 of the HAR: its request: refused to send a request-target",
    ];
    for (line, expected) in says.lines().zip(expected) {
        assert!(line.starts_with(&format!("{of} {expected}")), "{says}");
    }
    let newer = "ucurl: tap: entries that are not HTTP/1 are shown as HTTP/1.1: 2";
    assert_eq!((says.lines().count(), says.lines().last()), (7, Some(newer)));
    // The host of HTTP/2. The content is decoded, and its length is that of the available content.
    let view = read(&dir, "har", &["--connection", "1"]).stdout();
    assert!(
        view.contains("1.1 > Host: app.test\n") && !view.contains("content-encoding"),
        "{view}"
    );
    assert!(view.contains("< Content-Length: 2\n") && view.contains("1.1 < hi\n"), "{view}");
}

#[test]
fn options_that_a_har_cannot_support_are_refused_before_a_file_changes() {
    let dir = TempDir::new();
    let har = r#"{"log":{"entries":[{"request":{"method":"GET","url":"http://h/a"},
        "connection":"18446744073709551615","timings":{"wait":1e22,"receive":1e22},
        "startedDateTime":"9999-12-31T23:59:59Z","response":{"status":204}}]}}"#;
    fs::write(dir.join("har"), har).unwrap();
    fs::write(dir.join("kept"), "kept").unwrap();
    for options in [&["--pcap", "kept"][..], &["--record", "new"], &["--explain=bytes", "-okept"]] {
        let ended = read(&dir, "har", options);
        let says = ended.stderr();
        let why = "a HAR does not have the bytes as they were sent";
        assert!(ended.code == 2 && says.contains(why) && says.lines().count() == 1, "{says}");
    }
    assert_eq!(fs::read_to_string(dir.join("kept")).unwrap(), "kept");
    assert!(!dir.join("new").exists());
    // An output may replace the input.
    let view = read(&dir, "har", &["--brief", "--time", "--har", "har"]).success();
    assert!(view.contains("18446744073709551615.1 GET /a → 204"), "{view}");
    assert!(fs::read_to_string(dir.join("har")).unwrap().contains("http://localhost/a"));
    for (text, why) in [("{", "no HAR: "), ("{}", "no log.entries"), ("", "no HAR: ")] {
        fs::write(dir.join("bad"), text).unwrap();
        let ended = read(&dir, "bad", &["--output", "kept"]);
        assert!(ended.code == 2 && ended.stderr().contains(why), "{}", ended.stderr());
    }
    assert_eq!(fs::read_to_string(dir.join("kept")).unwrap(), "kept");
}
