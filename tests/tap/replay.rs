//! Replay: clients cannot distinguish it from the recorded server.

use crate::support::needs;
use crate::support::temp::TempDir;
use std::fs;
use std::io::{Cursor, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};
use unix_http::Endpoint;
use unix_http::json::Value;
use unix_http::tap::{self, Replay, TapStopper};
use unix_http::traffic::{Conversation, Event, Observer, Side};
use unix_http::transport::Listener;

const ATTACH: &str = "POST /containers/a/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\n\
     Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n";
const SWITCH: &str =
    "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: x/y\r\n\r\n";
const WAIT: &str = "POST /containers/a/wait HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
const EVENTS: &str = "GET /events HTTP/1.1\r\nHost: x\r\n\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";

/// A line of a recording: seconds, connection, and the rest of the line; only the side for bytes.
type Moment = (&'static str, u64, &'static str, &'static str);

/// Writes a recording.
fn recording(moments: &[Moment]) -> (TempDir, PathBuf) {
    let dir = TempDir::new();
    let path = dir.join("rec");
    fs::create_dir(&path).unwrap();
    let mut index = "ucurl recording 1\nstarted 0.000000000\nsecrets shown\n".to_owned();
    for (at, connection, what, bytes) in moments {
        let length = if bytes.is_empty() { String::new() } else { format!(" {}", bytes.len()) };
        let (seconds, fraction) = at.split_once('.').unwrap();
        index.push_str(&format!("{seconds}.{fraction:0<9} {connection} {what}{length}\n"));
        if !bytes.is_empty() {
            let file = fs::File::options()
                .create(true)
                .append(true)
                .open(path.join(format!("{connection}.{what}")));
            file.unwrap().write_all(bytes.as_bytes()).unwrap();
        }
    }
    fs::write(path.join("index"), index).unwrap();
    (dir, path)
}

/// Stops a replay, even if its test fails.
struct Stop(TapStopper);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.stop(Duration::ZERO);
    }
}

/// Runs a replay and `clients`, which receive a function to connect. Returns the problems.
fn serve(replay: Replay, clients: impl FnOnce(&dyn Fn() -> UnixStream)) -> Vec<String> {
    let dir = TempDir::new();
    let path = dir.join("s");
    let listener = Listener::bind(&Endpoint::Unix(path.clone())).unwrap();
    let stop = Stop(replay.stopper(&listener).unwrap());
    thread::scope(|scope| {
        let replaying = scope.spawn(|| replay.run(&listener));
        clients(&|| {
            let stream = UnixStream::connect(&path).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            stream
        });
        drop(stop);
        replaying.join().unwrap()
    })
}

fn say(mut stream: &UnixStream, text: &str) {
    stream.write_all(text.as_bytes()).unwrap();
}

/// Reads exactly this text.
fn hear(mut stream: &UnixStream, want: &str) {
    let mut got = vec![0; want.len()];
    stream.read_exact(&mut got).unwrap();
    assert_eq!(String::from_utf8_lossy(&got), want);
}

fn rest(mut stream: &UnixStream) -> String {
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    rest
}

/// Checks that no byte and no end arrives.
fn silence(mut stream: &UnixStream) {
    stream.set_read_timeout(Some(Duration::from_millis(30))).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
}

/// docker-py reads the head through a buffer and the rest without it: bytes after the head are
/// lost.
#[test]
fn a_head_that_ends_http_is_sent_alone() {
    let (_dir, path) = recording(&[
        ("0.1", 1, "client", ATTACH),
        ("0.2", 1, "server", &SWITCH[..40]),
        ("0.201", 1, "server", &[SWITCH, "hi\n"].concat().leak()[40..]),
        ("0.3", 1, "server end", ""),
    ]);
    serve(Replay::open(path).unwrap(), |connect| {
        let client = connect();
        let asked = Instant::now();
        say(&client, ATTACH);
        hear(&client, SWITCH);
        assert_eq!(rest(&client), "hi\n");
        assert!(asked.elapsed() >= Duration::from_millis(10), "{:?}", asked.elapsed());
    });
}

