//! Programs as connections: children are reaped and their messages reach the user; proxy commands.

use std::error::Error as _;
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::needs;
use crate::support::temp::TempDir;
use unix_http::transport::{
    ConnectError, ConnectErrorKind as Kind, Endpoint, Stream, Timeouts, connect,
};

fn sh(script: &str) -> Endpoint {
    Endpoint::command(["sh", "-c", script])
}

fn dial(endpoint: &Endpoint) -> Stream {
    connect(endpoint, None).unwrap()
}

fn read_line(stream: &Stream) -> String {
    let (mut stream, mut line, mut byte) = (stream, Vec::new(), [0]);
    while stream.read(&mut byte).unwrap() == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    String::from_utf8(line).unwrap()
}

fn failure(result: io::Result<usize>) -> (Kind, String) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
    let failure = error.downcast::<ConnectError>().unwrap();
    assert!(!failure.to_string().contains('\n'), "{failure}");
    (failure.kind(), failure.to_string())
}

/// Returns whether a process is neither running nor a zombie.
fn is_gone(pid: &str) -> bool {
    !Path::new("/proc").join(pid).exists()
}

#[test]
fn bytes_pass_unchanged_in_both_directions_at_once() {
    let stream = dial(&Endpoint::command(["cat"]));
    let sent: Vec<u8> =
        (0..8_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut got = Vec::new();
    thread::scope(|scope| {
        let (stream, sent) = (&stream, &sent);
        scope.spawn(move || {
            (&*stream).write_all(sent).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
        });
        (&*stream).read_to_end(&mut got).unwrap();
    });
    assert!(got == sent);
    assert!(stream.failure().is_none());
}

#[test]
fn a_half_close_reaches_the_program_and_its_answer_is_read() {
    let mut stream = dial(&sh("wc -c; echo end"));
    stream.write_all(b"hello").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(text.split_whitespace().collect::<Vec<_>>(), ["5", "end"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_is_reaped() {
    let scripts = [
        ("ends with its input", "echo $$; exec cat"),
        ("has ended before", "echo $$"),
        ("has failed before", "echo $$; exit 3"),
        ("does not end", "echo $$; exec sleep 1000"),
        ("will not listen", "trap '' TERM INT HUP; echo $$; while :; do :; done"),
        ("is stopped", "echo $$; kill -STOP $$"),
    ];
    for (why, script) in scripts {
        let stream = dial(&sh(script));
        let pid = read_line(&stream);
        let clone = stream.try_clone().unwrap();
        let start = Instant::now();
        drop(stream);
        assert!(!is_gone(&pid) || why.contains("before"), "{why}: a clone keeps it");
        drop(clone);
        assert!(is_gone(&pid), "{why}: {pid} is still there");
        assert!(start.elapsed() < Duration::from_secs(20), "{why}");
    }
}

#[test]
fn a_failure_before_the_first_byte_is_reported() {
    let mut stream = dial(&sh("echo one >&2; echo two >&2; exit 3"));
    let (kind, text) = failure(stream.read(&mut [0; 8]));
    assert_eq!(kind, Kind::Other);
    assert!(text.ends_with("the program ended with exit status 3: one / two"), "{text}");
    assert!(text.starts_with("cannot connect to `sh -c "), "{text}");
    // The error stays.
    assert_eq!(failure(stream.read(&mut [0; 8])).1, text);
    assert_eq!(stream.failure().unwrap().to_string(), text);
}

#[test]
fn a_failure_in_the_middle_is_reported_after_the_bytes_before_it() {
    let mut stream = dial(&sh("printf half; echo 'link lost' >&2; exit 255"));
    stream.set_timeouts(Timeouts::default().idle(Duration::from_secs(30))).unwrap();
    let mut got = Vec::new();
    let error = stream.read_to_end(&mut got).unwrap_err();
    assert_eq!(got, b"half");
    assert!(
        error
            .downcast::<ConnectError>()
            .unwrap()
            .to_string()
            .contains("exit status 255: link lost")
    );
}

#[test]
fn a_failure_with_unread_input_is_reported() {
    // A socket that is closed with unread bytes sends a reset. The error still names the program.
    let mut stream = dial(&sh("read line; echo 'no more' >&2; exit 1"));
    stream.write_all(b"line\nand more\n").unwrap();
    let (_, text) = failure(stream.read(&mut [0; 8]));
    assert!(text.contains("no more"), "{text}");
}

#[test]
fn the_error_names_an_exit_status_and_a_signal() {
    let (_, text) = failure(dial(&sh("kill -9 $$")).read(&mut [0]));
    assert!(text.ends_with("was killed by signal 9 and printed no message"), "{text}");
    let (_, text) = failure(dial(&sh("exec no-such-program-here")).read(&mut [0]));
    assert!(
        text.contains("exit status 127, command not found")
            && text.contains("no-such-program-here"),
        "{text}"
    );
    let mut ended_well = dial(&sh("echo fine >&2"));
    assert_eq!(ended_well.read(&mut [0]).unwrap(), 0);
    assert!(ended_well.failure().is_none());
}

/// Closing a descriptor does not end one direction of a socket pair. Such a program must shut it
/// down, as socat does.
#[test]
fn a_program_may_run_on_after_it_ended_its_output() {
    let script = "import socket; s = socket.socket(fileno=0); s.send(b'a'); s.shutdown(socket.SHUT_WR); print(s.recv(9))";
    let Ok(mut runs_on) = connect(&Endpoint::command(["python3", "-c", script]), None) else {
        return needs::left_out("python3", "no such program here").unwrap_or(());
    };
    let mut text = String::new();
    runs_on.read_to_string(&mut text).unwrap();
    assert_eq!(text, "a");
    assert!(runs_on.failure().is_none(), "it runs");
}

#[test]
fn only_the_end_of_standard_error_is_kept() {
    let script =
        "i=0; while [ $i -lt 20000 ]; do echo \"line $i\" >&2; i=$((i+1)); done; echo done; exit 1";
    let stream = dial(&sh(script));
    assert_eq!(read_line(&stream), "done");
    let (_, text) = failure((&stream).read(&mut [0]));
    assert!(text.ends_with("line 19996 / line 19997 / line 19998 / line 19999"), "{text}");
    assert!(text.len() < 500);
}

#[test]
fn control_characters_on_standard_error_are_harmless() {
    let (_, text) = failure(dial(&sh("printf 'a\\033[31mb\\000' >&2; exit 1")).read(&mut [0]));
    assert!(text.ends_with("status 1: a\\x1b[31mb\\x00"), "{text}");
}

#[test]
fn the_error_names_a_program_that_cannot_be_run() {
    let dir = TempDir::new();
    fs::write(dir.join("plain"), "").unwrap();
    let plain = dir.join("plain").into_os_string();
    let cases = [
        ("no-such-program-here".into(), "was not found; install it"),
        (plain, "is not an executable file"),
    ];
    for (program, words) in cases {
        let error = connect(&Endpoint::command([program]), None).unwrap_err();
        assert_eq!(error.kind(), Kind::Other);
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.source().is_some());
    }
    let error = connect(&Endpoint::command([""; 0]), None).unwrap_err();
    assert!(error.to_string().contains("no program is named"), "{error}");
}

#[test]
fn a_proxy_command_is_expanded_and_checked() {
    let endpoint =
        Endpoint::proxy_command("cd / && echo %h %p 100%% \"$PWD\"", "a.example", 80).unwrap();
    assert_eq!(endpoint, sh("cd / && echo a.example 80 100% \"$PWD\""));
    assert_eq!(read_line(&dial(&endpoint)), "a.example 80 100% /");
    let bad = [
        ("", "h", "empty"),
        ("   ", "h", "empty"),
        ("nc %x", "h", "a % must be followed"),
        ("nc %", "h", "a % must be followed"),
        ("nc %h", "a;reboot", "';'"),
        ("nc %h", "$(reboot)", "'$'"),
        ("nc %h", "a b", "' '"),
        ("nc %h", "-oProxyCommand=x", "begins with `-`"),
        ("nc %h", "", "empty"),
        ("nc\0", "h", "NUL"),
    ];
    for (command, host, words) in bad {
        let error = Endpoint::proxy_command(command, host, 80).unwrap_err().to_string();
        assert!(error.contains(words), "`{words}` is missing in: {error}");
    }
}

/// If the shell waited for its command, only the shell would be killed.
#[cfg(target_os = "linux")]
#[test]
fn dropping_a_proxy_command_ends_its_program() {
    let dir = TempDir::new();
    let script = dir.write_script("program", "echo $$\nexec sleep 1000\n");
    let stream = dial(&Endpoint::proxy_command(&script, "h", 1).unwrap());
    let pid = read_line(&stream);
    assert!(!is_gone(&pid));
    drop(stream);
    assert!(is_gone(&pid));
    for (command, line) in
        [("A=b nc %h", "A=b nc h"), ("a | b", "a | b"), ("a; b", "a; b"), (" nc %p", "exec  nc 1")]
    {
        assert_eq!(Endpoint::proxy_command(command, "h", 1).unwrap(), sh(line));
    }
}
