//! ucurl on a machine that fails: a full disk, a reader that goes away, signals, too few
//! descriptors.

use crate::support::child::{run, ucurl};
use crate::support::fake::{Fake, url};
use crate::support::live::Live;
use crate::support::needs;
use crate::support::temp::TempDir;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(60);
const SIZE: usize = 1 << 20;

fn large() -> Fake {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\nConnection: close\r\n\r\n");
    Fake::answer([head.as_bytes(), &vec![b'x'; SIZE]].concat())
}

fn get(server: &Fake) -> Command {
    let mut command = ucurl();
    command.arg("-sS").arg("--unix-socket").arg(server.path()).arg("http://localhost/");
    command
}

/// A file system of 64 KiB, which is removed after the test.
struct Small {
    dir: TempDir,
}

impl Small {
    fn mount() -> Option<Small> {
        needs::root()?;
        let program = needs::program("mount")?;
        let dir = TempDir::new();
        let mut mount = Command::new(program);
        mount.args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(dir.place());
        match mount.stderr(Stdio::null()).status().expect("mount").success() {
            true => Some(Small { dir }),
            false => needs::left_out("a tmpfs", "it cannot be mounted here"),
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.dir.place()).status();
    }
}

#[track_caller]
fn no_space(command: &mut Command) {
    let ended = run(command, b"", LIMIT);
    let said = ended.stderr();
    assert_eq!(ended.code, 23, "{said}");
    assert!(said.contains("No space left") && said.lines().count() == 1, "{said}");
}

#[test]
fn a_full_disk_is_an_error_and_what_fits_is_there() {
    let Some(small) = Small::mount() else { return };
    let file = small.dir.place().join("out");
    no_space(get(&large()).arg("-o").arg(&file));
    let written = fs::read(&file).expect("what fitted");
    assert!(!written.is_empty() && written.len() <= 64 << 10 && written.iter().all(|&b| b == b'x'));
    no_space(get(&large()).arg("--remove-on-error").arg("-o").arg(&file));
    assert!(!file.exists());
}

#[test]
fn a_full_standard_output_is_an_error() {
    let full = Path::new("/dev/full");
    if !full.exists() {
        return needs::left_out("/dev/full", "this is not Linux").unwrap_or(());
    }
    let server = large();
    let out = OpenOptions::new().write(true).open(full).expect("/dev/full");
    let output = get(&server).stdout(out).stderr(Stdio::piped()).output().expect("ucurl");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(23), "{said}");
    assert!(said.contains("No space left"), "{said}");
}

#[test]
fn a_reader_that_goes_away_causes_no_message() {
    let server = large();
    let mut child =
        get(&server).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("ucurl");
    let mut first = [0; 10];
    child.stdout.take().expect("a pipe").read_exact(&mut first).expect("a beginning");
    let mut said = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("its messages");
    assert_eq!((child.wait().expect("ucurl").code(), said.as_str()), (Some(23), ""));
}

/// The standard library opens /dev/null for a closed descriptor before our code runs. Output is
/// discarded, and never reaches a file or socket with the same number.
#[test]
fn a_closed_stdout_never_becomes_another_file() {
    for closed in [">&-", ">&- 2>&-", "<&- >&- 2>&-"] {
        let server = large();
        let dir = TempDir::new();
        let inner = get(&server);
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("\"$@\" {closed}; echo $?")).arg("sh").arg(inner.get_program());
        shell.args(inner.get_args()).arg("http://localhost/").arg("-o").arg(dir.join("out"));
        assert_eq!(run(&mut shell, b"", LIMIT).stdout(), "0\n", "{closed}");
        assert!(fs::read(dir.join("out")).expect("the first body") == vec![b'x'; SIZE], "{closed}");
        let received = server.received();
        assert!(
            received.len() >= 2 && received.iter().all(|request| !request.contains(&b'x')),
            "{closed}"
        );
    }
}