#[test]
fn overlapping_responses_continue_in_recorded_order() {
    let (_dir, path) = recording(&[
        ("0.1", 1, "client", ATTACH),
        ("0.2", 1, "server", SWITCH),
        ("0.201", 2, "client", WAIT),
        ("0.202", 1, "server", "out\n"),
        ("0.203", 1, "server end", ""),
        ("0.204", 2, "server", OK),
    ]);
    serve(Replay::open(path).unwrap(), |connect| {
        // The second round does not wait for requests, but has the same order.
        for _ in 0..2 {
            let (attached, waiting) = (connect(), connect());
            say(&attached, ATTACH);
            hear(&attached, SWITCH);
            say(&waiting, WAIT);
            hear(&waiting, OK);
            attached.set_nonblocking(true).unwrap();
            assert_eq!(rest(&attached), "out\n");
        }
    });
}

/// A response may come before the end of its request, and a 100 (Continue) after it. That belongs to
/// no request.
#[test]
fn a_late_100_does_not_cut_the_response_before_it() {
    let head = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n";
    let (_dir, path) = recording(&[
        ("0.1", 1, "client", head),
        ("0.2", 1, "server", OK),
        ("0.3", 1, "server", "HTTP/1.1 100 Continue\r\n\r\n"),
        ("0.4", 1, "client", "hello"),
        ("0.5", 1, "client end", ""),
        ("0.6", 1, "server end", ""),
    ]);
    serve(Replay::open(path).unwrap(), |connect| {
        let client = connect();
        say(&client, head);
        say(&client, "hello");
        hear(&client, OK);
    });
}

/// Delays of the client do not count as delays of the server.
#[test]
fn the_pace_counts_from_the_last_action_of_the_client() {
    let (_dir, path) = recording(&[
        ("0.1", 1, "client", ATTACH),
        ("0.2", 1, "server", SWITCH),
        ("1.0", 1, "client", "a"),
        ("1.001", 1, "server", "A"),
        ("999.0", 1, "client", "b"),
        ("999.002", 1, "server", "B"),
        ("5000.0", 1, "client end", ""),
        ("5000.002", 1, "server end", ""),
    ]);
    serve(Replay::open(path).unwrap().pace(true), |connect| {
        let client = connect();
        say(&client, ATTACH);
        hear(&client, SWITCH);
        say(&client, "a");
        hear(&client, "A");
        say(&client, "b");
        hear(&client, "B");
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(rest(&client), "");
    });
}

/// A shell asks a terminal for the position of its cursor, and the number of digits in the answer
/// varies.
#[test]
fn the_position_of_a_cursor_is_ignored() {
    for (recorded, sent) in [("\x1b[8;5R", "\x1b[10;125R"), ("\x1b[10;125R", "\x1b[8;5R")] {
        let typed = format!("l{recorded}");
        let (_dir, path) = recording(&[
            ("0.1", 1, "client", ATTACH),
            ("0.2", 1, "server", SWITCH),
            ("1.0", 1, "client", typed.leak()),
            ("1.001", 1, "server", "L"),
            ("2.0", 1, "client", "s3"),
            ("2.001", 1, "server", "S"),
            ("5.0", 1, "server end", ""),
        ]);
        serve(Replay::open(path).unwrap(), |connect| {
            let client = connect();
            say(&client, ATTACH);
            hear(&client, SWITCH);
            say(&client, "l\x1b");
            silence(&client);
            say(&client, &sent[1..]);
            hear(&client, "L");
            say(&client, "s");
            silence(&client);
            say(&client, "3");
            hear(&client, "S");
            assert_eq!(rest(&client), "");
        });
    }
}

#[test]
fn stopping_a_replay_ends_its_pauses() {
    let (_dir, path) = recording(&[
        ("0.1", 1, "client", WAIT),
        ("0.2", 1, "server", &OK[..20]),
        ("9999.0", 1, "server", &OK[20..]),
    ]);
    serve(Replay::open(path).unwrap().pace(true), |connect| {
        let client = connect();
        say(&client, WAIT);
        hear(&client, &OK[..20]);
    });
}

