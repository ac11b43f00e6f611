//! Recorders: each output is read back by a program for its format.

use crate::support::child::run;
use crate::support::needs::program;
use crate::support::temp::TempDir;
use std::io::{self, Cursor, Seek, Write};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};
use unix_http::Endpoint;
use unix_http::docker::{FrameStream, encode_frame};
use unix_http::json::Value;
use unix_http::tap::{self, Recording, Replay, TapStopper};
use unix_http::traffic::Side::{self, Client, Server};
use unix_http::traffic::{Conversation, Event, Observer};
use unix_http::transport::Listener;

/// The traffic on several connections: the time in milliseconds, the connection, the side, the
/// bytes.
type Said = Vec<(u64, u64, Side, Vec<u8>)>;

const ID: &str = "3f2a0c9d8e7b6a5f4e3d2c1b0a9f8e7d6c5b4a392817161514131211100f0e0d";

fn request(line: &str, fields: &str, body: &[u8]) -> Vec<u8> {
    let length =
        if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    [format!("{line} HTTP/1.1\r\nHost: docker\r\n{fields}{length}\r\n").as_bytes(), body].concat()
}

fn response(status: &str, fields: &str, body: &[u8]) -> Vec<u8> {
    [
        format!("HTTP/1.1 {status}\r\n{fields}Content-Length: {}\r\n\r\n", body.len()).as_bytes(),
        body,
    ]
    .concat()
}

/// A `docker run` with every feature: create, attach with input, overlapping wait and start, a
/// binary upload, a chunked log, a HEAD, a 404.
fn session() -> Said {
    session_of(&ID[..12])
}

/// The same, with this name of the container in `start`.
fn session_of(start: &str) -> Said {
    let mut output = Vec::new();
    encode_frame(&mut output, FrameStream::Stdout, b"hello\n");
    encode_frame(&mut output, FrameStream::Stderr, b"oops\n");
    let created = format!("{{\"Id\":\"{ID}\",\"Warnings\":[]}}\n");
    let json = "Content-Type: application/json\r\n";
    let upgrade = "Connection: Upgrade\r\nUpgrade: tcp\r\n";
    let chunked = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
        chunk(&output),
        b"0\r\n\r\n".to_vec(),
    ];
    let tar: Vec<u8> = (0..100_000u32).map(|n| (n * 7 % 251) as u8).collect();
    let tar = [b"\0tar".to_vec(), tar].concat();
    vec![
        (0, 1, Client, request("HEAD /_ping", "", b"")),
        (1, 1, Server, response("200 OK", "Api-Version: 1.41\r\n", b"")),
        (
            2,
            1,
            Client,
            request(
                "POST /v1.41/containers/create?name=it's",
                json,
                br#"{"Image":"busy","Cmd":["cat"]}"#,
            ),
        ),
        (30, 1, Server, response("201 Created", json, created.as_bytes())),
        (
            31,
            2,
            Client,
            request(
                &format!("POST /v1.41/containers/{ID}/attach?stdin=1&stdout=1&stream=1"),
                upgrade,
                b"",
            ),
        ),
        (33, 2, Server, format!("HTTP/1.1 101 UPGRADED\r\n{upgrade}\r\n").into_bytes()),
        (34, 1, Client, request(&format!("POST /v1.41/containers/{ID}/wait"), "", b"")),
        (35, 3, Client, request(&format!("POST /v1.41/containers/{start}/start"), "", b"")),
        (50, 3, Server, b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()),
        (51, 2, Client, b"input\n".to_vec()),
        (52, 2, Server, output.clone()),
        (60, 1, Server, response("200 OK", json, b"{\"StatusCode\":0}\n")),
        (
            61,
            3,
            Client,
            request(
                &format!("PUT /v1.41/containers/{ID}/archive?path=%2Ftmp%20x"),
                "Content-Type: application/x-tar\r\n",
                &tar,
            ),
        ),
        (70, 3, Server, response("200 OK", "", b"")),
        (71, 3, Client, request(&format!("GET /v1.41/containers/{ID}/logs?stdout=1"), "", b"")),
        (72, 3, Server, chunked.concat()),
        (73, 3, Client, request("GET /v1.41/containers/nope/json", "", b"")),
        (
            74,
            3,
            Server,
            response("404 Not Found", json, b"{\"message\":\"No such container: nope\"}\n"),
        ),
    ]
}

fn chunk(data: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}

fn show(observer: &impl Observer, said: &Said) {
    assert_eq!(show_all(observer, said), None);
}

