//! The script recorder: terminal sessions, abandoned streams, unusual targets and bytes.

use crate::support::child::run;
use crate::support::fake::Fake;
use crate::support::needs::program;
use crate::support::temp::TempDir;
use std::collections::BTreeMap;
use std::process::Command;
use std::thread;
use std::time::Duration;
use unix_http::Endpoint;
use unix_http::base::base64;
use unix_http::tap;
use unix_http::traffic::Side::{self, Client, Server};
use unix_http::traffic::{Conversation, Event, Observer};

/// Milliseconds, connection, side and bytes. Without bytes, the side ends.
type Moment<'a> = (u64, u64, Side, &'a [u8]);

/// Returns the script for `ucurl` or `curl`.
fn script(tool: &str, moments: &[Moment<'_>]) -> String {
    let (reader, writer) = std::io::pipe().unwrap();
    let text = thread::spawn(move || std::io::read_to_string(reader).unwrap());
    let endpoint = Endpoint::Unix("/run/docker.sock".into());
    let script: Box<dyn Observer> = match tool {
        "curl" => Box::new(tap::curl_script(writer, &endpoint)),
        _ => Box::new(tap::script(writer, &endpoint)),
    };
    let mut conversations = BTreeMap::new();
    for &(at, number, side, bytes) in moments {
        let at = Duration::from_millis(at);
        let see = &mut |event: &Event<'_>| script.see(number, at, event);
        let conversation = conversations.entry(number).or_insert_with(|| Conversation::new(true));
        match bytes {
            [] => conversation.end(side, at, None, see),
            _ => conversation.bytes(side, at, bytes, see),
        }
    }
    for (number, mut conversation) in conversations {
        conversation.close(&mut |event| script.see(number, Duration::from_secs(99), event));
    }
    assert_eq!(script.finish(), None);
    drop(script);
    text.join().unwrap()
}

/// Returns the script without its first lines.
fn body(text: &str) -> &str {
    let at = text.find("\n# 1.1").unwrap();
    &text[at..]
}

const ATTACH: &[u8] = b"POST /containers/a/attach?stdin=1 HTTP/1.1\r\nHost: x\r\n\
    Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
const SWITCH: &[u8] = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
const START: &[u8] = b"POST /containers/a/start HTTP/1.1\r\nHost: x\r\n\r\n";
const NO_CONTENT: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";
const EVENTS: &[u8] = b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n";
const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn a_terminal_session_is_typed_again() {
    let text = script(
        "ucurl",
        &[
            (0, 1, Client, ATTACH),
            (10, 1, Server, SWITCH),
            (100, 2, Client, START),
            (300, 2, Server, NO_CONTENT),
            (1500, 1, Client, b"echo "),
            (1600, 1, Client, b"it's 5%\r"),
            (1700, 1, Server, b"it's 5%\r\n"),
            (3600, 1, Client, b"\x04"),
            (3700, 1, Server, b""),
            (3701, 1, Client, b""),
        ],
    );
    let want = r#"
# 1.1 POST /containers/a/attach?stdin=1, 101
mkfifo "$tmp/0.in"
ask --hijack -X POST '/containers/a/attach?stdin=1' <>"$tmp/0.in" &
job0=$!
sleep 1

# 2.1 POST /containers/a/start, 204
ask -f -X POST '/containers/a/start'
sleep 1.2
printf 'echo it\047s 5%%\r' 1<>"$tmp/0.in"
sleep 2.1
printf '\004' 1<>"$tmp/0.in"

wait "$job0"
"#;
    assert_eq!(body(&text), want);
}

/// A session that ends with its input is not kept open.
#[test]
fn input_that_ended_in_the_recording_ends_again() {
    for (input, want) in [(&b"a\n"[..], "<\"$tmp/0.stdin\""), (b"", "</dev/null")] {
        let mut moments = vec![(0, 1, Client, ATTACH), (10, 1, Server, SWITCH)];
        moments.extend((!input.is_empty()).then_some((20, 1, Client, input)));
        moments.extend([(30, 1, Client, &b""[..]), (40, 1, Server, b"a\n"), (50, 1, Server, b"")]);
        let text = script("ucurl", &moments);
        assert!(text.trim_end().ends_with(want), "{text}");
    }
}

/// dockerd ends the response when the client leaves, but that client did not wait for it.
#[test]
fn an_abandoned_stream_is_abandoned_again() {
    let text = script(
        "ucurl",
        &[
            (0, 1, Client, EVENTS),
            (10, 1, Server, CHUNKED),
            (2000, 1, Client, b""),
            (2001, 1, Server, b"0\r\n\r\n"),
            (2002, 1, Server, b""),
            (5000, 2, Client, START),
            (5010, 2, Server, NO_CONTENT),
        ],
    );
    let want = r#"
# 1.1 GET /events, 200, broken off
run=exec ask -f '/events' &
job0=$!
sleep 1

sleep 2.0
kill "$job0" 2>/dev/null || :
wait "$job0" 2>/dev/null || :

# 2.1 POST /containers/a/start, 204
ask -f -X POST '/containers/a/start'
"#;
    assert_eq!(body(&text), want);
}

#[test]
fn a_target_that_is_a_url_goes_to_the_engine() {
    let ask = b"GET http://elsewhere/-x HTTP/1.1\r\nHost: elsewhere\r\n\r\n";
    let moments = [(0, 1, Client, &ask[..]), (10, 1, Server, NO_CONTENT)];
    for (tool, needs) in [("ucurl", "sh"), ("curl", "curl")] {
        if program(needs).is_none() {
            continue;
        }
        let (dir, server) = (TempDir::new(), Fake::answer_and_close("HTTP/1.1 204 N\r\n\r\n"));
        let file = dir.write("script", script(tool, &moments));
        let mut shell = Command::new("sh");
        shell.arg(file).env("UCURL", env!("CARGO_BIN_EXE_ucurl"));
        shell.env("DOCKER_HOST", format!("unix://{}", server.path().display()));
        let ended = run(&mut shell, b"", Duration::from_secs(30));
        assert_eq!(ended.code, 0, "{}", ended.stderr());
        let asked = String::from_utf8(server.received().concat()).unwrap();
        assert!(asked.starts_with("GET http://elsewhere/-x HTTP/1.1\r\n"), "{asked}");
    }
}

#[test]
fn a_missing_id_stops_the_script() {
    let created =
        "HTTP/1.1 201 Created\r\nContent-Length: 27\r\n\r\n{\"a\":{\"Id\":\"0123456789ab\"}}";
    let create = b"POST /containers/create HTTP/1.1\r\nHost: x\r\n\r\n";
    let start = String::from_utf8(START.to_vec()).unwrap().replace("/a/", "/0123456789ab/");
    for tool in ["ucurl", "curl"] {
        if program("curl").is_none() {
            continue;
        }
        let text = script(
            tool,
            &[
                (0, 1, Client, create),
                (10, 1, Server, created.as_bytes()),
                (20, 1, Client, start.as_bytes()),
                (30, 1, Server, NO_CONTENT),
            ],
        );
        let empty = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}";
        let (dir, server) = (TempDir::new(), Fake::answer_and_close(empty));
        let file = dir.write("script", text);
        let mut shell = Command::new("sh");
        shell.arg(file).env("UCURL", env!("CARGO_BIN_EXE_ucurl"));
        shell.env("DOCKER_HOST", format!("unix://{}", server.path().display()));
        let ended = run(&mut shell, b"", Duration::from_secs(30));
        assert_ne!(ended.code, 0);
        let asked = String::from_utf8(server.received().concat()).unwrap();
        assert!(!asked.contains("/start"), "{tool}: {asked}");
    }
}

