//! Losses and silent failures that users of curl have reported, tried on ucurl. Lines that curl can
//! run as well are in `curl/lines.txt`.

use crate::support::certificates::certificates;
use crate::support::child::{Ended, run, ucurl};
use crate::support::fake::Fake;
use crate::support::temp::TempDir;
use std::fs::{self, File};
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n";

fn ask(server: &Fake, flags: &[&str], stdin: &[u8]) -> Ended {
    let mut command = ucurl();
    command.arg("-sS").args(flags).arg("--unix-socket").arg(server.path());
    run(command.arg("http://d/a"), stdin, LIMIT)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
}

/// Reads a FIFO to its end, in a thread.
fn reader(path: &Path) -> thread::JoinHandle<String> {
    let path = path.to_owned();
    thread::spawn(move || fs::read_to_string(path).expect("what was written into the FIFO"))
}

#[test]
fn remove_on_error_removes_only_regular_files() {
    let cut = || Fake::answer_and_close("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\nabc");
    let dir = TempDir::new();
    let (plain, pipe, link, device) =
        (dir.join("plain"), dir.join("pipe"), dir.join("link"), dir.join("device"));
    let target = dir.write("target", "");
    symlink(&target, &link).expect("a link");
    symlink("/dev/null", &device).expect("a link");
    fifo(&pipe);
    let got = reader(&pipe);
    for (path, stays) in [(&plain, false), (&pipe, true), (&link, true), (&device, true)] {
        let ended = ask(&cut(), &["--remove-on-error", "-o", text(path)], b"");
        assert_eq!(ended.code, 18, "{}", ended.stderr());
        assert_eq!(path.symlink_metadata().is_ok(), stays, "{}", path.display());
    }
    assert_eq!(got.join().expect("the reader"), "abc");
}

#[test]
fn a_retry_truncates_only_regular_files() {
    let busy = "HTTP/1.1 503 Busy\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbad";
    let dir = TempDir::new();
    let (plain, pipe) = (dir.join("plain"), dir.join("pipe"));
    fifo(&pipe);
    let got = reader(&pipe);
    for path in [plain.as_path(), &pipe, Path::new("/dev/null")] {
        let server = Fake::start(move |peer| {
            peer.read_until(b"\r\n\r\n")?;
            peer.send(if peer.connection == 0 { busy } else { OK }.as_bytes())
        });
        let flags =
            ["--retry", "1", "--retry-delay", "0.1", "-o", text(path), "-w", "%{http_code}"];
        let ended = ask(&server, &flags, b"");
        assert_eq!((ended.code, ended.stdout().as_str()), (0, "200"), "{}", ended.stderr());
    }
    assert_eq!(fs::read_to_string(plain).expect("the file"), "ok\n");
    assert_eq!(got.join().expect("the reader"), "badok\n");
}

/// Sends content with these flags. Returns it as the server received it, and the peak in KiB.
fn sent(flags: &[&str]) -> (Vec<u8>, u64) {
    let server = Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(peer.received()).to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        if head.contains("expect: 100-continue") {
            peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        peer.read(length.expect("a length").parse().expect("a number"))?;
        peer.send(OK.as_bytes())
    });
    let ended = ask(&server, flags, b"");
    assert_eq!(ended.code, 0, "{}", ended.stderr());
    let received = server.received().concat();
    let head = received.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    (received[head..].to_vec(), ended.peak_kib)
}

