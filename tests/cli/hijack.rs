//! `--hijack` with other options, and with unsuitable stdin, stdout and endpoints.

use crate::fetch::container_ref::ContainerRef;
use crate::support::certificates::certificates;
use crate::support::child::{Ended, run, ucurl};
use crate::support::fake::Fake;
use crate::support::live::Live;
use crate::support::needs;
use crate::support::temp::TempDir;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);
const UPGRADED: &[u8] =
    b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n\
    Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
const FRAMES: &[u8] = b"\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x04err\n";
const ATTACH: &str = "/containers/x/attach?stream=1&stdin=1&stdout=1";

fn hijack(server: &Fake, arguments: &[&str]) -> Command {
    let mut command = ucurl();
    command.arg("--unix-socket").arg(server.path()).args(["--hijack", "--demux"]).args(arguments);
    command
}

fn ask(server: &Fake, arguments: &[&str], stdin: &[u8]) -> Ended {
    run(&mut hijack(server, arguments), stdin, LIMIT)
}

/// Upgrades to the requested protocol, and answers after the end of stdin.
fn patient() -> Fake {
    Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        let asks_for_h2c =
            String::from_utf8_lossy(peer.received()).contains("\r\nUpgrade: h2c\r\n");
        let upgraded = String::from_utf8_lossy(UPGRADED);
        peer.send(upgraded.replace("tcp", if asks_for_h2c { "h2c" } else { "tcp" }).as_bytes())?;
        peer.read_to_end()?;
        peer.send(FRAMES)
    })
}

#[test]
fn a_time_limit_ends_it_without_a_retry() {
    let server = Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(&[UPGRADED, FRAMES].concat())?;
        peer.read_to_end()?;
        // Frames without content, until the client has left.
        loop {
            peer.pause(20);
            peer.send(b"\x01\0\0\0\0\0\0\0")?;
        }
    });
    let ended = ask(&server, &["-m", "3", "--retry", "2", ATTACH], b"typed");
    assert_eq!((ended.code, ended.stdout()), (28, "out\n".into()), "{}", ended.stderr());
    assert!(ended.stderr().contains("(28) timed out"), "{}", ended.stderr());
    assert_eq!(server.received().len(), 1);
}

/// stderr belongs to the container, so there is no progress meter.
#[test]
fn output_goes_where_the_options_say() {
    let dir = TempDir::new();
    let (out, err) = (dir.join("out"), dir.join("err"));
    let told = "%{http_code} %{size_upload} %{size_download} %{exitcode}\n";
    let options = ["-o", out.to_str().unwrap(), "-w", told, ATTACH];
    let ended = ask(&patient(), &options, b"typed");
    assert_eq!(
        (ended.code, ended.stdout(), ended.stderr()),
        (0, "101 5 24 0\n".into(), "err\n".into())
    );
    assert_eq!(fs::read(&out).unwrap(), b"out\n");

    let ended = ask(&patient(), &["--stderr", err.to_str().unwrap(), ATTACH], b"");
    assert_eq!((ended.code, ended.stdout(), ended.stderr()), (0, "out\n".into(), String::new()));
    assert_eq!(fs::read(&err).unwrap(), b"err\n");

    let ended = ask(&patient(), &["-i", ATTACH], b"");
    assert_eq!(ended.stdout().as_bytes(), [UPGRADED, b"out\n"].concat());
    let ended = ask(&patient(), &["--max-filesize", "10", ATTACH], b"");
    assert_eq!(ended.code, 63, "{}", ended.stderr());
    let ended = ask(&patient(), &["--trace-ascii", err.to_str().unwrap(), ATTACH], b"typed");
    assert_eq!(ended.code, 0);
    let trace = fs::read_to_string(&err).unwrap();
    assert!(
        trace.contains("=> Send data, 5 bytes") && trace.contains("<= Recv data, 24 bytes"),
        "{trace}"
    );
}

#[test]
fn a_reader_that_goes_away_ends_it_in_silence() {
    let server = Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(UPGRADED)?;
        peer.send_for_ever(FRAMES)
    });
    let mut command = hijack(&server, &["--stderr", "/dev/null", ATTACH]);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(23), Vec::new()));
}

/// An incomplete stdin must not look complete.
#[test]
fn a_stdin_that_cannot_be_read() {
    let server = Fake::answer(UPGRADED);
    let mut command = hijack(&server, &[ATTACH]);
    let directory = fs::File::open("/").unwrap();
    let output = command.stdin(directory).output().unwrap();
    assert_eq!((output.status.code(), output.stdout), (Some(26), Vec::new()));
    let says = String::from_utf8(output.stderr).unwrap();
    assert!(says.starts_with("ucurl: (26) cannot read stdin: "), "{says}");
}

