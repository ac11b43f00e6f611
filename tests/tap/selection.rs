//! `--only`, `--status` and `--connection`: the effect on the view and on each recorder.

use super::process::{LIMIT, listening, signal, tap};
use crate::support::child::run;
use crate::support::fake::Fake;
use crate::support::temp::TempDir;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use unix_http::tap::Selection;
use unix_http::traffic::{Conversation, Event, Observer, Side};

/// Two requests on the first connection, the second with a 404, and one request on the next.
fn engine() -> Fake {
    Fake::start(|peer| {
        let statuses = ["200 OK", "404 Not Found"];
        for status in &statuses[..2 - peer.connection] {
            peer.read_until(b"\r\n\r\n")?;
            if status.starts_with("404") {
                peer.read_until(b"}")?;
            }
            peer.send(format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nhi").as_bytes())?;
        }
        peer.read_to_end()
    })
}

fn talk(path: &Path) {
    let post = "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n{\"x\":1}";
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    for requests in [&[&get("/v1.41/a"), post][..], &[&get("/c?d")]] {
        let mut stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        for request in requests {
            stream.write_all(request.as_bytes()).unwrap();
            let mut got = Vec::new();
            while !got.ends_with(b"hi") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                got.extend(byte);
            }
        }
    }
}

/// Returns the outputs of a tap in a directory.
const OUTPUTS: [&str; 5] = ["output", "har", "script", "pcap", "record"];

fn options(dir: &TempDir, name: &str) -> Vec<String> {
    let at = |output| dir.join(&format!("{name}.{output}")).display().to_string();
    OUTPUTS.iter().flat_map(|output| [format!("--{output}"), at(output)]).collect()
}

/// Returns the requests in the view, the HAR and the script, and the connections in the other two.
fn written(dir: &TempDir, name: &str) -> [String; 5] {
    let file = |output: &str| fs::read(dir.join(&format!("{name}.{output}"))).unwrap();
    let text = |output| String::from_utf8_lossy(&file(output)).into_owned();
    let all = ["/v1.41/a", "/b", "/c?d"];
    let of = |text: &str, before: &str, after: &str| {
        let named = |path: &&&str| text.contains(&format!("{before}{path}{after}"));
        all.iter().filter(named).map(|path| path.rsplit('/').next().unwrap_or("")).collect()
    };
    let index = String::from_utf8(fs::read(dir.join(&format!("{name}.record/index"))).unwrap());
    let opened = |line: &str| Some(line.strip_suffix(" open")?.rsplit_once(' ')?.1.to_owned());
    let pcap = file("pcap");
    let heads = all.iter().filter(|path| {
        let head = format!(" {path} HTTP");
        pcap.windows(head.len()).any(|window| window == head.as_bytes())
    });
    [
        of(&text("output"), " ", " HTTP"),
        of(&text("har"), "http://x", "\""),
        of(&text("script"), "'", "'"),
        heads.map(|path| path.rsplit('/').next().unwrap_or("")).collect(),
        index.unwrap().lines().filter_map(opened).collect(),
    ]
}