/// Returns the observer's error at the end.
fn show_all(observer: &impl Observer, said: &Said) -> Option<String> {
    let mut conversations: Vec<(u64, Conversation)> = Vec::new();
    let at = Duration::from_millis;
    for (time, connection, side, bytes) in said {
        let known = conversations.iter().position(|(number, _)| number == connection);
        let known = known.unwrap_or_else(|| {
            observer.see(*connection, at(*time), &Event::Opened);
            conversations.push((*connection, Conversation::new(true)));
            conversations.len() - 1
        });
        conversations[known]
            .1
            .bytes(*side, at(*time), bytes, &mut |e| observer.see(*connection, at(*time), e));
    }
    let end = at(said.last().map_or(0, |said| said.0) + 1);
    for (number, mut conversation) in conversations {
        for side in [Client, Server] {
            conversation.end(side, end, None, &mut |e| observer.see(number, end, e));
        }
        conversation.close(&mut |e| observer.see(number, end, e));
    }
    observer.finish()
}

/// The start of the recordings: 2024-02-29T12:00:00Z.
fn started() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_709_208_000)
}

fn har(said: &Said) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    show(&tap::har(&mut file, started(), true).unwrap(), said);
    file.into_inner()
}

/// A request and a response with longer bodies than a HAR keeps.
fn long_bodies() -> Said {
    let body = vec![b'x'; (1 << 20) + 3];
    let answer = response("200 OK", "", &body[1..]);
    vec![(0, 1, Client, request("PUT /long", "", &body)), (1, 1, Server, answer)]
}

/// The schema of HAR 1.2: the members of each object, which of them are optional, and their types.
/// <http://www.softwareishard.com/blog/har-12-spec/>
mod schema {
    use unix_http::json::Value;