/// A stream that its client left stays open until this client leaves, and so does a tunnel.
#[test]
fn a_stream_stays_open_until_its_recorded_end() {
    let (_dir, path) = recording(&[
        ("0.1", 1, "client", EVENTS),
        ("0.2", 1, "server", CHUNKED),
        ("0.3", 1, "server", "3\r\none\r\n"),
        ("0.4", 1, "client end", ""),
        ("0.401", 1, "server", "0\r\n\r\n"),
        ("0.402", 1, "server end", ""),
        ("1.1", 2, "client", ATTACH),
        ("1.2", 2, "server", SWITCH),
        ("1.3", 2, "server", "hi\n"),
        ("1.4", 2, "client end", ""),
        ("1.401", 2, "server end", ""),
        ("2.0", 3, "client", WAIT),
        // The recording was stopped before the response.
    ]);
    serve(Replay::open(path).unwrap(), |connect| {
        let streams = [connect(), connect(), connect()];
        for (stream, ask, said, last) in [
            (&streams[0], EVENTS, [CHUNKED, "3\r\none\r\n"].concat(), "0\r\n\r\n"),
            (&streams[1], ATTACH, [SWITCH, "hi\n"].concat(), ""),
            (&streams[2], WAIT, String::new(), ""),
        ] {
            say(stream, ask);
            hear(stream, &said);
            silence(stream);
            stream.shutdown(Shutdown::Write).unwrap();
            assert_eq!(rest(stream), last);
        }
    });
}

/// Without input, the docker command ends its side at once, but other clients do not.
#[test]
fn output_does_not_wait_for_an_end_without_input() {
    let (_dir, path) = recording(&[
        ("0.1", 1, "client", ATTACH),
        ("0.2", 1, "server", SWITCH),
        ("0.3", 1, "client end", ""),
        ("0.4", 1, "server", "hi\n"),
        ("0.5", 1, "server end", ""),
    ]);
    serve(Replay::open(path).unwrap(), |connect| {
        let client = connect();
        say(&client, ATTACH);
        hear(&client, SWITCH);
        assert_eq!(rest(&client), "hi\n");
    });
}

#[test]
fn a_broken_response_breaks_at_the_same_byte() {
    let mut moments = Vec::new();
    let broken = ["", "HTTP/1.1 200 O", "\0garbage", &OK[..OK.len() - 1]];
    let asks = ["0", "1", "2", "3"].map(|n| WAIT.replace("/a/", &format!("/{n}/")));
    for ((ask, said), connection) in asks.iter().zip(broken).zip(1..) {
        moments.push(("0.1", connection, "client", &*ask.clone().leak()));
        if !said.is_empty() {
            moments.push(("0.2", connection, "server", said));
        }
        moments.push(("0.3", connection, "server end", ""));
    }
    let (_dir, path) = recording(&moments);
    let problems = serve(Replay::open(path).unwrap(), |connect| {
        for (ask, said) in asks.iter().zip(broken) {
            let client = connect();
            say(&client, ask);
            assert_eq!(rest(&client), said);
        }
    });
    assert_eq!(problems, [""; 0]);
}

#[test]
fn a_response_to_another_body_is_reported_at_once() {
    let post = |body| format!("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n{body}");
    let (_dir, path) =
        recording(&[("0.1", 1, "client", post("a=1").leak()), ("0.2", 1, "server", OK)]);
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let replay = Replay::open(path).unwrap();
    let replay = replay.on_problem(move |problem| tell.lock().unwrap().push(problem.to_owned()));
    serve(replay, |connect| {
        let client = connect();
        say(&client, &post("a=1"));
        hear(&client, OK);
        assert_eq!(*told.lock().unwrap(), [""; 0]);
        say(&client, &post("a=3"));
        hear(&client, OK);
        assert_eq!(*told.lock().unwrap(), ["answered as with another body: POST /p"]);
    });
}

#[test]
fn the_version_and_the_order_of_parameters_do_not_count() {
    let get = |target| format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
    for (recorded, asked, status) in [
        ("/v1.41/info", "/info", 200),
        ("/v1.41/a?b=1&a=2", "/v1.47/a?a=2&b=1", 200),
        ("/a?x=1&x=2", "/a?x=2&x=1", 200),
        ("/a?", "/a", 200),
        ("/v1.41", "/", 501),
        ("/v1/a", "/a", 501),
        ("/v1.x/a", "/a", 501),
        ("/a?b=1", "/a?b=2", 501),
        ("/a/", "/a", 501),
    ] {
        let moments = [("0.1", 1, "client", &*get(recorded).leak()), ("0.2", 1, "server", OK)];
        let (_dir, path) = recording(&moments);
        serve(Replay::open(path).unwrap(), |connect| {
            let client = connect();
            say(&client, &get(asked));
            hear(&client, &format!("HTTP/1.1 {status} "));
        });
    }
}

