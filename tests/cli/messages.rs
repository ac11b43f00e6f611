//! The reason of a failure: as an error, and with `-s` in `-v`, `--trace` and `--explain`.

use crate::support::child::{Ended, run, ucurl};
use crate::support::fake::Fake;
use crate::support::temp::TempDir;
use std::os::unix::net::UnixListener;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

fn on(socket: &std::path::Path, flags: &str) -> Ended {
    let mut command = ucurl();
    command.args(flags.split(' ')).arg("--unix-socket").arg(socket).arg("/x");
    run(&mut command, b"", LIMIT)
}

/// A missing socket, and one whose server has ended. A forbidden one: `transport/connect.rs`.
#[test]
fn the_trace_says_why_there_is_no_connection() {
    let dir = TempDir::new();
    drop(UnixListener::bind(dir.join("dead")).unwrap());
    for (name, why) in [("missing", "no such socket"), ("dead", "no process is listening")] {
        for flags in ["-sv", "-s --explain", "-s --trace-ascii %", "-s --trace -"] {
            let ended = on(&dir.join(name), flags);
            let told = [ended.stderr(), ended.stdout()].concat().replace('\n', " ");
            assert_eq!((ended.code, told.matches(why).count()), (7, 1), "{flags}: {told}");
            assert!(!told.contains("ucurl: "), "{flags}: {told}");
        }
        assert_eq!(on(&dir.join(name), "-s").stderr(), "");
    }
}

/// The error itself is on the same stderr.
#[test]
fn an_error_that_is_shown_is_not_repeated() {
    let dir = TempDir::new();
    for flags in ["-v", "--explain", "-sSv", "-S -s --explain"] {
        let ended = on(&dir.join("missing"), flags);
        assert_eq!(ended.stderr().matches("no such socket").count(), 1, "{}", ended.stderr());
        assert!(ended.stderr().contains("\nucurl: (7) "), "{}", ended.stderr());
    }
    let trace = dir.join("trace");
    on(&dir.join("missing"), &format!("--trace {}", trace.display()));
    let trace = std::fs::read_to_string(trace).unwrap();
    assert!(trace.contains("== Info: cannot connect"), "{trace}");
}

