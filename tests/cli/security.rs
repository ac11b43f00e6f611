//! Promises of `src/security.md` that no other test shows, and the existence of the tests it names.

use crate::support::child::{run, ucurl};
use crate::support::fake::Fake;
use crate::support::needs;
use crate::support::temp::TempDir;
use std::fs;
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

/// CSI of C1 as a byte and in UTF-8, a right-to-left override, and sequences for colours and for
/// clearing the screen.
const EVIL: &[u8] = b"a\x9b31m\xc2\x9b2J\xe2\x80\xaeb";

fn evil() -> Fake {
    let head =
        [b"HTTP/1.1 200 ", EVIL, b"\r\nX-Evil: ", EVIL, b"\r\nContent-Length: 0\r\n\r\n"].concat();
    Fake::answer_and_close(head)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Returns the output of ucurl on a terminal.
fn on_a_terminal(server: &Fake, flags: &str) -> Option<Vec<u8>> {
    let script = needs::program("script")?;
    let line = format!(
        "{} -sS {flags} --unix-socket {} http://localhost/; true",
        env!("CARGO_BIN_EXE_ucurl"),
        server.path().display()
    );
    let mut command = Command::new(script);
    command.args(["-qec", &line, "/dev/null"]).env("SHELL", "/bin/sh");
    Some(run(&mut command, b"", LIMIT).stdout)
}

#[track_caller]
fn obeys_nothing(shown: &[u8], what: &str) {
    let text = str::from_utf8(shown)
        .unwrap_or_else(|_| panic!("{what}: no UTF-8: {}", shown.escape_ascii()));
    // These are ours: bold, dim, a colour, and plain again.
    let text = ["\x1b[1m", "\x1b[2m", "\x1b[36m", "\x1b[0m"]
        .iter()
        .fold(text.to_owned(), |t, own| t.replace(own, ""));
    let obeyed = |c: char| c.is_control() && !matches!(c, '\r' | '\n' | '\t') || c == '\u{202e}';
    assert!(!text.contains(obeyed), "{what}: {}", text.escape_debug());
}

#[test]
fn heads_do_nothing_to_a_terminal() {
    for flags in [
        "-v",
        "-i",
        "-I",
        "-iv",
        "-D -",
        "-D /dev/tty -o /dev/null",
        "--explain",
        "-v -o /dev/null",
    ] {
        let server = evil();
        let Some(shown) = on_a_terminal(&server, flags) else { return };
        assert!(contains(&shown, b"\\x9b31m"), "{flags}: {}", shown.escape_ascii());
        obeys_nothing(&shown, flags);
    }
}

/// Output for a program is unchanged.
#[test]
fn heads_for_programs_are_unchanged() {
    for flags in [&["-si"][..], &["-sI"], &["-sv", "--stderr", "-"]] {
        let server = evil();
        let mut command = ucurl();
        command.args(flags).arg("--unix-socket").arg(server.path()).arg("http://localhost/");
        let stdout = run(&mut command, b"", LIMIT).stdout;
        assert!(
            contains(&stdout, &[b"X-Evil: ", EVIL, b"\r\n"].concat()),
            "{}",
            stdout.escape_ascii()
        );
    }
}

#[test]
fn messages_do_nothing_to_a_terminal() {
    let message = "no \\u001b[2J\\u009b2J\\u202e \u{9b}2J\u{202e} such";
    let (body, stream) =
        (format!("{{\"message\":\"{message}\"}}"), format!("{{\"error\":\"{message}\"}}"));
    let json = "Content-Type: application/json";
    for (status, body, flags) in [(404, &body, &["-f"][..]), (200, &stream, &["--fail-stream"])] {
        let answer = format!(
            "HTTP/1.1 {status} X\r\n{json}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let server = Fake::answer_and_close(answer);
        let mut command = ucurl();
        command.args(["-sS", "-o", "/dev/null"]).args(flags);
        command.arg("--unix-socket").arg(server.path()).arg("http://localhost/");
        let ended = run(&mut command, b"", LIMIT);
        assert_eq!(ended.code, 22, "{}", ended.stderr());
        assert!(ended.stderr().contains("such"), "{}", ended.stderr());
        obeys_nothing(&ended.stderr, "an error");
    }
}

#[test]
fn verbs_name_files_and_sockets_harmlessly() {
    let dir = TempDir::new();
    let name = "a\u{9b}2J\u{202e}b";
    let _listener = std::os::unix::net::UnixListener::bind(dir.join(name)).expect("a socket");
    for args in [
        &["replay", name][..],
        &["tap", "--har", "no/a\u{9b}2J\u{202e}b", "-q", "--", "true"],
        &["tap", "-q", "--", name],
        &["tap", name],
        &["sockets", "--no-ask"],
    ] {
        let ended = run(ucurl().current_dir(dir.path()).args(args), b"", LIMIT);
        let shown = [&ended.stdout[..], &ended.stderr].concat();
        assert!(contains(&shown, b"2J\\u{202e}b"), "{args:?}: {}", shown.escape_ascii());
        obeys_nothing(&shown, args[0]);
    }
}

#[test]
fn a_file_of_dash_o_stays_in_its_directory() {
    for (path, file) in [
        ("/a/b/%2e%2e%2fout", Some("%2e%2e%2fout")),
        ("/..%2f..%2fout", Some("..%2f..%2fout")),
        ("/..\\out", Some("out")),
        ("/a/out?x=/../../etc/passwd", Some("out")),
        ("/a/..", None),
        ("/a/.", None),
        ("/a/", Some("a")),
    ] {
        let (dir, server) = (
            TempDir::new(),
            Fake::answer_and_close("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
        );
        fs::create_dir(dir.join("inner")).expect("a directory");
        let mut command = ucurl();
        command.current_dir(dir.join("inner")).args(["-sS", "--path-as-is", "-O", "--unix-socket"]);
        let ended =
            run(command.arg(server.path()).arg(format!("http://localhost{path}")), b"", LIMIT);
        let names = |dir| -> Vec<String> {
            let entries = fs::read_dir(dir).expect("a directory").flatten();
            entries.map(|entry| entry.file_name().into_string().expect("text")).collect()
        };
        assert_eq!(
            names(dir.join("inner")),
            file.into_iter().collect::<Vec<_>>(),
            "{path}: {}",
            ended.stderr()
        );
        assert_eq!(names(dir.path().to_owned()), ["inner"], "{path}");
        assert_eq!(ended.code == 0, file.is_some(), "{path}: {}", ended.stderr());
    }
}

#[test]
fn the_tests_that_the_page_names_are_there() {
    let (page, mut count) = (include_str!("../../src/security.md"), 0);
    for name in page.split('`').skip(1).step_by(2) {
        let Some((file, test)) = name.split_once(".rs::") else { continue };
        let path = format!("{}/tests/{file}.rs", env!("CARGO_MANIFEST_DIR"));
        let source = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(source.contains(&format!("#[test]\nfn {test}()")), "{name}: there is no such test");
        count += 1;
    }
    assert!(count > 30, "{count}");
}