    pub enum Type {
        Text,
        /// A number, with its minimum.
        Number(i64),
        Date,
        Object(&'static [Member]),
        Array(&'static [Member]),
    }
    use Type::{Array, Date, Number, Object, Text};

    /// The name of a member, with a question mark if it is optional.
    pub type Member = (&'static str, Type);

    const NAMED: &[Member] = &[("name", Text), ("value", Text), ("comment?", Text)];
    const COOKIE: &[Member] =
        &[("name", Text), ("value", Text), ("path?", Text), ("domain?", Text), ("expires?", Date)];
    const REQUEST: &[Member] = &[
        ("method", Text),
        ("url", Text),
        ("httpVersion", Text),
        ("cookies", Array(COOKIE)),
        ("headers", Array(NAMED)),
        ("queryString", Array(NAMED)),
        (
            "postData?",
            Object(&[
                ("mimeType", Text),
                ("text?", Text),
                ("params?", Array(NAMED)),
                ("comment?", Text),
            ]),
        ),
        ("headersSize", Number(-1)),
        ("bodySize", Number(-1)),
        ("comment?", Text),
    ];
    const CONTENT: &[Member] = &[
        ("size", Number(0)),
        ("compression?", Number(0)),
        ("mimeType", Text),
        ("text?", Text),
        ("encoding?", Text),
        ("comment?", Text),
    ];
    const RESPONSE: &[Member] = &[
        ("status", Number(0)),
        ("statusText", Text),
        ("httpVersion", Text),
        ("cookies", Array(COOKIE)),
        ("headers", Array(NAMED)),
        ("content", Object(CONTENT)),
        ("redirectURL", Text),
        ("headersSize", Number(-1)),
        ("bodySize", Number(-1)),
        ("comment?", Text),
    ];
    const ENTRY: &[Member] = &[
        ("pageref?", Text),
        ("startedDateTime", Date),
        ("time", Number(0)),
        ("request", Object(REQUEST)),
        ("response", Object(RESPONSE)),
        ("cache", Object(&[])),
        ("timings", Object(&[("send", Number(0)), ("wait", Number(0)), ("receive", Number(0))])),
        ("serverIPAddress?", Text),
        ("connection?", Text),
        ("comment?", Text),
    ];
    pub const HAR: &[Member] = &[(
        "log",
        Object(&[
            ("version", Text),
            ("creator", Object(&[("name", Text), ("version", Text), ("comment?", Text)])),
            ("entries", Array(ENTRY)),
            ("comment?", Text),
        ]),
    )];

    pub fn check(value: &Value, members: &[Member], place: &str) {
        for (name, kind) in members {
            let (name, optional) =
                name.strip_suffix('?').map_or((*name, false), |name| (name, true));
            let place = format!("{place}.{name}");
            let Some(found) = value.get(name) else {
                assert!(optional, "{place} is missing");
                continue;
            };
            match kind {
                Text => assert!(found.as_str().is_some(), "{place}: {found:?}"),
                Date => {
                    let date = found.as_str().unwrap_or_else(|| panic!("{place}: {found:?}"));
                    let shape: String =
                        date.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
                    assert_eq!(shape, "0000-00-00T00:00:00.000000Z", "{place}");
                }
                Number(least) => match found {
                    Value::Number(text) => {
                        assert!(text.parse::<f64>().unwrap() >= *least as f64, "{place}: {text}")
                    }
                    other => panic!("{place}: {other:?}"),
                },
                Object(members) => {
                    assert!(matches!(found, Value::Object(_)), "{place}: {found:?}");
                    check(found, members, &place);
                }
                Array(members) => {
                    assert!(matches!(found, Value::Array(_)), "{place}: {found:?}");
                    found.elements().iter().for_each(|element| check(element, members, &place));
                }
            }
        }
        for (name, _) in value.members() {
            let known = members.iter().any(|(member, _)| member.trim_end_matches('?') == name);
            assert!(
                known || name.starts_with('_') || members.is_empty(),
                "{place}.{name} is not in HAR 1.2"
            );
        }
    }
}

#[test]
fn a_har_follows_its_schema_and_contains_the_traffic() {
    let value = Value::parse(&har(&session())).unwrap();
    schema::check(&value, schema::HAR, "har");
    let text = |value: &Value, path: &[&str]| -> String {
        let found = path.iter().try_fold(value, |value, name| value.get(name));
        found.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let number = |value: &Value, path: &[&str]| {
        path.iter().try_fold(value, |value, name| value.get(name)).unwrap().as_i64()
    };
    let entries = value.get("log").unwrap().get("entries").unwrap().elements().to_vec();
    let mut lines: Vec<String> = entries
        .iter()
        .map(|entry| {
            let url = text(entry, &["request", "url"]).replace(ID, "ID").replace(&ID[..12], "ID12");
            let (method, status) = (
                text(entry, &["request", "method"]),
                number(entry, &["response", "status"]).unwrap(),
            );
            let (date, connection) =
                (text(entry, &["startedDateTime"]), text(entry, &["connection"]));
            format!("{} {connection} {method} {url} {status}", &date[11..23])
        })
        .collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            "12:00:00.000 1 HEAD http://docker/_ping 200",
            "12:00:00.002 1 POST http://docker/v1.41/containers/create?name=it's 201",
            "12:00:00.031 2 POST http://docker/v1.41/containers/ID/attach?stdin=1&stdout=1&stream=1 101",
            "12:00:00.034 1 POST http://docker/v1.41/containers/ID/wait 200",
            "12:00:00.035 3 POST http://docker/v1.41/containers/ID12/start 204",
            "12:00:00.061 3 PUT http://docker/v1.41/containers/ID/archive?path=%2Ftmp%20x 200",
            "12:00:00.071 3 GET http://docker/v1.41/containers/ID/logs?stdout=1 200",
            "12:00:00.073 3 GET http://docker/v1.41/containers/nope/json 404",
        ]
        .map(String::from)
    );
    let of = |method: &str, part: &str| {
        let fits = |entry: &&Value| {
            text(entry, &["request", "method"]) == method
                && text(entry, &["request", "url"]).contains(part)
        };
        entries.iter().find(fits).unwrap()
    };
    let create = of("POST", "/create");
    assert_eq!(text(create, &["request", "postData", "text"]), r#"{"Image":"busy","Cmd":["cat"]}"#);
    let wait = create.get("timings").unwrap().get("wait").unwrap();
    assert!(matches!(wait, Value::Number(text) if text.parse() == Ok(28.0)), "{wait:?}");
    assert_eq!(text(create, &["startedDateTime"]), "2024-02-29T12:00:00.002000Z");
    let put = of("PUT", "/archive");
    let query = put.get("request").unwrap().get("queryString").unwrap().elements();
    assert_eq!(
        (text(&query[0], &["name"]), text(&query[0], &["value"])),
        ("path".into(), "/tmp x".into())
    );
    let logs = of("GET", "/logs");
    assert_eq!(
        text(logs, &["response", "content", "text"]),
        "\u{1}\0\0\0\0\0\0\u{6}hello\n\u{2}\0\0\0\0\0\0\u{5}oops\n"
    );
    assert_eq!(text(of("POST", "/attach"), &["_sent"]), "input\n");
}

/// RFC 3986 §2: a URL has no other characters. A query is decoded as HTML forms encode it.
#[test]
fn a_har_has_absolute_urls_and_decoded_queries() {
    for (line, fields, url, query) in [
        ("GET /a", "", "http://localhost/a", ""),
        ("GET /a?b=%20c\"d\u{e9}", "Host: h:1\r\n", "http://h:1/a?b=%20c%22d%C3%A9", " c\"d\u{e9}"),
        ("GET /?a=a%20b+c%zz%4", "Host: h:1\r\n", "http://h:1/?a=a%20b+c%zz%4", "a b c%zz%4"),
        ("OPTIONS *", "Host: h:1\r\n", "http://h:1/", ""),
        ("GET http://other/x", "Host: h:1\r\n", "http://other/x", ""),
        ("CONNECT h:443", "Host: h:1\r\n", "http://h:443", ""),
    ] {
        let request = format!("{line} HTTP/1.1\r\n{fields}\r\n");
        let har =
            har(&vec![(0, 1, Client, request.into()), (1, 1, Server, response("200 OK", "", b""))]);
        let har = Value::parse(&har).unwrap();
        let text = |pointer| har.pointer(pointer).and_then(Value::as_str);
        assert_eq!(text("/log/entries/0/request/url"), Some(url), "{line}");
        let value = text("/log/entries/0/request/queryString/0/value");
        assert_eq!(value.unwrap_or_default(), query, "{line}");
    }
}

#[test]
fn a_har_truncates_bodies_at_its_limit_and_notes_it() {
    let value = Value::parse(&har(&long_bodies())).unwrap();
    schema::check(&value, schema::HAR, "har");
    let entries = value.get("log").unwrap().get("entries").unwrap().elements().to_vec();
    let comments: Vec<&str> = entries
        .iter()
        .filter_map(|entry| entry.get("request")?.get("postData")?.get("comment")?.as_str())
        .collect();
    assert_eq!(comments, ["the first 1048576 of 1048579 bytes"]);
}

/// If the tap is killed at any moment, the file is a HAR of all exchanges that had ended.
#[test]
fn a_har_is_complete_after_every_entry() {
    #[derive(Clone, Default)]
    struct Watched(Arc<Mutex<Cursor<Vec<u8>>>>);
    impl Write for Watched {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            let file = self.0.lock().unwrap().get_ref().clone();
            Value::parse(&file).map(|_| ()).map_err(std::io::Error::other)
        }
    }
    impl std::io::Seek for Watched {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
            self.0.lock().unwrap().seek(to)
        }
    }
    let file = Watched::default();
    show(&tap::har(file.clone(), started(), true).unwrap(), &session());
    let text = file.0.lock().unwrap().get_ref().clone();
    assert_eq!(
        Value::parse(&text).unwrap().get("log").unwrap().get("entries").unwrap().elements().len(),
        8
    );
}

#[test]
fn tshark_reads_the_capture_as_http() {
    let Some(tshark) = program("tshark") else { return };
    let dir = TempDir::new();
    let path = dir.join("p.pcapng");
    show(
        &tap::pcap(std::fs::File::create(&path).unwrap(), started(), "unix:///a").unwrap(),
        &session(),
    );
    let tshark = |arguments: &[&str]| {
        let mut command = Command::new(&tshark);
        command.arg("-r").arg(&path).args([
            "-o",
            "tcp.check_checksum:TRUE",
            "-o",
            "ip.check_checksum:TRUE",
        ]);
        run(command.args(arguments), b"", Duration::from_secs(120)).success()
    };
    let fields = ["tcp.stream", "http.request.method", "http.request.uri", "http.response.code"];
    let fields: Vec<&str> = fields.iter().flat_map(|field| ["-e", field]).collect();
    let http = tshark(&[&["-Y", "http", "-T", "fields"][..], &fields].concat())
        .replace(ID, "ID")
        .replace(&ID[..12], "ID12");
    let http: Vec<&str> = http.lines().collect();
    let lines = [
        "0\tHEAD\t/_ping\t",
        "0\t\t\t200",
        "0\tPOST\t/v1.41/containers/create?name=it's\t",
        "0\t\t\t201",
        "1\tPOST\t/v1.41/containers/ID/attach?stdin=1&stdout=1&stream=1\t",
        "1\t\t\t101",
        "0\tPOST\t/v1.41/containers/ID/wait\t",
        "2\tPOST\t/v1.41/containers/ID12/start\t",
        "2\t\t\t204",
        "0\t\t\t200",
        "2\tPUT\t/v1.41/containers/ID/archive?path=%2Ftmp%20x\t",
        "2\t\t\t200",
        "2\tGET\t/v1.41/containers/ID/logs?stdout=1\t",
        "2\t\t\t200",
        "2\tGET\t/v1.41/containers/nope/json\t",
        "2\t\t\t404",
    ];
    // Some versions repeat a response for the URI of another request.
    let http: Vec<String> = http
        .iter()
        .map(|line| {
            let parts: Vec<&str> = line.split('\t').collect();
            if parts[3].is_empty() {
                (*line).to_owned()
            } else {
                format!("{}\t\t\t{}", parts[0], parts[3])
            }
        })
        .collect();
    assert_eq!(http, lines);
    assert_eq!(
        tshark(&[
            "-Y",
            "_ws.malformed || tcp.analysis.flags || tcp.checksum.status == 0 || ip.checksum.status == 0"
        ]),
        ""
    );
    let times =
        tshark(&["-Y", "http.response.code == 201", "-T", "fields", "-e", "frame.time_epoch"]);
    assert!(times.starts_with("1709208000.030"), "{times}");
}

#[test]
fn a_recording_contains_every_byte_and_can_be_read_back() {
    let dir = TempDir::new();
    let path = dir.join("rec");
    show(&tap::record(&path, started(), true).unwrap(), &session());
    for connection in 1..=3 {
        for side in [Client, Server] {
            let all: Vec<u8> = session()
                .iter()
                .filter(|s| s.1 == connection && s.2 == side)
                .flat_map(|s| s.3.clone())
                .collect();
            assert!(
                std::fs::read(path.join(format!("{connection}.{side}"))).unwrap() == all,
                "{connection}.{side}"
            );
        }
    }
    let recording = Recording::open(&path).unwrap();
    assert_eq!(recording.started, started());
    let good = std::fs::read_to_string(path.join("index")).unwrap();
    assert!(good.starts_with(
        "ucurl recording 1\nstarted 1709208000.000000000\nsecrets covered\n0.000000000 1 open\n"
    ));
    for (n, wrong) in [
        "",
        "ucurl recording 2\n",
        "ucurl recording 1\nstarted x\n",
        "ucurl recording 1\nstarted 0.000000000\nsecrets ?\n",
        "ucurl recording 1\nstarted 0.000000000\nsecrets shown\n0.1 1 open\n",
        "ucurl recording 1\nstarted 0.000000000\nsecrets shown\n0.000000000 +1 open\n",
        "ucurl recording 1\nstarted 0.000000000\nsecrets shown\n0.000000000 1 nobody 5\n",
        "ucurl recording 1\nstarted 0.000000000\nsecrets shown\n0.000000000 1 client -5\n",
        "ucurl recording 1\nstarted 99999999999999999999.000000000\nsecrets shown\n",
        "ucurl recording 1\nstarted 18446744073709551615.000000000\nsecrets shown\n",
    ]
    .iter()
    .enumerate()
    {
        std::fs::write(path.join("index"), wrong).unwrap();
        let error = Recording::open(&path).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidData, "{n}: {error}");
        assert!(Replay::open(&path).is_err(), "{n}");
    }
    // An index that announces more bytes than there are.
    let (before, after) = good.split_once(" 1 client ").unwrap();
    std::fs::write(path.join("index"), format!("{before} 1 client 9999999{after}")).unwrap();
    let remarks = Replay::open(&path).unwrap().remarks().to_vec();
    assert!(remarks[0].starts_with("1.client is shorter than the index says"), "{remarks:?}");
}

