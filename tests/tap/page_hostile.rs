//! Hostile traffic on the live page stays text. It runs nothing, loads nothing and changes nothing.

use crate::support::fake::Fake;
use crate::support::page::Page;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use unix_http::json::Value;

/// Markup in every form that a page could run. Each part would set `hacked` or load something.
const EVIL: &str = "<script>hacked = 1</script><img src=x onerror=hacked=1><svg onload=hacked=1>\
    <style>*{display:none}</style><iframe srcdoc='<script>parent.hacked=1</script>'></iframe>\
    \"' onfocus=hacked=1 autofocus style=position:fixed javascript:hacked=1 ${hacked=1} \
    <a href=javascript:hacked=1>x</a><base href=//evil.example><meta http-equiv=refresh \
    content=0;url=//evil.example></pre></code></section>]]>--><!--";
/// The controls of terminals and of bidirectional text.
const CONTROLS: &str = "\x1b[2J\x1b]0;title\x07\x08\x7f\u{9b}31m\u{202e}exe.txt\u{202c}\u{2066}\
    \u{2028}\u{feff}\u{e0041}";

/// The elements that the page itself makes.
const ELEMENTS: &str = "HTML HEAD META TITLE LINK SCRIPT BODY HEADER H1 H2 H3 H4 P B I SMALL SPAN \
    TIME NAV BUTTON A SEARCH INPUT DIV MAIN ARTICLE DL DT DD SECTION CODE PRE CITE DETAILS SUMMARY \
    FOOTER KBD NOSCRIPT";

/// A response with this content.
fn answer(media_type: &str, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\n");
    [format!("{head}Content-Length: {length}\r\n\r\n").as_bytes(), content].concat()
}