#[test]
fn view_and_recorders_contain_the_selected_exchanges() {
    let record = |dir: &TempDir, select: &[&str], name: &str| {
        let options = options(dir, name);
        let options: Vec<&str> =
            options.iter().map(String::as_str).chain(select.to_vec()).collect();
        let server = engine();
        let (mut child, path) = listening(dir, &server.path(), &options);
        talk(&path);
        signal(&child, "INT");
        assert_eq!(child.wait().unwrap().code(), Some(0), "{select:?}");
    };
    let dir = TempDir::new();
    record(&dir, &[], "all");
    // pcap and record contain the bytes of whole connections.
    for (n, (select, [view, pcap, record_of])) in [
        (&[][..], ["abc?d", "abc?d", "12"]),
        (&["--only", "GET /*"], ["ac?d", "abc?d", "12"]),
        (&["--only", "/c"], ["c?d", "c?d", "2"]),
        (&["--only", "PUT /*"], ["", "", ""]),
        (&["--status", "4xx"], ["b", "ab", "1"]),
        (&["--status", "200", "--only", "/?"], ["", "", ""]),
        (&["--status", "200", "--only", "GET /c"], ["c?d", "c?d", "2"]),
        (&["--status", "2xx", "--connection", "1"], ["a", "ab", "1"]),
        (&["--connection", "2"], ["c?d", "c?d", "2"]),
    ]
    .into_iter()
    .enumerate()
    {
        let want = [view, view, view, pcap, record_of];
        let live = format!("live{n}");
        record(&dir, select, &live);
        assert_eq!(written(&dir, &live), want, "{select:?}");
        let later = format!("later{n}");
        let options = options(&dir, &later);
        let recording = dir.join("all.record").display().to_string();
        let options = options.iter().map(String::as_str).chain(select.to_vec());
        let read: Vec<&str> = ["tap", "--read", &recording].into_iter().chain(options).collect();
        run(&mut tap(&dir, &read), b"", LIMIT).success();
        assert_eq!(written(&dir, &later), want, "--read {select:?}");
    }
    let view = fs::read_to_string(dir.join("live4.output")).unwrap();
    assert!(view.contains("1.2 > {\n") && view.contains("1.2 < hi\n"), "{view}");
    for wrong in [["--status", "4"], ["--only", "/%"], ["--connection", "x"]] {
        let command = [&["tap", "--to", "/nowhere"][..], &wrong, &["--", "true"]].concat();
        assert_eq!(run(&mut tap(&dir, &command), b"", LIMIT).code, 2, "{wrong:?}");
    }
}

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Observer for Seen {
    fn see(&self, _: u64, at: Duration, event: &Event<'_>) {
        let what = match event {
            Event::Request(_) => "request".into(),
            Event::Interim(_, head) => head.status().to_string(),
            Event::Response(x) => x.response.as_ref().unwrap().status().to_string(),
            Event::Content(_, side, bytes) => format!("{side} {}", bytes.len()),
            Event::Framing(_, side, bytes) => format!("{side} framing {}", bytes.len()),
            Event::End(_, side, trailers) => format!("{side} end {}", trailers.is_some()),
            Event::Fault(_, _, fault) => fault.to_string(),
            Event::Done(_) => "done".into(),
            _ => format!("{event:?}"),
        };
        self.0.lock().unwrap().push(format!("{} {what}", at.as_millis()));
    }
}

fn seen(select: &Selection, pieces: &[(Side, &[u8])]) -> Vec<String> {
    let seen = Seen::default();
    let selected = select.of(seen.clone());
    let mut conversation = Conversation::new(true);
    for (ms, (side, bytes)) in (0..).zip(pieces) {
        let at = Duration::from_millis(ms);
        conversation.bytes(*side, at, bytes, &mut |event| selected.see(1, at, event));
    }
    conversation.close(&mut |event| selected.see(1, Duration::from_secs(1), event));
    std::mem::take(&mut *seen.0.lock().unwrap())
}

#[test]
fn held_events_keep_their_order_and_times() {
    let head = b"PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let pieces = [
        (Side::Client, &head[..]),
        (Side::Server, b"HTTP/1.1 100 Continue\r\n\r\n"),
        (Side::Client, b"2\r\nhi\r\n0\r\nX: y\r\n\r\n"),
        (Side::Server, b"HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\n!"),
    ];
    let select = |status| Selection::default().status(status).unwrap();
    assert_eq!(
        seen(&select("4xx"), &pieces),
        [
            "0 request",
            "1 100",
            "2 client framing 3",
            "2 client 2",
            "2 client framing 13",
            "2 client end true",
            "3 404",
            "3 server 1",
            "3 server end false",
            "3 done",
        ]
    );
    assert_eq!(seen(&select("2xx"), &pieces), [""; 0]);
    // An exchange without a status cannot be selected by status.
    assert_eq!(seen(&select("4xx"), &pieces[..1]), [""; 0]);
}

#[test]
fn the_number_of_held_events_is_limited() {
    let head = b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n";
    let content = vec![b'x'; 100_000];
    let mut pieces = vec![(Side::Client, &head[..])];
    pieces.extend([(Side::Client, &content[..]); 30]);
    pieces.push((Side::Server, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
    let seen = seen(&Selection::default().status("404").unwrap(), &pieces);
    let content = seen.iter().filter(|line| line.ends_with("client 100000")).count();
    assert_eq!(content, 10);
    assert!(seen.ends_with(&["31 404".into(), "31 server end false".into(), "31 done".into()]));
}
