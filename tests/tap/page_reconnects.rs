//! The live page on a scripted server: restarts, sessions, dropped exchanges, and contrast.

use crate::support::browser::Browser;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use unix_http::server::{Handle, Server};
use unix_http::transport::Endpoint;

const FILES: [(&str, &str, &str); 3] = [
    ("/", "text/html", include_str!("../../src/tap/page/index.html")),
    ("/page.css", "text/css", include_str!("../../src/tap/page/page.css")),
    ("/page.js", "text/javascript", include_str!("../../src/tap/page/page.js")),
];

/// The Last-Event-ID of each event stream that the page has opened.
type Resumed = Arc<Mutex<Vec<String>>>;

/// Serves the page. Each event stream sends `events` and then stays silent.
fn site(port: u16, events: String, resumed: &Resumed) -> Handle {
    let resumed = Arc::clone(resumed);
    let server = Server::bind(&Endpoint::Tcp { host: "127.0.0.1".into(), port }).unwrap();
    let handle = server.spawn(move |request, responder| {
        let path = String::from_utf8_lossy(request.path()).into_owned();
        if let Some((_, media_type, content)) = FILES.iter().find(|(name, ..)| *name == path) {
            return responder.field("Content-Type", media_type).send(content);
        }
        if path != "/events" {
            return responder.field("Content-Type", "application/json").send(DETAIL);
        }
        let last = request.fields().get("Last-Event-ID").unwrap_or_default();
        resumed.lock().unwrap().push(String::from_utf8_lossy(last).into_owned());
        let mut body = responder.field("Content-Type", "text/event-stream").stream()?;
        body.write_all(events.as_bytes())?;
        body.flush()?;
        while !request.is_stopping() {
            thread::sleep(Duration::from_millis(5));
        }
        body.finish()
    });
    handle.unwrap()
}

fn about(started: &str) -> String {
    let program = r#""program":"ucurl tap","version":"0.1.0","target":"unix:///s""#;
    let data = format!(r#"{{{program},"started":"{started}","recording":false}}"#);
    format!("retry: 20\nevent: about\ndata: {data}\n\n")
}

fn summary(id: u32) -> String {
    format!(
        r#"{{"id":{id},"connection":1,"number":{id},"method":"GET","target":"/{id}","status":200,
        "reason":"OK","start_ms":{id},"first_ms":{id},"last_ms":{id},"sent":0,"received":0,
        "kind":"none","state":"done","fault":null,"version":{id}}}"#
    )
    .replace('\n', "")
}

fn exchange(id: u32) -> String {
    format!("event: exchange\nid: {id}\ndata: {}\n\n", summary(id))
}

const DETAIL: &str = r#"{"summary":{"id":1,"connection":1,"number":1,"method":"GET","target":"/1",
    "status":200,"reason":"OK","start_ms":1,"first_ms":1,"last_ms":1,"sent":0,"received":0,
    "kind":"none","state":"done","fault":null,"version":1},"messages":[],"piece_count":0,
    "pieces":[],"notes":[],"faults":[],"timing":{"start_ms":1,"sent_ms":null,
    "first_ms":null,"end_ms":null},
    "curl":"","ucurl":""}"#;

/// The targets of the rows, in order.
const TARGETS: &str = "[...document.querySelectorAll('#rows .target')].map(one => one.textContent)
    .sort().join(' ')";

fn port(handle: &Handle) -> u16 {
    let Endpoint::Tcp { port, .. } = handle.endpoint() else { unreachable!() };
    *port
}