#[test]
fn stdin_is_read_only_if_the_attach_asks_for_it() {
    let server = Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(&[UPGRADED, FRAMES].concat())
    });
    let mut script = Command::new("sh");
    let ours = hijack(&server, &["/containers/x/attach?stdout=1&stdin=0"]);
    script.args(["-c", r#""$@"; cat"#, "sh"]).arg(ours.get_program()).args(ours.get_args());
    assert_eq!(run(&mut script, b"the rest", LIMIT).success(), "out\nthe rest");
    assert!(server.received()[0].ends_with(b"\r\n\r\n"));
}

#[test]
fn an_upload_conflicts_with_hijack() {
    let server = patient();
    let ended = ask(&server, &["-T", "-", ATTACH], b"typed");
    assert_eq!(ended.code, 2);
    assert!(
        ended.stderr().contains("--hijack") && ended.stderr().contains("-T"),
        "{}",
        ended.stderr()
    );
    assert!(server.received().is_empty());
}

#[test]
fn other_protocols_can_be_requested() {
    for (field, lines) in [
        ("Upgrade: h2c", "Upgrade: h2c\r\nConnection: Upgrade\r\n"),
        ("Connection: upgrade, x", "Connection: upgrade, x\r\nUpgrade: tcp\r\n"),
        ("Upgrade:", ""),
    ] {
        let server = patient();
        let ended = ask(&server, &["-H", field, "/session"], b"");
        assert_eq!(
            (ended.code, ended.stdout()),
            if lines.is_empty() { (8, "".into()) } else { (0, "out\n".into()) }
        );
        let head = String::from_utf8(server.received().remove(0)).unwrap();
        let shown = head.split("Accept: */*\r\n").nth(1).unwrap();
        assert_eq!(shown, lines.to_owned() + "\r\n");
    }
}

/// Upgrades, and sends the bytes that followed the request.
const TLS_SERVER: &str = r#"
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1] + "/server.pem", sys.argv[1] + "/server.key")
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
tls = context.wrap_socket(listener.accept()[0], server_side=True)
head = b""
while not head.endswith(b"\r\n\r\n"):
    head += tls.recv(1)
tls.sendall(sys.argv[2].encode())
came = b""
while piece := tls.recv(65536):
    came += piece
print(came, flush=True)
"#;

/// `openssl s_client` has no half-close. A container that waits for the end of stdin would wait
/// for ever, and so would ucurl.
#[test]
fn the_end_of_stdin_cannot_pass_tls() {
    let (Some(certificates), Some(python)) = (certificates(), needs::program("python3")) else {
        return;
    };
    let mut server = Command::new(python);
    server.args(["-c", TLS_SERVER]).arg(certificates.path()).arg(str::from_utf8(UPGRADED).unwrap());
    let mut server = Live::start(&mut server);
    let port = server.says("\n");
    let mut command = ucurl();
    command
        .env("DOCKER_HOST", format!("tcp://localhost:{}", port.trim_end()))
        .env("DOCKER_TLS_VERIFY", "1");
    command.args(["-sS", "--hijack", "--demux", ATTACH]);
    let home = TempDir::new();
    for (ours, theirs) in
        [("ca.pem", "ca.pem"), ("cert.pem", "client.pem"), ("key.pem", "client.key")]
    {
        fs::copy(certificates.join(theirs), home.join(ours)).unwrap();
    }
    let ended = run(command.env("DOCKER_CERT_PATH", home.path()), b"typed", LIMIT);
    assert_eq!((ended.code, ended.stdout()), (55, String::new()));
    assert!(ended.stderr().contains("cannot pass on the end of the input"), "{}", ended.stderr());
    server.says("b'typed'\n");
}

#[test]
fn paths_name_containers_and_execs() {
    let of = |path, query| {
        ContainerRef::of(path, query).map(|it| (it.path.clone(), it.is_exec, it.stdin))
    };
    let container = |path: &str, stdin| Some((path.to_owned(), false, Some(stdin)));
    assert_eq!(of("/containers/a/attach", "stream=1&stdin=1"), container("/containers/a", true));
    assert_eq!(
        of("/v1.41/containers/a/attach", "stdin=true"),
        container("/v1.41/containers/a", true)
    );
    assert_eq!(
        of("/containers/a/attach", "stdin=false&stdout=1"),
        container("/containers/a", false)
    );
    assert_eq!(of("/containers/a/attach", "stdin="), container("/containers/a", false));
    assert_eq!(
        of("/v4/libpod/containers/a/attach", "logs=1"),
        container("/v4/libpod/containers/a", true)
    );
    assert_eq!(of("/containers/a/logs", ""), container("/containers/a", false));
    assert_eq!(of("/exec/e1/start", ""), Some(("/exec/e1".into(), true, None)));
    for path in ["/session", "/grpc", "/containers/", "/exec/"] {
        assert_eq!(of(path, ""), None, "{path}");
    }
}