/// After an error, the end of a HAR in a pipe would follow the middle of an entry.
#[test]
fn a_har_in_a_pipe_that_broke_has_no_end() {
    struct Pipe<'a>(&'a mut Vec<u8>, bool);
    impl Write for Pipe<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // The head of the HAR passes, and one piece of an entry. Then one write fails.
            if self.0.len() > 100 && std::mem::take(&mut self.1) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let taken = bytes.len().min(90);
            self.0.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    impl Seek for Pipe<'_> {
        fn seek(&mut self, _: io::SeekFrom) -> io::Result<u64> {
            Err(io::ErrorKind::NotSeekable.into())
        }
    }
    for breaks in [false, true] {
        let mut written = Vec::new();
        let pipe = Pipe(&mut written, breaks);
        let har = tap::har(pipe, SystemTime::UNIX_EPOCH, true).unwrap();
        let error = show_all(&har, &session());
        assert_eq!(error.is_some(), breaks, "{error:?}");
        drop(har);
        assert_eq!(written.ends_with(b"\n]}}\n"), !breaks);
    }
}

/// Returns the script for `ucurl` or `curl`.
fn script(tool: &str, said: &Said) -> String {
    let (reader, writer) = std::io::pipe().unwrap();
    let text = thread::spawn(move || std::io::read_to_string(reader).unwrap());
    let endpoint = Endpoint::Unix("/run/docker.sock".into());
    match tool {
        "curl" => show(&tap::curl_script(writer, &endpoint), said),
        _ => show(&tap::script(writer, &endpoint), said),
    }
    text.join().unwrap()
}

