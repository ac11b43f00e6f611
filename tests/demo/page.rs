//! The live page of the demo, and a picture of it in `target/tmp/page`.

use crate::support::page::Page;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use unix_http::Client;

#[test]
fn the_demo_shows_its_traffic_in_a_browser() {
    let Some(mut page) = Page::of(&["demo", "--web", "--listen", "tap"]) else { return };
    let client = Client::unix(page.socket());
    let ask = |target: &str| client.get(target).send().unwrap().bytes().unwrap();
    ask("/version");
    let create = client.post("/containers/create?name=web");
    let json = r#"{"Image":"busybox","Cmd":["sh","-c","echo out; echo wrong >&2"]}"#;
    create.json(json).send().unwrap().bytes().unwrap();
    let mut stream = UnixStream::connect(page.socket()).unwrap();
    let fields = "Host: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n";
    let target = "/containers/web/attach?stream=1&stdout=1&stderr=1";
    write!(stream, "POST {target} HTTP/1.1\r\n{fields}\r\n").unwrap();
    page.browser.until_text("#rows", "101");
    client.post("/containers/web/start").send().unwrap().bytes().unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    drop(stream);
    ask("/containers/json?all=1");
    ask("/containers/missing/json");
    page.until_rows(&[
        "GET /version 200 OK",
        "POST /containers/create?name=web 201 Created",
        "POST /containers/web/attach?stream=1&stdout=1&stderr=1 101 UPGRADED",
        "POST /containers/web/start 204 No Content",
        "GET /containers/json?all=1 200 OK",
        "GET /containers/missing/json 404 Not Found",
    ]);
    page.browser.until("!document.querySelector('.row.open')");
    page.picture("demo");
    page.choose_like("POST [^ ]*/attach.*");
    page.browser.until_text(".piece.stdout pre", "out");
    page.browser.until_text(".piece.stderr pre", "wrong");
    assert_eq!(page.browser.problems(), [""; 0]);
}