/// This holds for every failure, not only of connections.
#[test]
fn the_trace_says_why_a_transfer_failed() {
    for (answer, code, why) in [
        ("", 52, "closed the connection without"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", 18, "2 of 9"),
        ("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", 22, "returned error: 404"),
    ] {
        for flags in ["-sfv", "-sf --explain"] {
            let server = Fake::answer_and_close(answer);
            let ended = on(&server.path(), flags);
            let last = ended.stderr().replace("\n  ", " ");
            let last = last.lines().last().unwrap_or_default();
            assert_eq!(ended.code, code, "{flags}: {last}");
            assert!(last.starts_with(['*', '=']) && last.contains(why), "{flags}: {last}");
        }
    }
}

/// A script that works with curl must not fail without a message.
#[test]
fn a_wrong_command_line_is_an_error_with_dash_s_too() {
    let dir = TempDir::new();
    for (flags, why) in [
        (&["-H", "X-A : b"][..], "X-A : b"),
        (&["-H", "X: y\r"], "X: y"),
        (&["-X", "GET /a"], "method"),
        (&["--oauth2-bearer", "a\nb"], "Bearer"),
        (&["-I", "-d", "x"], "Only one request method"),
        (&["-d", "x", "-T", "f"], "Only one request method"),
        (&["--hijack", "-T", "f"], "--hijack"),
        (&["--select", "Id"], "--select"),
        (&["--proxy-command", ""], "--proxy-command"),
        (&["--context", "nope"], "nope"),
        (&["--endpoint", "x://y"], "x://y"),
        (&["--nope"], "--nope"),
        (&["--retry", "x"], "--retry"),
    ] {
        let mut command = ucurl();
        command.current_dir(dir.path()).env("HOME", dir.path()).arg("-s").args(flags).arg("/x");
        if !["--proxy-command", "--context", "--endpoint"].contains(&flags[0]) {
            command.args(["--unix-socket", "s"]);
        }
        let ended = run(&mut command, b"", LIMIT);
        assert_eq!(ended.code, 2, "{flags:?}: {}", ended.stderr());
        assert!(ended.stderr().contains(why), "{flags:?}: {}", ended.stderr());
    }
}

#[test]
fn passwords_of_urls_are_not_shown() {
    let server = Fake::answer_and_close(
        "HTTP/1.1 302 Found\r\nLocation: http://u:hunter2@d/y\r\n\
         Connection: close\r\nContent-Length: 0\r\n\r\n",
    );
    let ended = on(&server.path(), "-sv -L --max-redirs 1");
    let own = ended.stderr().lines().filter(|line| line.starts_with('*')).collect::<String>();
    assert!(own.contains("u:***@d/y"), "{}", ended.stderr());
    assert!(!own.contains("hunter2"), "{}", ended.stderr());
    for args in [
        &["-sS", "http://u:hunter2@d:x/"][..],
        &["-sS", "u:hunter2/x@d:x/"],
        &["-sS", "-v", "http://u:hunter2@d/ a"],
        &["-sS", "-w", "%{errormsg}", "http://u:hunter2@d:x/"],
        &["-sS", "--endpoint", "tcp://u:hunter2@h/", "/x"],
        &["-sS", "--endpoint", "ssh://u:hunter2@h", "/x"],
        &["tap", "--to", "tcp://u:hunter2@h", "--", "true"],
    ] {
        let ended = run(ucurl().args(args), b"", LIMIT);
        let told = [ended.stdout(), ended.stderr()].concat();
        assert!(ended.code == 2 || ended.code == 3, "{args:?}: {told}");
        assert!(!told.contains("hunter2"), "{args:?}: {told}");
    }
}

/// The tap does the same. Received content goes to stdout.
#[test]
fn the_explanation_quotes_content_that_is_sent() {
    let server = Fake::answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nreply");
    let ended = on(&server.path(), r#"--explain --json {"Image":"busybox","password":"hunter2"}"#);
    let told = ended.stderr();
    assert!(told.contains(r#"    "{"Image":"busybox","password":"*******"}""#), "{told}");
    assert!(!told.contains("reply") && ended.stdout() == "reply", "{told}");
}

#[test]
fn a_mistyped_verb_is_not_taken_for_a_host() {
    for (word, meant) in [
        ("taps", "tap"),
        ("socket", "sockets"),
        ("demmo", "demo"),
        ("dmeo", "demo"),
        ("helpp", "help"),
    ] {
        let ended = run(ucurl().args([word, "-s", "--", "docker", "ps"]), b"", LIMIT);
        assert_eq!((ended.code, ended.stdout()), (2, String::new()), "{word}");
        let question = format!("ucurl: {word} is not a command; did you mean {meant}?");
        assert!(ended.stderr().starts_with(&question), "{}", ended.stderr());
    }
    // These are hosts: without another meaning, a name is looked up and a socket dialled.
    let server = Fake::answer_and_close("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    for host in ["localhost", "taps/x", "http://taps", "docker", "d"] {
        let mut command = ucurl();
        let ended = run(command.args([host, "--unix-socket"]).arg(server.path()), b"", LIMIT);
        assert_eq!((ended.code, ended.stdout()), (0, "hi".into()), "{host}");
    }
}

#[test]
fn help_and_version_are_commands_too() {
    let says = |args: &[&str]| run(ucurl().args(args), b"", LIMIT).success();
    assert_eq!(says(&["help"]), says(&["-h"]));
    assert_eq!(says(&["help", "docker"]), says(&["-h", "docker"]));
    assert_eq!(says(&["help", "tap"]), says(&["tap", "--help"]));
    assert_eq!(says(&["version"]), says(&["-V"]));
    assert_eq!(says(&["tap", "--version"]), says(&["-V"]));
}
