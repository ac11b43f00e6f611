//! `ucurl tap` and `ucurl replay` as processes: exit codes, signals, and cleaning up after every
//! kind of end.

use crate::support::child::{run, through, ucurl};
use crate::support::fake::Fake;
use crate::support::needs::program;
use crate::support::temp::TempDir;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

pub const LIMIT: Duration = Duration::from_secs(30);

/// ucurl with a private directory for its sockets, which must be empty in the end.
pub fn tap(dir: &TempDir, arguments: &[&str]) -> Command {
    let runtime = dir.join("run");
    fs::create_dir_all(&runtime).unwrap();
    let ucurl = ucurl();
    // A background job of a script ignores the first two signals, and nohup ignores the third.
    // Their children inherit that.
    let mut command = Command::new("/usr/bin/env");
    command.arg("--default-signal=INT,QUIT,HUP").arg(ucurl.get_program()).args(arguments);
    for (name, value) in ucurl.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("XDG_RUNTIME_DIR", runtime);
    command
}

fn left(dir: &TempDir) -> Vec<PathBuf> {
    fs::read_dir(dir.join("run")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

pub fn wait_for(what: &str, mut met: impl FnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !met() {
        assert!(Instant::now() < end, "not within {LIMIT:?}: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Returns the processes that have this text in their environment or command line.
pub fn processes(mark: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let pids = entries.filter(|name| name.bytes().all(|b| b.is_ascii_digit()));
    pids.filter(|pid| {
        let file = |name: &str| fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
        let dead = String::from_utf8_lossy(&file("stat")).contains(") Z ");
        let text = [file("environ"), file("cmdline")].concat();
        !dead && text.windows(mark.len()).any(|part| part == mark.as_bytes())
    })
    .collect()
}

/// Starts a tap in the background, ready to serve.
pub fn listening(dir: &TempDir, to: &Path, more: &[&str]) -> (Child, PathBuf) {
    let path = dir.join("tap.sock");
    let (listen, to) = (path.display().to_string(), to.display().to_string());
    let command = tap(dir, &[&["tap", "--listen", &listen, "--to", &to], more].concat());
    (ready(command, &listen), path)
}

/// Starts a tap that listens there, and waits until it says so.
fn ready(mut command: Command, listen: &str) -> Child {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(
        line,
        format!("ucurl tap: listening; use it with: export DOCKER_HOST=unix://{listen}\n")
    );
    child
}

pub fn ask(path: &Path) -> String {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

pub fn signal(child: &Child, name: &str) {
    assert!(
        Command::new("kill")
            .args([&format!("-{name}"), &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
}

pub const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

#[test]
fn the_view_is_on_stdout_and_a_signal_ends_it_properly() {
    for name in ["INT", "TERM", "HUP"] {
        let (dir, server) = (TempDir::new(), Fake::answer_and_close(ANSWER));
        let (mut child, path) = listening(&dir, &server.path(), &[]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(ask(&path), ANSWER);
        // An open exchange at the end is shown too.
        let _open = UnixStream::connect(&path).unwrap();
        signal(&child, name);
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "SIG{name}");
        assert!(!path.exists(), "SIG{name}");
        assert_eq!(left(&dir), [""; 0].map(PathBuf::from));
        let mut view = String::new();
        child.stdout.take().unwrap().read_to_string(&mut view).unwrap();
        assert!(
            view.contains("1.1 > GET /hello HTTP/1.1\n") && view.contains("1.1 * 200 OK: "),
            "{view}"
        );
        assert!(view.contains("2 * closed\n"), "{view}");
        wait_for("its processes to end", || {
            processes(&dir.path().display().to_string()).is_empty()
        });
    }
}

/// Once the user knows that a tap serves, its end may take more than a tenth of a second. Here each
/// of its writes returns late.
#[test]
fn a_signal_right_after_the_start_leaves_time_to_end() {
    let Some(_) = program("strace") else { return };
    let dir = TempDir::new();
    let listen = dir.join("s").display().to_string();
    let command = tap(&dir, &["tap", "--listen", &listen, "--to", "unix:///nonexistent"]);
    let late = ["-D", "-f", "-o", "/dev/null", "-e", "trace=write"];
    let late = [&late[..], &["-e", "inject=write:delay_exit=300000"]].concat();
    let late: Vec<&OsStr> = late.iter().map(OsStr::new).collect();
    let mut child = ready(through("strace", &late, &command), &listen);
    signal(&child, "INT");
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    child.wait().unwrap();
    // strace may say something of its own.
    assert!(!said.contains("ucurl: "), "{said}");
}

/// Even after SIGKILL, everything is cleaned up except for the killed process's own work.
#[test]
fn killing_the_front_process_ends_the_relay_process() {
    let (dir, server) = (TempDir::new(), Fake::answer_and_close(ANSWER));
    let (mut child, path) = listening(&dir, &server.path(), &[]);
    child.kill().unwrap();
    child.wait().unwrap();
    wait_for("the socket to go", || !path.exists());
    wait_for("its processes to end", || processes(&dir.path().display().to_string()).is_empty());
    assert_eq!(left(&dir), [""; 0].map(PathBuf::from));
}

#[test]
fn a_command_gets_docker_host_and_its_exit_code_is_returned() {
    let (dir, server) = (TempDir::new(), Fake::answer_and_close(ANSWER));
    let to = server.path().display().to_string();
    let script = "echo out; echo err >&2; read line; echo got $line; \
                  ls -ld \"${DOCKER_HOST#unix://}\" | cut -c1-10; \
                  printf 'GET /hello HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' | socat - UNIX-CONNECT:\"${DOCKER_HOST#unix://}\"; exit 42";
    if crate::support::needs::program("socat").is_none() {
        return;
    }
    let ended =
        run(&mut tap(&dir, &["tap", "--to", &to, "--", "sh", "-c", script]), b"line\n", LIMIT);
    assert_eq!(ended.code, 42);
    assert_eq!(ended.stdout(), format!("out\ngot line\nsrw-------\n{ANSWER}"));
    assert!(
        ended.stderr().starts_with("err\n")
            && ended.stderr().contains("1.1 > GET /hello HTTP/1.1\n"),
        "{}",
        ended.stderr()
    );
    assert_eq!(left(&dir), [""; 0].map(PathBuf::from));

    let ended = run(&mut tap(&dir, &["tap", "-o", "-", "--to", &to, "--", "true"]), b"", LIMIT);
    assert_eq!((ended.code, ended.stdout()), (0, String::new()));
    let ended = run(&mut tap(&dir, &["tap", "-q", "--to", &to, "--", "true"]), b"", LIMIT);
    assert_eq!((ended.code, ended.stdout(), ended.stderr()), (0, String::new(), String::new()));
    for (command, code) in [("/nothing/here", 127), ("/dev/null", 126)] {
        let ended = run(&mut tap(&dir, &["tap", "--to", &to, "--", command]), b"", LIMIT);
        assert_eq!(ended.code, code);
        assert!(
            ended.stderr().starts_with(&format!("ucurl: tap: {command}: ")),
            "{}",
            ended.stderr()
        );
    }
    let ended =
        run(&mut tap(&dir, &["tap", "--to", &to, "--", "sh", "-c", "kill -KILL $$"]), b"", LIMIT);
    assert_eq!(ended.code, 128 + 9);
    assert_eq!(left(&dir), [""; 0].map(PathBuf::from));
}

#[test]
fn a_signal_is_forwarded_to_the_command() {
    let (dir, server) = (TempDir::new(), Fake::answer_and_close(ANSWER));
    let to = server.path().display().to_string();
    let script = "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.01; done";
    let mut command = tap(&dir, &["tap", "--to", &to, "--", "sh", "-c", script]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    signal(&child, "TERM");
    assert_eq!(lines.next().unwrap().unwrap(), "bye");
    assert_eq!(child.wait().unwrap().code(), Some(7));
    assert_eq!(left(&dir), [""; 0].map(PathBuf::from));
}

/// Even if the tap is killed, at any moment.
#[test]
fn a_command_does_not_outlive_its_tap() {
    let (dir, server) = (TempDir::new(), Fake::answer_and_close(ANSWER));
    let to = server.path().display().to_string();
    for (signal_name, wait) in [("KILL", true), ("TERM", false), ("TERM", false), ("TERM", false)] {
        let mut command =
            tap(&dir, &["tap", "-q", "--to", &to, "--", "sh", "-c", "echo ready; exec sleep 1000"]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        if wait {
            let mut line = String::new();
            BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        }
        signal(&child, signal_name);
        child.wait().unwrap();
        wait_for("its processes to end", || {
            processes(&dir.path().display().to_string()).is_empty()
        });
        assert_eq!(left(&dir), [""; 0].map(PathBuf::from));
    }
}

/// Ctrl-C in a terminal reaches the whole process group. The command decides, and the tap serves it
/// until it ends.
#[test]
fn an_interrupt_is_handled_by_the_command() {
    use std::os::unix::process::CommandExt;
    let (dir, server) = (TempDir::new(), Fake::answer_and_close(ANSWER));
    let to = server.path().display().to_string();
    let ask = format!("{} -sS /hello", env!("CARGO_BIN_EXE_ucurl"));
    let script = format!("trap '{ask}; exit 5' INT; echo ready; while :; do sleep 0.01; done");
    let mut command = tap(&dir, &["tap", "-q", "--to", &to, "--", "sh", "-c", &script]);
    let mut child =
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    let group = format!("-{}", child.id());
    assert!(Command::new("kill").args(["-INT", "--", &group]).status().unwrap().success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("hi", Some(5)));
    assert_eq!(left(&dir), [""; 0].map(PathBuf::from));
}

#[test]
fn every_error_is_one_line() {
    let dir = TempDir::new();
    let file = dir.write("file", "precious");
    let file = file.to_str().unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["tap", "--nope"], "ucurl: tap: option --nope: is unknown; -h helps\n"),
        (&["tap", "docker", "ps"], "ucurl: tap: docker: a command stands after --\n"),
        (&["tap", "--"], "ucurl: tap: no command after --\n"),
        (
            &["tap", "--mode", "999", "--", "true"],
            "ucurl: tap: --mode: needs an octal number up to 777\n",
        ),
        (&["tap", "--listen", file], "ucurl: tap: cannot listen on unix://"),
        (
            &["tap", "--listen", "tcp://0.0.0.0:1"],
            "ucurl: tap: cannot listen on tcp://0.0.0.0:1: other machines can reach 0.0.0.0",
        ),
        (
            &["tap", "--script-for", "wget", "--", "true"],
            "ucurl: tap: option --script-for: takes one of ucurl, curl; -h helps\n",
        ),
        (
            &["tap", "--har", "/nowhere/x", "--", "true"],
            "ucurl: tap: /nowhere/x: No such file or directory",
        ),
        (&["tap", "--to", "http://x", "--", "true"], "ucurl: tap: "),
        (&["replay"], "ucurl: replay: needs one recording\n"),
        (&["replay", "/nowhere/x"], "ucurl: replay: /nowhere/x: No such file or directory"),
        (&["replay", file], "ucurl: replay: "),
    ];
    for (arguments, want) in cases {
        let ended = run(&mut tap(&dir, arguments), b"", LIMIT);
        let said = ended.stderr();
        assert_eq!((ended.code, ended.stdout().as_str()), (2, ""), "{arguments:?}: {said}");
        assert!(said.starts_with(want) && said.lines().count() == 1, "{arguments:?}: {said}");
    }
    assert_eq!(fs::read(file).unwrap(), b"precious");
    assert_eq!(left(&dir), [""; 0].map(PathBuf::from));
    for verb in ["tap", "replay"] {
        let help = run(&mut tap(&dir, &[verb, "-h"]), b"", LIMIT).success();
        assert!(help.starts_with(&format!("Usage: ucurl {verb} ")), "{help}");
        assert!(help.lines().all(|line| line.len() <= 120), "{help}");
    }
}

/// The variables that connect the two processes of a tap are not visible to the command.
#[test]
fn a_tap_can_run_in_a_tap() {
    let (dir, server) = (TempDir::new(), Fake::answer_and_close(ANSWER));
    let (to, me) = (server.path().display().to_string(), env!("CARGO_BIN_EXE_ucurl"));
    let arguments = ["tap", "--to", &to, "--", me, "tap", "--", me, "-sS", "/hello"];
    let ended = run(&mut tap(&dir, &arguments), b"", LIMIT);
    assert_eq!((ended.code, ended.stdout().as_str()), (0, "hi"));
    assert_eq!(
        ended.stderr().matches("1.1 > GET /hello HTTP/1.1\n").count(),
        2,
        "{}",
        ended.stderr()
    );
    assert_eq!(left(&dir), [""; 0].map(PathBuf::from));
}

/// Only the owner can read recordings, and a failure to record is reported.
#[test]
fn recordings_are_private_and_failures_are_reported() {
    let (dir, server) = (TempDir::new(), Fake::answer_and_close(ANSWER));
    let (to, me) = (server.path().display().to_string(), env!("CARGO_BIN_EXE_ucurl"));
    let at = |name: &str| dir.join(name).display().to_string();
    let (script, har, pcap, record) = (at("s.sh"), at("h.har"), at("p.pcapng"), at("rec"));
    let flags = [
        "tap", "-q", "--to", &to, "--script", &script, "--har", &har, "--pcap", &pcap, "--record",
        &record,
    ];
    let arguments =
        [&flags[..], &["--", me, "-sS", "-H", "Authorization: Basic dTpw", "/hello"]].concat();
    assert_eq!(run(&mut tap(&dir, &arguments), b"", LIMIT).success(), "hi");
    for (name, mode) in [
        ("s.sh", 0o700),
        ("h.har", 0o600),
        ("p.pcapng", 0o600),
        ("rec", 0o700),
        ("rec/index", 0o600),
        ("rec/1.client", 0o600),
    ] {
        assert_eq!(
            fs::metadata(dir.join(name)).unwrap().permissions().mode() & 0o777,
            mode,
            "{name}"
        );
    }
    for name in ["s.sh", "h.har", "p.pcapng", "rec/1.client"] {
        let content = fs::read(dir.join(name)).unwrap();
        assert!(
            !content.windows(8).any(|part| part == b"dTpw\r\n\r\n" || part.starts_with(b"dTpw")),
            "{name}"
        );
    }
    assert!(fs::read_to_string(&script).unwrap().contains("\"Authorization: ${AUTHORIZATION:?"));
    // A directory that is not empty is not used.
    let ended = run(&mut tap(&dir, &arguments), b"", LIMIT);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr().contains("rec: directory not empty"), "{}", ended.stderr());
    // With the secrets, if requested.
    let again = at("rec2");
    let arguments = [
        "tap",
        "-q",
        "--show-secrets",
        "--to",
        &to,
        "--record",
        &again,
        "--",
        me,
        "-sS",
        "-u",
        "u:p",
        "/hello",
    ];
    assert_eq!(run(&mut tap(&dir, &arguments), b"", LIMIT).success(), "hi");
    assert!(
        fs::read_to_string(dir.join("rec2/1.client"))
            .unwrap()
            .contains("Authorization: Basic dTpw\r\n")
    );

    if fs::OpenOptions::new().write(true).open("/dev/full").is_ok() {
        let arguments = ["tap", "-q", "--to", &to, "--har", "/dev/full", "--", me, "-sS", "/hello"];
        let ended = run(&mut tap(&dir, &arguments), b"", LIMIT);
        assert!(ended.stderr().contains("/dev/full: "), "{}", ended.stderr());
        let arguments = ["tap", "-o", "/dev/full", "--to", &to, "--", me, "-sS", "/hello"];
        let ended = run(&mut tap(&dir, &arguments), b"", LIMIT);
        assert_eq!((ended.code, ended.stdout().as_str()), (23, "hi"), "the traffic goes on");
        assert!(ended.stderr().contains("the text view stopped: "), "{}", ended.stderr());
    }
}

/// Undecoded content may hold secrets. The HAR says that they are not masked.
#[test]
fn a_har_without_gzip_says_that_secrets_stay() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x0b";
    let (dir, server) = (TempDir::new(), Fake::answer_and_close(answer));
    let (to, har) = (server.path().display().to_string(), dir.join("har").display().to_string());
    let me = ucurl().get_program().to_string_lossy().into_owned();
    let fetch = ["-s", "-o", "/dev/null", "/hello"];
    let arguments = [&["tap", "-q", "--to", &to, "--har", &har, "--", &me][..], &fetch].concat();
    run(tap(&dir, &arguments).env("PATH", dir.path()), b"", LIMIT).success();
    let har = fs::read_to_string(har).unwrap();
    let comment = "\"comment\":\"the content stays coded, and no secret in it is masked: \
                   cannot run gzip: No such file or directory (os error 2)\"";
    assert!(har.contains(comment) && har.contains("\"_coding\":\"gzip\""), "{har}");
}

/// In every notation, the command and the printed line can be used from any directory.
#[test]
fn an_endpoint_is_printed_and_exported_in_a_form_for_clients() {
    let (dir, server) = (TempDir::new(), Fake::answer_and_close(ANSWER));
    let to = server.path().display().to_string();
    let host = |listen: &[&str]| {
        let show = ["-q", "--", "sh", "-c", "cd /; echo \"$DOCKER_HOST\""];
        let mut command = tap(&dir, &[&["tap", "--to", &to], listen, &show].concat());
        run(command.current_dir(dir.path()), b"", LIMIT).success()
    };
    let absolute = format!("unix://{}\n", dir.join("t.sock").display());
    for listen in ["t.sock", "./t.sock", "unix://t.sock", "unix://./t.sock"] {
        assert_eq!(host(&["--listen", listen]), absolute, "{listen}");
    }
    let tcp = host(&["--listen", "tcp://127.0.0.1:0"]);
    let port = tcp.trim_end().strip_prefix("tcp://127.0.0.1:").unwrap();
    assert_ne!(port.parse::<u16>().unwrap(), 0);
    for (listen, meant) in [(":9999", "127.0.0.1:9999"), ("127.0.0.1:9999", "127.0.0.1:9999")] {
        let mut command = tap(&dir, &["tap", "--to", &to, "--listen", listen]);
        let ended = run(&mut command, b"", LIMIT);
        let meant = format!("did you mean tcp://{meant}?\n");
        assert!(ended.code == 2 && ended.stderr().ends_with(&meant), "{}", ended.stderr());
    }
}

/// Clients such as docker support paths of at most 107 bytes.
#[test]
fn a_private_socket_has_a_short_path_with_any_tmpdir() {
    let (dir, server) = (TempDir::new(), Fake::answer_and_close(ANSWER));
    let to = server.path().display().to_string();
    let long = dir.join(&"x".repeat(100));
    fs::create_dir(&long).unwrap();
    for variable in ["TMPDIR", "XDG_RUNTIME_DIR"] {
        let show = ["sh", "-c", "printf %s \"${DOCKER_HOST#unix://}\""];
        let mut command = tap(&dir, &[&["tap", "-q", "--to", &to, "--"][..], &show].concat());
        command.env_remove("XDG_RUNTIME_DIR").env(variable, &long);
        let path = run(&mut command, b"", LIMIT).success();
        assert!(path.starts_with('/') && path.len() <= 107, "{path}");
        assert!(!Path::new(&path).exists(), "{path}");
    }
    fs::remove_dir(long).unwrap();
}

#[test]
fn a_command_that_does_not_connect_gets_a_hint() {
    let (dir, server) = (TempDir::new(), Fake::answer_and_close(ANSWER));
    let to = server.path().display().to_string();
    let ended = run(&mut tap(&dir, &["tap", "--to", &to, "--", "sh", "-c", "exit 3"]), b"", LIMIT);
    let says = ended.stderr();
    assert!(ended.code == 3 && says.contains("tap: the command did not connect; "), "{says}");
    assert!(says.contains("DOCKER_HOST") && says.lines().count() == 1, "{says}");
}

/// A recording is shown and recorded again like the original traffic.
#[test]
fn a_recording_is_shown_like_the_original_traffic() {
    let (dir, server) = (TempDir::new(), Fake::answer_and_close(ANSWER));
    let at = |name: &str| dir.join(name).display().to_string();
    let (view, har, record) = (at("view"), at("har"), at("record"));
    let record = ["--output", &view, "--har", &har, "--record", &record];
    let (mut child, path) = listening(&dir, &server.path(), &record);
    assert_eq!(ask(&path), ANSWER);
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(0));

    let (again, copy) = (at("har-again"), at("copy"));
    let read = ["tap", "--read", &at("record"), "--har", &again, "--record", &copy];
    let ended = run(&mut tap(&dir, &read), b"", LIMIT);
    assert_eq!(ended.success(), fs::read_to_string(view).unwrap());
    assert_eq!(fs::read(again).unwrap(), fs::read(har).unwrap());
    for file in ["index", "1.client", "1.server"] {
        let [a, b] = ["record", "copy"].map(|of| fs::read(dir.join(of).join(file)).unwrap());
        assert_eq!(a, b, "{file}");
    }
    let brief = run(&mut tap(&dir, &["tap", "--read", &copy, "--brief"]), b"", LIMIT).success();
    assert!(brief.starts_with("1.1 GET /hello → 200 OK  "), "{brief}");
    for (wrong, code) in [(&["--", "true"][..], 2), (&["--read"], 2)] {
        let command = [&["tap", "--read", &copy], wrong].concat();
        assert_eq!(run(&mut tap(&dir, &command), b"", LIMIT).code, code, "{wrong:?}");
    }
}