#[test]
fn a_truncated_recording_is_used_as_far_as_possible() {
    let second = WAIT.replace("/a/", "/b/");
    let moments = [
        ("0.1", 1, "client", WAIT),
        ("0.2", 1, "server", OK),
        ("0.3", 2, "client", &*second.clone().leak()),
        ("0.4", 2, "server", OK),
    ];
    let (_dir, path) = recording(&moments);
    let index = fs::read_to_string(path.join("index")).unwrap();
    fs::write(path.join("index"), &index[..index.len() - 3]).unwrap();
    let replay = Replay::open(&path).unwrap();
    assert_eq!(replay.remarks(), ["line 7 of its index is cut short"]);
    let ask = |replay| {
        serve(replay, |connect| {
            let clients = [connect(), connect()];
            say(&clients[0], WAIT);
            hear(&clients[0], OK);
            say(&clients[1], &second);
            silence(&clients[1]);
        });
    };
    ask(replay);
    fs::write(path.join("index"), index).unwrap();
    fs::remove_file(path.join("2.server")).unwrap();
    let replay = Replay::open(&path).unwrap();
    let why = "2.server is shorter than the index says: its connection is cut short there";
    assert_eq!(replay.remarks(), [why]);
    ask(replay);
}

/// Returns the content of a response in our HAR, and the response from a replay of the HAR.
fn through_a_har(answer: &[u8]) -> (Value, Vec<u8>) {
    let mut file = Cursor::new(Vec::new());
    let har = tap::har(&mut file, SystemTime::UNIX_EPOCH, true).unwrap();
    let mut conversation = Conversation::new(true);
    let see = &mut |event: &Event<'_>| har.see(1, Duration::ZERO, event);
    conversation.bytes(Side::Client, Duration::ZERO, EVENTS.as_bytes(), see);
    conversation.bytes(Side::Server, Duration::ZERO, answer, see);
    drop(har);
    let (dir, har) = (TempDir::new(), file.into_inner());
    let entries = Value::parse(&har).unwrap().get("log").unwrap().get("entries").unwrap().clone();
    let content = entries.elements()[0].get("response").unwrap().get("content").unwrap().clone();
    let mut got = Vec::new();
    serve(Replay::open(dir.write("h.har", har)).unwrap(), |connect| {
        let mut client = connect();
        say(&client, EVENTS);
        client.shutdown(Shutdown::Write).unwrap();
        client.read_to_end(&mut got).unwrap();
    });
    (content, got)
}

/// A HAR has decoded content (HAR 1.2, `content.text`), which a replay sends decoded.
#[test]
fn gzip_content_is_decoded_in_a_har() {
    if needs::program("gzip").is_none() {
        return;
    }
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let gzip = unix_http::base::base64::decode(
        "H4sIAAAAAAACA6tWKsnPTs1TslLKKM0rSS0yUtJRKkmtKAEK5GTmpSrQmFCq5QIA5E62SYIAAAA=",
    );
    let gzip = gzip.unwrap();
    let coded = format!("{head}Content-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", gzip.len());
    let text = format!("{{\"token\":\"*******\",\"text\":\"{}\"}}\n", "line ".repeat(20));
    let (content, got) = through_a_har(&[coded.as_bytes(), &gzip].concat());
    assert_eq!(content.get("text").unwrap().as_str(), Some(&*text));
    assert_eq!(content.get("size").unwrap().as_i64(), Some(text.len() as i64));
    let saved = text.len() as i64 - gzip.len() as i64;
    assert_eq!(content.get("compression").unwrap().as_i64(), Some(saved));
    assert!(content.get("encoding").is_none() && content.get("_coding").is_none());
    let sent = format!("{head}Content-Length: {}\r\n\r\n{text}", text.len());
    assert_eq!(String::from_utf8(got).unwrap(), sent);
}

/// Content is decoded up to eight times the limit of a body, which is 1 MiB.
#[test]
fn a_gzip_bomb_stays_coded_in_a_har() {
    if needs::program("gzip").is_none() {
        return;
    }
    for (length, coding) in [(8 << 20, None), ((8 << 20) + 1, Some("gzip"))] {
        let mut gzip = Command::new("gzip");
        let mut gzip = gzip.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        gzip.stdin.take().unwrap().write_all(&vec![b'x'; length]).unwrap();
        let bomb = gzip.wait_with_output().unwrap().stdout;
        let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n";
        let length = format!("Content-Length: {}\r\n\r\n", bomb.len());
        let (content, _) = through_a_har(&[head.as_bytes(), length.as_bytes(), &bomb].concat());
        assert_eq!(content.get("_coding").and_then(Value::as_str), coding);
    }
}

