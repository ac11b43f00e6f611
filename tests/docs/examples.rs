//! The lessons without the library: the bytes that they send, and their reaction to bad responses.
//! `course.rs` compares their output on a real engine.

use crate::support::child::{Ended, example, run, system_calls};
use crate::support::fake::{Fake, url};
use crate::support::needs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

/// Runs a lesson against a server that sends these bytes and closes. Returns the result and the
/// bytes that the lesson sent.
fn lesson(name: &str, answer: &[u8]) -> (Ended, String) {
    let server = Fake::answer_and_close(answer);
    let ended = run(example(name).arg(url(&server.path())), b"", LIMIT);
    let sent = server.received().concat();
    (ended, String::from_utf8(sent).expect("text"))
}

#[test]
fn version_sends_four_lines() {
    let (ended, sent) =
        lesson("version_by_hand", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}\n");
    assert_eq!(sent, "GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let answer = "< HTTP/1.1 200 OK\\r\\n\n< Content-Length: 3\\r\\n\n< \\r\\n\n{}\n";
    assert!(ended.success().ends_with(answer));
}

#[test]
fn create_states_the_length_of_its_body() {
    let server = Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(peer.received()).into_owned();
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        peer.read(length.and_then(|digits| digits.parse().ok()).unwrap_or(0))?;
        peer.send(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
    });
    run(example("create_by_hand").arg(url(&server.path())), b"", LIMIT).success();
    let sent = String::from_utf8(server.received().concat()).expect("text");
    let (head, body) = sent.split_once("\r\n\r\n").expect("a head");
    assert!(
        head.starts_with("POST /containers/create?name=mypy HTTP/1.1\r\nHost: localhost\r\n"),
        "{head}"
    );
    assert!(head.contains("\r\nContent-Type: application/json\r\n"), "{head}");
    assert!(body.starts_with("{\"Image\":\"busybox\",") && body.ends_with("}}"), "{body}");
}

#[test]
fn chunks_are_put_together() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding:CHUNKED\r\n\r\n";
    let (ended, _) = lesson(
        "chunked_by_hand",
        format!("{head}5\r\nhello\r\n00A;x=y\r\n, chunks!\n\r\n0\r\nT: 1\r\n\r\n").as_bytes(),
    );
    let out = ended.success();
    assert!(
        out.contains("\"5\\r\\n\" = 5 bytes\nhello\"00A;x=y\\r\\n\" = 10 bytes\n, chunks!\n\"0\\r\\n\" = 0 bytes\n"),
        "{out}"
    );
}

#[test]
fn bad_chunks_are_refused() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for body in [
        "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "\r\nhello\r\n0\r\n\r\n",
        "10000000000000005\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "4\r\nhello\r\n0\r\n\r\n",
        "6\r\nhello\r\n0\r\n\r\n",
        "5\r\nhel",
        "5\r\nhello\r\n",
        "5\r\nhello\r\n0\r\n",
        "7fffffffffffffff\r\nhello",
        "",
    ] {
        let (ended, _) = lesson("chunked_by_hand", format!("{head}{body}").as_bytes());
        assert_eq!(ended.code, 1, "{body:?}: {}", ended.stdout());
        assert!(ended.peak_kib < 8 << 10, "{body:?}: {} KiB", ended.peak_kib);
    }
    let (ended, _) = lesson("chunked_by_hand", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    assert!(ended.code == 1 && ended.stderr().contains("not chunked"), "{}", ended.stderr());
}

#[test]
fn half_a_connection_is_ended_and_the_other_half_read() {
    if needs::program("strace").is_none() {
        return;
    }
    let server = Fake::start(|peer| {
        peer.read_to_end()?;
        peer.send(b"STILL HERE\n")
    });
    let mut client = example("echo_client");
    let (ended, calls) = system_calls(client.arg(server.path()).arg("still here"), b"", LIMIT);
    assert_eq!(ended.success(), "sent:     still here\nreceived: STILL HERE\n");
    assert_eq!(server.received(), [b"still here\n"]);
    assert_eq!(
        ["socket", "connect", "shutdown"].map(|call| calls.get(call)),
        [Some(&1); 3],
        "{calls:?}"
    );
}

#[test]
fn only_unix_sockets_are_taken() {
    for host in ["tcp://localhost:2375", "/var/run/docker.sock"] {
        let ended = run(example("version_by_hand").env("DOCKER_HOST", host), b"", LIMIT);
        assert!(
            ended.code == 1 && ended.stderr().contains(&format!("{host} is not unix:///path")),
            "{}",
            ended.stderr()
        );
    }
}