/// JSON of a container with this text as its name, as a value and as the name of a member.
fn container(text: &str) -> Vec<u8> {
    let name = Value::String(text.to_owned()).to_string();
    let names = format!(r#""Names":[{name}],{name}:{name}"#);
    format!(r#"[{{{names},"__proto__":{{"hacked":1}},"constructor":1,"toString":null}}]"#).into()
}

/// Frames of stdout, of stderr and of a stream that does not exist.
fn frames(text: &str) -> Vec<u8> {
    let frame = |number: u8| {
        let length = u32::try_from(text.len()).unwrap().to_be_bytes();
        [&[number, 0, 0, 0][..], &length, text.as_bytes()].concat()
    };
    [frame(1), frame(2), frame(9), b"\x01\0\0\0\xff\xff\xff\xff".to_vec()].concat()
}

/// The bytes of requests and of their responses.
fn conversations() -> Vec<(String, Vec<u8>)> {
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
    let both = format!("{EVIL}{CONTROLS}");
    let line = EVIL.replace(['\r', '\n'], " ");
    let target = EVIL.replace(' ', "%20");
    let docker = "application/vnd.docker.multiplexed-stream";
    let upgrade = "Connection: Upgrade\r\nUpgrade: tcp\r\n";
    vec![
        (get(&format!("/{target}")), answer("text/html", both.as_bytes())),
        (get(&format!("/?x={target}")), answer("application/json", &container(&both))),
        (
            format!("GET /fields HTTP/1.1\r\nHost: x\r\nX-Evil: {line}\r\nReferer: {line}\r\n\r\n"),
            format!(
                "HTTP/1.1 200 {line}\r\nLocation: javascript:hacked=1\r\nX-Evil: {line}\r\n\
                 Content-Type: {line}\r\nContent-Length: 0\r\n\r\n"
            )
            .into(),
        ),
        (get("/frames"), answer(docker, &frames(&both))),
        (
            format!("POST /attach HTTP/1.1\r\nHost: x\r\n{upgrade}\r\n{both}"),
            [
                format!("HTTP/1.1 101 X\r\nContent-Type: {docker}\r\n{upgrade}\r\n").as_bytes(),
                &frames(&both),
            ]
            .concat(),
        ),
        (
            get("/invalid"),
            answer("text/plain", b"\xff\xfe<script>hacked=1</script>\xc0\x80\xed\xa0\x80"),
        ),
        (get("/long"), answer("text/plain", both.repeat(1 << 12).as_bytes())),
        (
            get("/one-line"),
            answer("application/json", format!("\"{}\"", "x".repeat(1 << 20)).as_bytes()),
        ),
        (get("/deep"), answer("application/json", "[".repeat(100_000).as_bytes())),
        (get("/surrogate"), answer("application/json", br#"{"a":"\ud800","\u202e":"\u001b[2J"}"#)),
        (
            get("/wide"),
            answer("application/json", format!("[{}0]", "0,".repeat(50_000)).as_bytes()),
        ),
        // Faults quote the traffic that they are about.
        (format!("{line}\r\n\r\n"), Vec::new()),
        (get("/fault"), format!("HTTP/1.1 200 OK\r\nContent-Length: {line}\r\n\r\n").into()),
        (get("/fault"), format!("{both}\r\n\r\n").into()),
    ]
}

#[test]
fn hostile_traffic_stays_text() {
    let all = conversations();
    let answers: Vec<Vec<u8>> = all.iter().map(|(_, answer)| answer.clone()).collect();
    let engine = Fake::start(move |peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(&answers[peer.connection])
    });
    let Some(mut page) = Page::of_tap(&engine.path()) else { return };
    let title = page.browser.text("document.title");
    for (request, _) in &all {
        let mut stream = UnixStream::connect(page.socket()).unwrap();
        // The tap may close a connection that it refuses before it has read everything.
        let _ = stream.write_all(request.as_bytes());
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    }
    let browser = &mut page.browser;
    browser.until(&format!("document.querySelectorAll('#rows .row').length === {}", all.len()));
    for row in 1..=all.len() {
        browser.click(&format!("#rows .row[aria-rowindex='{}']", row + 1));
        browser.until("document.querySelector('#detail dt')");
        let more = "document.querySelectorAll('details').forEach(node => { node.open = true })";
        browser.run(more);
        assert_harmless(browser, row);
    }
    assert_eq!(browser.text("document.title"), title);
    assert_eq!(browser.problems(), [""; 0]);
    let requested = page.browser.requested();
    let mut elsewhere = requested.iter().filter(|url| !url.starts_with(&page.url));
    assert_eq!(elsewhere.next().map(String::as_str), None);
}

/// Checks that nothing ran, that all elements are the page's own, and that all text is visible.
#[track_caller]
fn assert_harmless(browser: &mut crate::support::browser::Browser, row: usize) {
    assert_eq!(browser.text("typeof hacked + typeof {}.hacked"), "undefinedundefined", "{row}");
    let elements = "[...new Set([...document.querySelectorAll('*')].map(one => one.tagName))]";
    for element in browser.text(&format!("{elements}.join(' ')")).split(' ') {
        assert!(ELEMENTS.split_whitespace().any(|own| own == element), "{row}: {element}");
    }
    let attributes = "[...document.querySelectorAll('*')].flatMap(one => [...one.attributes])";
    let handlers = format!("{attributes}.filter(one => one.name.startsWith('on')).length");
    assert_eq!(browser.text(&handlers), "0", "{row}");
    let links = "[...document.links].map(link => link.href)";
    for link in browser.text(&format!("{links}.join('\\n')")).lines() {
        let own = link.starts_with("https://www.rfc-editor.org/rfc/rfc") || link.ends_with("/har");
        assert!(own, "{row}: {link}");
    }
    // Except line ends and tabs, every control and format character is spelled out.
    let hidden =
        "document.body.textContent.match(/(?![\\n\\t])[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]/u)?.[0]";
    assert_eq!(browser.text(&format!("{hidden}?.codePointAt(0)")), "undefined", "{row}");
    assert_eq!(browser.text("getComputedStyle(document.getElementById('list')).display"), "block");
}
