//! The exact output of the text view.

use crate::support::pattern;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use unix_http::docker::{FrameStream, encode_frame};
use unix_http::traffic::Side::{self, Client, Server};
use unix_http::traffic::{Conversation, Event, Observer, Text};

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Shows a conversation on connection 1, with the time of each step in milliseconds.
fn show(options: impl FnOnce(Text) -> Text, said: &[(u64, Side, &[u8])]) -> String {
    let page = Page::default();
    let text = options(Text::new(page.clone()));
    let mut conversation = Conversation::new(true);
    let at = Duration::from_millis;
    text.see(1, at(0), &Event::Opened);
    for (time, side, bytes) in said {
        conversation.bytes(*side, at(*time), bytes, &mut |event| text.see(1, at(*time), event));
    }
    let end = at(said.last().map_or(0, |said| said.0));
    for side in [Client, Server] {
        conversation.end(side, end, None, &mut |event| text.see(1, end, event));
    }
    conversation.close(&mut |event| text.see(1, end, event));
    assert_eq!(text.finish(), None);
    page.text()
}

#[track_caller]
fn fits(pattern: &str, shown: &str) {
    if let Err(error) = pattern::check(pattern, shown) {
        panic!("{error}");
    }
}

fn request(line: &str) -> Vec<u8> {
    format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n").into_bytes()
}

fn response(fields: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body]
        .concat()
}

