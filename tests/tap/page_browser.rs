//! The live page in a real browser: the list, an exchange in full, the keyboard, and the loss of
//! the page or the tap.

use crate::support::child::{UCURL, run};
use crate::support::needs::program;
use crate::support::page::Page;
use crate::support::serve::{Served, serve};
use std::io::{self, Read, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use unix_http::Client;

const CONTAINER: &str = r#"{"Id":"4c6ce6","Big":12345678901234567890,"Name":"/a","Name":"/b",
    "State":{"Running":true,"Pid":1},"Empty":{}}"#;
const MISSING: &str = r#"{"message":"No such container: b"}"#;
/// More than a tap's page keeps of a body.
const LARGE: u64 = 100_000_000;

/// An engine with one container, and the tap and the page in front of it.
struct Setup {
    page: Page,
    engine: Served,
    client: Client,
}

/// The output of an attached container: the stream of a frame, and its text.
type Output = Sender<Option<(u8, &'static str)>>;

fn setup() -> Option<Setup> {
    let (output, frames) = channel();
    drop(output);
    setup_with(frames)
}

fn setup_with(frames: Receiver<Option<(u8, &'static str)>>) -> Option<Setup> {
    let frames = Mutex::new(frames);
    let engine = serve(move |request, responder| {
        let json = "application/json";
        match (request.method(), request.path()) {
            ("POST", b"/containers/a/attach") => {
                let docker = "application/vnd.docker.multiplexed-stream";
                let (mut stream, sent) =
                    responder.field("Content-Type", docker).upgrade(request, "tcp")?;
                while let Ok(Some((number, text))) = frames.lock().unwrap().recv() {
                    let length = u8::try_from(text.len()).unwrap();
                    stream.write_all(&[number, 0, 0, 0, 0, 0, 0, length])?;
                    stream.write_all(text.as_bytes())?;
                }
                Ok(sent)
            }
            ("POST", _) => {
                request.bytes(1 << 20)?;
                responder.status(201).field("Content-Type", json).send(r#"{"Id":"1"}"#)
            }
            (_, b"/containers/a/json") => responder.field("Content-Type", json).send(CONTAINER),
            (_, b"/images/large") => {
                let responder = responder.field("Content-Type", "application/x-tar");
                let mut body = responder.field("Content-Length", LARGE.to_string()).stream()?;
                io::copy(&mut io::repeat(0).take(LARGE), &mut body)?;
                body.finish()
            }
            (_, b"/turns-binary") => {
                let mut body = responder.field("Content-Type", "text/plain").stream()?;
                body.write_all(b"hello")?;
                body.flush()?;
                let _ = frames.lock().unwrap().recv();
                body.write_all(b"\0\xff\0")?;
                body.finish()
            }
            (_, b"/grows") => {
                let mut body = responder.field("Content-Type", "text/plain").stream()?;
                body.write_all(&[b'a'; 70_000])?;
                body.flush()?;
                while let Ok(Some((_, text))) = frames.lock().unwrap().recv() {
                    body.write_all(text.as_bytes())?;
                    body.flush()?;
                }
                body.finish()
            }
            (_, b"/slow") => {
                let _ = frames.lock().unwrap().recv();
                responder.send("at last")
            }
            _ => responder.status(404).field("Content-Type", json).send(MISSING),
        }
    });
    let page = Page::of_tap(&engine.dir.join("s"))?;
    let client = Client::unix(page.socket());
    Some(Setup { page, engine, client })
}

impl Setup {
    #[track_caller]
    fn get(&self, target: &str) {
        self.client.get(target).send().unwrap().bytes().unwrap();
    }

    /// The three requests that most of these tests look at.
    #[track_caller]
    fn ask(&mut self) {
        self.get("/containers/a/json");
        self.client.post("/containers/create").json("{}").send().unwrap().bytes().unwrap();
        self.get("/containers/b/json");
        self.page.until_rows(&THREE);
    }

    /// Requests a target while `act` looks at the page. The engine ends its response when `gate` is
    /// dropped, also if `act` fails.
    #[track_caller]
    fn during(&mut self, target: &str, gate: Output, act: impl FnOnce(&mut Page, &Output)) {
        let (page, client) = (&mut self.page, &self.client);
        std::thread::scope(move |scope| {
            scope.spawn(move || client.get(target).send().unwrap().bytes().unwrap());
            act(page, &gate);
        });
    }

    /// Sends an attach over a connection of its own. Returns that connection.
    #[track_caller]
    fn attach(&self) -> UnixStream {
        let mut stream = UnixStream::connect(self.page.socket()).unwrap();
        let target = "/containers/a/attach?stream=1&stdout=1&stderr=1";
        let fields = "Host: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n";
        write!(stream, "POST {target} HTTP/1.1\r\n{fields}\r\n").unwrap();
        stream
    }
}

const THREE: [&str; 3] = [
    "GET /containers/a/json 200 OK",
    "POST /containers/create 201 Created",
    "GET /containers/b/json 404 Not Found",
];

#[test]
fn the_list_fills_while_requests_pass() {
    let (go, waits) = channel();
    let Some(mut it) = setup_with(waits) else { return };
    it.page.browser.until_text("#empty", "Waiting for a request.");
    it.ask();
    it.during("/slow", go, |page, go| {
        let browser = &mut page.browser;
        browser.until_text(".row.open .time", "open");
        assert_eq!(browser.text_of("[data-kind=open]"), "Open 1");
        go.send(None).unwrap();
        browser.until("!document.querySelector('.row.open')");
        browser.until_text("[data-kind=open]", "Open 0");
    });
    let browser = &mut it.page.browser;
    assert_eq!(browser.text_of(".row.poor .status"), "404 Not Found");
    assert_eq!(browser.text_of(".row.poor .received"), format!("{} B", MISSING.len()));
    // A bar for each row, on one scale: a later request starts further right.
    let left =
        "[...document.querySelectorAll('#rows i')].map(bar => bar.getBoundingClientRect().x)";
    assert_eq!(
        browser.text(&format!("({left}).every((x, n, all) => !n || x >= all[n - 1])")),
        "true"
    );
    assert_eq!(browser.problems(), [""; 0]);
}

#[test]
fn search_and_filter_choose_rows() {
    let Some(mut it) = setup() else { return };
    it.ask();
    let [first, create, missing] = THREE;
    for (search, rows) in [
        ("containers", &[first, create, missing][..]),
        ("CREATE", &[create]),
        ("get json", &[first, missing]),
        ("get -404", &[first]),
        ("no such thing", &[]),
    ] {
        it.page.browser.press("/");
        it.page.browser.type_text(search);
        it.page.until_rows(rows);
        it.page.browser.press("Escape");
        it.page.until_rows(&THREE);
        it.page.browser.press("Escape");
    }
    for (kind, rows) in
        [("errors", &[missing][..]), ("writes", &[create]), ("open", &[]), ("all", &THREE)]
    {
        it.page.browser.click(&format!("[data-kind={kind}]"));
        it.page.until_rows(rows);
    }
}

#[test]
fn an_exchange_is_shown_in_full_with_its_rules() {
    let Some(mut it) = setup() else { return };
    it.ask();
    it.page.choose(THREE[0]);
    let browser = &mut it.page.browser;
    assert_eq!(browser.text_of("section.request code"), "GET /containers/a/json HTTP/1.1");
    assert_eq!(browser.text_of("section.response code"), "HTTP/1.1 200 OK");
    let rule = "document.querySelector('section.request .notes a')";
    assert_eq!(browser.text(&format!("{rule}.textContent")), "RFC 9112 §3");
    let section = "https://www.rfc-editor.org/rfc/rfc9112#section-3";
    assert_eq!(browser.text(&format!("{rule}.href")), section);
    assert_eq!(browser.text(&format!("{rule}.rel")), "noreferrer");
    let framing = browser.text_of("section.response .framing");
    assert!(framing.contains("Content-Length") && framing.contains("RFC 9112 §6.3"), "{framing}");
    browser.press("e");
    browser.until("getComputedStyle(document.querySelector('.notes')).display === 'none'");
    assert_eq!(browser.problems(), [""; 0]);
}

#[test]
fn json_is_a_tree_that_folds_and_keeps_every_digit_and_member() {
    let Some(mut it) = setup() else { return };
    it.ask();
    it.page.choose(THREE[0]);
    let browser = &mut it.page.browser;
    let tree = browser.text_of("section.response .tree");
    for line in [
        "{ 6 members }",
        "\"Big\": 12345678901234567890",
        "\"Name\": \"/a\"",
        "\"Name\": \"/b\"",
        "\"State\": { 2 members }",
        "\"Running\": true",
        "\"Empty\": {}",
    ] {
        assert!(tree.lines().any(|shown| shown.trim() == line), "{line} in\n{tree}");
    }
    browser.click(".tree details details summary");
    browser.until("!document.querySelector('.tree details details').open");
    assert!(!browser.text_of("section.response .tree").contains("Running"));
    browser.run("document.querySelector('.tree details details summary').focus()");
    browser.press("Enter");
    browser.until("document.querySelector('.tree details details').open");
    browser.click("section.response h4 button");
    assert_eq!(browser.text_of("section.response pre"), CONTAINER);
    browser.click("section.response h4 button");
    browser.until("document.querySelector('section.response .tree details')");
}

#[test]
fn a_copied_command_repeats_the_request() {
    let Some(mut it) = setup() else { return };
    it.ask();
    it.page.choose(THREE[0]);
    it.page.browser.allow_clipboard();
    for (button, name) in [(1, "ucurl"), (2, "curl")] {
        it.page.browser.click(&format!(".actions button:nth-of-type({button})"));
        it.page.browser.until_text("#note", &format!("Copied: {name} "));
        let copied = it.page.browser.run("navigator.clipboard.readText()");
        let command = copied.as_str().unwrap().to_owned();
        assert!(command.starts_with(&format!("{name} ")), "{command}");
        if name == "curl" && program("curl").is_none() {
            continue;
        }
        let bin = it.engine.dir.join(name);
        symlink(UCURL.expect("built with ucurl"), bin.with_file_name("ucurl")).ok();
        let path = format!("{}:{}", it.engine.dir.path().display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(&command).env("PATH", path);
        assert_eq!(run(&mut shell, b"", Duration::from_secs(30)).success(), CONTAINER, "{command}");
    }
}

#[test]
fn the_keyboard_reaches_everything() {
    let Some(mut it) = setup() else { return };
    it.ask();
    let browser = &mut it.page.browser;
    let current = "document.querySelector('[aria-selected=true] .target')?.textContent";
    let shown = "document.querySelector('#detail h2')?.textContent";
    for (key, target) in [
        ("ArrowDown", "/containers/a/json"),
        ("ArrowDown", "/containers/create"),
        ("End", "/containers/b/json"),
        ("ArrowUp", "/containers/create"),
        ("Home", "/containers/a/json"),
    ] {
        browser.press(key);
        browser.until(&format!("{current} === '{target}'"));
    }
    browser.press("Enter");
    browser.until(&format!("{shown} === 'GET /containers/a/json'"));
    // The open exchange follows the current row. A second Enter moves the focus into it.
    browser.press("ArrowDown");
    browser.until(&format!("{shown} === 'POST /containers/create'"));
    browser.press("Enter");
    assert_eq!(browser.text("document.activeElement.id"), "detail");
    browser.press("Tab");
    assert_eq!(browser.text("document.activeElement.textContent"), "Copy as ucurl");
    let outline = "getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(browser.text(outline), "solid");
    browser.press("Escape");
    browser.until("document.getElementById('detail').hidden");
    assert_eq!(browser.text("document.activeElement.id"), "list");
    browser.press("/");
    assert_eq!(browser.text("document.activeElement.id"), "search");
}

#[test]
fn an_upgraded_stream_grows_while_it_is_open() {
    let (output, frames): (Output, _) = channel();
    let Some(mut it) = setup_with(frames) else { return };
    let mut stream = it.attach();
    output.send(Some((1, "out\n"))).unwrap();
    output.send(Some((2, "wrong\n"))).unwrap();
    it.page.choose("POST /containers/a/attach?stream=1&stdout=1&stderr=1 101 Switching Protocols");
    let browser = &mut it.page.browser;
    browser.until_text(".piece.stdout pre", "out");
    browser.until_text(".piece.stderr pre", "wrong");
    output.send(Some((1, "later \x1b[31m\u{202e}\n"))).unwrap();
    browser.until_text(".piece:last-child", "later");
    // Escape sequences are spelled out.
    assert_eq!(browser.text("document.querySelectorAll('.piece').length"), "3");
    assert!(browser.text_of(".piece:last-child").contains("later \\x1b[31m\\u{202e}"));
    output.send(None).unwrap();
    io::copy(&mut stream, &mut io::sink()).unwrap();
    drop(stream);
    browser.until("!document.querySelector('.row.open')");
    assert_eq!(browser.problems(), [""; 0]);
}

#[test]
fn a_click_counts_although_its_row_changes_meanwhile() {
    let (output, frames) = channel();
    let Some(mut it) = setup_with(frames) else { return };
    let stream = it.attach();
    let browser = &mut it.page.browser;
    browser.until_text(".row.open", "101");
    let before = browser.text_of(".row.open .received");
    let place = browser.press_on(".row.open .target");
    output.send(Some((1, "out\n"))).unwrap();
    browser.until(&format!("document.querySelector('.open .received').innerText !== '{before}'"));
    browser.release(&place);
    browser.until("document.querySelector('#detail h3')");
    drop((output, stream));
}

#[test]
fn more_of_a_growing_text_stays_shown() {
    let (output, frames) = channel();
    let Some(mut it) = setup_with(frames) else { return };
    it.during("/grows", output, |page, output| {
        page.choose("GET /grows 200 OK");
        let browser = &mut page.browser;
        browser.until_text(".more", "Show more: 37232 left");
        // More arrives while the button is pressed.
        let place = browser.press_on(".more");
        output.send(Some((1, "b"))).unwrap();
        browser.until_text(".more", "Show more: 37233 left");
        browser.release(&place);
        browser.until_text(".more", "Show more: 4465 left");
        output.send(Some((1, "c"))).unwrap();
        browser.until_text(".more", "Show more: 4466 left");
        browser.click(".more");
        browser.until_text("section.response pre", "aaabc");
        assert_eq!(browser.text_of(".more"), "");
    });
}

#[test]
fn a_text_that_turns_out_to_be_binary_is_shown_again_in_hex() {
    let (go, waits) = channel();
    let Some(mut it) = setup_with(waits) else { return };
    it.during("/turns-binary", go, |page, go| {
        page.choose("GET /turns-binary 200 OK");
        page.browser.until_text("section.response pre", "hello");
        go.send(None).unwrap();
        page.browser.until_text(".hex", "00000000  68 65 6c 6c 6f 00 ff 00");
        page.browser.until_text(".hex", "hello...");
    });
    assert_eq!(it.page.browser.text("document.querySelector('section.response pre')"), "null");
}

#[test]
fn a_large_body_is_cut_and_the_page_says_so() {
    let Some(mut it) = setup() else { return };
    let mut body = it.client.get("/images/large").send().unwrap();
    assert_eq!(io::copy(&mut body.by_ref(), &mut io::sink()).unwrap(), LARGE);
    it.page.choose("GET /images/large 200 OK");
    let browser = &mut it.page.browser;
    browser.until_text("section.response h4", "Body: 100 MB, binary");
    assert!(browser.text_of("section.response h4").contains("left out"));
    // Lines have sixteen bytes. The page shows a few until the reader asks for more.
    let first = "00000000  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................";
    assert_eq!(browser.text_of(".hex"), first);
    assert_eq!(browser.text("document.querySelectorAll('.hex').length"), "200");
    browser.click(".more");
    browser.until("document.querySelectorAll('.hex').length === 400");
}

/// Whether the row that was opened is in view.
const OPENED_IS_IN_VIEW: &str = "(() => {
    const row = document.querySelector('[aria-selected=true]')?.getBoundingClientRect();
    const room = list.getBoundingClientRect();
    return row && row.top >= room.top && row.bottom <= room.bottom;
})()";

#[test]
fn ten_thousand_exchanges_stay_usable() {
    let Some(mut it) = setup() else { return };
    for n in 0..10_000 {
        it.get(&format!("/containers/{n}/json"));
    }
    let browser = &mut it.page.browser;
    browser.until_text("[data-kind=all]", "10000");
    assert_eq!(browser.text("document.querySelectorAll('#rows .row').length < 100"), "true");
    // The list follows the end, and each row can be reached.
    browser.until_text("#rows", "/containers/9999/json");
    browser.press("Home");
    browser.until_text("[aria-selected=true]", "/containers/0/json");
    browser.press("/");
    browser.type_text("/5678/");
    it.page.until_rows(&["GET /containers/5678/json 404 Not Found"]);
    // The rows in view stay there when an exchange opens beside them, and when it closes.
    it.page.browser.press("Escape");
    it.page.browser.until("shown.length === 10_000 && list.scrollHeight > 10_000 * height");
    for (width, row) in [(1280, 5000), (1280, 9900), (400, 5000), (400, 9900)] {
        it.page.browser.window(width, 800);
        it.page.browser.until("height === (innerWidth === 400 ? 50 : 30)");
        it.page.browser.run(&format!("list.scrollTop = {row} * height"));
        it.page.choose(&format!("GET /containers/{}/json 404 Not Found", row + 3));
        it.page.browser.until(OPENED_IS_IN_VIEW);
        it.page.browser.press("Escape");
        it.page.browser.until("document.getElementById('detail').hidden");
        it.page.browser.until(OPENED_IS_IN_VIEW);
    }
    assert_eq!(it.page.browser.problems(), [""; 0]);
}

#[test]
fn a_page_that_joins_late_gets_what_is_kept() {
    let Some(mut it) = setup() else { return };
    it.ask();
    let url = it.page.url.clone();
    it.page.browser.open("about:blank");
    it.get("/containers/later/json");
    it.page.browser.open(&url);
    it.page.until_rows(&[&THREE[..], &["GET /containers/later/json 404 Not Found"]].concat());
    it.page.choose(THREE[1]);
    assert_eq!(it.page.browser.text_of("section.request .tree"), "{}");
}

#[test]
fn a_page_without_its_tap_says_that_it_is_disconnected() {
    let Some(mut it) = setup() else { return };
    it.ask();
    it.page.choose(THREE[0]);
    it.page.stop();
    it.page.browser.until_text("#state", "disconnected");
    // The page still shows everything that it has.
    it.page.until_rows(&THREE);
    assert_eq!(it.page.browser.text_of("section.response code"), "HTTP/1.1 200 OK");
    // A new tap on the same port has another secret in its address, which the old page cannot know.
    let port = it.page.url.split(['/', ':']).nth(4).unwrap().to_owned();
    let engine = it.engine.dir.join("s").display().to_string();
    let web = format!("--web=tcp://127.0.0.1:{port}");
    it.page.serve(&["tap", &web, "--to", &engine, "--listen", "tap"]);
    it.page.browser.until_text("#state", "new address");
    let url = it.page.url.clone();
    it.page.browser.open(&url);
    it.page.browser.until_text("#state", "live");
    it.page.until_rows(&[]);
}

#[test]
fn the_page_loads_nothing_from_elsewhere() {
    let Some(mut it) = setup() else { return };
    it.ask();
    it.page.choose(THREE[0]);
    let requested = it.page.browser.requested();
    let elsewhere: Vec<_> = requested
        .iter()
        .filter(|url| !url.starts_with(&it.page.url) && *url != "about:blank")
        .collect();
    assert_eq!(elsewhere, [""; 0], "{requested:?}");
    assert!(requested.iter().any(|url| url.ends_with("/page.js")), "{requested:?}");
}

#[test]
fn the_title_names_the_command_and_the_time_but_no_secret() {
    let engine = serve(|_, responder| responder.send(""));
    let socket = engine.dir.join("s").display().to_string();
    let command = ["sh", "-c", ":", "run", "DB_PASSWORD=hunter2"];
    let tap = ["tap", "--web", "--to", &socket, "--"];
    let Some(mut page) = Page::of(&[&tap, &command[..]].concat()) else { return };
    let title = page.browser.text("document.title");
    assert!(title.starts_with("sh -c : run DB_PASSWORD=******* · 20"), "{title}");
    assert_eq!(page.browser.text_of("#session b"), "sh -c : run DB_PASSWORD=*******");
}

#[test]
fn the_har_has_the_exchanges_of_the_list() {
    let Some(mut it) = setup() else { return };
    it.ask();
    it.page.browser.until("!document.querySelector('.row.open')");
    let urls = "fetch(document.querySelector('nav a').href).then(answer => answer.json())
        .then(har => har.log.entries.map(entry => new URL(entry.request.url).pathname).join(' '))";
    let urls = it.page.browser.run(urls);
    assert_eq!(urls.as_str(), Some("/containers/a/json /containers/create /containers/b/json"));
}

#[test]
fn colours_follow_the_system_until_they_are_switched() {
    let Some(mut it) = setup() else { return };
    let browser = &mut it.page.browser;
    let paper = "getComputedStyle(document.documentElement).backgroundColor";
    let light = browser.text(paper);
    browser.colours("dark");
    let dark = browser.text(paper);
    assert_ne!(light, dark);
    for (name, colour) in [("Light", &light), ("Dark", &dark), ("Auto", &dark)] {
        browser.click("#theme");
        assert_eq!(browser.text_of("#theme"), name);
        assert_eq!(browser.text(paper), *colour, "{name}");
    }
}

#[test]
fn a_phone_needs_no_scrolling_sideways() {
    let Some(mut it) = setup() else { return };
    it.ask();
    it.get(&format!("/containers/{}/json?all=1", "4c6ce6".repeat(40)));
    it.page.browser.window(400, 800);
    let overflow = "[document.documentElement, list, detail]
        .filter(one => one.scrollWidth > one.clientWidth).map(one => one.tagName).join(' ')";
    it.page.browser.until_text("#rows", "4c6ce6");
    assert_eq!(it.page.browser.text(overflow), "");
    it.page.browser.press("End");
    it.page.browser.press("Enter");
    it.page.browser.until_text("#detail .tree", "No such container");
    assert_eq!(it.page.browser.text(overflow), "");
    assert_eq!(it.page.browser.text("document.activeElement.id"), "detail");
}