#[test]
fn a_script_quotes_every_word_for_the_shell() {
    let text = script("ucurl", &session());
    let (before, rest) = text.split_once("base64 -d >\"$tmp/2.stdin\" <<'END'\n").unwrap();
    let want = r#"#!/bin/sh
# The requests that went through a socket, recorded by `ucurl tap --script`: run it to make them again.
# Another engine is asked where DOCKER_HOST names one.
set -eu
[ "${DOCKER_HOST:-}" ] || DOCKER_HOST='unix:///run/docker.sock'
export DOCKER_HOST
ask() { ${run-} "${UCURL:-ucurl}" -sS --path-as-is "$@"; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# 1.1 HEAD /_ping, 200
ask -f -I '/_ping'

# 1.2 POST /v1.41/containers/create?name=it's, 201
id1=$(ask -f --select '/Id' -X POST -H 'Content-Type: application/json' \
  --data-binary '{"Image":"busy","Cmd":["cat"]}' '/v1.41/containers/create?name=it'\''s')
printf '%s\n' "${id1:?is not in the answer}"

# 2.1 POST /v1.41/containers/3f2a0c9d8e7b6a5f4e3d2c1b0a9f8e7d6c5b4a392817161514131211100f0e0d/attach?stdin=1&stdout=1&stream=1, 101
"#;
    assert_eq!(before, want);
    let want = r#"aW5wdXQK
END
ask --hijack --demux -X POST '/v1.41/containers/'"$id1"'/attach?stdin=1&stdout=1&stream=1' <"$tmp/2.stdin" &
job2=$!
sleep 1

# 1.3 POST /v1.41/containers/3f2a0c9d8e7b6a5f4e3d2c1b0a9f8e7d6c5b4a392817161514131211100f0e0d/wait, 200
ask -f -X POST '/v1.41/containers/'"$id1"'/wait' &
job3=$!
sleep 1

# 3.1 POST /v1.41/containers/3f2a0c9d8e7b/start, 204
ask -f -X POST '/v1.41/containers/'"$id1"'/start'

wait "$job3"

# 3.2 PUT /v1.41/containers/3f2a0c9d8e7b6a5f4e3d2c1b0a9f8e7d6c5b4a392817161514131211100f0e0d/archive?path=%2Ftmp%20x, 200
base64 -d >"$tmp/5.body" <<'END'
"#;
    assert_eq!(&rest[..want.len()], want);
    assert!(
        rest.contains("END\nask -f -X PUT -H 'Content-Type: application/x-tar' --data-binary @\"$tmp/5.body\" \\\n"),
        "{rest}"
    );
    assert!(
        rest.contains("ask -f --demux '/v1.41/containers/'\"$id1\"'/logs?stdout=1'\n"),
        "{rest}"
    );
    assert!(
        rest.contains("\nask '/v1.41/containers/nope/json'\n"),
        "a 404 may be one again: {rest}"
    );
    assert!(rest.ends_with("\nwait \"$job2\"\n"), "{rest}");
}

/// A shell runs the scripts of both tools against a replay of the same session. They send exactly
/// the recorded requests, with the same bodies, input and ids.
#[test]
fn a_script_repeats_the_recorded_requests() {
    for (tool, needs) in [("ucurl", "base64"), ("curl", "curl")] {
        if program(needs).is_none() {
            continue;
        }
        // A script uses full ids. curl cannot attach, which is the purpose of connection 2.
        let mut said = session_of(ID);
        said.retain(|(_, connection, ..)| tool == "ucurl" || *connection != 2);
        let dir = TempDir::new();
        show(&tap::record(&dir.join("rec"), started(), true).unwrap(), &said);
        let file = dir.write("script", script(tool, &said));
        let socket = dir.join("s");
        let listener = Listener::bind(&Endpoint::Unix(socket.clone())).unwrap();
        let replay = Replay::open(dir.join("rec")).unwrap().strict(true);
        let stopper = Stop(replay.stopper(&listener).unwrap());
        let (ended, mut problems) = thread::scope(|scope| {
            let replaying = scope.spawn(|| replay.run(&listener));
            let mut shell = Command::new("sh");
            shell.arg(&file).env("DOCKER_HOST", format!("unix://{}", socket.display()));
            let ended =
                run(shell.env("UCURL", env!("CARGO_BIN_EXE_ucurl")), b"", Duration::from_secs(60));
            drop(stopper);
            (ended, replaying.join().unwrap())
        });
        let (out, err) = (ended.stdout(), ended.stderr());
        assert_eq!(ended.code, 0, "{tool}: {out}\n{err}\n{problems:?}");
        // To decode frames, ucurl asks the engine whether the container has a terminal.
        let json = format!("{ID}/json");
        problems.retain(|problem| !problem.contains(&json));
        assert_eq!(problems, [""; 0], "{tool}");
        assert!(out.contains(ID) && out.contains("No such container: nope"), "{out}");
        if tool == "ucurl" {
            assert_eq!(
                (out.matches("hello\n").count(), err.matches("oops\n").count()),
                (2, 2),
                "{out}\n{err}"
            );
        }
    }
}

/// Stops a replay, even if its test fails.
struct Stop(TapStopper);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.stop(Duration::ZERO);
    }
}

