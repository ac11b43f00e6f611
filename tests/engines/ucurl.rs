//! Compares ucurl with the docker command on a real dockerd and on podman's service: the same bytes
//! and the same exit codes.

use crate::support::child::run;
use crate::support::engine::{Engine, LIMIT, engines};
use crate::support::live::Live;
use crate::support::tar::archive;
use crate::support::temp::TempDir;
use std::io::Write;
use std::process::Command;
use std::thread::{sleep, spawn};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const STDIN: &str = r#""OpenStdin":true,"StdinOnce":true,"AttachStdin":true,"AttachStdout":true,"AttachStderr":true"#;
const ALL: &str = "stdin=1&stdout=1&stderr=1";

/// Returns a megabyte with all byte values in random order (xorshift). A text filter, a line buffer
/// or a stray frame header would change it visibly.
fn megabyte() -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    (0..1_000_000).map(|_| next()).collect()
}

fn commands(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
    format!(r#""Cmd":[{}]"#, quoted.join(","))
}

/// Does the work of `docker run -i` in four requests.
fn run_with_stdin(engine: &Engine, words: &[&str], stdin: &[u8]) -> (Vec<u8>, Vec<u8>, String) {
    let container = engine.container(&format!("{},{STDIN}", commands(words)));
    let mut attached = container.attach(&["--demux"], ALL);
    container.start();
    attached.send(stdin);
    attached.close();
    let ended = attached.end();
    assert_eq!(ended.code, 0, "{}", ended.stderr());
    (ended.stdout, ended.stderr, container.wait())
}

#[test]
fn stdin_is_piped_through_attach() {
    let cases: [(&[&str], &[u8]); 3] = [
        (&["sh", "-c", "tee /proc/self/fd/2; exit 7"], &megabyte()),
        // Its stdin ends at once, and its output continues.
        (&["sh", "-c", "wc -c; echo later >&2"], b""),
        (&["sh", "-c", "exit 255"], b""),
    ];
    for engine in engines() {
        for (words, stdin) in cases {
            let (out, err, code) = run_with_stdin(&engine, words, stdin);
            let theirs = engine
                .cli(&[&["run", "-i", "--rm", "--network", "none", "busy"], words].concat(), stdin);
            assert!(
                out == theirs.stdout,
                "{words:?}: {} and {} bytes",
                out.len(),
                theirs.stdout.len()
            );
            assert!(
                err == theirs.stderr,
                "{words:?}: {} and {} bytes",
                err.len(),
                theirs.stderr.len()
            );
            // This podman does not report the exit code of a container that removes itself to newer
            // docker commands.
            if engine.is_docker {
                assert_eq!(code, theirs.code.to_string(), "{words:?}");
            }
        }
        let (out, err, code) = run_with_stdin(&engine, cases[0].0, cases[0].1);
        assert!(out == megabyte() && err == megabyte(), "{} and {} bytes", out.len(), err.len());
        assert_eq!(code, "7");
    }
}

/// The container reads only a part of its stdin. The connection ends with the rest unread.
#[test]
fn a_container_may_end_before_its_stdin() {
    for engine in engines() {
        let container = engine.container(&format!("{},{STDIN}", commands(&["head", "-n", "1"])));
        let mut attached = container.attach(&["--demux"], ALL);
        container.start();
        let mut stdin = attached.stdin();
        let feeder = spawn(move || while stdin.write_all(b"line\n").is_ok() {});
        let ended = attached.end();
        feeder.join().unwrap();
        assert_eq!((ended.code, ended.stdout()), (0, "line\n".into()), "{}", ended.stderr());
        assert_eq!(container.wait(), "0");
    }
}

#[test]
fn an_exec_returns_its_exit_code() {
    let all = megabyte();
    let cases: [(&[&str], &[u8]); 3] = [
        (&["sh", "-c", "tee /proc/self/fd/2; exit 5"], &all),
        (&["sh", "-c", "wc -c; echo later >&2"], b""),
        (&["no-such-program"], b""),
    ];
    for engine in engines() {
        let container = engine.sleeper();
        for (words, stdin) in cases {
            let id = container.exec(&format!(r#""AttachStdin":true,{}"#, commands(words)));
            let start = format!("/exec/{id}/start");
            let ours = engine
                .ask(&["--hijack", "--demux", "--json", r#"{"Detach":false}"#, &start], stdin);
            let theirs = engine.cli(&[&["exec", "-i", &container.name], words].concat(), stdin);
            assert_eq!(ours.code, 0, "{}", ours.stderr());
            assert_eq!(
                engine.says(&["--select", "/ExitCode", &format!("/exec/{id}/json")]),
                theirs.code.to_string()
            );
            assert!(
                ours.stdout == theirs.stdout,
                "{words:?}: {} and {} bytes",
                ours.stdout.len(),
                theirs.stdout.len()
            );
            if words.len() > 1 {
                assert!(ours.stderr == theirs.stderr, "{words:?}: {}", ours.stderr());
            } else {
                // The text is the same, but its source differs.
                let said = ours.stdout() + &ours.stderr();
                assert!(said.contains("executable file not found"), "{said}");
            }
        }
        let id = container.exec(&commands(&["sh", "-c", "touch /detached"]));
        let start = format!("/exec/{id}/start");
        engine.ask(&["--hijack", "--json", r#"{"Detach":true}"#, &start], b"").success();
        let there = ["sh", "-c", "until test -e /detached; do sleep 0.1; done"];
        engine.cli(&[&["exec", &container.name], &there[..]].concat(), b"").success();
    }
}

/// An attach or exec without stdin leaves the script's stdin to later commands.
#[test]
fn unrequested_stdin_is_not_read() {
    for engine in engines() {
        let container = engine.sleeper();
        let id = container.exec(&commands(&["echo", "out"]));
        let ucurl =
            engine.ucurl(&["--hijack", "--demux", "--json", "{}", &format!("/exec/{id}/start")]);
        let mut script = Command::new("sh");
        script.args(["-c", r#""$@"; cat"#, "sh"]).arg(ucurl.get_program()).args(ucurl.get_args());
        script.envs(ucurl.get_envs().filter_map(|(name, value)| Some((name, value?))));
        assert_eq!(run(&mut script, b"the rest\n", LIMIT).success(), "out\nthe rest\n");
    }
}

/// Each line arrives before the test asks for the next one.
#[test]
fn logs_are_followed_line_by_line() {
    let echo = "while read line; do echo out $line; echo err $line >&2; done";
    for engine in engines() {
        let container = engine.container(&format!("{},{STDIN}", commands(&["sh", "-c", echo])));
        let mut attached = container.attach(&["--demux"], ALL);
        container.start();
        attached.send("0\n");
        attached.says("out 0\n");
        let query = "/logs?follow=1&stdout=1&stderr=1";
        let mut logs = Live::start(&mut engine.ucurl(&["-f", "--demux", &container.path(query)]));
        for number in 0..5 {
            if number > 0 {
                attached.send(format!("{number}\n"));
            }
            for live in [&mut attached, &mut logs] {
                assert_eq!(live.complains(&format!("err {number}\n")), format!("err {number}\n"));
                assert!(number == 0 || live.says("\n") == format!("out {number}\n"));
            }
            if number == 0 {
                logs.says("out 0\n");
            }
        }
        attached.close();
        assert_eq!(attached.end().code, 0);
        let (followed, theirs) = (logs.end(), engine.cli(&["logs", &container.name], b""));
        assert_eq!((followed.code, theirs.code), (0, 0));
        assert_eq!((followed.stdout(), followed.stderr()), (theirs.stdout(), theirs.stderr()));
        assert_eq!(followed.stdout(), "out 0\nout 1\nout 2\nout 3\nout 4\n");
        let again = engine.ask(&["-f", "--demux", &container.path("/logs?stdout=1&stderr=1")], b"");
        assert_eq!((again.stdout(), again.stderr()), (theirs.stdout(), theirs.stderr()));
    }
}

#[test]
fn files_are_copied_in_and_out() {
    let (content, dir) = (megabyte(), TempDir::new());
    let file = dir.write("theirs", &content);
    for engine in engines() {
        let container = engine.container(&commands(&["true"]));
        let archive_at = |path: &str| container.path(&format!("/archive?path={path}"));
        let tar = ["-f", "-T", "-", "-H", "Content-Type: application/x-tar"];
        engine
            .ask(&[&tar[..], &[&archive_at("/tmp")]].concat(), &archive("ours", &content))
            .success();
        engine
            .cli(&["cp", file.to_str().unwrap(), &format!("{}:/tmp/theirs", container.name)], b"")
            .success();
        for name in ["ours", "theirs"] {
            let path = format!("/tmp/{name}");
            let ours = engine.ask(&["-f", &archive_at(&path)], b"");
            let theirs = engine.cli(&["cp", &format!("{}:{path}", container.name), "-"], b"");
            assert_eq!((ours.code, theirs.code), (0, 0));
            assert!(
                ours.stdout == theirs.stdout,
                "{} and {} bytes",
                ours.stdout.len(),
                theirs.stdout.len()
            );
            let out = run(Command::new("tar").args(["-x", "-O"]), &ours.stdout, LIMIT);
            assert!(out.stdout == content, "{} bytes", out.stdout.len());
        }
        let missing = engine.ask(&["-f", &archive_at("/nope")], b"");
        assert_eq!((missing.code, missing.stdout()), (22, String::new()));
        assert!(
            missing.stderr().starts_with("ucurl: (22) The requested URL returned error: 404: ")
        );
    }
}

/// An event carries the engine's time, which is also our clock. The test prints the delay and does
/// not judge it.
#[test]
fn events_arrive_at_once() {
    for engine in engines() {
        let container = engine.container(&commands(&["true"]));
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let filter = format!("filters=%7B%22container%22%3A%5B%22{}%22%5D%7D", container.name);
        let mut events =
            Live::start(&mut engine.ucurl(&["-f", &format!("/events?since={since}&{filter}")]));
        events.says(r#""Action":"create""#);
        // Each event arrives before the next thing happens: no buffer holds it back.
        for action in ["start", "die"] {
            if action == "start" {
                container.start();
            }
            events.says(&format!(r#""Action":"{action}""#));
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            let event = events.says("\n");
            let nanos =
                event.split(r#""timeNano":"#).nth(1).unwrap().trim_end().trim_end_matches('}');
            let happened = Duration::from_nanos(nanos.parse().unwrap());
            println!("{}: {action} came after {:?}", engine.name, now.saturating_sub(happened));
        }
    }
}

#[test]
fn the_end_of_the_container_ends_ucurl() {
    for engine in engines() {
        let container = engine.container(&format!(
            "{},{STDIN}",
            commands(&["sh", "-c", "echo here; exec sleep 300"])
        ));
        let mut attached = container.attach(&["--demux"], ALL);
        container.start();
        attached.says("here\n");
        engine.says(&["-f", "-X", "POST", &container.path("/kill")]);
        // The stdin of ucurl is still open.
        assert_eq!(attached.end().code, 0);
        assert_eq!(container.wait(), "137");
    }
}

/// Ctrl-P Ctrl-Q detaches: the engine looks for these keys if the container has a terminal.
#[test]
fn a_detach_leaves_the_container_running() {
    for engine in engines() {
        let container =
            engine.container(&format!(r#"{},"Tty":true,"OpenStdin":true"#, commands(&["cat"])));
        let mut attached = container.attach(&["--demux"], ALL);
        container.start();
        attached.send("typed\n");
        // The terminal echoes the line, and cat prints it.
        attached.says("typed\r\ntyped\r\n");
        // The engine recognises them only if each arrives by itself, as typed keys do.
        let mut stdin = attached.stdin();
        let typed = move |key: &[u8]| {
            sleep(Duration::from_millis(30));
            stdin.write_all(key).is_ok()
        };
        let typist =
            spawn(move || ["\x10", "\x11"].iter().cycle().map(|key| key.as_bytes()).all(typed));
        assert_eq!(attached.end().code, 0);
        typist.join().unwrap();
        assert_eq!(engine.says(&["--select", "/State/Running", &container.path("/json")]), "true");
    }
}
