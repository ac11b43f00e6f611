//! The server of the live page: the list, an exchange in full, and what it refuses.

use crate::support::web::{WebClient, list, number, text};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};
use unix_http::Endpoint;
use unix_http::docker::{FrameStream, encode_frame};
use unix_http::json::Value;
use unix_http::tap::{Origin, Page, Recording};
use unix_http::traffic::Side::{Client, Server};
use unix_http::traffic::{Conversation, Event, Explain, Observer, Side};

/// A page, and connections whose bytes it sees.
pub struct Shown {
    _page: Page,
    pub web: WebClient,
    pub observer: Box<dyn Observer>,
    talks: Mutex<Vec<Conversation>>,
}

pub fn shown() -> Shown {
    shown_for(Endpoint::Unix("/run/docker.sock".into()))
}

/// The same, with another target of the requests.
pub fn shown_for(target: Endpoint) -> Shown {
    let origin = Origin::new("a test", target, SystemTime::UNIX_EPOCH);
    let any = Endpoint::Tcp { host: "127.0.0.1".into(), port: 0 };
    let page = Page::bind(&any, origin).unwrap();
    let (web, observer) = (WebClient::new(page.url()), Box::new(page.observer()));
    Shown { _page: page, web, observer, talks: Mutex::default() }
}

impl Shown {
    /// Shows bytes of a connection (the first is 1) at a time in milliseconds.
    pub fn says(&self, connection: u64, side: Side, at: u64, bytes: impl AsRef<[u8]>) {
        let at = Duration::from_millis(at);
        let see = &mut |event: &Event<'_>| self.observer.see(connection, at, event);
        let mut talks = self.talks.lock().unwrap();
        while talks.len() < connection as usize {
            talks.push(Conversation::new(true));
        }
        talks[connection as usize - 1].bytes(side, at, bytes.as_ref(), see);
        self.observer.flush();
    }

    /// Ends the connection.
    pub fn ends(&self, connection: u64) {
        let see = &mut |event: &Event<'_>| self.observer.see(connection, Duration::ZERO, event);
        let talk = &mut self.talks.lock().unwrap()[connection as usize - 1];
        for side in [Client, Server] {
            talk.end(side, Duration::ZERO, None, see);
        }
        talk.close(see);
        self.observer.flush();
    }
}

const GET: &str = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

/// The texts of the pieces with this `from`, one after the other.
fn texts(detail: &Value, from: &str) -> String {
    let pieces = list(detail, "pieces").iter().filter(|piece| text(piece, "from") == from);
    pieces.map(|piece| text(piece, "text")).collect()
}

#[test]
fn the_list_fills_and_an_exchange_is_shown_in_full() {
    let shown = shown();
    let mut events = shown.web.events(None);
    let about = events.next();
    assert_eq!((about.name.as_str(), about.id), ("about", None));
    assert_eq!(text(&about.data, "program"), "a test");
    assert_eq!(text(&about.data, "target"), "unix:///run/docker.sock");
    assert_eq!(text(&about.data, "started"), "1970-01-01T00:00:00.000Z");
    let create = "POST /v1.41/containers/create HTTP/1.1\r\nHost: docker\r\n\
        Content-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"a\":\"\u{202e}\"}";
    shown.says(1, Client, 1500, create);
    let begun = events.next().data;
    assert_eq!((text(&begun, "method"), text(&begun, "state")), ("POST", "open"));
    assert_eq!((number(&begun, "id"), number(&begun, "connection")), (1, 1));
    assert_eq!((number(&begun, "status"), number(&begun, "sent")), (0, 11));
    assert_eq!(begun.get("start_ms").unwrap().to_string(), "1500.000");
    assert_eq!(begun.get("first_ms"), Some(&Value::Null));
    shown.says(1, Server, 1514, "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n");
    shown.says(1, Server, 1515, "Content-Length: 8\r\n\r\n{\"Id\":1}");
    let done = events.done("/v1.41/containers/create").data;
    assert_eq!((number(&done, "status"), text(&done, "reason")), (201, "Created"));
    assert_eq!((text(&done, "kind"), text(&done, "state")), ("json", "done"));
    assert_eq!(done.get("first_ms").unwrap().to_string(), "1514.000");

    let detail = shown.web.detail(1, "");
    assert_eq!(detail.get("summary"), Some(&done));
    assert_eq!(texts(&detail, "request"), "{\"a\":\"\u{202e}\"}", "JSON is exact");
    assert_eq!(texts(&detail, "response"), "{\"Id\":1}");
    let [request, response] = list(&detail, "messages") else { panic!("{detail}") };
    assert_eq!((text(request, "side"), text(response, "side")), ("request", "response"));
    let host = &list(request, "lines")[1];
    assert_eq!(text(host, "text"), "Host: docker");
    assert_eq!(text(&list(host, "notes")[0], "rule"), "RFC 9112 §3.2");
    let framing = request.get("framing").unwrap();
    assert_eq!(text(framing, "rule"), "RFC 9112 §6.3, item 6");
    let body = response.get("body").unwrap();
    assert_eq!((number(body, "bytes"), number(body, "kept"), text(body, "kind")), (8, 8, "json"));
    assert_eq!(text(&list(&detail, "notes")[0], "rule"), "RFC 9112 §9.3");
    let timing = detail.get("timing").unwrap();
    assert_eq!(timing.get("end_ms").unwrap().to_string(), "1515.000");
    assert_eq!(shown.web.get("exchange/2").0, 404);
    assert_eq!(shown.web.get("exchange/x").0, 404);
}

