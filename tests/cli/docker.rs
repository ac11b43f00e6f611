//! The additions for Docker, tested on scripted servers: frames, errors inside a 200, JSON, raw
//! connections.

use crate::support::child::{Ended, run, ucurl};
use crate::support::fake::{Fake, Peer};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

fn ask(server: &Fake, arguments: &[&str], stdin: &[u8]) -> Ended {
    run(ucurl().arg("-sS").arg("--unix-socket").arg(server.path()).args(arguments), stdin, LIMIT)
}

fn response(fields: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\n{fields}\r\n").as_bytes(), body].concat()
}

const FRAMES: &[u8] = b"\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x04err\n\0\0\0\0\0\0\0\x03in\n";
const MULTIPLEXED: &str = "Content-Type: application/vnd.docker.multiplexed-stream\r\n";

#[test]
fn frames_go_to_stdout_and_stderr() {
    let ended =
        ask(&Fake::answer_and_close(response(MULTIPLEXED, FRAMES)), &["--demux", "/x"], b"");
    assert_eq!(
        (ended.code, ended.stdout(), ended.stderr()),
        (0, "out\nin\n".into(), "err\n".into())
    );
}

#[test]
fn broken_frames_and_daemon_errors_fail() {
    for (body, code, stdout, says) in [
        (&b"\x01\0\0\0\0\0\0\x09half"[..], 18, "half", "5 of its 9 bytes are missing"),
        (b"\x01\0\0", 18, "", "inside a frame's header"),
        (
            b"\x01\0\0\0\0\0\0\x01a\x03\0\0\0\0\0\0\x05oops\n",
            22,
            "a",
            "error from the daemon in the stream: oops",
        ),
        (b"plain text from a terminal", 8, "", "not a frame"),
    ] {
        let ended =
            ask(&Fake::answer_and_close(response(MULTIPLEXED, body)), &["--demux", "/x"], b"");
        assert_eq!((ended.code, ended.stdout()), (code, stdout.into()), "{}", ended.stderr());
        assert!(ended.stderr().contains(says), "{}", ended.stderr());
    }
}