/// A socket with a time limit reports a stop and a continuation as an error (signal(7)).
#[test]
fn signals_lose_nothing() {
    let Some(kill) = needs::program("kill") else { return };
    for limited in [false, true] {
        let server = Fake::start(|peer| {
            peer.read_until(b"\r\n\r\n")?;
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n")?;
            (0..60).try_for_each(|_| {
                peer.pause(5);
                peer.send(b"x")
            })
        });
        let mut command = get(&server);
        if limited {
            command.args(["--max-time", "30"]);
        }
        let dir = TempDir::new();
        let out = File::create(dir.join("out")).expect("a file");
        let mut child = command.stdout(out).stderr(Stdio::piped()).spawn().expect("ucurl");
        let pid = child.id().to_string();
        let code = loop {
            for signal in ["-STOP", "-CONT", "-WINCH"] {
                let _ = Command::new(&kill).args([signal, &pid]).stderr(Stdio::null()).status();
            }
            if let Some(status) = child.try_wait().expect("ucurl") {
                break status.code();
            }
        };
        assert_eq!(
            (code, fs::read(dir.join("out")).expect("a file")),
            (Some(0), vec![b'x'; 60]),
            "limited: {limited}"
        );
    }
}

/// With few descriptors it works, or one line gives the reason.
#[test]
fn too_few_descriptors_are_an_error() {
    let mut worked = 0;
    // With fewer the loader cannot open the C library.
    for limit in 4..16 {
        let server = Fake::answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK");
        let mut shell = Command::new("sh");
        let inner = get(&server);
        // Descriptors that the tests inherited must not count.
        let script =
            format!("exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; ulimit -n {limit} && exec \"$@\"");
        shell.arg("-c").arg(script).arg("sh").arg(inner.get_program());
        let ended = run(shell.args(inner.get_args()), b"", LIMIT);
        let said = ended.stderr();
        assert!(!said.contains("panicked"), "{limit}: {said}");
        match ended.code {
            0 => {
                assert_eq!(ended.stdout, b"OK");
                worked += 1;
            }
            code => assert!(
                code < 126 && (said.trim_end().lines().count() == 1),
                "{limit}: {code}: {said}"
            ),
        }
    }
    assert!(worked > 0 && worked < 12, "{worked}");
}

/// A server without free descriptors closes the connection that has been idle longest.
#[test]
fn a_server_out_of_descriptors_makes_room() {
    let dir = TempDir::new();
    let (socket, mut inner) = (dir.join("s"), ucurl());
    inner.args(["demo", "--listen", &url(&socket)]);
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg("exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; ulimit -n 32 && exec \"$@\"")
        .arg("sh");
    let _server = Live::start(shell.arg(inner.get_program()).args(inner.get_args()));
    let begun = Instant::now();
    while UnixStream::connect(&socket).is_err() {
        assert!(begun.elapsed() < LIMIT, "it does not listen");
        thread::sleep(Duration::from_millis(2));
    }
    let mut held = Vec::new();
    for n in 0..80 {
        let mut stream = UnixStream::connect(&socket).expect("a server");
        stream.set_read_timeout(Some(LIMIT)).expect("a socket");
        stream.write_all(b"GET /_ping HTTP/1.1\r\nHost: a\r\n\r\n").expect("a server");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\nOK") {
            let mut byte = [0];
            stream
                .read_exact(&mut byte)
                .unwrap_or_else(|error| panic!("{n}: {error}: {}", answer.escape_ascii()));
            answer.extend(byte);
        }
        held.push(stream);
    }
}

/// The limit counts transferred bytes, however they are written. This upload is fast enough.
#[test]
fn a_speed_limit_does_not_end_an_upload_that_moves() {
    const STEP: usize = 1500;
    const LENGTH: usize = 200 * STEP;
    let server = Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        for _ in 0..LENGTH / STEP {
            peer.read(STEP)?;
            peer.pause(15);
        }
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
    });
    let mut command = ucurl();
    command.arg("--unix-socket").arg(server.path());
    command.args(["-sS", "-Y", "1000", "-y", "2", "-H", "Expect:", "-T", "-", "-X", "POST"]);
    command.args(["-H", &format!("Content-Length: {LENGTH}"), "http://d/images/load"]);
    let ended = run(&mut command, &vec![b'x'; LENGTH], LIMIT);
    assert_eq!((ended.code, ended.stdout(), ended.stderr()), (0, "OK".into(), String::new()));
}