/// Sends requests to a replay on separate connections. Returns the bytes of the responses, and the
/// problems.
fn replayed(replay: &Replay, requests: &[Vec<u8>]) -> (Vec<Vec<u8>>, Vec<String>) {
    use std::io::Read;
    let dir = TempDir::new();
    let path = dir.join("s");
    let listener = Listener::bind(&Endpoint::Unix(path.clone())).unwrap();
    let stopper = Stop(replay.stopper(&listener).unwrap());
    let (replay, listener) = (replay, &listener);
    thread::scope(move |scope| {
        let replaying = scope.spawn(move || replay.run(listener));
        let answers = requests.iter().map(|request| {
            let mut stream = UnixStream::connect(&path).unwrap();
            stream.write_all(request).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            answer
        });
        let answers = answers.collect();
        drop(stopper);
        (answers, replaying.join().unwrap())
    })
}

#[test]
fn a_replay_repeats_every_byte() {
    let dir = TempDir::new();
    show(&tap::record(&dir.join("rec"), started(), true).unwrap(), &session());
    let said = session();
    let requests: Vec<Vec<u8>> = [0, 2, 12, 14, 16].map(|n| said[n].3.clone()).to_vec();
    let answers = [1, 3, 13, 15, 17].map(|n| said[n].3.clone());
    let replay = Replay::open(dir.join("rec")).unwrap();
    let (got, problems) = replayed(&replay, &requests);
    for (got, want) in got.iter().zip(&answers) {
        assert_eq!(got.escape_ascii().to_string(), want.escape_ascii().to_string());
    }
    assert_eq!(problems, [""; 0]);
    let replay = Replay::open(dir.join("rec")).unwrap();
    // Another API version, another order of the query, another body: the same responses.
    let other = [
        request("HEAD /v1.30/_ping", "", b""),
        request("POST /v1.50/containers/create?name=it's", "", b"{}"),
        request(
            &format!("POST /containers/{ID}/attach?stream=1&stdout=1&stdin=1"),
            "Connection: Upgrade\r\nUpgrade: tcp\r\n",
            b"",
        ),
    ];
    let (got, _) = replayed(&replay, &other);
    assert_eq!((&got[0], &got[1]), (&answers[0], &answers[1]));
    assert_eq!(
        got[2],
        [&said[5].3[..], &said[10].3].concat(),
        "without input the output comes all the same"
    );
    // In strict mode none of them matches.
    let strict = Replay::open(dir.join("rec")).unwrap().strict(true);
    let (got, problems) = replayed(&strict, &other);
    for answer in got {
        assert!(answer.starts_with(b"HTTP/1.1 501 "), "{}", answer.escape_ascii());
    }
    assert_eq!(
        problems[0],
        "not recorded: HEAD /v1.30/_ping; the nearest that was recorded is HEAD /_ping"
    );
    assert_eq!(problems.len(), 3 + 8);
    assert!(problems[3].starts_with("never asked for: HEAD /_ping"), "{problems:?}");
}