#[test]
fn a_page_comes_back_when_its_server_does() {
    let Some(mut browser) = Browser::start() else { return };
    let resumed = Resumed::default();
    let (morning, noon) = ("2026-11-26T08:00:00.000Z", "2026-11-26T12:00:00.000Z");
    let first = site(0, about(morning) + &exchange(1) + &exchange(2), &resumed);
    let port = port(&first);
    browser.open(&format!("http://127.0.0.1:{port}/"));
    browser.until(&format!("{TARGETS} === '/1 /2'"));
    browser.click("#rows .row");
    browser.until("!document.getElementById('detail').hidden");
    // In the same session, the page keeps its rows and asks for later events only.
    first.stop(Duration::from_secs(20));
    drop(first);
    browser.until_text("#state", "disconnected, trying again");
    let second = site(port, about(morning) + &exchange(3), &resumed);
    browser.until(&format!("{TARGETS} === '/1 /2 /3'"));
    browser.until_text("#state", "live");
    assert_eq!(*resumed.lock().unwrap(), ["", "2"]);
    // In another session, the page forgets its rows and asks for all events.
    second.stop(Duration::from_secs(20));
    drop(second);
    browser.until_text("#state", "disconnected, trying again");
    let third = site(port, about(noon) + &exchange(1), &resumed);
    browser.until(&format!("{TARGETS} === '/1'"));
    browser.until_text("#state", "live");
    browser.until("document.getElementById('detail').hidden");
    browser.until_text("#session", "2026-11-26");
    assert_eq!(*resumed.lock().unwrap(), ["", "2", "3", ""]);
    drop(third);
}

#[test]
fn a_page_forgets_dropped_exchanges_and_shows_the_end() {
    let Some(mut browser) = Browser::start() else { return };
    let dropped = "event: dropped\ndata: {\"exchanges\":2,\"before\":3}\n\n";
    let events = (1..=4).map(exchange).collect::<String>() + dropped + "event: end\ndata: {}\n\n";
    let site = site(0, about("2026-11-26T08:00:00.000Z") + &events, &Resumed::default());
    browser.open(&format!("http://127.0.0.1:{}/", port(&site)));
    browser.until(&format!("{TARGETS} === '/3 /4'"));
    browser.until_text("#state", "ended");
    assert_eq!(browser.text_of("#dropped"), "2 earlier exchanges are no longer kept.");
    assert_eq!(browser.problems(), [""; 0]);
    drop(site);
}

/// WCAG 2.2, 1.4.3: text has a contrast of 4.5 to 1.
#[test]
fn text_has_enough_contrast_in_light_and_dark() {
    let Some(mut browser) = Browser::start() else { return };
    let states = [(200, "done"), (404, "done"), (500, "failed"), (101, "open")];
    let exchanges = (1..).zip(states).map(|(id, (status, state))| {
        let status = format!("\"status\":{status}");
        let summary = summary(id).replace("\"status\":200", &status).replace("done", state);
        format!("event: exchange\nid: {id}\ndata: {summary}\n\n")
    });
    let events = about("2026-11-26T08:00:00.000Z") + &exchanges.collect::<String>();
    let site = site(0, events, &Resumed::default());
    browser.open(&format!("http://127.0.0.1:{}/", port(&site)));
    browser.until("document.querySelectorAll('#rows .row').length === 4");
    browser.press("ArrowDown");
    browser.press("Enter");
    browser.until("document.querySelector('#detail dt')");
    for scheme in ["light", "dark"] {
        browser.colours(scheme);
        assert_eq!(browser.text(CONTRASTS), "", "{scheme}");
    }
    drop(site);
}

/// JavaScript that lists each text with a contrast below 4.5.
const CONTRASTS: &str = "(() => {
    const light = value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    const luminance = colour => {
        const [red, green, blue] = colour.match(/[0-9.]+/g).map(part => light(part / 255));
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const behind = one => {
        const colour = getComputedStyle(one).backgroundColor;
        return colour === 'rgba(0, 0, 0, 0)' ? behind(one.parentElement) : colour;
    };
    const contrast = one => {
        const [more, less] = [getComputedStyle(one).color, behind(one)].map(luminance)
            .sort((a, b) => b - a);
        return (more + 0.05) / (less + 0.05);
    };
    const isText = node => node.nodeType === Node.TEXT_NODE && node.data.trim();
    const hasText = one => [...one.childNodes].some(isText);
    return [...document.body.querySelectorAll('*')]
        .filter(one => one.checkVisibility() && hasText(one) && contrast(one) < 4.5)
        .map(one => `${one.textContent} ${contrast(one)}`).join(', ');
})()";