#[test]
fn an_exchange_is_shown_line_by_line() {
    let shown = show(
        |text| text,
        &[
            (1, Client, b"POST /v1.41/containers/create?name=a HTTP/1.1\r\nHost: x\r\nContent-Length: 16\r\n\r\n"),
            (2, Client, br#"{"Image":"busy"}"#),
            (14, Server, b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"),
            (15, Server, b"8\r\n{\"Id\":\"a\r\n2\r\n\"}\r\n0\r\nT: v\r\n\r\n"),
        ],
    );
    let want = r#"
1 * connected
1.1 > POST /v1.41/containers/create?name=a HTTP/1.1
1.1 > Host: x
1.1 > Content-Length: 16
1.1 >
1.1 * body: Content-Length, so the body ends after that many bytes · RFC 9112 §6.3 item 6
1.1 > {
1.1 >   "Image": "busy"
1.1 > }
1.1 < HTTP/1.1 201 Created
1.1 < Transfer-Encoding: chunked
1.1 <
1.1 * body: Transfer-Encoding: chunked, so the body ends at the last chunk · RFC 9112 §6.3 item 4
1.1 < {
1.1 <   "Id": "a"
1.1 < }
1.1 < T: v
1.1 * 201 Created: waited 12 ms, 14 ms in all; sent 78 + 16 bytes, received 52 + 10
1 * closed
"#;
    fits(want.trim_start(), &shown);
}

#[test]
fn frames_are_labelled_and_a_truncated_one_is_reported() {
    let mut frames = Vec::new();
    encode_frame(&mut frames, FrameStream::Stdout, b"one\ntw");
    encode_frame(&mut frames, FrameStream::Stderr, b"oh\n");
    encode_frame(&mut frames, FrameStream::Stdout, b"o\nunended");
    let shown = show(
        |text| text,
        &[(0, Client, &request("GET /containers/a/logs")), (0, Server, &response("", &frames))],
    );
    fits(
        "…\n1.1 < stdout| one\n1.1 < stderr| oh\n1.1 < stdout| two\n1.1 < stdout| unended\n1.1 * 200 OK…\n…",
        &shown,
    );

    let cut = &frames[..frames.len() - 3];
    let shown = show(
        |text| text,
        &[(0, Client, &request("GET /containers/a/logs")), (0, Server, &response("", cut))],
    );
    fits("…\n1.1 ! the stream ended inside a frame…\n…", &shown);

    // Without a content type for frames, the same bytes are plain bytes.
    let shown = show(
        |text| text,
        &[(0, Client, &request("GET /file")), (0, Server, &response("", &frames))],
    );
    fits(&format!("…\n1.1 < ({} bytes, unknown type)\n…", frames.len()), &shown);
}

#[test]
fn an_attached_terminal_is_shown_as_typed() {
    let attach =
        b"POST /exec/1/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
    let switch = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
    let shown = show(
        |text| text,
        &[
            (0, Client, attach),
            (1, Server, switch),
            (2, Server, b"/ # "),
            (3, Client, b"ls\r"),
            (4, Server, b"\x1b[1;34mbin\x1b[m\r\n"),
        ],
    );
    let want = "…\n1.1 * no longer HTTP: …\n1.1 < / #\n1.1 > ls\n1.1 < \\x1b[1;34mbin\\x1b[m\n1.1 * 101 UPGRADED: …\n…";
    fits(want, &shown);
}

#[test]
fn bytes_of_a_peer_cannot_control_a_terminal() {
    let evil = "\x1b[2J\x07 \u{9b}31m \u{202e}gnp.exe \u{2066} \0 \x7f tab\there\n";
    let said = [
        (0, Client, &request("GET /\u{202e}x")[..]),
        (0, Server, &response("X-Evil: \u{9b}2J\r\n", evil.as_bytes())[..]),
    ];
    for colour in [false, true] {
        let shown = show(|text| text.colour(colour), &said);
        let plain = shown.replace("\x1b[0m", "").replace("\x1b[2m", "").replace("\x1b[1m", "");
        let plain = plain.replace("\x1b[31m", "").replace("\x1b[32m", "").replace("\x1b[36m", "");
        assert_eq!(plain == shown, !colour);
        let left: Vec<char> = plain
            .chars()
            .filter(|c| c.is_control() && !matches!(c, '\n' | '\t') || *c == '\u{202e}')
            .collect();
        assert_eq!(left, [], "{plain}");
        assert!(
            plain.contains("X-Evil: \\u{9b}2J") && plain.contains("GET /\\u{202e}x HTTP"),
            "{plain}"
        );
    }
    let json = br#"{"a":"\u001b[2J"}"#;
    let shown =
        show(|text| text, &[(0, Client, &request("GET /")), (0, Server, &response("", json))]);
    assert!(shown.contains("  \"a\": \"\\u001b[2J\"\n"), "{shown}");
}

#[test]
fn long_bodies_are_shortened_and_their_length_is_shown() {
    let long = "0123456789\n".repeat(1000);
    let binary = vec![0; 5000];
    let two = [
        (0, Client, request("GET /a")),
        (0, Server, response("Content-Type: text/plain\r\n", long.as_bytes())),
    ];
    let two: Vec<_> = two.iter().map(|(t, s, b)| (*t, *s, &b[..])).collect();
    let shown = show(|text| text.body_limit(Some(25)), &two);
    fits(
        "…\n1.1 < 0123456789\n1.1 < 0123456789\n1.1 < 012\n1.1 < (10975 more bytes, text/plain)\n1.1 * 200 OK…\n…",
        &shown,
    );
    let shown = show(|text| text.body_limit(Some(0)), &two);
    fits("…\n1.1 < (11000 more bytes, text/plain)\n1.1 * 200 OK…\n…", &shown);

    let two = [
        (0, Client, request("GET /a")),
        (0, Server, response("Content-Type: application/x-tar\r\n", &binary)),
    ];
    let two: Vec<_> = two.iter().map(|(t, s, b)| (*t, *s, &b[..])).collect();
    let shown = show(|text| text.body_limit(Some(100)), &two);
    fits("…\n1.1 < (5000 bytes, application/x-tar)\n1.1 * 200 OK…\n…", &shown);
}

/// Occasional events are shown until the stream ends.
#[test]
fn a_quiet_stream_is_shown_until_it_ends() {
    let event = |n: u32| {
        let json = format!("{{\"n\":{n}}}\n");
        format!("{:x}\r\n{json}\r\n", json.len())
    };
    let events: Vec<String> = (0..4).map(event).collect();
    let (request, head) =
        (request("GET /events"), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    let said = [
        (0, Client, &request[..]),
        (0, Server, &head[..]),
        (1, Server, events[0].as_bytes()),
        (2, Server, events[1].as_bytes()),
        (1500, Server, events[2].as_bytes()),
        (3000, Server, events[3].as_bytes()),
    ];
    let shown = show(|text| text.body_limit(Some(8)), &said);
    let bodies: Vec<&str> = shown
        .lines()
        .filter(|line| line.contains("\"n\":") || line.contains("more bytes"))
        .collect();
    assert_eq!(
        bodies,
        [
            "1.1 <   \"n\": 0",
            "1.1 < (8 more bytes, unknown type)",
            "1.1 <   \"n\": 2",
            "1.1 <   \"n\": 3"
        ]
    );
}

#[test]
fn a_stopped_reader_delays_nothing_and_learns_what_it_missed() {
    /// Accepts the first line, and the others once it is released.
    #[derive(Clone, Default)]
    struct Slow(Page, Arc<(Mutex<bool>, Condvar)>);
    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let free = self.1.0.lock().unwrap();
            drop(self.1.1.wait_while(free, |free| !*free).unwrap());
            self.0.write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let slow = Slow::default();
    let text = Text::new(slow.clone()).body_limit(Some(usize::MAX));
    let mut conversation = Conversation::new(true);
    let line = "x".repeat(4000) + "\n";
    let exchange = [request("GET /a"), response("", line.repeat(100).as_bytes())];
    let start = Instant::now();
    for _ in 0..50 {
        for (side, bytes) in [Client, Server].into_iter().zip(&exchange) {
            conversation.bytes(side, Duration::ZERO, bytes, &mut |event| {
                text.see(1, Duration::ZERO, event)
            });
        }
    }
    assert!(start.elapsed() < Duration::from_secs(60), "20 MB of lines without a reader");
    *slow.1.0.lock().unwrap() = true;
    slow.1.1.notify_all();
    text.finish();
    let shown = slow.0.text();
    assert!(shown.len() < 12 << 20, "{} bytes were kept", shown.len());
    let left_out: usize = shown
        .lines()
        .filter_map(|l| l.strip_prefix("* ")?.split(' ').next()?.parse::<usize>().ok())
        .sum();
    let lines = shown.lines().filter(|line| !line.starts_with("* ")).count();
    // A request: start-line, Host, empty, framing. A response: start-line, length, empty, framing,
    // 100 lines. The summary.
    assert_eq!(lines + left_out, 50 * (4 + 104 + 1));
}

#[test]
fn events_of_many_connections_are_not_interleaved() {
    let page = Page::default();
    let text = Arc::new(Text::new(page.clone()));
    thread::scope(|scope| {
        for connection in 1..=8 {
            let text = &text;
            scope.spawn(move || {
                let mut conversation = Conversation::new(true);
                for n in 0..50 {
                    let (ask, answer) =
                        (request(&format!("GET /{n}")), response("", br#"{"a":[1,2]}"#));
                    for (side, bytes) in [(Client, ask), (Server, answer)] {
                        conversation.bytes(side, Duration::ZERO, &bytes, &mut |e| {
                            text.see(connection, Duration::ZERO, e)
                        });
                    }
                }
            });
        }
    });
    text.finish();
    let shown = page.text();
    let heads = shown.lines().collect::<Vec<_>>();
    let starts: Vec<usize> = (0..heads.len()).filter(|&n| heads[n].contains("> GET /")).collect();
    assert_eq!(starts.len(), 400);
    for n in starts {
        let number = heads[n].split(' ').next().unwrap();
        assert_eq!(heads[n + 1], format!("{number} > Host: x"));
    }
}

#[test]
fn a_failed_output_is_reported_at_the_end() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let text = Text::new(Full);
    text.see(1, Duration::ZERO, &Event::Opened);
    assert!(text.finish().unwrap().starts_with("the text view stopped: "));
}

#[test]
fn several_empty_members_are_counted_and_one_is_shown() {
    let body =
        br#"{"A":null,"B":[],"C":{"D":0,"E":false,"F":{}},"G":["",0],"H":{"I":{"J":""}},"K":1}"#;
    let said = [(0, Client, &request("GET /x")[..]), (1, Server, &response("", body)[..])];
    let brief = show(|text| text, &said);
    fits(
        "…\n1.1 < {\n1.1 <   \"G\": [\n1.1 <     \"\",\n1.1 <     0\n1.1 <   ],\n1.1 <   \"H\": {\n\
         1.1 <     \"I\": {\n1.1 <       \"J\": \"\"\n1.1 <     }\n1.1 <   },\n1.1 <   \"K\": 1\n\
         1.1 <   (5 empty members)\n1.1 < }\n1.1 * 200 OK…\n…",
        &brief,
    );
    let full = show(|text| text.full(true), &said);
    assert!(full.contains("\"D\": 0,\n") && !full.contains("empty members"), "{full}");
    let none = show(|text| text.body_limit(None), &said);
    fits(&format!("…\n1.1 < ({} bytes, unknown type)\n1.1 * 200 OK…\n…", body.len()), &none);
}

#[test]
fn brief_shows_one_line_with_its_time_for_each_exchange() {
    let created = response("Content-Type: application/vnd.docker.x-stream; a=b\r\n", b"abc");
    let created = String::from_utf8(created).unwrap().replace("200 OK", "201 Created");
    let post = "POST /create HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}".as_bytes();
    let said = [(0, Client, post), (34, Server, created.as_bytes()), (40, Server, b"junk")];
    let shown = show(|text| text.brief(true).time(true), &said);
    let line = "0.034 1.1 POST /create → 201 Created  34 ms  2 B → 3 B x-stream";
    fits(&format!("{line}\n0.040 1 ! the server: …\n"), &shown);
}

/// The logs of containers with a terminal can begin like this.
#[test]
fn text_may_begin_with_a_bracket() {
    for (fields, log) in [
        ("Content-Type: text/plain\r\n", "[1] {\"a\": starting\n"),
        ("", "[INFO] starting\n"),
        ("", "[2024-01-01] INFO\n"),
    ] {
        let answer = response(fields, log.as_bytes());
        let shown = show(|text| text, &[(0, Client, &request("GET /x")), (0, Server, &answer)]);
        fits(&format!("…\n1.1 < {log}1.1 * 200 OK…\n…"), &shown);
    }
}

#[test]
fn websocket_frames_are_named() {
    let fields = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    let ask = format!("GET /ws HTTP/1.1\r\nHost: x\r\n{fields}\r\n");
    let switch = format!("HTTP/1.1 101 Switching Protocols\r\n{fields}\r\n");
    let said = [
        (0, Client, ask.as_bytes()),
        (1, Server, switch.as_bytes()),
        (2, Server, b"\x81\x05hello"),
    ];
    fits("…\n1.1 < (7 bytes, WebSocket frames)\n…", &show(|text| text, &said));
}