/// The recorder holds all bodies in one file, where their parts alternate.
#[test]
fn bodies_that_arrive_at_the_same_time_are_written_whole() {
    const PART: usize = 32 * 1024;
    for length in [PART - 1, PART, PART + 1, 3 * PART + 2] {
        let body: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
        let head = format!("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
        let parts = [head.as_bytes()].into_iter().chain(body.chunks(1000));
        let mut moments: Vec<Moment<'_>> =
            parts.flat_map(|part| [(0, 1, Client, part), (0, 2, Client, part)]).collect();
        moments.extend([(10, 1, Server, NO_CONTENT), (10, 2, Server, NO_CONTENT)]);
        let text = script("curl", &moments);
        let bodies: Vec<_> = text.split("<<'END'\n").skip(1).collect();
        assert_eq!(bodies.len(), 2, "{length}");
        for rest in bodies {
            let (coded, _) = rest.split_once("\nEND\n").unwrap();
            assert!(base64::decode(&coded.replace('\n', "")) == Some(body.clone()), "{length}");
        }
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_written_with_printf() {
    let ask = b"GET /a HTTP/1.1\r\nHost: x\r\nX-Name: M\xfcller 'n'\r\n\r\n";
    let text = script("ucurl", &[(0, 1, Client, ask), (10, 1, Server, NO_CONTENT)]);
    let want = r"-H 'X-Name: M'$(printf '\374')'ller '\''n'\''' '/a'";
    assert!(text.contains(want), "{text}");
}