/// A HAR has no chunks, but their content.
#[test]
fn a_replay_of_a_har_has_the_same_content() {
    let dir = TempDir::new();
    let path = dir.write("h.har", har(&session()));
    let replay = Replay::open(&path).unwrap();
    let said = session();
    let (got, _) = replayed(&replay, &[0, 2, 12, 14, 16].map(|n| said[n].3.clone()));
    for (got, n) in got.iter().zip([1, 3, 13, 15, 17]) {
        assert_eq!(got.escape_ascii().to_string(), said[n].3.escape_ascii().to_string());
    }
    // Partial content does not look complete.
    let said = long_bodies();
    let replay = Replay::open(dir.write("short.har", har(&said))).unwrap();
    let (got, _) = replayed(&replay, &[said[0].3.clone()]);
    assert!(
        got[0].starts_with(b"HTTP/1.1 501 ")
            && got[0].ends_with(b"the HAR has the first 1048576 of its 1048578 bytes\"}\n"),
        "{}",
        got[0].escape_ascii()
    );
    for wrong in ["", "{}", "[]", r#"{"log":{}}"#, r#"{"log":{"entries":[{}]}}"#] {
        assert!(Replay::open(dir.write("wrong.har", wrong)).is_err(), "{wrong}");
    }
}

/// A repeated request gets its recorded responses in order, then the last one again.
#[test]
fn a_replay_repeats_responses_in_recorded_order() {
    let dir = TempDir::new();
    let ask = request("GET /state", "", b"");
    let said = (0..3).flat_map(|n| {
        let answer = response("200 OK", "", format!("{n}").as_bytes());
        [(n * 2, 1, Client, ask.clone()), (n * 2 + 1, 1, Server, answer)]
    });
    show(&tap::record(&dir.join("rec"), started(), true).unwrap(), &said.collect());
    let replay = Replay::open(dir.join("rec")).unwrap();
    let (got, _) = replayed(&replay, &vec![ask.clone(); 5]);
    let last: Vec<char> = got.iter().map(|answer| *answer.last().unwrap() as char).collect();
    assert_eq!(last, ['0', '1', '2', '2', '2']);
    let strict = Replay::open(dir.join("rec")).unwrap().strict(true);
    let (got, problems) = replayed(&strict, &vec![ask; 4]);
    assert!(got[3].starts_with(b"HTTP/1.1 501 "));
    assert_eq!(problems, ["not recorded: GET /state; it was recorded, but fewer times"]);
}