#[test]
fn the_page_tells_when_the_end_of_a_request_is_unclear() {
    let shown = shown();
    let lengths = "Content-Length: 1\r\nContent-Length: 2\r\n";
    shown.says(1, Client, 0, format!("POST /x HTTP/1.1\r\nHost: x\r\n{lengths}\r\n"));
    shown.says(1, Server, 0, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    shown.ends(1);
    let detail = shown.web.detail(1, "");
    let note = &list(&detail, "notes")[0];
    let why = "the connection is closed: the head of the request does not say where it ends";
    assert_eq!((text(note, "text"), text(note, "rule")), (why, "RFC 9112 §6.3"));
}

/// Every remark of the page is one of `--explain`.
#[test]
fn the_remarks_are_those_of_explain() {
    let shown = shown();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let explain = Explain::new(writer).overheard(&Endpoint::Unix("/run/docker.sock".into()));
    let mut talk = Conversation::new(true);
    let request = "PUT /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
        Transfer-Encoding: chunked\r\nX-Registry-Auth: e30=\r\n\r\n\
        2\r\nhi\r\n0\r\nTrailing: 1\r\n\r\n";
    let response =
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nEtag: \"a\"\nServer: b\r\n\r\n";
    for (side, bytes) in [(Client, request), (Server, response)] {
        shown.says(1, side, 0, bytes);
        let see = &mut |event: &Event<'_>| explain.see(1, Duration::ZERO, event);
        talk.bytes(side, Duration::ZERO, bytes.as_bytes(), see);
    }
    explain.finish();
    drop(explain);
    let mut explained = String::new();
    reader.read_to_string(&mut explained).unwrap();
    let unfolded = explained.split_whitespace().collect::<Vec<_>>().join(" ");
    let detail = shown.web.detail(1, "");
    let mut remarks = list(&detail, "notes").to_vec();
    for message in list(&detail, "messages") {
        remarks.push(message.get("framing").unwrap().clone());
        for line in [list(message, "lines"), list(message, "trailers")].concat() {
            remarks.extend(list(&line, "notes").iter().cloned());
            let line = text(&line, "text").to_owned();
            assert!(explained.contains(&line), "{line}");
        }
    }
    assert!(remarks.len() > 15, "{detail}");
    for remark in remarks {
        let said = match text(&remark, "rule") {
            "" => text(&remark, "text").to_owned(),
            rule => format!("{} · {rule}", text(&remark, "text")),
        };
        assert!(unfolded.contains(&said), "{said}");
    }
}

#[test]
fn a_page_resumes_after_its_last_event() {
    let shown = shown();
    shown.says(1, Client, 1, GET);
    shown.says(1, Server, 2, OK);
    let seen = shown.web.events(None).done("/a").id;
    shown.says(1, Client, 3, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut events = shown.web.events(seen);
    assert_eq!(events.next().name, "about");
    assert_eq!(text(&events.next().data, "target"), "/b");
    // Only an exchange that has changed since is sent again.
    shown.says(1, Server, 4, OK);
    let change = events.next();
    assert_eq!((text(&change.data, "target"), text(&change.data, "state")), ("/b", "done"));
    assert!(change.id > seen);
    assert_eq!(shown.observer.finish(), None);
    assert_eq!(events.next().name, "end");
    // A page that joins late gets each exchange once.
    let all = shown.web.events(None).until(|event| event.name == "end");
    let targets = all.iter().filter(|event| event.name == "exchange");
    assert_eq!(targets.map(|event| text(&event.data, "target")).collect::<Vec<_>>(), ["/a", "/b"]);
}

#[test]
fn frames_and_cut_characters_come_in_pieces_that_never_change() {
    let shown = shown();
    let fields = "Host: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n";
    shown.says(1, Client, 0, format!("POST /containers/x/attach HTTP/1.1\r\n{fields}"));
    let switch = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\
        Content-Type: application/vnd.docker.raw-stream\r\n\r\n";
    shown.says(1, Server, 1, switch);
    let mut frames = Vec::new();
    encode_frame(&mut frames, FrameStream::Stdout, "é\x1b".as_bytes());
    encode_frame(&mut frames, FrameStream::Stderr, b"oops");
    shown.says(1, Server, 2, &frames[..9]);
    let first = shown.web.detail(1, "");
    assert_eq!(text(first.get("summary").unwrap(), "kind"), "upgraded");
    shown.says(1, Server, 2, &frames[9..]);
    shown.says(1, Client, 3, "typed\n");
    let detail = shown.web.detail(1, "");
    let pieces = list(&detail, "pieces");
    let shape = |piece: &Value| {
        let (stream, from) = (text(piece, "stream").to_owned(), text(piece, "from").to_owned());
        assert_eq!(piece.get("upgraded"), Some(&Value::Bool(true)));
        (from, stream, text(piece, "text").to_owned())
    };
    let shapes: Vec<_> = pieces.iter().map(shape).collect();
    let want = [
        ("response", "stdout", ""),
        ("response", "stdout", "é\\x1b"),
        ("response", "stderr", "oops"),
        ("request", "", "typed\n"),
    ];
    let want = want.map(|(from, stream, text)| (from.into(), stream.into(), text.into()));
    assert_eq!(shapes, want);
    assert_eq!(list(&first, "pieces"), &pieces[..1]);
    assert_eq!(number(&detail, "piece_count"), 4);
    let rest = shown.web.detail(1, "?after=2");
    assert_eq!((list(&rest, "pieces"), number(&rest, "piece_count")), (&pieces[2..], 4));
}

#[test]
fn hostile_traffic_is_valid_json_and_harmless_text() {
    let shown = shown();
    let head =
        b"GET /<script>alert(1)</script> HTTP/1.1\r\nHost: x\r\nX-A: \xff\xe2\x80\xae\"\\\r\n\r\n";
    shown.says(1, Client, 0, head);
    shown.says(
        1,
        Server,
        0,
        b"HTTP/1.1 200 \xff<b>\r\nContent-Length: 6\r\n\r\n\0\x01\x02\xff\"\\",
    );
    shown.says(2, Client, 0, "no request\r\n\r\n");
    shown.observer.see(3, Duration::ZERO, &Event::Refused("a\x1b[2Jreason"));
    let detail = shown.web.detail(1, "");
    let [request, response] = list(&detail, "messages") else { panic!("{detail}") };
    assert_eq!(text(&list(request, "lines")[2], "text"), r#"X-A: \xff\u{202e}"\"#);
    assert_eq!(text(response.get("body").unwrap(), "kind"), "hex");
    assert_eq!(text(&list(&detail, "pieces")[0], "hex"), "000102ff225c");
    // A fault without an exchange is in the list.
    for (id, fault) in [(2, "the client: "), (3, r"the client was rejected: a\x1b[2Jreason")] {
        let summary = shown.web.detail(id, "").get("summary").unwrap().clone();
        assert_eq!((text(&summary, "method"), text(&summary, "state")), ("", "failed"));
        assert!(text(&summary, "fault").starts_with(fault), "{summary}");
    }
}

#[test]
fn an_exchange_without_an_answer_has_failed() {
    let shown = shown();
    shown.says(1, Client, 0, GET);
    shown.ends(1);
    let failed = shown.web.events(None).done("/a").data;
    assert_eq!(text(&failed, "state"), "failed");
    assert_eq!(text(&failed, "fault"), "the server: no response to this request");
}

#[test]
fn the_archive_is_read_back_with_bodies_and_tunnels() {
    let shown = shown();
    shown.says(1, Client, 1, GET);
    shown.says(1, Server, 2, OK);
    shown.says(1, Client, 3, "GET /open HTTP/1.1\r\nHost: x\r\n\r\n");
    shown.says(2, Client, 4, "no request\r\n\r\n");
    let response = shown.web.client.get(&format!("{}har", shown.web.path)).send().unwrap();
    let disposition = response.fields().get("Content-Disposition");
    assert_eq!(disposition, Some(&b"attachment; filename=\"ucurl.har\""[..]));
    let har = response.bytes().unwrap();
    assert!(Recording::from_har(&har).is_ok());
    let har = Value::parse(&har).unwrap();
    let entries = list(har.get("log").unwrap(), "entries");
    assert_eq!(entries.len(), 1, "those that are over");
    let content = entries[0].get("response").unwrap().get("content").unwrap();
    assert_eq!(text(content, "text"), "ok");
    assert_eq!(text(&entries[0], "startedDateTime"), "1970-01-01T00:00:00.001000Z");
}

/// Sends one request and returns the whole response.
fn ask(shown: &Shown, method: &str, path: &str, fields: &str) -> String {
    let mut stream = TcpStream::connect(&shown.web.authority).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n{fields}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

#[test]
fn only_requests_of_the_page_are_answered() {
    let shown = shown();
    let (ours, path) = (&shown.web.authority, &shown.web.path);
    let port = ours.rsplit(':').next().unwrap();
    let host = format!("Host: {ours}\r\n");
    let wrong = path.replace(|c: char| c.is_ascii_hexdigit(), "0");
    let foreign = "http://evil.example";
    let cases: &[(&str, &str, &str, String)] = &[
        ("200", "GET", path, host.clone()),
        ("200", "HEAD", path, host.clone()),
        ("200", "HEAD", &format!("{path}events"), host.clone()),
        ("200", "GET", &format!("{path}page.js"), format!("Host: localhost:{port}\r\n")),
        ("200", "GET", path, format!("{host}Origin: http://{ours}\r\n")),
        ("200", "GET", path, format!("{host}Sec-Fetch-Site: same-origin\r\n")),
        ("200", "GET", path, format!("{host}Sec-Fetch-Site: none\r\n")),
        ("404", "GET", "/", host.clone()),
        ("404", "GET", &wrong, host.clone()),
        ("404", "GET", path.trim_end_matches('/'), host.clone()),
        ("404", "GET", &path[..path.len() - 2], host.clone()),
        ("404", "GET", &format!("{path}../{}", &path[1..]), host.clone()),
        ("404", "GET", &format!("{path}mod.rs"), host.clone()),
        ("404", "GET", &format!("{wrong}events"), host.clone()),
        ("405", "POST", path, format!("{host}Content-Length: 0\r\n")),
        ("405", "OPTIONS", path, host.clone()),
        ("421", "GET", path, "Host: evil.example\r\n".into()),
        ("421", "GET", path, format!("Host: evil.example:{port}\r\n")),
        ("421", "GET", path, "Host: localhost:1\r\n".into()),
        ("421", "GET", path, format!("Host: 127.0.0.2:{port}\r\n")),
        ("400", "GET", path, String::new()),
        ("403", "GET", path, format!("{host}Origin: {foreign}\r\n")),
        ("403", "GET", path, format!("{host}Origin: null\r\n")),
        ("403", "GET", path, format!("{host}Origin: http://localhost:1\r\n")),
        ("403", "GET", path, format!("{host}Sec-Fetch-Site: cross-site\r\n")),
        ("403", "GET", path, format!("{host}Sec-Fetch-Site: same-site\r\n")),
        ("403", "GET", path, format!("{host}Referer: {foreign}/\r\n")),
    ];
    for (status, method, path, fields) in cases {
        let response = ask(&shown, method, path, fields);
        let said = format!("{method} {path} {fields:?}: {response}");
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{said}");
        if *status != "400" {
            for field in [
                "Content-Security-Policy: default-src 'none'; script-src 'self';",
                "X-Content-Type-Options: nosniff",
                "Referrer-Policy: no-referrer",
                "Cache-Control: no-store",
            ] {
                assert!(response.contains(field), "{field}: {said}");
            }
        }
        assert!(!response.contains("Access-Control"), "{said}");
        let reveals = response.contains(&shown.web.path[1..33]);
        assert!(!reveals, "the token: {said}");
    }
}

#[test]
fn only_a_loopback_address_is_served() {
    let bind = |endpoint: &str| {
        let origin = || Origin::new("a test", Endpoint::Unix("/x".into()), SystemTime::now());
        let endpoint = match endpoint.strip_suffix(":0") {
            Some(host) => Endpoint::Tcp { host: host.into(), port: 0 },
            None => Endpoint::parse(endpoint).unwrap(),
        };
        Page::bind(&endpoint, origin()).map(|page| page.url().to_owned())
    };
    let (first, second) = (bind("127.0.0.1:0").unwrap(), bind("127.0.0.1:0").unwrap());
    let token = |url: &str| url.rsplit('/').nth(1).unwrap().to_owned();
    assert_eq!(token(&first).len(), 32, "{first}");
    assert_ne!(token(&first), token(&second));
    assert!(bind("localhost:0").unwrap().starts_with("http://localhost:"));
    let refused = bind("0.0.0.0:0").unwrap_err().to_string();
    assert!(refused.contains("other machines can reach"), "{refused}");
    let refused = bind("unix:///tmp/x").unwrap_err().to_string();
    assert!(refused.contains("a browser needs an address like tcp://127.0.0.1:8080"), "{refused}");
}