#[test]
fn memory_does_not_depend_on_the_size_of_an_upload() {
    let dir = TempDir::new();
    let line = b"abc\0defghijklm\r\n";
    let large = line.repeat(2 << 20);
    let file = format!("@{}", text(&dir.write("large", &large)));
    let small = format!("@{}", text(&dir.write("small", b"x\r\ny\0\n")));
    let stripped = b"abcdefghijklm".repeat(2 << 20);
    let cases: [(&[&str], Vec<u8>); 5] = [
        (&["--data-binary", &file], large.clone()),
        (&["--json", &file, "--json", &file], large.repeat(2)),
        (&["-d", &file], stripped.clone()),
        (&["-d", &small, "-d", &file, "-d", ""], [b"xy&", &stripped[..], b"&"].concat()),
        (
            &["-d", "a=b", "--data-binary", &file, "--data-urlencode", &small],
            [b"a=b&", &large[..], b"&x%0D%0Ay%00%0A"].concat(),
        ),
    ];
    for (flags, content) in cases {
        let (received, peak) = sent(flags);
        assert!(received == content, "{flags:?}: {} bytes", received.len());
        assert!(peak < 12 << 10, "{flags:?}: {peak} KiB");
    }
}

#[test]
fn content_of_a_pipe_and_of_proc_is_read_whole() {
    let dir = TempDir::new();
    let pipe = dir.join("pipe");
    fifo(&pipe);
    let path = pipe.clone();
    let writer = thread::spawn(move || fs::write(path, vec![b'p'; 100_000]));
    assert_eq!(sent(&["--data-binary", &format!("@{}", text(&pipe))]).0, vec![b'p'; 100_000]);
    writer.join().expect("the writer").expect("a whole write");
    // A file of /proc reports the size 0.
    let mut version = Vec::new();
    File::open("/proc/version").and_then(|mut file| file.read_to_end(&mut version)).expect("proc");
    assert_eq!(sent(&["--data-binary", "@/proc/version"]).0, version);
}

#[test]
fn stdin_of_another_length_than_stated_is_an_error() {
    for (length, stdin, code) in
        [("3", "abc", 0), ("3", "abcd", 26), ("3", "ab", 26), ("0", "", 0), ("0", "a", 26)]
    {
        let server = Fake::start(move |peer| {
            peer.read_until(b"\r\n\r\n")?;
            peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            peer.read(length.parse().expect("a number"))?;
            peer.send(OK.as_bytes())
        });
        let field = format!("Content-Length: {length}");
        let ended = ask(&server, &["-H", &field, "-T", "-"], stdin.as_bytes());
        assert_eq!(ended.code, code, "{length} of {stdin:?}: {}", ended.stderr());
        let received = server.received().concat();
        // The server never receives a request that looks complete.
        let whole = code == 0 || !received.ends_with(&stdin.as_bytes()[..stdin.len().min(3)]);
        assert!(whole || length == "0", "{}", received.escape_ascii());
    }
}

#[test]
fn an_input_that_cannot_be_opened_ends_the_run_before_anything_is_sent() {
    let dir = TempDir::new();
    let (missing, directory) = (text(&dir.join("missing")).to_owned(), text(dir.path()).to_owned());
    for name in [&missing, &directory] {
        for flag in ["-d", "--data-binary", "--json", "--data-urlencode", "-H", "-w", "--url-query"]
        {
            let server = Fake::answer(OK);
            let ended = ask(&server, &[flag, &format!("@{name}"), "http://d/first"], b"");
            assert_eq!(ended.code, 26, "{flag} @{name}: {}", ended.stderr());
            assert!(ended.stderr().contains(name), "{flag} @{name}: {}", ended.stderr());
            assert!(server.received().concat().is_empty(), "{flag} @{name}");
        }
        let server = Fake::answer(OK);
        let ended = ask(&server, &["-T", name, "http://d/first"], b"");
        assert_eq!(ended.code, 26, "-T {name}: {}", ended.stderr());
        assert!(server.received().concat().is_empty(), "-T {name}");
    }
}

#[test]
fn fail_does_not_wait_for_the_body_of_an_error() {
    for length in ["Content-Length: 99\r\n", "Transfer-Encoding: chunked\r\n", ""] {
        let server = Fake::answer(format!("HTTP/1.1 404 Not Found\r\n{length}\r\n"));
        let ended = ask(&server, &["-f"], b"");
        let want = "ucurl: (22) The requested URL returned error: 404\n";
        assert_eq!((ended.code, ended.stderr().as_str()), (22, want), "{length}");
    }
    let body = r#"{"message":"no such container: x"}"#;
    let head = "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n";
    let server = Fake::answer(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()));
    assert!(ask(&server, &["-f"], b"").stderr().ends_with("404: no such container: x\n"));
}