/// The output of a program follows its input, as in the recording.
#[test]
fn a_replayed_tunnel_follows_its_input() {
    use std::io::Read;
    let dir = TempDir::new();
    let upgrade = "Connection: Upgrade\r\nUpgrade: tcp\r\n";
    let attach = request("POST /exec/1/start", upgrade, b"");
    let switch = format!("HTTP/1.1 101 UPGRADED\r\n{upgrade}\r\n").into_bytes();
    let said = vec![
        (0, 1, Client, attach.clone()),
        (1, 1, Server, switch.clone()),
        (2, 1, Client, b"one\n".to_vec()),
        (3, 1, Server, b"1\n".to_vec()),
        (4, 1, Client, b"two\n".to_vec()),
        (5, 1, Server, b"2\n".to_vec()),
    ];
    show(&tap::record(&dir.join("rec"), started(), true).unwrap(), &said);
    let replay = Replay::open(dir.join("rec")).unwrap();
    let path = dir.join("s");
    let listener = Listener::bind(&Endpoint::Unix(path.clone())).unwrap();
    let stopper = Stop(replay.stopper(&listener).unwrap());
    thread::scope(|scope| {
        scope.spawn(|| replay.run(&listener));
        let mut stream = UnixStream::connect(&path).unwrap();
        let hear = |stream: &mut UnixStream, want: &[u8]| {
            let mut got = vec![0; want.len()];
            stream.read_exact(&mut got).unwrap();
            assert_eq!(got, want);
            stream.set_read_timeout(Some(Duration::from_millis(30))).unwrap();
            assert!(stream.read(&mut [0]).is_err(), "it waits for its turn");
            stream.set_read_timeout(None).unwrap();
        };
        stream.write_all(&attach).unwrap();
        hear(&mut stream, &switch);
        stream.write_all(b"one\n").unwrap();
        hear(&mut stream, b"1\n");
        stream.write_all(b"two\n").unwrap();
        hear(&mut stream, b"2\n");
        // The server ended after the client.
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
        drop(stopper);
    });
}