/// Content that cannot be decoded stays coded, and a replay sends it coded.
#[test]
fn coded_content_survives_a_har() {
    for (coding, content) in [("gzip", b"\x1f\x8b\x08"), ("br", b"\x0b\x01\x80")] {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n");
        let answer = [head.as_bytes(), b"Content-Length: 3\r\n\r\n", content].concat();
        let (content, got) = through_a_har(&answer);
        assert_eq!(got.escape_ascii().to_string(), answer.escape_ascii().to_string());
        assert_eq!(content.get("_coding").unwrap().as_str(), Some(coding));
    }
}

/// The server proves that it has read the client's key, which is another one (RFC 6455 §4.2.2).
#[test]
fn a_replay_tells_that_websocket_clients_refuse_it() {
    let ask = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    let (_dir, path) = recording(&[("0.1", 1, "client", ask), ("0.2", 1, "server", switch)]);
    let replay = Replay::open(path).unwrap();
    let why =
        "its Sec-WebSocket-Accept belongs to the recorded key, so a WebSocket client refuses it";
    assert_eq!(replay.remarks(), [format!("GET /ws: {why}")]);
}

/// HARs of other programs, such as https://github.com/flutter/devtools/issues/8925.
#[test]
fn unusual_entries_of_a_har_are_used_as_far_as_possible() {
    let good = r#"{"request":{"method":"GET","url":"http://h/good"},
        "response":{"status":200,"headers":[],"content":{"text":"ok"}}}"#;
    let entry = |response: &str| {
        format!(r#"{{"request":{{"method":"GET","url":"http://h/odd"}},"response":{response}}}"#)
    };
    let field = |name: &str, value: &str| {
        let field = format!(r#"{{"name":{name},"value":{value}}}"#);
        let fields = format!(r#"[{field},{{"name":"Content-Length","value":"9"}}]"#);
        entry(&format!(r#"{{"status":200,"headers":{fields},"content":{{"text":"hi"}}}}"#))
    };
    let content = |content: &str| entry(&format!(r#"{{"status":200,"content":{content}}}"#));
    let length = "Content-Length: 2\r\n\r\nhi";
    for (odd, answer, remark) in [
        (field("\"Set-Cookie\"", "\"a=1\\nb=2\""), "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n", ""),
        (field("\"a b\"", "\"1\""), length, "the field \"a b\" is left out"),
        (field("\"Empty\"", "\"\""), "Empty: \r\n", ""),
        (field("\"X\"", "null"), length, "a field without a value is left out: X"),
        (content(r#"{"text":"aGk","encoding":"base64"}"#), "\r\n\r\nhi", ""),
        (content(r#"{"text":"a\r\nGk=","encoding":"base64"}"#), "\r\n\r\nhi", ""),
        (content(r#"{"text":"!","encoding":"base64"}"#), "its content is not base64", ""),
        (entry(r#"{"status":"error"}"#), "its status is not a status code", ""),
        (entry(r#"{"status":-1}"#), "its status is not a status code", ""),
        (entry(r#"{"status":0}"#), "there was no response", ""),
        (entry(r#"{"status":204.0}"#), "HTTP/1.1 204 ", ""),
        (entry(r#"{"status":204,"statusText":"a\nb"}"#), "HTTP/1.1 204 \r\n\r\n", ""),
        (entry("null"), "its status is not a status code", ""),
        (entry("1").replace(",\"response\":1", ""), "there was no response", ""),
        (entry("1").replace("\"method\":\"GET\",", ""), "not recorded", "has no method"),
    ] {
        let dir = TempDir::new();
        let har = format!("\u{feff}{{\"log\":{{\"entries\":[{odd},{good}]}}}}");
        let replay = Replay::open(dir.write("h.har", har)).unwrap();
        let remarks = replay.remarks().concat();
        let told = if remark.is_empty() { remarks.is_empty() } else { remarks.contains(remark) };
        assert!(told, "{odd}: {remarks}");
        serve(replay, |connect| {
            for (target, want) in [("good", "\r\n\r\nok"), ("odd", answer)] {
                let client = connect();
                say(&client, &EVENTS.replace("events", target));
                client.shutdown(Shutdown::Write).unwrap();
                let got = rest(&client);
                assert!(got.contains(want), "{odd}: {got}");
            }
        });
    }
}
