//! The live page of `docker run` on a real dockerd, and pictures of it in `target/tmp/page`.

use crate::support::child::{run, ucurl};
use crate::support::live::Live;
use crate::support::needs::{self, program};
use crate::support::page::Page;
use crate::support::web::{WebClient, list, number, text};
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);
const ECHO: [&str; 7] = ["docker", "run", "--rm", "--network=none", "busybox", "echo", "hi"];

/// Opens the page of a tap that runs a docker command against dockerd.
fn page_of(command: &[&str]) -> Option<Page> {
    program("docker")?;
    let engine = needs::docker()?.display().to_string();
    let tap = ["tap", "--web", "--to", &engine, "--listen", "tap", "--"];
    Page::of(&[&tap, command].concat())
}

#[test]
fn docker_run_is_seen_in_a_browser() {
    let Some(mut page) = page_of(&ECHO) else { return };
    page.process().complains("the page stays until Ctrl-C");
    page.browser.until("!document.querySelector('.row.open')");
    page.browser.until_text("#rows", "/start");
    page.browser
        .until("document.title.startsWith('docker run --rm --network=none busybox echo hi')");
    page.picture("list");
    page.choose_like("POST /v[^ ]*/containers/create 201 Created");
    // HostConfig has many members, so it is folded at first.
    page.browser.click(".tree details details:not([open]) summary");
    page.browser.until_text("section.request .tree", "AutoRemove");
    let create = page.browser.text_of("section.request .tree");
    for line in ["\"Image\": \"busybox\"", "\"echo\"", "\"hi\"", "\"AutoRemove\": true"] {
        assert!(create.lines().any(|shown| shown.trim() == line), "{line} in\n{create}");
    }
    page.browser.run("detail.scrollTop = 0");
    page.picture("create");
    page.browser.colours("dark");
    page.picture("dark");
    page.browser.window(400, 800);
    page.picture("narrow-create");
    page.browser.press("Escape");
    page.browser.colours("light");
    page.picture("narrow-list");
    page.browser.window(1280, 800);
    page.choose_like("POST [^ ]*/attach[^ ]* 101 UPGRADED");
    page.browser.until_text(".piece.stdout pre", "hi");
    page.browser.run("document.querySelector('.piece').scrollIntoView({ block: 'center' })");
    page.picture("attach");
    assert_eq!(page.browser.problems(), [""; 0]);
    let ended = page.stop();
    assert_eq!((ended.code, &ended.stdout()[..]), (0, "hi\n"));
}

#[test]
fn stdout_and_stderr_of_a_container_are_told_apart_and_errors_stand_out() {
    let script = "echo to stdout; echo to stderr >&2; cat";
    let shell = ["docker", "run", "--rm", "-i", "--network=none", "busybox", "sh", "-c", script];
    let Some(mut page) = page_of(&shell) else { return };
    // The container waits for its stdin, so the stream stays open and the page shows it live.
    page.choose_like("POST [^ ]*/attach[^ ]* 101 UPGRADED");
    page.browser.until_text(".piece.stdout pre", "to stdout");
    page.browser.until_text(".piece.stderr pre", "to stderr");
    page.process().send("from stdin\n");
    page.browser.until_text(".piece.request pre", "from stdin");
    page.browser.run("detail.scrollTop = detail.scrollHeight");
    page.picture("streams");
    let mut missing = Command::new("docker");
    let socket = format!("unix://{}", page.socket().display());
    missing.args(["-H", &socket, "inspect", "--type=container", "missing"]);
    assert_ne!(run(&mut missing, b"", LIMIT).code, 0);
    page.choose_like("GET [^ ]*/containers/missing/json 404 Not Found");
    page.browser.until_text("section.response .tree", "No such container: missing");
    page.picture("error");
    page.process().close();
    page.process().complains("the page stays until Ctrl-C");
    assert_eq!(page.browser.problems(), [""; 0]);
}

/// The same without a browser: the JSON that the server sends to the page.
#[test]
fn docker_run_is_reported_in_json() {
    let Some(engine) = program("docker").and_then(|_| needs::docker()) else { return };
    let mut command = ucurl();
    command.args(["tap", "--web", "--to"]).arg(engine).arg("--").args(ECHO);
    let mut tap = Live::start(&mut command);
    tap.complains("watch at ");
    let web = WebClient::new(&tap.complains("/\n"));
    tap.complains("the page stays until Ctrl-C");
    let events = web.events(None).until(|event| event.name == "end");
    let ask = |what: &str| {
        let fits = |target: &str| target.split('?').next().is_some_and(|path| path.ends_with(what));
        let all = events.iter().filter(|event| event.name == "exchange");
        let summary = &all.rev().find(|event| fits(text(&event.data, "target"))).expect(what).data;
        assert_eq!((text(summary, "state"), text(summary, "method")), ("done", "POST"), "{what}");
        let detail = web.detail(number(summary, "id") as u64, "");
        let pieces = list(&detail, "pieces").iter();
        let told = pieces.map(|piece| [text(piece, "stream"), text(piece, "text")].concat());
        (number(summary, "status"), text(summary, "kind").to_owned(), told.collect::<String>())
    };
    let (status, kind, told) = ask("/containers/create");
    assert_eq!((status, kind.as_str()), (201, "json"));
    assert!(told.contains(r#""Cmd":["echo","hi"]"#) && told.contains(r#"{"Id":""#), "{told}");
    assert_eq!(ask("/attach"), (101, "upgraded".into(), "stdouthi\n".into()));
    let (status, kind, told) = ask("/wait");
    assert_eq!((status, kind.as_str()), (200, "json"));
    assert!(told.contains(r#""StatusCode":0"#), "{told}");
    assert_eq!(ask("/start"), (204, "none".into(), String::new()));
    let mut kill = Command::new("kill");
    assert!(kill.args(["-TERM", &tap.id().to_string()]).status().expect("kill").success());
    assert_eq!(tap.end().code, 0);
}