#[test]
fn a_usage_error_is_printed_despite_silent() {
    for flags in [
        &["-H", "X-A : b"][..],
        &["-H", "X: y\r"],
        &["-X", "GET /a"],
        &["--oauth2-bearer", "a\nb"],
        &["--request-target", "/x y"],
        &["-d", "x", "-I"],
        &["--no-such-flag"],
    ] {
        let server = Fake::answer(OK);
        let ended = ask(&server, &[flags, &["-s", "--no-show-error"]].concat(), b"");
        assert_eq!(ended.code, 2, "{flags:?}: {}", ended.stderr());
        assert!(ended.stderr().starts_with("ucurl: "), "{flags:?}: {}", ended.stderr());
        assert!(server.received().concat().is_empty(), "{flags:?}");
    }
}

#[test]
fn trailers_come_once_with_raw() {
    let body = "3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n";
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let dir = TempDir::new();
    let heads = dir.join("heads");
    let server = Fake::answer([head, body].concat());
    let ended = ask(&server, &["--raw", "-i", "-D", text(&heads)], b"");
    assert_eq!(ended.stdout(), [head, body].concat());
    assert_eq!(fs::read_to_string(heads).expect("the heads"), head);
}

/// ucurl never waits for a file of the docker command's settings.
#[test]
fn a_pipe_in_the_place_of_a_setting_is_an_error() {
    let dir = TempDir::new();
    fifo(&dir.join("config.json"));
    let mut command = ucurl();
    command.args(["-sS", "-m", "30", "/version"]).env("DOCKER_CONFIG", dir.path());
    let ended = run(&mut command, b"", LIMIT);
    let says = ended.stderr();
    assert!(ended.code == 2 && says.contains("it is a pipe, not a file"), "{says}");

    for name in ["ca.pem", "cert.pem", "key.pem"] {
        let dir = TempDir::new();
        for other in ["ca.pem", "cert.pem", "key.pem"] {
            dir.write(other, "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n");
        }
        fs::remove_file(dir.join(name)).expect("a file");
        fifo(&dir.join(name));
        let mut command = ucurl();
        command.args(["-sS", "-m", "30", "/version"]).env("DOCKER_CERT_PATH", dir.path());
        command.env("DOCKER_HOST", "tcp://127.0.0.1:1").env("DOCKER_TLS_VERIFY", "1");
        let says = run(&mut command, b"", LIMIT).stderr();
        assert!(says.contains("it is a pipe, not a file"), "{name}: {says}");
    }
}

/// The server accepts and sends nothing, so TLS is never established.
#[test]
fn a_time_limit_ends_a_connection_set_up_that_hangs() {
    let Some(certificates) = certificates() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let check = |flags: [&str; 2]| {
        let mut command = ucurl();
        command
            .arg("-sS")
            .args(flags)
            .arg("/version")
            .env("DOCKER_HOST", format!("tcp://{address}"));
        let dir = TempDir::new();
        for (name, from) in [("ca", "ca"), ("cert", "client"), ("key", "client")] {
            let ending = if name == "key" { "key" } else { "pem" };
            let text = fs::read(certificates.join(&format!("{from}.{ending}"))).expect("a file");
            dir.write(&format!("{name}.pem"), text);
        }
        command.env("DOCKER_CERT_PATH", dir.path()).env("DOCKER_TLS_VERIFY", "1");
        let ended = run(&mut command, b"", LIMIT);
        assert_eq!(ended.code, 28, "{flags:?}: {}", ended.stderr());
    };
    thread::scope(|scope| {
        scope.spawn(|| check(["-m", "1"]));
        scope.spawn(|| check(["--connect-timeout", "1"]));
    });
}