/// Answers two requests: one for output, and one for the kind of the container.
fn with_terminal(tty: bool) -> Fake {
    Fake::start(move |peer| {
        peer.read_until(b"\r\n\r\n")?;
        let inspect = peer.received().starts_with(b"GET /v1.41/containers/app/json ");
        let body = match inspect {
            true => format!(r#"{{"Id":"1","Config":{{"Tty":{tty}}}}}"#).into_bytes(),
            false if tty => b"typed\r\n".to_vec(),
            false => FRAMES.to_vec(),
        };
        peer.send(&response(
            &format!("Content-Length: {}\r\nConnection: close\r\n", body.len()),
            &body,
        ))
    })
}

#[test]
fn terminal_output_without_frames_is_recognised() {
    // The fake serves one connection at a time, so the first has to end before the second is
    // answered.
    for (tty, stdout) in [(true, "typed\r\n"), (false, "out\nin\n")] {
        let ended =
            ask(&with_terminal(tty), &["--demux", "/v1.41/containers/app/logs?stdout=1"], b"");
        assert_eq!((ended.code, ended.stdout()), (0, stdout.into()), "{}", ended.stderr());
    }
}

#[test]
fn an_error_inside_a_stream_fails_and_keeps_the_bytes() {
    let stream = "{\"stream\":\"Step 1\"}\r\n{\"errorDetail\":{\"code\":5,\"message\":\"it broke\"},\"error\":\"it broke\"}\r\n";
    let server = Fake::answer_and_close(response("", stream.as_bytes()));
    let ended = ask(&server, &["--fail-stream", "/build"], b"");
    assert_eq!((ended.code, ended.stdout()), (22, stream.into()));
    assert_eq!(ended.stderr(), "ucurl: (22) the daemon reports an error in its stream: it broke\n");

    let server = Fake::answer_and_close(response("", b"{\"stream\":\"fine\"}\r\n"));
    assert_eq!(ask(&server, &["--fail-stream", "/build"], b"").code, 0);
}

#[test]
fn fail_prints_the_message_of_the_daemon() {
    let body = r#"{"message":"No such container: \u001b[2Jnope"}"#;
    let head = format!("HTTP/1.1 404 Not Found\r\nContent-Length: {}\r\n\r\n", body.len());
    let ended = ask(&Fake::answer_and_close(head + body), &["-f", "/containers/nope/json"], b"");
    assert_eq!((ended.code, ended.stdout()), (22, String::new()));
    let text =
        "ucurl: (22) The requested URL returned error: 404: No such container: \\x1b[2Jnope\n";
    assert_eq!(ended.stderr(), text);
}

#[test]
fn values_are_selected_without_jq() {
    let body = b"{\"Id\":\"4c6c\",\"Config\":{\"Env\":[\"A=1\",\"B=\\u00e9\"]},\"Size\":1.50}";
    let select =
        |arguments: &[&str]| ask(&Fake::answer_and_close(response("", body)), arguments, b"");
    for (pointer, stdout) in [
        ("/Id", "4c6c\n"),
        ("/Config/Env/1", "B=é\n"),
        ("/Size", "1.50\n"),
        ("/Config", "{\"Env\":[\"A=1\",\"B=\\u00e9\"]}\n"),
    ] {
        let ended = select(&["--select", pointer, "/x"]);
        assert_eq!(
            (ended.code, ended.stdout()),
            (0, stdout.into()),
            "{pointer}: {}",
            ended.stderr()
        );
    }
    let pretty = select(&["--select", "/Config", "--pretty", "/x"]).stdout();
    assert_eq!(pretty, "{\n  \"Env\": [\n    \"A=1\",\n    \"B=é\"\n  ]\n}\n");
    let missing = select(&["--select", "/Nope", "/x"]);
    assert_eq!((missing.code, missing.stdout()), (22, String::new()));
}

const LIST: &[u8] = br#"[{"Id":"a","State":"running","N":1},{"Id":"b","State":"exited","N":1}]"#;

#[test]
fn a_loop_over_a_list_needs_no_jq() {
    let select = |pointer, body: &[u8]| {
        let server = Fake::answer_and_close(response("", body));
        let ended = ask(&server, &["--select", pointer, "/x"], b"");
        (ended.code, ended.stdout())
    };
    assert_eq!(select("/*/Id", LIST), (0, "a\nb\n".into()));
    assert_eq!(select("/*/Id", b"[]\n"), (0, String::new()));
    assert_eq!(select("/*/Nope", LIST), (22, String::new()));
}

#[test]
fn a_value_can_be_expected() {
    let cases: &[(&[&str], i32, &str, &str)] = &[
        (&["--expect", "/0/State=running", "--select", "/0/Id"], 0, "a\n", ""),
        (&["--expect", "/0/State=exited", "--select", "/0/Id"], 22, "", "it is running"),
        (&["--expect", "/*/N=1", "--select", "/*/Id"], 0, "a\nb\n", ""),
        (&["--expect", "/*/State=running", "--select", "/*/Id"], 22, "", "it is exited"),
        (&["--expect", "/1/N=1", "--expect", "/1/State=x", "--pretty"], 22, "", "it is exited"),
        (&["--expect", "/1/N=\"1\""], 22, "", "it is 1"),
        (&["--expect", "/1/Nope=1"], 22, "", "no member"),
        (&["--expect", "/0/State=running", "--pretty", "--select", "/1/N"], 0, "1\n", ""),
        (&["--expect", "/1/State="], 22, "", "--expect /1/State=: it is exited"),
    ];
    for (args, code, stdout, says) in cases {
        let server = Fake::answer_and_close(response("", LIST));
        let ended = ask(&server, &[args, &["/x"][..]].concat(), b"");
        assert_eq!((ended.code, &*ended.stdout()), (*code, *stdout), "{args:?}");
        assert!(ended.stderr().contains(says), "{args:?}: {}", ended.stderr());
    }
    let expect = |value, body: &[u8]| {
        let server = Fake::answer_and_close(response("", body));
        let ended = ask(&server, &["--expect", value, "/x"], b"");
        (ended.code, ended.stdout())
    };
    // Expected JSON is printed unchanged, one text on a line. Of a stream, only expected texts are.
    assert_eq!(expect("/0/N=1", LIST), (0, String::from_utf8_lossy(LIST).into_owned() + "\n"));
    assert_eq!(
        expect("/a=1", b"{\"a\":1}\n{\"a\":2}\r\n{\"a\" :1}"),
        (0, "{\"a\":1}\n{\"a\" :1}\n".into())
    );
    assert_eq!(expect("/*/N=1", b"[]"), (22, String::new()));
    assert_eq!(expect("/a=1", b""), (8, String::new()));
    assert_eq!(expect("/a=1", b"no JSON"), (8, String::new()));
    assert_eq!(expect("/a", b"{}"), (2, String::new()));
    assert_eq!(expect("a=1", b"{}"), (2, String::new()));
}

/// Answers the requests in turn: no such container, starting, healthy.
fn health(peer: &mut Peer, asked: &AtomicUsize) -> std::io::Result<()> {
    peer.read_until(b"\r\n\r\n")?;
    let (status, body) = match asked.fetch_add(1, Ordering::SeqCst) {
        0 => ("404 Not Found", r#"{"message":"No such container: c"}"#),
        1 => ("200 OK", r#"{"State":{"Health":{"Status":"starting"}}}"#),
        _ => ("200 OK", r#"{"State":{"Health":{"Status":"healthy"}}}"#),
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    peer.send(format!("{head}Connection: close\r\n\r\n{body}").as_bytes())
}

/// `--retry 60 --retry-delay 1 --expect /State/Health/Status=healthy`
#[test]
fn a_value_can_be_waited_for() {
    for (tries, code, stdout) in [("9", 0, "{\"Status\":\"healthy\"}\n"), ("1", 22, "")] {
        let asked = AtomicUsize::new(0);
        let server = Fake::start(move |peer| health(peer, &asked));
        let expect = ["--expect", "/State/Health/Status=healthy", "--select", "/State/Health"];
        let retry = ["--retry", tries, "--retry-delay", "0.1", "/x"];
        let ended = ask(&server, &[&expect[..], &retry].concat(), b"");
        assert_eq!((ended.code, &*ended.stdout()), (code, stdout), "{}", ended.stderr());
        assert!(ended.stderr().contains("404: No such container: c"), "{}", ended.stderr());
        assert!(ended.stderr().contains("it is starting"), "{}", ended.stderr());
    }
}

/// `id=$(ucurl ... --select /Id /containers/create)` has to report why there is no ID.
#[test]
fn select_reports_a_refusal_of_the_daemon() {
    let body = r#"{"message":"No such image: nope:latest"}"#;
    let head = format!("HTTP/1.1 404 Not Found\r\nContent-Length: {}\r\n\r\n", body.len());
    let select =
        |pointer| ask(&Fake::answer(head.clone() + body), &["--select", pointer, "/x"], b"");
    let refused = select("/Id");
    assert_eq!((refused.code, refused.stdout()), (22, String::new()));
    assert_eq!(
        refused.stderr(),
        "ucurl: (22) The requested URL returned error: 404: No such image: nope:latest\n"
    );
    let message = select("/message");
    assert_eq!((message.code, message.stdout()), (0, "No such image: nope:latest\n".into()));
    let text = "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n\r\n404 page not found\n";
    let page = ask(&Fake::answer_and_close(text), &["--select", "/Id", "/x"], b"");
    assert_eq!((page.code, page.stdout()), (22, String::new()));
    assert!(page.stderr().ends_with(" 404: 404 page not found\n"), "{}", page.stderr());
}

#[test]
fn an_invalid_pointer_fails_before_the_request() {
    let server = Fake::answer_and_close(response("", b"{}"));
    let ended = ask(&server, &["--json", "{}", "--select", "Id", "/containers/create"], b"");
    assert_eq!(ended.code, 2);
    assert!(ended.stderr().contains("--select"), "{}", ended.stderr());
    assert!(server.received().is_empty());
}

#[test]
fn json_lines_are_printed_as_they_arrive() {
    let server = Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n{\"status\":\"create\"}\n{\"status\":\"sta")?;
        peer.pause(100);
        peer.send(b"rt\"}\n{\"status\":\"die\"}")
    });
    let ended = ask(&server, &["--select", "/status", "/events"], b"");
    assert_eq!(
        (ended.code, ended.stdout()),
        (0, "create\nstart\ndie\n".into()),
        "{}",
        ended.stderr()
    );
}

#[test]
fn invalid_json_is_an_error() {
    let server = Fake::answer_and_close(response("", b"{} {\"Id\": nope}"));
    let ended = ask(&server, &["--pretty", "/x"], b"");
    assert_eq!((ended.code, ended.stdout()), (8, "{}\n{\n  \"Id\":  nope}".into()));
    assert!(ended.stderr().contains("--pretty: the body is not JSON"), "{}", ended.stderr());
}

#[test]
fn incomplete_json_is_printed() {
    let body = b"{\"Id\":\"4c\"}{\"Id\":[1,";
    for (flags, stdout) in [
        (["--pretty", "-sS"], "{\n  \"Id\": \"4c\"\n}\n{\n  \"Id\": [\n    1,"),
        (["--select", "/Id"], "4c\n"),
    ] {
        let server = Fake::answer_and_close(response("Content-Length: 99\r\n", body));
        let ended = ask(&server, &[&flags[..], &["/x"]].concat(), b"");
        assert_eq!((ended.code, ended.stdout()), (18, stdout.into()), "{}", ended.stderr());
    }
}

#[test]
fn a_raw_connection_carries_stdin_its_end_and_the_answer() {
    let server = Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(peer.received()).into_owned();
        assert!(head.starts_with("POST /containers/x/attach?stdin=1 HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"), "{head}");
        let switch = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n";
        peer.send(&[&switch[..], MULTIPLEXED.as_bytes(), b"\r\n"].concat())?;
        peer.read_to_end()?;
        peer.send(FRAMES)
    });
    let ended = ask(&server, &["--hijack", "--demux", "/containers/x/attach?stdin=1"], b"typed");
    assert_eq!(
        (ended.code, ended.stdout(), ended.stderr()),
        (0, "out\nin\n".into(), "err\n".into())
    );
    assert!(server.received()[0].ends_with(b"\r\n\r\ntyped"));
}

#[test]
fn a_refused_raw_connection_gives_the_daemons_message() {
    let answer = "HTTP/1.1 404 Not Found\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\nNo such container: x\r\n";
    let ended =
        ask(&Fake::answer_and_close(answer), &["--hijack", "/containers/x/attach"], b"typed");
    assert_eq!((ended.code, ended.stdout()), (22, String::new()));
    assert!(ended.stderr().ends_with("404: No such container: x\n"), "{}", ended.stderr());
}

#[test]
fn the_version_is_negotiated() {
    let server = Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\n")?;
        peer.read_until(b"\r\n\r\n")?;
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
    });
    let ended = ask(&server, &["--negotiate-api", "-v", "/containers/json"], b"");
    assert_eq!(ended.stdout(), "[]");
    assert!(ended.stderr().contains("* Connected to localhost ("), "{}", ended.stderr());
    let requests = String::from_utf8(server.received().remove(0)).unwrap();
    assert!(requests.starts_with("HEAD /_ping HTTP/1.1\r\n"), "{requests}");
    assert!(requests.contains("\r\n\r\nGET /v1.41/containers/json HTTP/1.1\r\n"), "{requests}");

    // DOCKER_API_VERSION pins the version. It may begin with a `v`.
    for (value, want) in [("1.30", "/v1.30/info"), (" v1.24\n", "/v1.24/info")] {
        let server = Fake::answer_and_close(response("Content-Length: 2\r\n", b"[]"));
        let mut pinned = ucurl();
        let flags = ["-sS", "--negotiate-api", "--unix-socket"];
        pinned.env("DOCKER_API_VERSION", value).args(flags).arg(server.path());
        assert_eq!(run(pinned.arg("/info"), b"", LIMIT).code, 0);
        let request = String::from_utf8(server.received().remove(0)).unwrap();
        assert!(request.starts_with(&format!("GET {want} ")), "{request}");
    }
    for value in ["1", "latest", "vv1.41", "V1.41", "1.41.0"] {
        let flags = ["-sS", "--negotiate-api", "--unix-socket", "/nowhere", "/info"];
        let ended = run(ucurl().env("DOCKER_API_VERSION", value).args(flags), b"", LIMIT);
        let want = format!("DOCKER_API_VERSION is no API version such as 1.41: {value:?}");
        assert!(ended.stderr().contains(&want), "{}", ended.stderr());
    }
}

#[test]
fn contexts_and_near_misses() {
    let fails = |name: &str, value: &str| {
        let ended = run(
            ucurl().env("DOCKER_CONFIG", "/nonexistent").env(name, value).args(["-sS", "/x"]),
            b"",
            LIMIT,
        );
        assert_eq!(ended.code, 2, "{}", ended.stderr());
        ended.stderr()
    };
    assert!(
        fails("DOCKER_HOST", "/var/run/docker.sock")
            .contains("did you mean unix:///var/run/docker.sock?")
    );
    assert!(fails("DOCKER_CONTEXT", "nope").contains("nope"));
}
